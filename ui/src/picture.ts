/**
 * The picture: who is in which room of which guild, as far as this viewer may
 * see. A pure reducer over the stream's events: a snapshot replaces it, events
 * change it. What did not change keeps its identity, so React skips it.
 *
 * Events may be repeated after a reconnect, so each says how things are, not
 * what to add.
 */

import type { GuildOnWire, Payload, PersonOnWire, RoomOnWire, StreamEvent } from './wire'

export type Person = PersonOnWire

export interface Room extends Omit<RoomOnWire, 'members'> {
  readonly people: ReadonlyMap<string, Person>
  /** When it is taken away because nobody uses it, Unix ms; absent: it is not. */
  readonly deletesAt?: number
}

export interface Guild {
  readonly id: string
  readonly name: string
  /** False while Discord has an outage of this guild: what is shown may be old. */
  readonly available: boolean
  readonly rooms: ReadonlyMap<string, Room>
}

/** By guild id. */
export type Picture = ReadonlyMap<string, Guild>

export const emptyPicture: Picture = new Map()

/** A room, in whichever guild it is. */
export const roomIn = (picture: Picture, channelId: string): Room | undefined => {
  for (const guild of picture.values()) {
    const room = guild.rooms.get(channelId)
    if (room !== undefined) return room
  }
  return undefined
}

/** The picture after `event`; the same object if the event changes nothing here. */
export const after = (picture: Picture, event: StreamEvent): Picture => {
  switch (event.name) {
    case 'snapshot':
      return new Map(event.data.guilds.map((guild) => [guild.id, guildFromWire(guild)]))
    case 'voice.joined':
    case 'voice.updated':
      return inGuild(picture, event.data.guildId, (guild) => withPerson(guild, event.data))
    case 'voice.left':
      return inGuild(picture, event.data.guildId, (guild) =>
        inRoom(guild, event.data.previousChannelId, (room) => withoutPerson(room, event.data.userId)),
      )
    case 'room.created':
    case 'room.updated':
      return inGuild(picture, event.data.guildId, (guild) => withRoom(guild, event.data))
    case 'room.idle':
      return inGuild(picture, event.data.guildId, (guild) =>
        inRoom(guild, event.data.channelId, (room) => withEnd(room, event.data.deletesAt)),
      )
    case 'room.shown':
      return inGuild(picture, event.data.guildId, (guild) => withShownRoom(guild, event.data))
    case 'room.deleted':
    case 'room.hidden':
      return inGuild(picture, event.data.guildId, (guild) => withoutRoom(guild, event.data.channelId))
    case 'guild.available':
      return event.data.guild === undefined
        ? inGuild(picture, event.data.guildId, (guild) => ({ ...guild, available: true }))
        : withGuild(picture, guildFromWire(event.data.guild))
    case 'guild.unavailable':
      return inGuild(picture, event.data.guildId, (guild) => ({ ...guild, available: false }))
    case 'guild.updated':
      return inGuild(picture, event.data.guildId, (guild) => ({ ...guild, name: event.data.name }))
    case 'guild.removed':
      return withoutGuild(picture, event.data.guildId)
    // Nobody's place changes by the others: an event more costs nothing here until it is drawn.
    default:
      return picture
  }
}

const guildFromWire = (guild: GuildOnWire): Guild => ({
  id: guild.id,
  name: guild.name,
  available: guild.available,
  rooms: new Map(guild.rooms.map((room) => [room.channelId, roomFromWire(room)])),
})

const roomFromWire = ({ members, ...room }: RoomOnWire): Room => ({
  ...room,
  people: new Map(members.map((person) => [person.userId, person])),
})

const inGuild = (picture: Picture, guildId: string, change: (guild: Guild) => Guild): Picture => {
  const guild = picture.get(guildId)
  if (guild === undefined) return picture
  const changed = change(guild)
  return changed === guild ? picture : withGuild(picture, changed)
}

const inRoom = (guild: Guild, channelId: string, change: (room: Room) => Room): Guild => {
  const room = guild.rooms.get(channelId)
  if (room === undefined) return guild
  const changed = change(room)
  return changed === room ? guild : { ...guild, rooms: new Map(guild.rooms).set(channelId, changed) }
}

const withGuild = (picture: Picture, guild: Guild): Picture => new Map(picture).set(guild.id, guild)

const withoutGuild = (picture: Picture, guildId: string): Picture => {
  if (!picture.has(guildId)) return picture
  const guilds = new Map(picture)
  guilds.delete(guildId)
  return guilds
}

// INVARIANT(one-room): a person is in at most one room of a guild. Whoever
// appears in a room has left every other, whether or not we were told; into a
// room we do not know he only disappears.
const withPerson = (guild: Guild, data: Payload<'voice.joined'>): Guild => {
  const { guildId: _guildId, ts: _ts, synthetic: _synthetic, ...person } = data
  const alone = withoutPeople(guild, [person.userId], person.channelId)
  return inRoom(alone, person.channelId, (room) => ({
    ...room,
    people: new Map(room.people).set(person.userId, person),
  }))
}

/** Removes these people from every room but `except`. */
const withoutPeople = (guild: Guild, userIds: Iterable<string>, except: string): Guild => {
  let changed = guild
  for (const userId of userIds) {
    for (const [channelId, room] of guild.rooms) {
      if (channelId !== except && room.people.has(userId)) {
        changed = inRoom(changed, channelId, (crowd) => withoutPerson(crowd, userId))
      }
    }
  }
  return changed
}

const withoutPerson = (room: Room, userId: string): Room => {
  if (!room.people.has(userId)) return room
  const people = new Map(room.people)
  people.delete(userId)
  return { ...room, people }
}

const withRoom = (guild: Guild, data: Payload<'room.updated'>): Guild => {
  const { guildId: _guildId, ts: _ts, synthetic: _synthetic, ...room } = data
  const before = guild.rooms.get(room.channelId)
  const people = before?.people ?? new Map<string, Person>()
  const now = withEnd({ ...room, people }, before?.deletesAt ?? null)
  return { ...guild, rooms: new Map(guild.rooms).set(room.channelId, now) }
}

const withEnd = (room: Room, deletesAt: number | null): Room => {
  if ((room.deletesAt ?? null) === deletesAt) return room
  const { deletesAt: _before, ...rest } = room
  return deletesAt === null ? rest : { ...rest, deletesAt }
}

const withShownRoom = (guild: Guild, data: Payload<'room.shown'>): Guild => {
  const { guildId: _guildId, ts: _ts, synthetic: _synthetic, ...onWire } = data
  const room = roomFromWire(onWire)
  const alone = withoutPeople(guild, room.people.keys(), room.channelId)
  return { ...alone, rooms: new Map(alone.rooms).set(room.channelId, room) }
}

const withoutRoom = (guild: Guild, channelId: string): Guild => {
  if (!guild.rooms.has(channelId)) return guild
  const rooms = new Map(guild.rooms)
  rooms.delete(channelId)
  return { ...guild, rooms }
}
