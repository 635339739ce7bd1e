/** Short ways to write events, for tests. A person's room is set by what they are put into. */

import type { GuildOnWire, PersonOnWire, RoomOnWire, Status, StreamEvent } from './wire'

export const person = (userId: string, more: Partial<PersonOnWire> = {}): PersonOnWire => ({
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

export const roomOnWire = (channelId: string, ...members: readonly PersonOnWire[]): RoomOnWire => ({
  channelId,
  name: `Room ${channelId}`,
  kind: 'voice',
  position: Number(channelId),
  userLimit: 0,
  members: members.map((member) => ({ ...member, channelId })),
})

export const guild = (id: string, ...rooms: readonly RoomOnWire[]): GuildOnWire => ({
  id,
  name: `Guild ${id}`,
  icon: null,
  available: true,
  rooms,
})

export const allWell: Status = { discord: 'live', link: 'up', since: 1 }

export const snapshot = (...guilds: readonly GuildOnWire[]): StreamEvent => ({
  name: 'snapshot',
  data: { reason: 'no_cursor', status: allWell, guilds },
})

export const joined = (guildId: string, channelId: string, userId: string): StreamEvent => ({
  name: 'voice.joined',
  data: { guildId, ts: 5, ...person(userId), channelId },
})

export const left = (guildId: string, previousChannelId: string, userId: string): StreamEvent => ({
  name: 'voice.left',
  data: { guildId, ts: 5, channelId: null, previousChannelId, userId },
})
