/** Whose session the cookie is of; told to every attempt before it opens a stream. */

import type { User } from '../wire.js'

export type Identity =
  | { readonly is: 'user'; readonly user: User }
  | { readonly is: 'nobody' }
  /** No answer, or one that says nothing about the session. */
  | { readonly is: 'unknown' }

export interface Session {
  /** Undefined: nobody can be asked, as with a token. */
  readonly identify?: ((signal: AbortSignal) => Promise<Identity>) | undefined
  /** Exchanges the app's word for its user. Undefined: the app has none. */
  readonly vouch?: ((signal: AbortSignal) => Promise<Vouched>) | undefined
}

export type Vouched = 'done' | 'refused' | 'failed'
