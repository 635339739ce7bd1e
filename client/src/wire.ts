/** The words of a stream, as the server's own OpenAPI document has them (`cargo xtask codegen`). */

import type { components } from './generated/api.js'
import { travels } from './generated/events.js'

export type Components = components['schemas']
type Sent = Components['StreamEvent']

export type EventName = Sent['event']
export type Payload<Name extends EventName> = Extract<Sent, { readonly event: Name }>['data']

/** One event of a stream, told apart by its `name`. */
export type StreamEvent = { [Name in EventName]: { readonly name: Name; readonly data: Payload<Name> } }[EventName]

/** What is about the stream itself; never a part of a group. */
export type ControlName = 'snapshot' | 'resumed' | 'status' | 'checkpoint' | 'bye'
/** What is about guilds, rooms and people. */
export type GuildEventName = Exclude<EventName, ControlName>
export type GuildEvent = Extract<StreamEvent, { readonly name: GuildEventName }>

export type Status = Components['StatusPayload']
export type GuildPicture = Components['GuildPicture']
export type RoomPicture = Components['RoomPicture']
export type Occupant = Components['Occupant']
export type User = Components['Profile']
/** The answer of `GET /api/state`: a picture, and the cursor to go on from. */
export type State = Components['StatePayload']

/** Every event there is. `EventSource` has no way to listen to all names. */
export const eventNames = Object.keys(travels satisfies Record<EventName, string>) as readonly EventName[]

type Travel = (typeof travels)[EventName]

export const travelOf = (name: string): Travel | undefined => (travels as Readonly<Record<string, Travel>>)[name]
