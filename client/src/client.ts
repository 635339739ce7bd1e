/** The client as an app has it: one connection, one store, the commands. */

import { type Access, asking, type Parts, realParts, sessionOf, streamsBy } from './browser.js'
import { type CallName, calls, type Input } from './commands/calls.js'
import { type CallOptions, type Result, type Run, runWith } from './commands/run.js'
import { type Query, union } from './connection/query.js'
import { watchPage } from './page.js'
import { share } from './share/share.js'
import { rootOf } from './state.js'
import { type Listener, type Stop, storeOf, type View } from './store/store.js'
import type { GuildEventName, State } from './wire.js'

export interface GuildhallOptions {
  /** Where Guildhall is, with its path prefix: `/`, `/hall/`, `https://hall.example.com/`. */
  readonly url: string | URL
  /** This guild alone. Left out: all that the viewer is in. */
  readonly guild?: string | undefined
  /** `eventsource`, where there is one and no token is to be sent; else `fetch`. */
  readonly transport?: 'eventsource' | 'fetch' | undefined
  /** Your own login: a JWT of your app for its user, asked for at the start and after each 401. */
  readonly auth?: (() => Promise<string>) | undefined
  /** A token of `API_TOKENS`. For programs on servers: whoever has it may read. Or that of an overlay link. */
  readonly apiToken?: string | undefined
  /** With a token that may (`+as`): the user by whose rights it reads and, with `+write`, commands. */
  readonly actAs?: string | undefined
  /** `include` where Guildhall is on a subdomain of its own. */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined
  /** Asks in place of the `fetch` there is; its answers must have bodies that are read piece by piece. */
  readonly fetch?: ((url: URL, init: RequestInit) => Promise<Response>) | undefined
  /** False: this tab has a stream of its own. Left out: tabs share one, where the transport is `eventsource`. */
  readonly share?: boolean | undefined
  /** What `fetchState` gave on the server: it is shown at once, and gone on from without a gap. */
  readonly initial?: State | null | undefined
  /** Hears each step of the connection and what is refused with which status, for people who look for a fault. */
  readonly log?: ((line: string) => void) | undefined
}

type Group<Prefix extends string, NamesGuild extends boolean> = {
  readonly [Name in CallName as Name extends `${Prefix}.${infer Short}` ? Short : never]: (
    input: Input<Name, NamesGuild>,
    options?: CallOptions,
  ) => Promise<Result<Name>>
}

/** A client. `NamesGuild`: it is about one guild, which commands then need not name. */
export interface Guildhall<NamesGuild extends boolean = boolean> {
  /** What is known now. The same object until something changes. */
  view(): View
  /** Hears of changes, once for each moment; the stream is open while somebody does. */
  subscribe(reader: () => void): Stop
  /** Hears of what `select` makes of the view, where that has changed. */
  select<Selected>(
    select: (view: View) => Selected,
    reader: (selected: Selected) => void,
    equal?: (a: Selected, b: Selected) => boolean,
  ): Stop
  /** Hears each event of this name, once and in order; never what a snapshot brings. */
  on<Name extends GuildEventName>(name: Name, listener: Listener<Name>): Stop
  /**
   * This person is on that room's page: a room with viewers is not taken away as unused. One stream says it of
   * eight rooms, those of the lowest ids; `log` hears which one is too many.
   */
  viewing(channelId: string): Stop
  /** What a server knew before the stream began, for a first rendering that is the server's. */
  readonly initial: View
  /** The server's time, Unix ms. */
  now(): number
  readonly run: Run<NamesGuild>
  readonly rooms: Group<'rooms', NamesGuild>
  readonly invites: Group<'invites', NamesGuild>
  readonly overlays: Group<'overlays', NamesGuild>
  readonly voice: Group<'voice', NamesGuild>
  readonly guilds: Group<'guilds', NamesGuild>
  /** Where a sign-in with Discord begins; it comes back to `returnTo`. */
  signInUrl(returnTo: string, invite?: string): string
  /** Ends the session; with `everywhere`, this person's in all browsers. False where the server could not be told. */
  signOut(options?: { readonly everywhere?: boolean }): Promise<boolean>
  /** Asks again who is signed in, as after a sign-in of your own. */
  refresh(): Promise<void>
  /** Ends all of it, for good. */
  close(): void
}

/** A connection whose last reader goes is kept for this long: the next one comes at once, mostly. */
const LINGER_MS = 1_000

export interface CreateGuildhall {
  (options: GuildhallOptions & { readonly guild: string }): Guildhall<true>
  (options: GuildhallOptions): Guildhall<false>
}

/** A client of Guildhall. Nothing is asked for before somebody reads. */
export const createGuildhall: CreateGuildhall = (options) => createWith(options, realParts()) as never

