// What /sim/state says of guilds, in the shape into which each library's world.mjs
// brings its caches. Lists become objects by id, so that order does not matter.

/** The name Discord gives a channel that the bot may not view. */
const HIDDEN = '___hidden___';
const VIEW_CHANNEL = '1024';

export const byId = (list) => Object.fromEntries(list);

/** `/sim/state`, as the bot may see it. */
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
