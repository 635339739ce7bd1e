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

/** The value `now`, with every part of it that equals the same part of `before` replaced by that. */
export const keepEqual = <Value>(before: unknown, now: Value): Value => {
  if (Object.is(before, now) || !isWhole(before) || !isWhole(now)) return now
  if (before instanceof Map || now instanceof Map) {
    return before instanceof Map && now instanceof Map ? (keptMap(before, now) as Value) : now
  }
  return Array.isArray(before) === Array.isArray(now) ? (keptFields(before, now) as Value) : now
}

type Whole = Readonly<Record<string, unknown>>

const isWhole = (value: unknown): value is Whole => typeof value === 'object' && value !== null

/** Of lists and objects. Nothing is made but what differs: this runs for each event. */
const keptFields = (older: Whole, newer: Whole): Whole => {
  const [before, keys] = [Object.keys(older), Object.keys(newer)]
  let same = before.length === keys.length
  const kept = new Map<string, unknown>()
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string
    const [was, value] = [Object.hasOwn(older, key) ? older[key] : undefined, newer[key]]
    const keeps = keepEqual(was, value)
    same &&= before[at] === key && Object.is(keeps, was)
    if (!Object.is(keeps, value)) kept.set(key, keeps)
  }
  if (same) return older
  if (kept.size === 0) return newer
  const all = Object.entries(newer).map(([key, value]) => [key, kept.has(key) ? kept.get(key) : value] as const)
  return Array.isArray(newer) ? (all.map(([, value]) => value) as never) : Object.fromEntries(all)
}

/** The same of maps: a room of a thousand people is compared for each event of one of them. */
const keptMap = (older: Entries, newer: Entries): Entries => {
  let same = older.size === newer.size
  // In their order: that of a map's entries is seen by whoever walks it.
  const keys = older.keys()
  const kept: [string, unknown][] = []
  for (const [key, value] of newer) {
    same &&= keys.next().value === key
    const was = older.get(key)
    if (was === value) continue
    const keeps = keepEqual(was, value)
    same &&= Object.is(keeps, was)
    if (!Object.is(keeps, value)) kept.push([key, keeps])
  }
  if (same) return older
  if (kept.length === 0) return newer
  const all = new Map(newer)
  for (const [key, value] of kept) all.set(key, value)
  return all
}

/** Equal one level deep: what a selector that builds an object or a list wants. */
export const shallowEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  const entries = both(a, b)
  if (entries === null) return false
  const [left, right] = entries
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && Object.is(right.get(key), value))
}
