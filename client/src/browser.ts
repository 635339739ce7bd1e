/** The world as it is: time, chance, the network, a browser's window. Tests hand in their own. */

import type { Environment } from './connection/connection.js'
import { byEventSource } from './connection/event_source.js'
import { byFetch, type Fetch, refusalOf } from './connection/fetch_stream.js'
import type { Session } from './connection/session.js'
import { BROKEN, type OpenStream } from './connection/transport.js'
import { within } from './connection/within.js'
import type { PageWindow } from './page.js'
import type { Tabs } from './share/share.js'
import type { Stop } from './store/store.js'
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

export const after = (ms: number, run: () => void): Stop => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

export const realParts = (): Parts => {
  const page = typeof document === 'undefined' ? undefined : window
  const Channel = globalThis.BroadcastChannel
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after,
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
    // A client that is made on a server, in the scope of a module, reads nothing there.
    base: page?.document.baseURI ?? 'http://localhost',
  }
}

/** `randomUUID` is for secure contexts alone; a key need only be new. */
const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')

/** How a client shows whose it is. */
export interface Access {
  readonly root: URL
  readonly auth?: (() => Promise<string>) | undefined
  readonly apiToken?: string | undefined
  readonly actAs?: string | undefined
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined
  readonly log?: ((line: string) => void) | undefined
}

export const ANSWER_WITHIN_MS = 10_000

/** `fetch` with what shows whose it is; says what is refused, without what was asked for. */
export const asking =
  ({ apiToken, actAs, credentials, log }: Omit<Access, 'root'>, fetch: Fetch): Fetch =>
  async (url, init) => {
    const headers = new Headers(init.headers)
    // With a cookie the server takes only JSON: a form on another site cannot send it.
    if (init.body) headers.set('content-type', 'application/json')
    if (apiToken) headers.set('authorization', `Bearer ${apiToken}`)
    if (actAs) headers.set('guildhall-as', actAs)
    const answer = await fetch(url, { cache: 'no-store', ...init, headers, ...(credentials && { credentials }) })
    if (!answer.ok) log?.(`${url.pathname}: ${answer.status}`)
    return answer
  }

interface Ending {
  /** Ends the session, or with `everywhere` all of this person's. True when there is none any more. */
  readonly end: (which: { readonly everywhere?: boolean }) => Promise<boolean>
}

export const streamsBy = (
  transport: 'eventsource' | 'fetch',
  { root, apiToken, credentials }: Access,
  ask: Fetch,
  { eventSource: Source, after }: Parts,
): OpenStream => {
  if (transport === 'fetch' || !Source || apiToken) return byFetch(ask)
  return byEventSource({
    make: (url) => new Source(url, { withCredentials: credentials === 'include' }),
    // `HEAD` costs the server nothing but does not tell a guild that is not there; the state does.
    probe: (url, outer) =>
      within({ after }, ANSWER_WITHIN_MS, outer, async (signal) => {
        const { status } = await ask(url, { method: 'HEAD', signal })
        if (status !== 200) return status === 404 ? BROKEN : status
        const answer = await ask(new URL(`api/state${url.search}`, root), { signal })
        return answer.ok ? BROKEN : refusalOf(answer)
      }),
  })
}

export const sessionOf = ({ root, auth, apiToken }: Access, ask: Fetch, environment: Environment): Session & Ending => {
  const limited = <Value>(run: (signal: AbortSignal) => Promise<Value>, outer?: AbortSignal): Promise<Value> =>
    within(environment, ANSWER_WITHIN_MS, outer, run)

  const post = (path: string, body: () => object | Promise<object>): Promise<Response> =>
    limited(async (signal) => ask(new URL(path, root), { method: 'POST', body: JSON.stringify(await body()), signal }))

  /** One at a time: several commands may be told at once that the session is over. */
  let vouching: Promise<boolean> | undefined
  const over = (): void => {
    vouching = undefined
  }

  // The app's own token for its user becomes a session here.
  const exchange = async (word: () => Promise<string>): Promise<boolean> => {
    const { ok, status } = await post('auth/exchange', async () => ({ token: await word() }))
    if (!ok && ![400, 401, 403].includes(status)) throw status
    return ok
  }

  return {
    identify: apiToken
      ? undefined
      : (outer) =>
          limited(async (signal) => {
            const answer = await ask(new URL('api/me', root), { signal })
            if (answer.status === 401) return null
            const { user } = (await answer.json()) as Components['Me']
            // A proxy's answer is none.
            if (!answer.ok || !user.id) throw answer
            return user
          }, outer),
    vouch: auth && (() => (vouching ??= exchange(auth).finally(over))),
    end: async (which) => {
      await vouching?.catch(over)
      // The stream may hear of the end first: that is no reason to begin anew.
      vouching = Promise.resolve(false)
      const answer = await post('auth/logout', () => which).catch(over)
      over()
      return !!answer && (answer.ok || answer.status === 401)
    },
  }
}
