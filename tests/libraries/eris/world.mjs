// What eris holds in its caches, in the shape of frame/state.mjs.

import { byId } from '../frame/state.mjs';

/** Everything eris holds of its guilds. */
export function ofCaches(client) {
  return byId(client.guilds.map((guild) => [guild.id, {
    name: guild.name,
    ownerId: guild.ownerID,
    memberCount: guild.memberCount,
    roles: byId(guild.roles.map((role) => [role.id, {
      name: role.name,
      color: role.color,
      permissions: role.permissions.allow.toString(),
    }])),
    channels: byId(guild.channels.map((channel) => [channel.id, {
      type: channel.type,
      name: channel.name,
      parentId: channel.parentID,
      overwrites: byId(channel.permissionOverwrites.map((overwrite) => [overwrite.id, {
        type: overwrite.type,
        allow: overwrite.allow.toString(),
        deny: overwrite.deny.toString(),
      }])),
    }])),
    members: byId(guild.members.map((member) => [member.id, {
      username: member.user.username,
      nick: member.nick,
      roles: [...member.roles].sort(),
    }])),
    voice: byId(guild.members.filter((member) => member.voiceState.channelID).map(({ id, voiceState }) => [id, {
      channelId: voiceState.channelID,
      selfMute: voiceState.selfMute,
      selfDeaf: voiceState.selfDeaf,
      mute: voiceState.mute,
      deaf: voiceState.deaf,
    }])),
  }]));
}
