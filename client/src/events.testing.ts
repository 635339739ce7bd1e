/** Short ways to write events, for tests. A person's room is set by what they are put into. */

import type { Change } from './connection/change.js'
import { guild as guildWith, person, room as roomWith } from './testing/pictures.js'
import type { GuildEvent, GuildPicture, Occupant, RoomPicture, Status } from './wire.js'

export { person } from './testing/pictures.js'

export const room = (channelId: string, ...members: readonly Occupant[]): RoomPicture => roomWith(channelId, members)

export const guild = (id: string, ...rooms: readonly RoomPicture[]): GuildPicture => guildWith(id, rooms)

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
