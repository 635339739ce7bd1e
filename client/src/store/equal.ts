/** Equality of what is made of JSON and maps of it. */

type Entries = ReadonlyMap<string, unknown>

/** What is in a map, a list or an object; null: it is none. */
const entriesOf = (value: unknown): Entries | null => {
  if (value instanceof Map) return value
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null
}

/** Their entries, where both are maps, lists or objects. */
const both = (a: unknown, b: unknown): readonly [Entries, Entries] | null => {
  const [left, right] = [entriesOf(a), entriesOf(b)]
  const alike = Array.isArray(a) === Array.isArray(b) && a instanceof Map === b instanceof Map
  return left && right && alike ? [left, right] : null
}

/**
 * The value `now`, with every part of it that equals the same part of `before` replaced by that. `depth`: parts below
 * this level are the same only if they are the very same, as where they were kept already.
 */
export const keepEqual = <Value>(before: unknown, now: Value, depth = Infinity): Value => {
  const entries = Object.is(before, now) || depth === 0 ? null : both(before, now)
  if (entries === null) return now
  const [older, newer] = entries
  const kept = keptEntries(older, newer, depth - 1)
  if (kept === older) return before as Value
  if (kept === newer) return now
  if (now instanceof Map) return kept as Value
  return (Array.isArray(now) ? [...kept.values()] : Object.fromEntries(kept)) as Value
}

/** The same of entries. Nothing is made here but what differs. */
const keptEntries = (older: Entries, newer: Entries, depth: number): Entries => {
  let same = older.size === newer.size
  // In their order: that of a map's entries is seen by whoever walks it.
  const keys = older.keys()
  const kept: [string, unknown][] = []
  for (const [key, value] of newer) {
    same &&= keys.next().value === key
    const was = older.get(key)
    if (was === value) continue
    const keeps = keepEqual(was, value, depth)
    same &&= Object.is(keeps, was)
    if (!Object.is(keeps, value)) kept.push([key, keeps])
  }
  if (same) return older
  // Each in the place that it has in the newer one.
  return kept.length === 0 ? newer : new Map([...newer, ...kept])
}

/** Equal one level deep: what a selector that builds an object or a list wants. */
export const shallowEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  const entries = both(a, b)
  if (entries === null) return false
  const [left, right] = entries
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && Object.is(right.get(key), value))
}