/** The same with another world, for tests. */
export const createWith = (options: GuildhallOptions, parts: Parts): Guildhall<boolean> => {
  const { guild, initial, log } = options
  const root = rootOf(options.url, parts.base)
  const access: Access = { ...options, root }
  const ask = asking(access, options.fetch ?? parts.fetch)
  const session = sessionOf(access, ask, parts)
  const rooms = new Set<readonly string[]>()
  let readers = 0
  let linger: Stop | undefined
  let away: Stop | undefined
  let present = true
  let question = new AbortController()
  let closed = false

  const query = (): Query => union([{ guilds: guild ? [guild] : undefined, viewing: [...rooms].flat() }])
  const store = storeOf({ ...parts, query: query() })
  if (initial) {
    const { guilds, cursor, status } = initial
    store.feed([{ is: 'snapshot', guilds, cursor }, { is: 'status', status }])
  }
  const first = store.view()

  const transport = options.transport ?? 'eventsource'
  const line = share({
    environment: parts,
    root,
    openStream: streamsBy(transport, access, ask, parts),
    session,
    store,
    query,
    // The version of what tabs say to each other comes first: another one may be open.
    name: (options.share ?? transport === 'eventsource') ? `guildhall-1 ${root} ${transport} ${options.credentials}` : undefined,
    tabs: parts.tabs,
    from: initial,
    log,
  })
  const { connection } = line

  const onUnauthorized = async (): Promise<boolean> => {
    const vouched = await (session.vouch?.() ?? false)
    if (!vouched) connection.sessionEnded()
    return vouched
  }

  const wake = (): void => {
    if (present && readers > 0) line.start()
  }

  const identifyAgain = async (): Promise<void> => {
    // An answer to an earlier question would be of an earlier cookie.
    question.abort()
    const { signal } = (question = new AbortController())
    const user = await session.identify?.(signal).catch(() => undefined)
    if (signal.aborted) return
    if (user) {
      connection.signedIn(user)
      wake()
    }
    if (user === null && store.view().user) await onUnauthorized().catch(() => false)
  }

  const pageListener = {
    shown: () => {
      present = true
      wake()
      connection.look()
      // Somebody else may have signed in meanwhile, in another tab: what is done here is done by them.
      if (readers > 0) void identifyAgain()
    },
    gone: () => {
      present = false
      line.release()
    },
    offline: connection.wentOffline,
    online: connection.cameOnline,
  }

  const hold = (): Stop => {
    readers += 1
    linger?.()
    if (readers === 1 && !closed) {
      if (parts.window) away ??= watchPage(parts.window, parts.after, pageListener)
      // What is signed out is asked again by whoever comes back to the page, not by a new reader.
      if (present && store.view().status.phase !== 'signed-out') line.start()
    }
    return () => {
      readers -= 1
      if (readers === 0 && !closed) linger = parts.after(LINGER_MS, letGo)
    }
  }

  const letGo = () => {
    away?.()
    away = undefined
    // Nothing would tell that the page is shown again.
    present = true
    line.release()
  }

  const run = runWith({
    root,
    ask,
    guild,
    environment: parts,
    newKey: parts.newKey,
    onSettled: store.onSettled,
    onUnauthorized,
  })

  const client: Guildhall<boolean> = {
    view: store.view,
    initial: first,
    subscribe: (reader) => both(store.subscribe(reader), hold()),
    select: (select, reader, equal = Object.is) => {
      let before = select(store.view())
      return client.subscribe(() => {
        const now = select(store.view())
        if (equal(before, now)) return
        before = now
        reader(now)
      })
    },
    on: (name, listener) => both(store.on(name, listener), hold()),
    viewing: (channelId) => {
      const room = [channelId]
      rooms.add(room)
      if (!query().viewing.includes(channelId)) log?.(`viewing ${channelId}: too many`)
      line.ask()
      const leave = () => {
        rooms.delete(room)
        line.ask()
      }
      return both(leave, hold())
    },
    now: () => store.now,
    run,
    ...groups(run),
    signInUrl: (returnTo, invite) => {
      const search = new URLSearchParams({ returnTo, ...(invite && { invite }) })
      return new URL(`auth/login?${search}`, root).href
    },
    signOut: async (options = {}) => {
      const ended = await session.end(options)
      if (ended) connection.sessionEnded()
      return ended
    },
    refresh: identifyAgain,
    close: () => {
      closed = true
      linger?.()
      away?.()
      line.close()
    },
  }
  return client
}

/** The calls by the first half of their names. */
export const groups = (run: Run<boolean>): Pick<Guildhall<boolean>, 'rooms' | 'invites' | 'overlays' | 'voice' | 'guilds'> => {
  const made: Record<string, Record<string, unknown>> = {}
  for (const name of Object.keys(calls) as CallName[]) {
    const [group, short] = name.split('.') as [string, string]
    made[group] = { ...made[group], [short]: (input: never, options?: CallOptions) => run(name, input, options) }
  }
  return made as never
}

/** Stops both, once. */
const both = (first: Stop, second: Stop): Stop => {
  let done = false
  return () => {
    if (done) return
    done = true
    first()
    second()
  }
}
