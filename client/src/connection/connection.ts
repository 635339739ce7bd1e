/**
 * Carries out what `machine.ts` decides: opens and closes streams, waits, watches
 * for silence, puts groups together, and tells all of it as changes.
 */

import { type GuildEvent, type Payload, travelOf, type User } from '../wire.js'
import type { Change, Feed, Reason } from './change.js'
import { Groups } from './groups.js'
import { type Effect, type Event, type Place, step } from './machine.js'
import { asSearch, type Query, sameQuery } from './query.js'
import type { Session } from './session.js'
import type { Close, End, Frame, OpenStream } from './transport.js'

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
  readonly from?: { readonly cursor: string | undefined; readonly user: User | undefined } | undefined
  /** Somebody has just been asked: the first attempt need not ask again. */
  readonly user?: User | undefined
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

const NEVER: readonly number[] = [400, 405, 414, 431]

export class Connection {
  #place: Place
  #reason: Reason = 'not_started'
  #query: Query
  #cursor: string | undefined
  #user: User | undefined
  /** Whether the next attempt can do without asking who is signed in. */
  #justAsked: boolean
  #needsVouch: boolean
  #justVouched = false
  /** Closes the attempt or stream that goes on. */
  #close: Close | null = null
  #wait: Close | null = null
  #watch: Close | null = null
  #quietUntil = 0
  #failures = 0
  #retryMs = 0
  /** Events that `resumed` announced and that have not come. */
  #missing = 0
  #clock: number[] = []
  #changes: Change[] = []
  #depth = 0
  readonly #groups = new Groups()
  readonly #options: ConnectionOptions

  constructor(options: ConnectionOptions) {
    const { from } = options
    this.#options = options
    this.#query = options.query
    this.#place = { state: 'idle', known: from !== undefined }
    this.#cursor = from?.cursor
    this.#user = options.user ?? from?.user
    this.#justAsked = options.user !== undefined
    this.#needsVouch = options.session.vouch !== undefined
  }

  start(): void {
    this.#handle('started', 'not_started')
  }

  /** Lets go of the stream; the picture and the cursor stay. */
  release(): void {
    this.#handle('released', 'not_started')
  }

  close(): void {
    this.#handle('closed', 'closed')
  }

  /** Something else said that the session is over, such as the answer to a command. */
  sessionEnded(): void {
    this.#unauthorized('unauthorized')
  }

