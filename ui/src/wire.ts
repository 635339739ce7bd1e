/**
 * The words of `GET api/stream`, as the page reads them.
 *
 * One shape per SSE event; the types follow from the shapes. `decode` is total:
 * an unknown event or a malformed payload is a value, never an exception.
 * `wire.test.ts` holds it against transcripts recorded from the real server.
 */

import {
  count,
  exactly,
  id,
  integer,
  listOf,
  Mismatch,
  moment,
  oneOf,
  orNull,
  record,
  text,
  yesNo,
  type Of,
  type Reading,
  type Shape,
} from './shape'

const flags = {
  mute: yesNo,
  deaf: yesNo,
  selfMute: yesNo,
  selfDeaf: yesNo,
  streaming: yesNo,
  video: yesNo,
  suppressed: yesNo,
}

const personFields = {
  channelId: id,
  userId: id,
  username: text,
  displayName: text,
  avatar: orNull(text),
  avatarUrl: text,
  bot: yesNo,
  since: moment,
  ...flags,
}

const roomFields = {
  channelId: id,
  name: text,
  kind: oneOf('voice', 'stage'),
  position: integer,
  userLimit: count,
}

const roomOptions = {
  parentId: id,
  parentName: text,
  managed: yesNo,
  ownerId: id,
  locked: yesNo,
}

const person = record(personFields)

const room = record({ ...roomFields, members: listOf(person) }, roomOptions)

const guild = record({ id, name: text, icon: orNull(text), available: yesNo, rooms: listOf(room) })

const status = record(
  {
    discord: oneOf('live', 'resuming', 'down', 'unknown'),
    link: oneOf('up', 'down'),
    since: moment,
  },
  { guildIds: listOf(id) },
)

/** What every event about a guild carries. */
const base = { guildId: id, ts: moment }

/** Found by comparing after an outage, not told by Discord. */
const found = { synthetic: exactly(true) }

const present = record({ ...base, ...personFields }, found)
const roomAsItIs = record({ ...base, ...roomFields }, { ...roomOptions, ...found })

const events = {
  'voice.joined': present,
  'voice.updated': present,
  'voice.left': record({ ...base, channelId: exactly(null), previousChannelId: id, userId: id }, found),
  'room.created': roomAsItIs,
  'room.updated': roomAsItIs,
  'room.deleted': record({ ...base, channelId: id }, found),
  'room.shown': record({ ...base, ...roomFields, members: listOf(person) }, { ...roomOptions, ...found }),
  'room.hidden': record({ ...base, channelId: id }, found),
  'room.idle': record({ ...base, channelId: id, deletesAt: moment }, found),
  'guild.available': record(base, { ...found, guild }),
  'guild.unavailable': record(base, found),
  'guild.updated': record({ ...base, name: text, icon: orNull(text) }, found),
  'guild.removed': record(base, found),
  gap: record({ ...base, from: moment, to: moment }, found),
  snapshot: record({
    reason: oneOf('no_cursor', 'epoch_changed', 'cursor_expired', 'authz_changed', 'slow_consumer'),
    status,
    guilds: listOf(guild),
  }),
  resumed: record({ replayed: count, status }),
  status,
  checkpoint: record({ now: moment }),
  bye: record({
    reason: oneOf('draining', 'max_age', 'session_expired', 'session_revoked', 'too_many_streams', 'unavailable'),
    retryMs: count,
  }),
} satisfies Record<string, Shape<unknown>>

type Events = typeof events

export type EventName = keyof Events
export type PersonOnWire = Of<typeof person>
export type RoomOnWire = Of<typeof room>
export type GuildOnWire = Of<typeof guild>
export type Status = Of<typeof status>

/** One event of the stream, told apart by its `name`. */
export type StreamEvent = {
  [Name in EventName]: { readonly name: Name; readonly data: Of<Events[Name]> }
}[EventName]

export type Payload<Name extends EventName> = Of<Events[Name]>

/** Every event there is. `EventSource` has no way to listen to all names. */
export const eventNames = Object.keys(events) as readonly EventName[]

export type Decoded =
  | { readonly is: 'event'; readonly event: StreamEvent; readonly extra: readonly string[] }
  | { readonly is: 'unknown'; readonly name: string }
  | { readonly is: 'malformed'; readonly name: string; readonly why: string }

/**
 * Reads one SSE event from its name and its data. `extra` lists the paths of
 * fields that are not in the shape: the page ignores them, tests do not.
 */
export const decode = (name: string, data: string): Decoded => {
  if (!Object.hasOwn(events, name)) return { is: 'unknown', name }
  const reading: Reading = { extra: [] }
  try {
    const shape: Shape<unknown> = events[name as EventName]
    const payload = shape(JSON.parse(data), name, reading)
    // The table pairs each name with its payload; the compiler cannot see it through the lookup.
    return { is: 'event', event: { name, data: payload } as StreamEvent, extra: reading.extra }
  } catch (cause) {
    if (cause instanceof Mismatch || cause instanceof SyntaxError || cause instanceof RangeError) {
      return { is: 'malformed', name, why: cause.message }
    }
    throw cause
  }
}
