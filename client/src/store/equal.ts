/** Equality of what is made of JSON and maps of it. */

type Kind = 'map' | 'list' | 'fields'

const kindOf = (value: unknown): Kind | null => {
  if (typeof value !== 'object' || value === null) return null
  if (value instanceof Map) return 'map'
  return Array.isArray(value) ? 'list' : 'fields'
}

/** The value `now`, with every part of it that equals the same part of `before` replaced by that. */
export const keepEqual = <Value>(before: unknown, now: Value): Value => {
  if (Object.is(before, now)) return now
  const kind = kindOf(now)
  if (kind === null || kind !== kindOf(before)) return now
  const [older, newer] = [entriesOf(before, kind), entriesOf(now, kind)]
  // In their order: that of a map's entries is seen by whoever walks it.
  const kept = [...newer].map(([key, value]) => [key, keepEqual(older.get(key), value)] as const)
  const keys = [...older.keys()]
  const same =
    older.size === newer.size && kept.every(([key, value], at) => keys[at] === key && Object.is(value, older.get(key)))
  if (same) return before as Value
  return made(kept, kind) as Value
}

const entriesOf = (value: unknown, kind: Kind): ReadonlyMap<string, unknown> =>
  kind === 'map' ? (value as ReadonlyMap<string, unknown>) : new Map(Object.entries(value as object))

const made = (entries: readonly (readonly [string, unknown])[], kind: Kind): unknown => {
  if (kind === 'map') return new Map(entries)
  return kind === 'list' ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

/** Equal one level deep: what a selector that builds an object or a list wants. */
export const shallowEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  const kind = kindOf(a)
  if (kind === null || kind !== kindOf(b)) return false
  const [left, right] = [entriesOf(a, kind), entriesOf(b, kind)]
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && Object.is(right.get(key), value))
}
