/**
 * The connection: one `EventSource`, the cursor it got to, and the picture so far.
 *
 * While the browser reconnects by itself we let it: it sends `Last-Event-ID`.
 * We step in where it gives up (any HTTP error), and where it does not notice
 * (a stream gone silent). Both times a new `EventSource` goes on from our cursor.
 */

import { after, emptyPicture, type Picture } from './picture'
import type { Me, User } from './session'
import { decode, eventNames, type Payload, type Status, type StreamEvent } from './wire'

export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'signed-out'

/** How the connection that is (or was last) live began. */
export type Began =
  | { readonly how: 'snapshot'; readonly reason: Payload<'snapshot'>['reason'] }
  | { readonly how: 'resumed'; readonly replayed: number }

/** Everything the page shows. Immutable: a change makes a new one. */
export interface View {
  readonly connection: ConnectionState
  readonly user: User | null
  /** Null until the first snapshot. */
  readonly picture: Picture | null
  readonly status: Status | null
  readonly began: Began | null
  /** Snapshots since the page was opened. */
  readonly snapshots: number
  /** Events that could not be read, since the page was opened. */
  readonly ignored: number
  /** The last request was not answered, or with an error such as a proxy's 502. */
  readonly unanswered: boolean
  /** Why the server, which is there, ended the last stream; null once one goes on. */
  readonly bye: Payload<'bye'>['reason'] | null
}

/** What the connection needs of the browser. */
export interface BrowserEnvironment {
  openStream(query: URLSearchParams): EventSource
  readMe(): Promise<Me>
  endSession(): Promise<boolean>
  /** From 0 to 1. */
  random(): number
  /** Runs once before the next paint: many events become one rendering. */
  beforePaint(run: () => void): void
}

/** Checkpoints come every 15 s: two lost ones and some patience. */
export const SILENCE_MS = 40_000
const WATCH_EVERY_MS = 5_000
const LONGEST_WAIT_MS = 30_000

const nothing: View = {
  connection: 'connecting',
  user: null,
  picture: null,
  status: null,
  began: null,
  snapshots: 0,
  ignored: 0,
  unanswered: false,
  bye: null,
}

export class Live {
  #view = nothing
  #source: EventSource | null = null
  /** The cursor: the id of the last event that carried one. */
  #lastEventId = ''
  /** What one cause did, until the last of it has come: that one alone carries an id. */
  #unfinished: StreamEvent[] = []
  /** When silence becomes suspicious. */
  #quietUntil = 0
  /** Connections that ended before they gave anything. */
  #failures = 0
  #watchdog: ReturnType<typeof setInterval> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  /** Counts what makes an answer still under way worthless. */
  #generation = 0
  #paintAsked = false
  /** The rooms on whose pages the person is: the server counts them as viewers. */
  #viewing: readonly string[] = []
  readonly #readers = new Set<() => void>()
  readonly #environment: BrowserEnvironment

  constructor(environment: BrowserEnvironment) {
    this.#environment = environment
  }

  readonly view = (): View => this.#view

  readonly subscribe = (reader: () => void): (() => void) => {
    this.#readers.add(reader)
    return () => this.#readers.delete(reader)
  }

  start(): void {
    this.#watchdog = setInterval(() => this.#watch(), WATCH_EVERY_MS)
    void this.#connect()
  }

