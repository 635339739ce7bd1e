/**
 * Carries out what `machine.ts` decides: opens and closes streams, waits, watches
 * for silence, puts groups together, and tells all of it as changes.
 */

import { type GuildEvent, type Payload, travelOf, type User } from '../wire.js'
import type { Change, Feed, Reason } from './change.js'
import { type Effect, type Event, type Place, step } from './machine.js'
import { asSearch, type Query, sameQuery } from './query.js'
import type { Session } from './session.js'
import type { Close, Frame, OpenStream } from './transport.js'

/** Time and chance, handed in. */
export interface Environment {
  /** Unix ms by the wall clock, which goes on while a computer sleeps. */
  now(): number
  /** From 0 to 1. */
  random(): number
  /** Runs it once after so many ms, unless what is returned is called before. */
  after(ms: number, run: () => void): () => void
  /** False where the browser says that there is no network. */
  online(): boolean
}

export interface ConnectionOptions {
  readonly environment: Environment
  /** Where `api/` lies. */
  readonly root: URL
  readonly openStream: OpenStream
  readonly session: Session
  readonly feed: Feed
  readonly query: Query
  /** What is known already, and where it was true. */
  readonly from?: { readonly cursor: string | undefined } | null | undefined
  /** Is told that a stream would be opened now, for this user; it is opened when `pass` is called. */
  readonly gate: (user: User | undefined, pass: () => void) => void
  /** For people who look for a fault. */
  readonly log?: ((line: string) => void) | undefined
}

/** Checkpoints come every 15 s: two lost ones and some patience. */
export const SILENCE_MS = 40_000
/** One checkpoint, where there is a reason to doubt. */
const DOUBT_MS = 20_000
const WATCH_EVERY_MS = 5_000
const LONGEST_WAIT_MS = 30_000
const MUCH_LATER_MS = 60_000
const CLOCK_SAMPLES = 8

/** What no repetition cures. */
export const NEVER: readonly number[] = [400, 405, 414, 431]
/** About a guild as a whole: they come behind whole groups, and may have no id of their own. */
const closing: readonly string[] = ['guild.available', 'guild.unavailable', 'guild.removed']

export interface Connection {
  start(): void
  /** Lets go of the stream; the picture and the cursor stay. */
  release(): void
  close(): void
  /** Something else said that the session is over, such as the answer to a command. */
  sessionEnded(): void
  /** Whoever is signed in now is not whom the picture is of, or nobody was. */
  signedIn(user: User): void
  wentOffline(): void
  cameOnline(): void
  /** Looks for silence at once, as when a computer or a page woke up. */
  look(): void
  /** Asks for this from now on. `anew`: for more than the picture has, so that it must come whole. */
  ask(query: Query, anew?: boolean): void
  /** Begins anew. */
  again(): void
  /** Takes in what the connection of another tab tells, and holds no stream meanwhile. */
  follow(changes: readonly Change[]): void
  readonly query: Query
  readonly cursor: string | undefined
}

