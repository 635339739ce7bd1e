/** The world as it is: time, chance, the network, a browser's window. Tests hand in their own. */

import type { Environment } from './connection/connection.js'
import { byEventSource } from './connection/event_source.js'
import { byFetch, type Fetch, refusalOf } from './connection/fetch_stream.js'
import type { Identity, Session, Vouched } from './connection/session.js'
import { BROKEN, type OpenStream } from './connection/transport.js'
import type { PageWindow } from './page.js'
import type { Tabs } from './share/share.js'
import type { Components } from './wire.js'

export interface Parts extends Environment {
  readonly fetch: Fetch
  readonly newKey: () => string
  /** Hears what a reader of the app's threw. */
  readonly report: (error: unknown) => void
  /** Undefined: there is none, or no use for it. */
  readonly eventSource?: typeof EventSource | undefined
  readonly window?: PageWindow | undefined
  /** Undefined: tabs cannot share. Web Locks are there in secure contexts alone. */
  readonly tabs?: Tabs | undefined
  /** What relative addresses are relative to. */
  readonly base?: string | undefined
}

export const realParts = (): Parts => {
  const page = typeof document === 'undefined' ? undefined : window
  const Channel = globalThis.BroadcastChannel
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    online: () => page?.navigator.onLine ?? true,
    fetch: (url, init) => fetch(url, init),
    newKey,
    report: globalThis.reportError ?? console.error,
    eventSource: globalThis.EventSource,
    window: page,
    tabs:
      page?.navigator.locks && Channel
        ? { locks: page.navigator.locks, channel: (name) => new Channel(name), id: newKey() }
        : undefined,
    base: page?.document.baseURI,
  }
}

/** `randomUUID` is for secure contexts alone; a key need only be new. */
const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')

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
  ({ apiToken, credentials }: Omit<Access, 'root'>, { fetch }: { readonly fetch: Fetch }): Fetch =>
  (url, init) => {
    const headers = new Headers(init.headers)
    if (apiToken !== undefined) headers.set('authorization', `Bearer ${apiToken}`)
    return fetch(url, { cache: 'no-store', ...init, headers, ...(credentials === undefined ? {} : { credentials }) })
  }

const limited = (...signals: readonly AbortSignal[]): { readonly signal: AbortSignal } => ({
  signal: AbortSignal.any([...signals, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
})

export const streamsBy = (
  transport: 'eventsource' | 'fetch',
  { root, apiToken, credentials }: Access,
  ask: Fetch,
  Source: typeof EventSource | undefined,
): OpenStream => {
  if (transport === 'fetch' || Source === undefined || apiToken !== undefined) return byFetch(ask)
  return byEventSource({
    make: (url) => new Source(url, { withCredentials: credentials === 'include' }),
    // `HEAD` costs the server nothing but does not tell a guild that is not there; the state does.
    probe: async (url, signal) => {
      const limit = limited(signal)
      const { status } = await ask(url, { method: 'HEAD', ...limit })
      if (status !== 200) return status === 404 ? BROKEN : status
      const answer = await ask(new URL(`api/state${url.search}`, root), limit)
      if (!answer.ok) return refusalOf(answer)
      await answer.body?.cancel()
      return BROKEN
    },
  })
}

export const sessionOf = ({ root, auth, apiToken }: Access, ask: Fetch): Session => ({
  identify: apiToken === undefined
    ? async (signal): Promise<Identity> => {
        const answer = await ask(new URL('api/me', root), limited(signal)).catch(nothing)
        if (answer?.status === 401) return { is: 'nobody' }
        const { user } = ((answer?.ok && (await answer.json().catch(nothing))) || {}) as Partial<Components['Me']>
        return typeof user?.id === 'string' ? { is: 'user', user } : { is: 'unknown' }
      }
    : undefined,
  // The app's own token for its user becomes a session here.
  vouch: auth && (async (signal): Promise<Vouched> => {
    const token = await auth().catch(nothing)
    const answer = token === undefined ? token : await post(new URL('auth/exchange', root), { token }, ask, signal)
    if (answer?.ok) return 'done'
    return [400, 401, 403].includes(answer?.status ?? 0) ? 'refused' : 'failed'
  }),
})

const nothing = () => undefined

/** The server takes only JSON with a cookie: a form on another site cannot send it. */
const post = (url: URL, body: object, ask: Fetch, ...signals: readonly AbortSignal[]): Promise<Response | undefined> =>
  ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...limited(...signals),
  }).catch(nothing)

/** Ends the session. True when there is none any more. */
export const endSession = async (root: URL, ask: Fetch): Promise<boolean> => {
  const answer = await post(new URL('auth/logout', root), {}, ask)
  return answer?.ok === true || answer?.status === 401
}
