/**
 * The picture: who is in which room of which guild, as far as this viewer may see. A pure reducer
 * over the stream's events: a snapshot replaces it, events change it.
 *
 * What did not change keeps its identity, through snapshots too. Events may be repeated after a
 * reconnect, so each says how things are, not what to add.
 */

import type { GuildEvent, GuildPicture, Occupant, Payload, RoomPicture } from '../wire.js'
import { keepEqual } from './equal.js'

export type Person = Occupant

export interface Room extends Omit<RoomPicture, 'members'> {
  /** By user id. */
  readonly people: ReadonlyMap<string, Person>
  /** When it is taken away because nobody uses it, Unix ms; absent: it is not. */
  readonly deletesAt?: number
}

export interface Guild {
  readonly id: string
  readonly name: string
  readonly icon: string | null
  /** False while Discord has an outage of this guild: what is shown may be old. */
  readonly available: boolean
  /** By channel id. */
  readonly rooms: ReadonlyMap<string, Room>
}

/** By guild id. */
export type Picture = ReadonlyMap<string, Guild>

export const emptyPicture: Picture = new Map()

/** The whole picture anew; the same object where it is the same picture. */
export const replaced = (before: Picture, guilds: readonly GuildPicture[]): Picture =>
  keepEqual(before, new Map(guilds.map((guild) => [guild.id, guildFromWire(guild)])))

/** The picture after a group; the same object if it changes nothing here. */
export const after = (picture: Picture, event: GuildEvent): Picture => {
  const { guildId } = event.data
  switch (event.name) {
    case 'voice.joined':
    case 'voice.updated':
      return inGuild(picture, guildId, (guild) => withPerson(guild, event.data))
    case 'voice.left': {
      const { previousChannelId, userId } = event.data
      return inRoom(picture, guildId, previousChannelId, (room) => withoutPerson(room, userId))
    }
    case 'room.created':
    case 'room.updated':
      return inGuild(picture, guildId, (guild) => withRoom(guild, event.data))
    case 'room.idle':
      return inRoom(picture, guildId, event.data.channelId, (room) => withEnd(room, event.data.deletesAt))
    case 'room.shown':
      return inGuild(picture, guildId, (guild) => withShownRoom(guild, event.data))
    case 'room.deleted':
    case 'room.hidden':
      return inGuild(picture, guildId, (guild) => withoutRoom(guild, event.data.channelId))
    case 'guild.available':
      return event.data.guild === undefined
        ? inGuild(picture, guildId, (guild) => keepEqual(guild, { ...guild, available: true }))
        : put(picture, guildId, keepEqual(picture.get(guildId), guildFromWire(event.data.guild)))
    case 'guild.unavailable':
      return inGuild(picture, guildId, (guild) => keepEqual(guild, { ...guild, available: false }))
    case 'guild.updated': {
      const { name, icon } = event.data
      return inGuild(picture, guildId, (guild) => keepEqual(guild, { ...guild, name, icon }))
    }
    case 'guild.removed':
      return picture.has(guildId) ? without(picture, guildId) : picture
    default:
      return picture
  }
}

const guildFromWire = ({ id, name, icon, available, rooms }: GuildPicture): Guild => ({
  id,
  name,
  icon,
  available,
  rooms: new Map(rooms.map((room) => [room.channelId, roomFromWire(room)])),
})

const roomFromWire = ({ members, ...room }: RoomPicture): Room => ({
  ...room,
  people: new Map(members.map((person) => [person.userId, person])),
})

const inGuild = (picture: Picture, guildId: string, change: (guild: Guild) => Guild): Picture => {
  const guild = picture.get(guildId)
  return guild === undefined ? picture : put(picture, guildId, change(guild))
}

const inRoom = (picture: Picture, guildId: string, channelId: string, change: (room: Room) => Room): Picture =>
  inGuild(picture, guildId, (guild) => changeRoom(guild, channelId, change))

const changeRoom = (guild: Guild, channelId: string, change: (room: Room) => Room): Guild => {
  const room = guild.rooms.get(channelId)
  return room === undefined ? guild : putRoom(guild, change(room))
}

const putRoom = (guild: Guild, room: Room): Guild => {
  const rooms = put(guild.rooms, room.channelId, room)
  return rooms === guild.rooms ? guild : { ...guild, rooms }
}

// INVARIANT(one-room): a person is in at most one room of a guild. Whoever appears in a room has
// left every other, whether or not we were told; into a room we do not know they only disappear.
const withPerson = (guild: Guild, data: Payload<'voice.joined'>): Guild => {
  const person: Person = about(data)
  const alone = withoutPeople(guild, [person.userId], person.channelId)
  return changeRoom(alone, person.channelId, (room) => {
    const kept = keepEqual(room.people.get(person.userId), person)
    return withPeople(room, put(room.people, person.userId, kept))
  })
}

/** Removes these people from every room but `except`. */
const withoutPeople = (guild: Guild, userIds: Iterable<string>, except: string): Guild => {
  let changed = guild
  for (const userId of userIds) {
    for (const [channelId, room] of guild.rooms) {
      if (channelId === except || !room.people.has(userId)) continue
      changed = changeRoom(changed, channelId, (crowd) => withoutPerson(crowd, userId))
    }
  }
  return changed
}

const withoutPerson = (room: Room, userId: string): Room =>
  room.people.has(userId) ? withPeople(room, without(room.people, userId)) : room

const withPeople = (room: Room, people: ReadonlyMap<string, Person>): Room =>
  people === room.people ? room : { ...room, people }

const withRoom = (guild: Guild, data: Payload<'room.updated'>): Guild => {
  const before = guild.rooms.get(data.channelId)
  const people = before?.people ?? new Map<string, Person>()
  return putRoom(guild, keepEqual(before, withEnd({ ...about(data), people }, before?.deletesAt ?? null)))
}

const withEnd = (room: Room, deletesAt: number | null): Room => {
  if ((room.deletesAt ?? null) === deletesAt) return room
  const { deletesAt: _before, ...rest } = room
  return deletesAt === null ? rest : { ...rest, deletesAt }
}

const withShownRoom = (guild: Guild, data: Payload<'room.shown'>): Guild => {
  const room = keepEqual(guild.rooms.get(data.channelId), roomFromWire(about(data)))
  return putRoom(withoutPeople(guild, room.people.keys(), room.channelId), room)
}

const withoutRoom = (guild: Guild, channelId: string): Guild =>
  guild.rooms.has(channelId) ? { ...guild, rooms: without(guild.rooms, channelId) } : guild

/** The fields of an event that are about its subject. */
const about = <Data extends { readonly guildId: string; readonly ts: number; readonly synthetic?: boolean }>(
  data: Data,
): Omit<Data, 'guildId' | 'ts' | 'synthetic'> => {
  const { guildId: _guildId, ts: _ts, synthetic: _synthetic, ...rest } = data
  return rest
}

/** With this entry; the same map where it is there. */
const put = <Value>(map: ReadonlyMap<string, Value>, key: string, value: Value): ReadonlyMap<string, Value> =>
  map.get(key) === value ? map : new Map(map).set(key, value)

const without = <Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> => {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}