export const connectionOf = (options: ConnectionOptions): Connection => {
  const { environment, from, session } = options
  const { now, random, after } = environment
  let place: Place = { state: 'idle', known: !!from }
  let why: Reason = 'not_started'
  let { query: asked } = options
  let cursor = from?.cursor
  let who: User | undefined
  let needsVouch = true
  let justVouched = false
  /** Whether a stream was asked for with this query: until then it may change. */
  let isAsked = false
  /** Closes the attempt or stream that goes on. */
  let stop: Close | undefined
  let stopWait: Close | undefined
  let stopWatch: Close | undefined
  let quietUntil = 0
  let failures = 0
  let waitMs = 0
  /** Events that `resumed` announced and that have not come. */
  let missing = 0
  /** What one cause did, until the last of it has come, which alone has an id: a move never shows somebody in no room. */
  let held: GuildEvent[] = []
  let clock: number[] = []
  let changes: Change[] = []
  let depth = 0

  /** Runs it, and tells all that it caused as one moment. */
  const together = (run: () => void): void => {
    depth += 1
    try {
      run()
    } finally {
      depth -= 1
    }
    if (depth > 0 || changes.length === 0) return
    const told = changes
    changes = []
    options.feed(told)
  }

  const handle = (event: Event, reason: Reason = 'not_started'): void =>
    together(() => {
      const before = place
      const { effects, ...after } = step(before, event)
      place = after
      const [first] = effects
      options.log?.(`${before.state} × ${event} (${reason}) → ${place.state} ${effects}`)
      // A stream that is doubted is as it was until it turns out to be dead.
      if (place.state !== before.state || (first && first !== 'doubt' && reason !== why)) {
        why = reason
        changes.push({ is: 'phase', phase: place.state, reason })
      }
      for (const effect of effects) carryOut[effect]()
      if (event === 'lost' && !environment.online()) handle('offline', 'offline')
    })

  const carryOut: Readonly<Record<Effect, () => void>> = {
    open: () => open(),
    vouch: () => {
      needsVouch = true
      open()
    },
    shut: () => shut(),
    later: () => waitFor(random() * Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** failures++)),
    'as-told': () => waitFor(waitMs),
    'much-later': () => waitFor(MUCH_LATER_MS * (1 + random())),
    seldom: () => waitFor(LONGEST_WAIT_MS),
    settle: () => {
      failures = 0
      justVouched = false
    },
    doubt: () => {
      quietUntil = Math.min(quietUntil, now() + DOUBT_MS)
    },
    forget: () => {
      cursor = undefined
      held = []
      changes.push({ is: 'forgotten' })
    },
  }

  const shut = (): void => {
    held = []
    for (const close of [stop, stopWait, stopWatch]) close?.()
    stop = stopWait = stopWatch = undefined
    isAsked = false
  }

  const waitFor = (ms: number): void => {
    shut()
    stopWait = after(ms, () => {
      stopWait = undefined
      handle('due', why)
    })
  }

  const open = (): void => {
    shut()
    const abort = new AbortController()
    const { signal } = abort
    stop = () => abort.abort()
    heard()
    watchOn()
    const pass = () => {
      if (signal.aborted) return
      // Once: whoever passes later must have asked anew.
      abort.abort()
      openStream()
    }
    prepare(signal).then(
      () => {
        if (!signal.aborted) options.gate(who, pass)
      },
      () => {
        if (!signal.aborted) handle('lost', 'broken')
      },
    )
  }

  /** Sees to it that there is a session, and whose; where there is none, this attempt is closed. Rejects where nobody knows. */
  const prepare = async (signal: AbortSignal): Promise<void> => {
    const { vouch, identify } = session
    if (vouch && needsVouch) {
      const vouched = await vouch()
      if (signal.aborted) return
      if (!vouched) return sessionEnded()
      ;[needsVouch, justVouched] = [false, true]
    }
    const user = await identify?.(signal)
    if (signal.aborted) return
    if (user === null) return unauthorized('unauthorized')
    if (user && who && who.id !== user.id) signedIn(user)
    else if (user) together(() => is(user))
  }

  const is = (user: User): void => {
    who = user
    changes.push({ is: 'user', user })
  }

  const signedIn = (user: User): void => {
    if (user.id === who?.id && place.state !== 'signed-out') return
    together(() => {
      handle('account', 'another_account')
      // Behind the word to forget whoever was before.
      is(user)
    })
  }

  const openStream = (): void => {
    const url = new URL('api/stream', options.root)
    url.search = asSearch(asked, cursor)
    heard()
    isAsked = true
    stop = options.openStream(url, {
      frame: (frame) => {
        heard()
        together(() => take(frame))
      },
      end: (status) => {
        stop = undefined
        if (status === 401) return unauthorized('unauthorized')
        if (status === 404) return handle('missing', 'not_found')
        if (NEVER.includes(status)) return handle('rejected', 'invalid')
        handle('lost', 'broken')
      },
    })
  }

  const unauthorized = (reason: Reason): void =>
    handle(session.vouch && !justVouched ? 'challenged' : 'unauthorized', reason)

  const take = ({ name, data, id }: Frame): void => {
    const travels = travelOf(name)
    // A newer server may say more.
    if (!travels) return
    let payload: unknown
    try {
      payload = JSON.parse(data)
    } catch {
      // What it said is lost: only a new picture is sure to be right.
      cursor = undefined
      return handle('lost', 'broken')
    }
    if (travels === 'control') return control(name, payload, id)
    // No event comes by itself: the first that does would be a mistake of types here.
    travels satisfies 'group'
    // Types and names are of one document; the compiler cannot see it through the lookup.
    held.push({ name, data: payload } as unknown as GuildEvent)
    if (!id && !closing.includes(name)) return
    cursor = id ?? cursor
    changes.push({ is: 'group', events: held, cursor })
    missing -= held.length
    held = []
    if (missing <= 0) caughtUp()
  }

  const control = (name: string, payload: unknown, id: string | undefined): void => {
    cursor = id ?? cursor
    switch (name) {
      case 'snapshot': {
        const { guilds, status, reason } = payload as Payload<'snapshot'>
        held = []
        cursor = id
        changes.push({ is: 'snapshot', guilds, cursor }, { is: 'status', status })
        return handle('snapshot', reason)
      }
      case 'resumed': {
        const { replayed, status } = payload as Payload<'resumed'>
        changes.push({ is: 'status', status })
        missing = replayed
        handle('resumed', 'resumed')
        if (replayed === 0) caughtUp()
        return
      }
      case 'status':
        changes.push({ is: 'status', status: payload as Payload<'status'> })
        return
      case 'checkpoint': {
        const { now: time, settled } = payload as Payload<'checkpoint'>
        // What came late makes the server's clock look slow: the fastest of a few is the truest.
        clock = [...clock, time - now()].slice(-CLOCK_SAMPLES)
        changes.push({ is: 'clock', offset: Math.max(...clock), cursor })
        if (settled) changes.push({ is: 'settled', keys: settled })
        return caughtUp()
      }
      case 'bye': {
        const { reason, retryMs } = payload as Payload<'bye'>
        waitMs = retryMs
        if (reason === 'session_expired' || reason === 'session_revoked') return unauthorized(reason)
        handle(reason === 'too_many_streams' ? 'crowded' : 'bye', reason)
      }
    }
  }

  /** Also where fewer events were shown than announced. */
  const caughtUp = (): void => {
    missing = 0
    if (place.state === 'catching-up') handle('caught-up', 'resumed')
  }

  const heard = (): void => {
    quietUntil = now() + SILENCE_MS
  }

  const look = (): void => {
    if (stop && now() >= quietUntil) handle('silent', 'silent')
  }

  const watchOn = (): void => {
    stopWatch = after(WATCH_EVERY_MS, () => {
      watchOn()
      look()
    })
  }

  const sessionEnded = (): void => handle('unauthorized', 'unauthorized')
  const release = (): void => handle('released')
  const start = (): void => handle('started')

  return {
    start,
    release,
    close: () => handle('closed', 'closed'),
    sessionEnded,
    signedIn,
    wentOffline: () => handle('offline', 'offline'),
    cameOnline: () => {
      handle('online', why)
      look()
    },
    look,
    ask: (query, anew = false) => {
      if (sameQuery(query, asked)) return
      asked = query
      if (anew) cursor = undefined
      if (isAsked) handle('asked', why)
    },
    again: () =>
      together(() => {
        release()
        start()
      }),
    follow: (told) =>
      together(() => {
        release()
        for (const change of told) {
          // A cursor that the other tab gave up is still good for what this one knows.
          if ('cursor' in change) cursor = change.cursor ?? cursor
          if (change.is === 'forgotten') cursor = undefined
        }
        place = { ...place, known: !!cursor }
        changes.push(...told)
      }),
    get query() {
      return asked
    },
    get cursor() {
      return cursor
    },
  }
}
