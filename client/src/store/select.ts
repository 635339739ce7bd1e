/** What is often asked of a picture. Answers are kept with the guild they are about. */

import type { Guild, Person, Picture, Room } from './picture.js'

const rooms = new WeakMap<Guild, readonly Room[]>()
const people = new WeakMap<Guild, ReadonlyMap<string, Person>>()

const kept = <Value>(cache: WeakMap<Guild, Value>, guild: Guild, make: () => Value): Value => {
  const value = cache.get(guild) ?? make()
  cache.set(guild, value)
  return value
}

/** Snowflakes as numbers, without leaving the strings; no two are the same. */
const byId = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1)

/** The rooms of a guild, as Discord lists them; the same list until the guild changes. */
export const roomsOf = (guild: Guild): readonly Room[] =>
  kept(rooms, guild, () =>
    [...guild.rooms.values()].sort((a, b) => a.position - b.position || byId(a.channelId, b.channelId)),
  )

/** A room, in whichever guild it is. */
export const roomIn = (picture: Picture, channelId: string): Room | undefined => {
  for (const guild of picture.values()) {
    const room = guild.rooms.get(channelId)
    if (room !== undefined) return room
  }
  return undefined
}

/** Where somebody is in a guild; their `channelId` says in which room. */
export const personIn = (guild: Guild, userId: string): Person | undefined =>
  kept(people, guild, () => new Map([...guild.rooms.values()].flatMap((room) => [...room.people]))).get(userId)
