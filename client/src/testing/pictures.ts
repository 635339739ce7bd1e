/** Guilds, rooms and people with everything that a test does not care about filled in. */

import type { GuildPicture, Occupant, RoomPicture } from '../wire.js'

/** Somebody. Their `channelId` is set by the room that they are put into. */
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

/** A voice room with these people in it. */
export const room = (
  channelId: string,
  people: readonly Occupant[] = [],
  more: Partial<Omit<RoomPicture, 'channelId' | 'members'>> = {},
): RoomPicture => ({
  channelId,
  name: `Room ${channelId}`,
  kind: 'voice',
  position: Number(channelId),
  userLimit: 0,
  ...more,
  members: people.map((one) => ({ ...one, channelId })),
})

/** A guild with these rooms. */
export const guild = (
  id: string,
  rooms: readonly RoomPicture[] = [],
  more: Partial<Omit<GuildPicture, 'id' | 'rooms'>> = {},
): GuildPicture => ({ id, name: `Guild ${id}`, icon: null, available: true, ...more, rooms })
