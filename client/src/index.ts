/**
 * `@guildhall/client`: who is in which Discord voice room, live.
 *
 * No framework, no side effects on import, nothing that checks what the server sends: it is of
 * one document with these types.
 */

export { createGuildhall, type Guildhall, type GuildhallOptions } from './client.js'
export { fetchState } from './state.js'
export type { Answer, CallName, Input } from './commands/calls.js'
export {
  ConflictError,
  ForbiddenError,
  GuildhallError,
  InvalidError,
  NoAnswerError,
  NotFoundError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
} from './commands/errors.js'
export type { CallOptions, Result, Run, Settled } from './commands/run.js'
export type { Reason } from './connection/change.js'
export type { State as Phase } from './connection/machine.js'
export { shallowEqual } from './store/equal.js'
export type { Guild, Person, Picture, Room } from './store/picture.js'
export { personIn, roomIn, roomsOf } from './store/select.js'
export type { Listener, LiveStatus, Stop, View } from './store/store.js'
export type { GuildEventName, Payload, State, Status, User } from './wire.js'
