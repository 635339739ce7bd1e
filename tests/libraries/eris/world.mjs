// One shape for two worlds: what eris holds in its caches, and what /sim/state
// says. Lists become objects by id, so that order does not matter.

/** The name Discord gives a channel that the bot may not view. */
const HIDDEN = '___hidden___';
const VIEW_CHANNEL = '1024';

const byId = (list) => Object.fromEntries(list);

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

/** The same of `/sim/state`, as the bot may see it. */
export function ofState(state) {
  const names = new Map(state.users.map((user) => [user.id, user.username]));
  const shut = (guild) => ({ [guild.id]: { type: 0, allow: '0', deny: VIEW_CHANNEL } });
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