  stop(): void {
    clearInterval(this.#watchdog)
    this.#hangUp()
  }

  /** The person is on the pages of these rooms now. A stream says it when it opens, so a new one does. */
  readonly setViewing = (rooms: readonly string[]): void => {
    if (rooms.join() === this.#viewing.join()) return
    this.#viewing = rooms
    if (this.#source !== null) this.#open()
  }

  /** True when the session is over; false when the server could not be told. */
  readonly signOut = async (): Promise<boolean> => {
    const ended = await this.#environment.endSession()
    if (ended) this.#signedOut()
    return ended
  }

  /** Asks who we are first: an `EventSource` would hide a 401 from us. */
  async #connect(): Promise<void> {
    const generation = ++this.#generation
    const me = await this.#environment.readMe()
    if (generation !== this.#generation) return
    if (me.is === 'signed-out') return this.#signedOut()
    if (me.is === 'unreachable') return this.#connectLater()
    if (this.#view.user !== null && this.#view.user.id !== me.user.id) this.#forget()
    this.#show({ user: me.user })
    this.#open()
  }

  #connectLater(): void {
    const longest = Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** this.#failures)
    this.#failures += 1
    this.#lost()
    this.#show({ unanswered: true, bye: null })
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.#connect(), longest * this.#environment.random())
  }

  #open(): void {
    this.#close()
    const query = new URLSearchParams()
    if (this.#lastEventId !== '') query.set('lastEventId', this.#lastEventId)
    for (const room of this.#viewing) query.append('viewing', room)
    const source = this.#environment.openStream(query)
    for (const name of eventNames) {
      source.addEventListener(name, (message) => this.#came(name, message))
    }
    source.onerror = () => {
      this.#unfinished = []
      if (source.readyState !== source.CLOSED) return this.#lost()
      this.#close()
      this.#connectLater()
    }
    this.#source = source
    this.#quietUntil = Date.now() + SILENCE_MS
  }

  #came(name: string, message: MessageEvent<string>): void {
    this.#quietUntil = Date.now() + SILENCE_MS
    const cursor = message.lastEventId === '' ? this.#lastEventId : message.lastEventId
    const carriesId = cursor !== this.#lastEventId
    this.#lastEventId = cursor
    const decoded = decode(name, message.data)
    if (decoded.is === 'event') this.#take(decoded.event)
    else this.#show({ ignored: this.#view.ignored + 1 })
    if (carriesId) this.#applyGroup()
  }

  /** All that one cause did comes into the picture at once; a torn connection brings none of it. */
  #applyGroup(): void {
    const before = this.#view.picture ?? emptyPicture
    const picture = this.#unfinished.reduce(after, before)
    this.#unfinished = []
    if (picture !== before) this.#show({ picture })
  }

  #take(event: StreamEvent): void {
    switch (event.name) {
      case 'snapshot': {
        const { reason, status } = event.data
        const snapshots = this.#view.snapshots + 1
        const picture = after(emptyPicture, event)
        this.#unfinished = []
        return this.#began({ picture, status, snapshots, began: { how: 'snapshot', reason } })
      }
      case 'resumed': {
        const { replayed, status } = event.data
        return this.#began({ status, began: { how: 'resumed', replayed } })
      }
      case 'status':
        return this.#show({ status: event.data })
      case 'checkpoint':
        return
      case 'bye':
        return this.#saidBye(event.data)
      case 'guild.available':
      case 'guild.unavailable':
      case 'guild.removed':
        // About a guild as a whole, and behind whole groups: nothing more belongs to it, and where
        // nothing happened in the log its id is the one before it.
        this.#unfinished.push(event)
        return this.#applyGroup()
      default:
        this.#unfinished.push(event)
    }
  }

  #began(change: Partial<View>): void {
    const again = this.#view.connection === 'reconnecting'
    this.#failures = 0
    this.#show({ ...change, connection: 'live', unanswered: false, bye: null })
    if (again) void this.#checkUser()
  }

  /** The browser came back with whatever cookie it has now: of another tab's user, perhaps. */
  async #checkUser(): Promise<void> {
    const generation = this.#generation
    const me = await this.#environment.readMe()
    if (generation !== this.#generation || me.is !== 'signed-in' || me.user.id === this.#view.user?.id) return
    this.#forget()
    this.#show({ connection: 'connecting', user: me.user })
    this.#open()
  }

  #saidBye({ reason, retryMs }: Payload<'bye'>): void {
    if (reason === 'session_expired') return this.#signedOut()
    if (reason === 'session_revoked') return this.#sessionEnded()
    // The browser comes back by itself after `retryMs`; until then silence is meant.
    this.#quietUntil = Date.now() + retryMs + SILENCE_MS
    this.#lost()
    this.#show({ unanswered: false, bye: reason })
  }

  /** By whom, only the server knows: somebody may have signed in anew in another tab of this browser. */
  #sessionEnded(): void {
    this.#close()
    this.#lost()
    void this.#connect()
  }

  #lost(): void {
    if (this.#view.connection === 'live') this.#show({ connection: 'reconnecting' })
  }

  #signedOut(): void {
    this.#hangUp()
    this.#forget()
    this.#show({ connection: 'signed-out', unanswered: false, bye: null })
  }

  /** Another person may sign in next: nothing of this one stays. */
  #forget(): void {
    this.#lastEventId = ''
    this.#failures = 0
    this.#show({ user: null, picture: null, status: null, began: null })
  }

  /** Closes, and nothing under way opens again. */
  #hangUp(): void {
    this.#generation += 1
    clearTimeout(this.#retry)
    this.#close()
  }

  #close(): void {
    this.#unfinished = []
    this.#source?.close()
    this.#source = null
  }

  #watch(): void {
    if (this.#source === null || Date.now() < this.#quietUntil) return
    this.#lost()
    this.#open()
  }

  #show(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change }
    if (this.#paintAsked) return
    this.#paintAsked = true
    this.#environment.beforePaint(() => {
      this.#paintAsked = false
      for (const reader of this.#readers) reader()
    })
  }
}
