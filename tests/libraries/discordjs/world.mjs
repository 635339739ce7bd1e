// What discord.js holds in its caches, in the shape of frame/state.mjs.

import { byId } from '../frame/state.mjs';

/** Everything discord.js holds of its guilds. */
export function ofCaches(client) {
  return byId(client.guilds.cache.map((guild) => [guild.id, {
    name: guild.name,
    ownerId: guild.ownerId,
    memberCount: guild.memberCount,
    roles: byId(guild.roles.cache.map((role) => [role.id, {
      name: role.name,
      color: role.colors?.primaryColor ?? role.color,
      permissions: role.permissions.bitfield.toString(),
    }])),
    channels: byId(guild.channels.cache.filter((channel) => !channel.isThread()).map((channel) => [channel.id, {
      type: channel.type,
      name: channel.name,
      parentId: channel.parentId,
      overwrites: byId(channel.permissionOverwrites.cache.map((overwrite) => [overwrite.id, {
        type: overwrite.type,
        allow: overwrite.allow.bitfield.toString(),
        deny: overwrite.deny.bitfield.toString(),
      }])),
    }])),
    members: byId(guild.members.cache.map((member) => [member.id, {
      username: member.user.username,
      nick: member.nickname,
      // discord.js adds @everyone, whose id is the guild's, to each member.
      roles: member.roles.cache.map((role) => role.id).filter((id) => id !== guild.id).sort(),
    }])),
    voice: byId(guild.voiceStates.cache.filter((state) => state.channelId !== null).map((state) => [state.id, {
      channelId: state.channelId,
      selfMute: state.selfMute,
      selfDeaf: state.selfDeaf,
      mute: state.serverMute,
      deaf: state.serverDeaf,
    }])),
  }]));
}
