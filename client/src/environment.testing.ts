/** Time, chance and a server that a test drives by hand. */

import type { Change } from './connection/change.js'
import { connectionOf, type ConnectionOptions, type Environment } from './connection/connection.js'
import { everything } from './connection/query.js'
import { BROKEN, type End, type Listener, type OpenStream } from './connection/transport.js'
import { allWell } from './events.testing.js'
import type { GuildEvent, GuildPicture, User } from './wire.js'

export const ana: User = { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: 'http://cdn.test/7.png' }
export const ben: User = { ...ana, id: '8', username: 'ben', displayName: 'Ben' }

/** A clock that stands still until it is told to go on. */
export class TestTime implements Environment {
  at = 1_000_000
  isOnline = true
  chance = 1
  readonly #timers = new Map<object, { readonly at: number; readonly run: () => void }>()

  now = (): number => this.at
  random: () => number = () => this.chance
  online = (): boolean => this.isOnline

  after = (ms: number, run: () => void): (() => void) => {
    const key = {}
    this.#timers.set(key, { at: this.at + ms, run })
    return () => void this.#timers.delete(key)
  }

  get timers(): number {
    return this.#timers.size
  }

  /** When the next timer ends. */
  get next(): number | undefined {
    return this.#timers.size === 0 ? undefined : Math.max(this.at, Math.min(...[...this.#timers.values()].map(({ at }) => at)))
  }

  async pass(ms: number): Promise<void> {
    const end = this.at + ms
    for (;;) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)
      if (next === undefined || next[1].at > end) break
      this.#timers.delete(next[0])
      this.at = Math.max(this.at, next[1].at)
      next[1].run()
      await settle()
    }
    this.at = end
    await settle()
  }

  /** The computer sleeps: the wall clock goes on, timers do not. */
  suspend(ms: number): void {
    this.at += ms
    for (const [key, { at, run }] of [...this.#timers]) this.#timers.set(key, { at: at + ms, run })
  }
}

/** Lets promises that are done tell so. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** One stream that was asked for. */
export class TestStream {
  open = true
  readonly url: URL
  readonly #listener: Listener

  constructor(url: URL, listener: Listener) {
    this.url = url
    this.#listener = listener
  }

  say(name: string, payload: unknown, id?: string): void {
    this.raw(name, JSON.stringify(payload), id)
  }

  raw(name: string, data: string, id?: string): void {
    if (!this.open) throw new Error(`${name} on a stream that is closed`)
    this.#listener.frame({ name, data, id })
  }

  snapshot(guilds: readonly GuildPicture[], id = 'c-0', reason = 'no_cursor'): void {
    this.say('snapshot', { reason, status: allWell, guilds }, id)
  }

  resumed(replayed: number, id?: string): void {
    this.say('resumed', { replayed, status: allWell }, id)
  }

  event({ name, data }: GuildEvent, id?: string): void {
    this.say(name, data, id)
  }

  bye(reason: string, retryMs = 1_000): void {
    this.say('bye', { reason, retryMs })
  }

  end(end: End = BROKEN): void {
    this.open = false
    this.#listener.end(end)
  }
}

/** A server: what was asked of it, and what it answers. */
export class TestServer {
  readonly streams: TestStream[] = []
  /** Null: nobody. */
  user: User | null = ana
  vouched: 'done' | 'refused' | 'failed' = 'done'
  readonly asked: string[] = []

  readonly openStream: OpenStream = (url, listener) => {
    const stream = new TestStream(url, listener)
    this.streams.push(stream)
    return () => {
      stream.open = false
    }
  }

  readonly identify = async (): Promise<User | null> => {
    this.asked.push('me')
    return this.user
  }

  readonly vouch = async (): Promise<boolean> => {
    this.asked.push('exchange')
    if (this.vouched === 'failed') throw new TypeError('no network')
    return this.vouched === 'done'
  }

  get open(): readonly TestStream[] {
    return this.streams.filter((stream) => stream.open)
  }

  /** The newest stream. */
  get stream(): TestStream {
    const newest = this.streams.at(-1)
    if (newest === undefined) throw new Error('no stream was asked for')
    return newest
  }
}

/** A connection to a server of the test's. */
export const connect = (more: Partial<ConnectionOptions> = {}) => {
  const time = new TestTime()
  const server = new TestServer()
  const moments: (readonly Change[])[] = []
  const connection = connectionOf({
    environment: time,
    root: new URL('https://app.test/hall/'),
    openStream: server.openStream,
    session: { identify: server.identify },
    feed: (changes) => moments.push(changes),
    query: everything,
    gate: (_user, pass) => pass(),
    ...more,
  })
  const phase = () => moments.flat().findLast((change) => change.is === 'phase')
  return { time, server, moments, connection, phase }
}
