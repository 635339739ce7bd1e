/** Who is signed in, asked of and told to the server. Addresses are relative to the page's root. */

import type { components } from './generated/api'
import { schemas } from './generated/events'
import { read } from './schema'

type Answer = components['schemas']['Me']

export type User = Answer['user']

export type Me =
  | { readonly is: 'signed-in'; readonly user: User }
  | { readonly is: 'signed-out' }
  /** No answer, or one that says nothing about the session: ask again later. */
  | { readonly is: 'unreachable' }

const ANSWER_WITHIN_MS = 10_000

export const readMe = async (root: URL): Promise<Me> => {
  try {
    const answer = await fetch(new URL('api/me', root), {
      cache: 'no-store',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    if (answer.status === 401) return { is: 'signed-out' }
    if (!answer.ok) return { is: 'unreachable' }
    // Type and schema are of one document; the compiler cannot see it through the lookup.
    const { user } = read({ $ref: 'Me' }, await answer.json(), 'me', { schemas, extra: [] }) as Answer
    return { is: 'signed-in', user }
  } catch {
    return { is: 'unreachable' }
  }
}

/** Ends the session. True when there is none any more. */
export const endSession = async (root: URL): Promise<boolean> => {
  try {
    const answer = await fetch(new URL('auth/logout', root), {
      method: 'POST',
      // The server takes only JSON with a cookie: a form on another site cannot send it.
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    return answer.ok || answer.status === 401
  } catch {
    return false
  }
}

/** How a sign-in ended that signed nobody in: `?login=` of the page it came back to. */
export type LoginOutcome = 'denied' | 'failed'

/** The outcome in a page's query, and the query without it, which is told once. */
export const loginOutcome = (search: string): { outcome: LoginOutcome | null; search: string } => {
  const query = new URLSearchParams(search)
  const said = query.get('login')
  if (said === null) return { outcome: null, search }
  query.delete('login')
  const rest = query.toString()
  return { outcome: said === 'denied' ? 'denied' : 'failed', search: rest === '' ? '' : `?${rest}` }
}

/** Where the sign-in begins; afterwards the browser comes back to `path`. */
export const signInUrl = (root: URL, path: string): string => {
  const url = new URL('auth/login', root)
  url.searchParams.set('returnTo', path)
  return url.href
}
