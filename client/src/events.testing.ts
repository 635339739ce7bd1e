/** Short ways to write events, for tests. A person's room is set by what they are put into. */

import type { Change } from './connection/change.js'
import type { GuildEvent, GuildPicture, Occupant, RoomPicture, Status } from './wire.js'

export const person = (userId: string, more: Partial<Occupant> = {}): Occupant => ({
  channelId: '0',
  userId,
  username: `user-${userId}`,
  displayName: `User ${userId}`,
  avatar: null,
  avatarUrl: `http://cdn.test/${userId}.png`,
  bot: false,
  since: 1,
  mute: false,
  deaf: false,
  selfMute: false,
  selfDeaf: false,
  streaming: false,
  video: false,
  suppressed: false,
  ...more,
})

export const room = (channelId: string, ...members: readonly Occupant[]): RoomPicture => ({
  channelId,
  name: `Room ${channelId}`,
  kind: 'voice',
  position: Number(channelId),
  userLimit: 0,
  members: members.map((member) => ({ ...member, channelId })),
})

export const guild = (id: string, ...rooms: readonly RoomPicture[]): GuildPicture => ({
  id,
  name: `Guild ${id}`,
  icon: null,
  available: true,
  rooms,
})

export const allWell: Status = { discord: 'live', link: 'up', since: 1 }

export const joined = (guildId: string, channelId: string, userId: string): GuildEvent => ({
  name: 'voice.joined',
  data: { guildId, ts: 5, ...person(userId), channelId },
})

export const left = (guildId: string, previousChannelId: string, userId: string): GuildEvent => ({
  name: 'voice.left',
  data: { guildId, ts: 5, channelId: null, previousChannelId, userId },
})

export const renamed = (guildId: string, channelId: string, name: string): GuildEvent => {
  const { members: _members, ...info } = { ...room(channelId), name }
  return { name: 'room.updated', data: { guildId, ts: 5, ...info } }
}

export const idle = (guildId: string, channelId: string, deletesAt: number | null): GuildEvent => ({
  name: 'room.idle',
  data: { guildId, ts: 5, channelId, deletesAt },
})

export const snapshot = (guilds: readonly GuildPicture[], cursor = 'c-0'): Change => ({ is: 'snapshot', guilds, cursor })
export const group = (cursor: string, ...events: readonly GuildEvent[]): Change => ({ is: 'group', events, cursor })
