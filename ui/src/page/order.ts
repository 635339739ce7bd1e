/** The order of things on the page: the same for everybody, and stable while people come and go. */

import type { Person } from '@guildhall/client'

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
