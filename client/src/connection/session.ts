/** Whose session the cookie is of; told to every attempt before it opens a stream. */

import type { User } from '../wire.js'

export interface Session {
  /** Null: nobody's. Rejects where no answer came, or one that says nothing about the session. Undefined: nobody can be asked, as with a token. */
  readonly identify?: ((signal: AbortSignal) => Promise<User | null>) | undefined
  /** Exchanges the app's word for its user; false where it is refused. Rejects where nobody knows. Undefined: the app has none. */
  readonly vouch?: (() => Promise<boolean>) | undefined
}
