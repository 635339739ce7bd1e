/**
 * The picture: who is in which room of which guild, as far as this viewer may see. A pure reducer
 * over the stream's events: a snapshot replaces it, events change it.
 *
 * What did not change keeps its identity, through snapshots too. What comes from the wire is compared
 * with what was, and nothing else: an event of one person in a crowd of a thousand must not cost a
 * comparison of the others. Events may be repeated after a reconnect, so each says how things are, not
 * what to add.
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

/** The picture after an event; the same object if it changes nothing here. */
export const after = (picture: Picture, event: GuildEvent): Picture => {
  const { guildId } = event.data
  if (event.name === 'guild.removed') return without(picture, guildId)
  if (event.name === 'guild.available' && event.data.guild) return put(picture, guildId, guildFromWire(event.data.guild))
  return at(picture, guildId, (guild) => changedGuild(guild, event))
}

const changedGuild = (guild: Guild, { name, data }: GuildEvent): Guild => {
  switch (name) {
    case 'voice.joined':
    case 'voice.updated':
      return withPerson(guild, data)
    case 'voice.left':
      return changeRoom(guild, data.previousChannelId, (room) => withoutPerson(room, data.userId))
    case 'room.created':
    case 'room.updated':
      return withRoom(guild, data)
    case 'room.idle':
      return changeRoom(guild, data.channelId, (room) => withEnd(room, data.deletesAt))
    case 'room.shown':
      return withShownRoom(guild, data)
    case 'room.deleted':
    case 'room.hidden':
      return { ...guild, rooms: without(guild.rooms, data.channelId) }
    case 'guild.available':
    case 'guild.unavailable':
      return { ...guild, available: name === 'guild.available' }
    case 'guild.updated':
      return { ...guild, name: data.name, icon: data.icon }
    default:
      return guild
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

const changeRoom = (guild: Guild, channelId: string, change: (room: Room) => Room): Guild => ({
  ...guild,
  rooms: at(guild.rooms, channelId, change),
})

const putRoom = (guild: Guild, room: Room): Guild => ({ ...guild, rooms: put(guild.rooms, room.channelId, room) })

// INVARIANT(one-room): a person is in at most one room of a guild. Whoever appears in a room has
// left every other, whether or not we were told; into a room we do not know they only disappear.
const withPerson = (guild: Guild, data: Payload<'voice.joined'>): Guild => {
  const person: Person = about(data)
  const alone = withoutPeople(guild, [person.userId], person.channelId)
  return changeRoom(alone, person.channelId, (room) => ({ ...room, people: put(room.people, person.userId, person) }))
}

/** Removes these people from every room but `except`. */
const withoutPeople = (guild: Guild, userIds: Iterable<string>, except: string): Guild => {
  const gone = [...userIds]
  let { rooms } = guild
  for (const [channelId, room] of guild.rooms) {
    if (channelId !== except) rooms = put(rooms, channelId, gone.reduce(withoutPerson, room), 1)
  }
  return { ...guild, rooms }
}

const withoutPerson = (room: Room, userId: string): Room =>
  room.people.has(userId) ? { ...room, people: without(room.people, userId) } : room

const withRoom = (guild: Guild, data: Payload<'room.updated'>): Guild => {
  const { people = new Map<string, Person>(), deletesAt = null } = guild.rooms.get(data.channelId) ?? {}
  return putRoom(guild, withEnd({ ...about(data), people }, deletesAt))
}

const withEnd = ({ deletesAt: _before, ...room }: Room, deletesAt: number | null): Room =>
  deletesAt === null ? room : { ...room, deletesAt }

const withShownRoom = (guild: Guild, data: Payload<'room.shown'>): Guild => {
  const room = roomFromWire(about(data))
  return putRoom(withoutPeople(guild, room.people.keys(), room.channelId), room)
}

/** The fields of an event that are about its subject. */
const about = <Data extends { readonly guildId: string; readonly ts: number; readonly synthetic?: boolean }>(
  data: Data,
): Omit<Data, 'guildId' | 'ts' | 'synthetic'> => {
  const { guildId: _guildId, ts: _ts, synthetic: _synthetic, ...rest } = data
  return rest
}

/** With what `change` makes of an entry, where there is one. */
const at = <Value>(map: ReadonlyMap<string, Value>, key: string, change: (value: Value) => Value): ReadonlyMap<string, Value> => {
  const value = map.get(key)
  return value === undefined ? map : put(map, key, change(value), 1)
}

/** With this entry; the same map where it has it. `depth`: as for `keepEqual`. */
const put = <Value>(map: ReadonlyMap<string, Value>, key: string, value: Value, depth?: number): ReadonlyMap<string, Value> => {
  const before = map.get(key)
  const now = keepEqual(before, value, depth)
  return now === before ? map : new Map(map).set(key, now)
}

const without = <Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> => {
  const rest = new Map(map)
  return rest.delete(key) ? rest : map
}
