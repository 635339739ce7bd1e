// One shape for two worlds: what discord.js holds in its caches, and what
// /sim/state says. Lists become objects by id, so that order does not matter.

import { PermissionsBitField } from 'discord.js';

/** The name Discord gives a channel that the bot may not view. */
const HIDDEN = '___hidden___';

const byId = (list) => Object.fromEntries(list);

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
    channels: byId(guild.channels.cache.map((channel) => [channel.id, {
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

/** The same of `/sim/state`, as the bot may see it. */
export function ofState(state) {
  const names = new Map(state.users.map((user) => [user.id, user.username]));
  const shut = (guild) => ({
    [guild.id]: { type: 0, allow: '0', deny: PermissionsBitField.Flags.ViewChannel.toString() },
  });
  return byId(state.guilds.map((guild) => [guild.id, {
    name: guild.name,
    ownerId: guild.ownerId,
    memberCount: guild.members.length,
    roles: byId(guild.roles.map(({ id, name, color, permissions }) => [id, { name, color, permissions }])),
    channels: byId(guild.channels.map((channel) => [channel.id, {
      type: channel.type,
      name: channel.botSees ? channel.name : HIDDEN,
      parentId: channel.parentId,
      overwrites: channel.botSees
        ? byId(channel.permissionOverwrites.map(({ id, type, allow, deny }) => [id, { type, allow, deny }]))
        : shut(guild),
    }])),
    members: byId(guild.members.map(({ userId, nick, roles }) => [userId, {
      username: names.get(userId),
      nick,
      roles: [...roles].sort(),
    }])),
    voice: byId(guild.voiceStates.map(({ userId, channelId, selfMute, selfDeaf, mute, deaf }) => [
      userId,
      { channelId, selfMute, selfDeaf, mute, deaf },
    ])),
  }]));
}