  /** Whoever is signed in now is not whom the picture is of, or nobody was. */
  signedIn(user: User): void {
    if (user.id === this.#user?.id && this.#place.state !== 'signed-out') return
    this.#together(() => {
      this.#user = user
      this.#justAsked = this.#place.state !== 'idle'
      this.#handle('account', 'another_account')
      // Behind the word to forget whoever was before.
      this.#changes.push({ is: 'user', user })
    })
  }

  wentOffline(): void {
    this.#handle('offline', 'offline')
  }

  cameOnline(): void {
    this.#handle('online', 'broken')
    this.look()
  }

  /** Looks for silence at once, as when a computer or a page woke up. */
  look(): void {
    if (this.#close !== null && this.#options.environment.now() >= this.#quietUntil) this.#handle('silent', 'silent')
  }

  /** Asks for this from now on. `anew`: for more than the picture has, so that it must come whole. */
  ask(query: Query, anew = false): void {
    if (sameQuery(query, this.#query)) return
    this.#query = query
    if (anew) this.#cursor = undefined
    if (this.#close !== null) this.#handle('asked', this.#reason)
  }

  get query(): Query {
    return this.#query
  }

  /** Runs it, and tells all that it caused as one moment. */
  #together(run: () => void): void {
    this.#depth += 1
    try {
      run()
    } finally {
      this.#depth -= 1
    }
    if (this.#depth > 0 || this.#changes.length === 0) return
    const changes = this.#changes
    this.#changes = []
    this.#options.feed(changes)
  }

  #handle(event: Event, reason: Reason): void {
    this.#together(() => {
      const before = this.#place
      const { effects, ...place } = step(before, event)
      this.#place = place
      this.#options.log?.(`${before.state} × ${event} (${reason}) → ${place.state} ${effects.join(' ')}`)
      if (place.state !== before.state || (effects.length > 0 && reason !== this.#reason)) {
        this.#reason = reason
        this.#changes.push({ is: 'phase', phase: place.state, reason })
      }
      for (const effect of effects) this.#carryOut(effect)
      if (event === 'lost' && !this.#options.environment.online()) this.#handle('offline', 'offline')
    })
  }

  #carryOut(effect: Effect): void {
    const { random } = this.#options.environment
    switch (effect) {
      case 'open':
        return this.#open()
      case 'vouch':
        this.#needsVouch = true
        return this.#open()
      case 'shut':
        return this.#shut()
      case 'later':
        return this.#waitFor(random() * Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** this.#failures++))
      case 'as-told':
        return this.#waitFor(this.#retryMs)
      case 'much-later':
        return this.#waitFor(MUCH_LATER_MS * (1 + random()))
      case 'seldom':
        return this.#waitFor(LONGEST_WAIT_MS)
      case 'settle':
        this.#failures = 0
        this.#justVouched = false
        return
      case 'doubt':
        this.#quietUntil = Math.min(this.#quietUntil, this.#options.environment.now() + DOUBT_MS)
        return
      case 'forget':
        this.#cursor = undefined
        this.#groups.drop()
        this.#changes.push({ is: 'forgotten' })
    }
  }

  #shut(): void {
    this.#groups.drop()
    for (const close of [this.#close, this.#wait, this.#watch]) close?.()
    this.#close = this.#wait = this.#watch = null
  }

  #waitFor(ms: number): void {
    this.#shut()
    this.#wait = this.#options.environment.after(ms, () => {
      this.#wait = null
      this.#handle('due', this.#reason)
    })
  }

  #open(): void {
    this.#shut()
    const abort = new AbortController()
    this.#close = () => abort.abort()
    this.#heard()
    this.#watchOn()
    this.#prepare(abort.signal).then(
      (ready) => {
        if (ready && !abort.signal.aborted) this.#openStream()
      },
      () => {
        if (!abort.signal.aborted) this.#handle('lost', 'broken')
      },
    )
  }

  /** Sees to it that there is a session, and whose; false where the machine was told why not. */
  async #prepare(signal: AbortSignal): Promise<boolean> {
    const { vouch, identify } = this.#options.session
    if (vouch !== undefined && this.#needsVouch) {
      const vouched = await vouch(signal)
      if (signal.aborted) return false
      if (vouched !== 'done') return this.#refuse(vouched === 'failed' ? 'lost' : 'unauthorized')
      ;[this.#needsVouch, this.#justVouched, this.#justAsked] = [false, true, false]
    }
    if (identify === undefined || this.#justAsked) {
      this.#justAsked = false
      return true
    }
    const identity = await identify(signal)
    if (signal.aborted) return false
    if (identity.is === 'unknown') return this.#refuse('lost')
    if (identity.is === 'nobody') {
      this.#unauthorized('unauthorized')
      return false
    }
    const another = this.#user !== undefined && this.#user.id !== identity.user.id
    if (another) this.signedIn(identity.user)
    else this.#together(() => this.#is(identity.user))
    return !another
  }

  #refuse(event: 'lost' | 'unauthorized'): false {
    this.#handle(event, event === 'lost' ? 'broken' : 'unauthorized')
    return false
  }

  #is(user: User): void {
    this.#user = user
    this.#changes.push({ is: 'user', user })
  }

  #openStream(): void {
    const url = new URL('api/stream', this.#options.root)
    url.search = asSearch(this.#query, this.#cursor)
    this.#heard()
    this.#close = this.#options.openStream(url, {
      frame: (frame) => {
        this.#heard()
        this.#together(() => this.#take(frame))
      },
      end: (end) => this.#ended(end),
    })
  }

  #ended(end: End): void {
    this.#close = null
    if (end.is === 'broken') return this.#handle('lost', 'broken')
    if (end.status === 401) return this.#unauthorized('unauthorized')
    if (end.status === 404) return this.#handle('missing', 'not_found')
    if (NEVER.includes(end.status)) return this.#handle('rejected', 'invalid')
    this.#handle('lost', 'broken')
  }

  #unauthorized(reason: Reason): void {
    const canVouch = this.#options.session.vouch !== undefined && !this.#justVouched
    this.#handle(canVouch ? 'challenged' : 'unauthorized', reason)
  }

  #take({ name, data, id }: Frame): void {
    const travels = travelOf(name)
    // A newer server may say more.
    if (travels === undefined) return
    let payload: unknown
    try {
      payload = JSON.parse(data)
    } catch {
      // What it said is lost: only a new picture is sure to be right.
      this.#cursor = undefined
      return this.#handle('lost', 'broken')
    }
    if (travels === 'control') return this.#control(name, payload, id)
    // Types and names are of one document; the compiler cannot see it through the lookup.
    const event = { name, data: payload } as unknown as GuildEvent
    const events = travels === 'alone' ? [event] : this.#groups.take(event, id)
    if (events === null) return
    this.#cursor = id ?? this.#cursor
    this.#changes.push({ is: 'group', events, cursor: this.#cursor })
    this.#missing -= events.length
    if (this.#missing <= 0) this.#caughtUp()
  }

  #control(name: string, payload: unknown, id: string | undefined): void {
    this.#cursor = id ?? this.#cursor
    switch (name) {
      case 'snapshot': {
        const { guilds, status, reason } = payload as Payload<'snapshot'>
        this.#groups.drop()
        this.#cursor = id
        this.#changes.push({ is: 'snapshot', guilds, cursor: id }, { is: 'status', status })
        return this.#handle('snapshot', reason)
      }
      case 'resumed': {
        const { replayed, status } = payload as Payload<'resumed'>
        this.#changes.push({ is: 'status', status })
        this.#missing = replayed
        this.#handle('resumed', 'resumed')
        return replayed === 0 ? this.#caughtUp() : undefined
      }
      case 'status':
        this.#changes.push({ is: 'status', status: payload as Payload<'status'> })
        return
      case 'checkpoint':
        return this.#checkpoint(payload as Payload<'checkpoint'>)
      case 'bye':
        return this.#bye(payload as Payload<'bye'>)
    }
  }

  /** Also where fewer events were shown than announced. */
  #caughtUp(): void {
    this.#missing = 0
    if (this.#place.state === 'catching-up') this.#handle('caught-up', 'resumed')
  }

  #checkpoint({ now, settled }: Payload<'checkpoint'>): void {
    // What came late makes the server's clock look slow: the fastest of a few is the truest.
    this.#clock = [...this.#clock, now - this.#options.environment.now()].slice(-CLOCK_SAMPLES)
    this.#changes.push({ is: 'clock', offset: Math.max(...this.#clock) })
    if (settled !== undefined) this.#changes.push({ is: 'settled', keys: settled })
    this.#caughtUp()
  }

  #bye({ reason, retryMs }: Payload<'bye'>): void {
    this.#retryMs = retryMs
    if (reason === 'session_expired' || reason === 'session_revoked') return this.#unauthorized(reason)
    this.#handle(reason === 'too_many_streams' ? 'crowded' : 'bye', reason)
  }

  #heard(): void {
    this.#quietUntil = this.#options.environment.now() + SILENCE_MS
  }

  #watchOn(): void {
    this.#watch = this.#options.environment.after(WATCH_EVERY_MS, () => {
      this.#watchOn()
      this.look()
    })
  }
}
