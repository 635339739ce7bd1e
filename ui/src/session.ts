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

/**
 * How a sign-in ended that did not do all it was asked for: `?login=` of the page it came back to.
 * After `not_admitted:CODE` somebody is signed in, and was not let into the guild of their invite.
 */
export type LoginOutcome = 'denied' | 'failed' | `not_admitted:${string}`

/** The outcome in a page's query, and the query without it, which is told once. */
export const loginOutcome = (search: string): { outcome: LoginOutcome | null; search: string } => {
  const query = new URLSearchParams(search)
  const said = query.get('login')
  if (said === null) return { outcome: null, search }
  query.delete('login')
  const rest = query.toString()
  return { outcome: outcomeOf(said), search: rest === '' ? '' : `?${rest}` }
}

const NOT_ADMITTED = 'not_admitted:'

const outcomeOf = (said: string): LoginOutcome => {
  if (said === 'denied') return 'denied'
  return said.startsWith(NOT_ADMITTED) ? `${NOT_ADMITTED}${said.slice(NOT_ADMITTED.length)}` : 'failed'
}

/** The token of the invite that this page was opened with: `join?invite=`. */
export const inviteOf = (path: string, search: string): string | null =>
  path.endsWith('/join') ? new URLSearchParams(search).get('invite') : null

/** The room that this page is asked to open: `?room=`. */
export const roomOf = (search: string): string | null => {
  const room = new URLSearchParams(search).get('room')
  return room !== null && /^\d{1,20}$/.test(room) ? room : null
}

/**
 * Where the sign-in begins; afterwards the browser comes back to `path`. By an invite it lets the
 * person into the invite's guild, where the operator allows that.
 */
export const signInUrl = (root: URL, path: string, invite: string | null = null): string => {
  const url = new URL('auth/login', root)
  url.searchParams.set('returnTo', path)
  if (invite !== null) url.searchParams.set('invite', invite)
  return url.href
}
