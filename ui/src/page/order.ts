/** In which order things are listed. */

import type { Person, Room } from '@guildhall/client'

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true })

/** Snowflakes as numbers, without leaving the strings. */
const byId = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

interface Named {
  readonly id: string
  readonly name: string
}

export const byName = (a: Named, b: Named): number => collator.compare(a.name, b.name) || byId(a.id, b.id)

/** As Discord lists people in a voice channel. */
export const byDisplayName = (a: Person, b: Person): number =>
  collator.compare(a.displayName, b.displayName) || byId(a.userId, b.userId)

/** More newcomers than this are sorted together rather than put in one by one. */
const FEW = 16

/**
 * The people by name. `before`: the same room's list of a moment ago, whose order is kept: comparing
 * names is what costs here, and of a thousand people few change at once.
 */
export const sortedPeople = (
  people: ReadonlyMap<string, Person>,
  before: readonly Person[] = [],
): readonly Person[] => {
  const list: Person[] = []
  const placed = new Set<string>()
  for (const { userId, displayName } of before) {
    const now = people.get(userId)
    if (now === undefined || now.displayName !== displayName) continue
    list.push(now)
    placed.add(userId)
  }
  const fresh = placed.size === people.size ? [] : [...people.values()].filter(({ userId }) => !placed.has(userId))
  if (fresh.length > FEW) return [...list, ...fresh].sort(byDisplayName)
  for (const person of fresh) list.splice(placeOf(person, list), 0, person)
  return list
}

const placeOf = (person: Person, list: readonly Person[]): number => {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >> 1
    const other = list[middle]
    if (other !== undefined && byDisplayName(other, person) < 0) from = middle + 1
    else to = middle
  }
  return from
}

export interface Category {
  /** Undefined: the rooms that are in none. */
  readonly id: string | undefined
  readonly name: string | undefined
  readonly rooms: readonly Room[]
}

/**
 * Rooms, which come in Discord's order, under their categories: first those in none, as in Discord, then
 * each category where its first room stands.
 */
export const byCategory = (rooms: readonly Room[]): readonly Category[] => {
  const found = new Map<string | undefined, { name: string | undefined; rooms: Room[] }>()
  for (const room of rooms) {
    const category = found.get(room.parentId) ?? { name: room.parentName, rooms: [] }
    category.rooms.push(room)
    found.set(room.parentId, category)
  }
  const all = [...found].map(([id, { name, rooms }]) => ({ id, name, rooms }))
  return all.sort((a, b) => Number(a.id !== undefined) - Number(b.id !== undefined))
}
