/**
 * The words of `GET api/stream`, as the page reads them: types and schemas are
 * generated from the server's own (`cargo xtask codegen`).
 *
 * `decode` is total: an unknown event or a malformed payload is a value, never
 * an exception. `wire.test.ts` holds it against transcripts recorded from the
 * real server.
 */

import type { components } from './generated/api'
import { events, schemas } from './generated/events'
import { Mismatch, read, type Reading } from './schema'

type Components = components['schemas']
type Sent = Components['StreamEvent']

export type EventName = Sent['event']
export type PersonOnWire = Components['Occupant']
export type RoomOnWire = Components['RoomPicture']
export type GuildOnWire = Components['GuildPicture']
export type Status = Components['StatusPayload']

export type Payload<Name extends EventName> = Extract<Sent, { readonly event: Name }>['data']

/** One event of the stream, told apart by its `name`. */
export type StreamEvent = {
  [Name in EventName]: { readonly name: Name; readonly data: Payload<Name> }
}[EventName]

/** Every event there is. `EventSource` has no way to listen to all names. */
export const eventNames = Object.keys(events satisfies Record<EventName, unknown>) as readonly EventName[]

export type Decoded =
  | { readonly is: 'event'; readonly event: StreamEvent; readonly extra: readonly string[] }
  | { readonly is: 'unknown'; readonly name: string }
  | { readonly is: 'malformed'; readonly name: string; readonly why: string }

/**
 * Reads one SSE event from its name and its data. `extra` lists the paths of
 * fields that are not in the schema: the page ignores them, tests do not.
 */
export const decode = (name: string, data: string): Decoded => {
  if (!Object.hasOwn(events, name)) return { is: 'unknown', name }
  const reading: Reading = { schemas, extra: [] }
  try {
    const payload = read(events[name as EventName].data, JSON.parse(data), name, reading)
    // Types and schemas are of one document; the compiler cannot see it through the lookup.
    return { is: 'event', event: { name, data: payload } as StreamEvent, extra: reading.extra }
  } catch (cause) {
    if (cause instanceof Mismatch || cause instanceof SyntaxError || cause instanceof RangeError) {
      return { is: 'malformed', name, why: cause.message }
    }
    throw cause
  }
}
