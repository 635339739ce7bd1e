/** The world as it is: time, chance, the network, a browser's window. Tests hand in their own. */

import type { Environment } from './connection/connection.js'
import { byEventSource } from './connection/event_source.js'
import { byFetch, type Fetch, refusalOf } from './connection/fetch_stream.js'
import type { Identity, Session, Vouched } from './connection/session.js'
import type { End, OpenStream } from './connection/transport.js'
import type { PageWindow } from './page.js'
import type { Components } from './wire.js'

export interface Parts extends Environment {
  readonly fetch: Fetch
  readonly newKey: () => string
  /** Hears what a reader of the app's threw. */
  readonly report: (error: unknown) => void
  /** Undefined: there is none, or no use for it. */
  readonly eventSource?: typeof EventSource | undefined
  readonly window?: PageWindow | undefined
  /** What relative addresses are relative to. */
  readonly base?: string | undefined
}

export const realParts = (): Parts => {
  const { window } = globalThis as { readonly window?: PageWindow & { readonly navigator: Navigator } }
  const isPage = typeof document !== 'undefined' && window !== undefined
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    online: () => !isPage || window.navigator.onLine,
    fetch: (url, init) => fetch(url, init),
    newKey,
    report: globalThis.reportError ?? console.error,
    eventSource: globalThis.EventSource,
    window: isPage ? window : undefined,
    base: isPage ? document.baseURI : undefined,
  }
}

/** `randomUUID` is for secure contexts alone; a key need only be new. */
const newKey = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** How a client shows whose it is. */
export interface Access {
  readonly root: URL
  readonly auth?: (() => Promise<string>) | undefined
  readonly apiToken?: string | undefined
  readonly credentials?: RequestCredentials | undefined
}

const ANSWER_WITHIN_MS = 10_000

/** `fetch` with what shows whose it is. */
export const asking =
  ({ apiToken, credentials }: Access, { fetch }: Parts): Fetch =>
  (url, init) => {
    const headers = new Headers(init.headers)
    if (apiToken !== undefined) headers.set('authorization', `Bearer ${apiToken}`)
    return fetch(url, { cache: 'no-store', ...init, headers, ...(credentials === undefined ? {} : { credentials }) })
  }

export const streamsBy = (transport: 'eventsource' | 'fetch', access: Access, parts: Parts): OpenStream => {
  const ask = asking(access, parts)
  const { eventSource: Source } = parts
  if (transport === 'fetch' || Source === undefined || access.apiToken !== undefined) return byFetch(ask)
  const withCredentials = access.credentials === 'include'
  return byEventSource({
    make: (url) => new Source(url, { withCredentials }),
    probe: (url, signal) => probe(url, signal, ask, access.root),
  })
}

/** `HEAD` costs the server nothing but does not tell a guild that is not there; the state does. */
const probe = async (url: URL, signal: AbortSignal, ask: Fetch, root: URL): Promise<End> => {
  const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]) }
  const head = await ask(url, { method: 'HEAD', ...limit })
  if (head.status !== 200) return { is: 'refused', status: head.status === 404 ? 502 : head.status }
  const state = new URL('api/state', root)
  state.search = url.search
  const answer = await ask(state, limit)
  if (!answer.ok) return refusalOf(answer)
  await answer.body?.cancel()
  return { is: 'broken' }
}

export const sessionOf = (access: Access, parts: Parts): Session => {
  const ask = asking(access, parts)
  const { root, auth, apiToken } = access
  return {
    identify: apiToken === undefined ? (signal) => identify(root, ask, signal) : undefined,
    vouch: auth === undefined ? undefined : (signal) => exchange(root, auth, ask, signal),
  }
}

const identify = async (root: URL, ask: Fetch, signal: AbortSignal): Promise<Identity> => {
  try {
    const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]) }
    const answer = await ask(new URL('api/me', root), limit)
    if (answer.status === 401) return { is: 'nobody' }
    if (!answer.ok) return { is: 'unknown' }
    const { user } = (await answer.json()) as Partial<Components['Me']>
    return typeof user?.id === 'string' ? { is: 'user', user } : { is: 'unknown' }
  } catch {
    return { is: 'unknown' }
  }
}

/** The app's own token for its user becomes a session here. */
const exchange = async (root: URL, auth: () => Promise<string>, ask: Fetch, signal: AbortSignal): Promise<Vouched> => {
  try {
    const answer = await ask(new URL('auth/exchange', root), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: await auth() }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    })
    if (answer.ok) return 'done'
    return [400, 401, 403].includes(answer.status) ? 'refused' : 'failed'
  } catch {
    return 'failed'
  }
}

/** Ends the session. True when there is none any more. */
export const endSession = async (root: URL, ask: Fetch): Promise<boolean> => {
  try {
    const answer = await ask(new URL('auth/logout', root), {
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
