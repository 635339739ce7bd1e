/**
 * A browser of the test's: tabs that open, close, crash, freeze and go into the page cache, their
 * locks and channels, and a server behind all of them. Nothing happens by itself: `drain` runs what
 * is due, in any order that a real browser may have.
 */

import type { Parts } from '../browser.js'
import { createWith, type Guildhall, type GuildhallOptions } from '../client.js'
import { ana, settle, TestTime } from '../environment.testing.js'
import { allWell, guild, joined, left, person, room } from '../events.testing.js'
import type { Stop } from '../store/store.js'
import type { GuildEvent, GuildPicture, User } from '../wire.js'
import type { Channel, Locks } from './share.js'

/** Random numbers that a seed repeats. */
export const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}

interface Task {
  readonly tab: Tab
  /** Tasks of one line come in their order. */
  readonly line: unknown
  readonly run: () => void
}

interface LockRequest {
  readonly tab: Tab
  readonly hold: () => Promise<void> | undefined
  readonly reject: (error: unknown) => void
  readonly resolve: () => void
}

export class TestBrowser {
  readonly time = new TestTime()
  readonly tabs: Tab[] = []
  readonly server: TestHouse
  readonly random: () => number
  tasks: Task[] = []
  /** Whether what is told to a frozen tab is lost. */
  lossy = false
  readonly #held = new Map<string, LockRequest>()
  #waiting: { readonly name: string; readonly request: LockRequest }[] = []
  readonly channels = new Set<TestChannel>()
  /** Of all that tabs have said, what it was. */
  readonly posted: string[] = []
  /** Web Locks may be missing, or refuse, as in a sandboxed frame. */
  locking: 'there' | 'none' | 'forbidden' = 'there'
  /** What a browser would have thrown. */
  readonly faults: string[] = []

  constructor(seed = 1) {
    this.random = randomOf(seed)
    this.time.random = this.random
    this.server = new TestHouse(this)
  }

  get living(): readonly Tab[] {
    return this.tabs.filter((tab) => tab.state !== 'gone')
  }

  open(options: Omit<GuildhallOptions, 'url'> & { readonly url?: string } = {}): Tab {
    const tab = new Tab(this, options)
    this.tabs.push(tab)
    return tab
  }

  enqueue(tab: Tab, line: unknown, run: () => void): void {
    this.tasks.push({ tab, line, run })
  }

  /** Runs all that is due, in any order in which it may come. */
  async drain(): Promise<void> {
    await settle()
    for (let count = 0; ; count += 1) {
      if (count > 5_000) throw new Error('tabs talk without end')
      const lines = new Map<unknown, Task>()
      for (const task of this.tasks) {
        if (task.tab.state === 'awake' && !lines.has(task.line)) lines.set(task.line, task)
      }
      const next = [...lines.values()][Math.floor(this.random() * lines.size)]
      if (next === undefined) return
      this.tasks.splice(this.tasks.indexOf(next), 1)
      next.run()
      await settle()
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.time.at + ms
    for (;;) {
      await this.drain()
      const due = this.time.next
      if (due === undefined || due > end) break
      await this.time.pass(due - this.time.at)
    }
    await this.time.pass(end - this.time.at)
    await this.drain()
  }

  /** What a dead tab had is given back. */
  bury(tab: Tab): void {
    this.tasks = this.tasks.filter((task) => task.tab !== tab)
    for (const channel of this.channels) if (channel.tab === tab) channel.close()
    for (const source of this.server.sources) if (source.tab === tab) source.close()
    this.#waiting = this.#waiting.filter(({ request }) => request.tab !== tab)
    for (const [name, request] of this.#held) if (request.tab === tab) this.#release(name, request)
  }

  locksOf(tab: Tab): Locks {
    return {
      request: (name, options, hold) =>
        new Promise<void>((resolve, reject) => {
          if (this.locking === 'forbidden') return reject(new DOMException('', 'SecurityError'))
          const request: LockRequest = { tab, hold, reject, resolve }
          const abort = () => this.enqueue(tab, 'locks', () => reject(new DOMException('', 'AbortError')))
          if ('steal' in options) {
            const robbed = this.#held.get(name)
            if (robbed !== undefined) {
              this.enqueue(robbed.tab, 'locks', () => robbed.reject(new DOMException('', 'AbortError')))
            }
            return this.#grant(name, request)
          }
          options.signal.addEventListener('abort', () => {
            const before = this.#waiting.length
            this.#waiting = this.#waiting.filter((one) => one.request !== request)
            if (this.#waiting.length < before) abort()
          })
          if (this.#held.has(name)) this.#waiting.push({ name, request })
          else this.#grant(name, request)
        }),
    }
  }

  get locks(): { readonly held: number; readonly waiting: number } {
    return { held: this.#held.size, waiting: this.#waiting.length }
  }

  /** It is had from now on, also by a tab that is frozen and does not know. */
  #grant(name: string, request: LockRequest): void {
    this.#held.set(name, request)
    this.enqueue(request.tab, 'locks', () => {
      const over = request.hold() ?? Promise.resolve()
      void over.then(() => {
        this.#release(name, request)
        request.resolve()
      })
    })
  }

  #release(name: string, request: LockRequest): void {
    if (this.#held.get(name) !== request) return
    this.#held.delete(name)
    const at = this.#waiting.findIndex((one) => one.name === name)
    const [next] = at < 0 ? [] : this.#waiting.splice(at, 1)
    if (next !== undefined) this.#grant(name, next.request)
  }
}

class TestChannel implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null
  readonly tab: Tab
  readonly #name: string

  constructor(tab: Tab, name: string) {
    ;[this.tab, this.#name] = [tab, name]
    tab.browser.channels.add(this)
  }

  postMessage(message: unknown): void {
    const { browser } = this.tab
    browser.posted.push((message as { readonly is: string }).is)
    if (!browser.channels.has(this)) return void browser.faults.push('said something on a closed channel')
    for (const other of browser.channels) {
      if (other === this || other.#name !== this.#name) continue
      if (browser.lossy && other.tab.state === 'frozen') continue
      const data: unknown = structuredClone(message)
      browser.enqueue(other.tab, this, () => {
        if (browser.channels.has(other)) other.onmessage?.({ data } as MessageEvent)
      })
    }
  }

  close(): void {
    this.tab.browser.channels.delete(this)
  }
}

class TestPage extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
}

export class Tab {
  state: 'awake' | 'frozen' | 'gone' = 'awake'
  readonly browser: TestBrowser
  readonly client: Guildhall
  readonly guild: string | undefined
  /** The numbers of the events that were told. */
  readonly told: number[] = []
  readonly steps: string[] = []
  readonly #page = new TestPage()
  #late: (() => void)[] = []
  #stops: Stop[]
  /** Time stands still for it while it is frozen. */
  timers = 0

  constructor(browser: TestBrowser, { url = 'https://app.test/', ...options }: Omit<GuildhallOptions, 'url'> & { url?: string }) {
    this.browser = browser
    this.guild = options.guild
    const { time, server } = browser
    const tab = this
    const id = String(browser.tabs.length)
    const parts: Parts = {
      now: time.now,
      random: browser.random,
      online: time.online,
      after: (ms, run) => {
        this.timers += 1
        let over = false
        const end = () => {
          if (!over) this.timers -= 1
          over = true
        }
        const stop = time.after(ms, () => this.#whenAwake(() => {
          if (over) return
          end()
          run()
        }))
        return () => {
          end()
          stop()
        }
      },
      // What is asked goes at once; the answer comes when the tab can hear it.
      fetch: (url, init) => {
        const answer = server.answer(url, init)
        answer.catch(() => {})
        return new Promise((done) => browser.enqueue(tab, {}, () => done(answer)))
      },
      newKey: () => 'key',
      report: (error) => {
        throw error
      },
      eventSource: class extends TestSource {
        constructor(url: URL, { withCredentials }: { withCredentials: boolean }) {
          super(tab, url, withCredentials)
        }
      } as unknown as typeof EventSource,
      tabs: browser.locking === 'none'
        ? undefined
        : { locks: browser.locksOf(tab), channel: (name) => new TestChannel(tab, name), id },
      window: this.#page as never,
    }
    this.client = createWith({ url, log: (line) => this.steps.push(line), ...options }, parts)
    const hear = ({ ts }: { ts: number }) => void this.told.push(ts)
    this.#stops = [this.client.on('voice.joined', hear), this.client.on('room.updated', hear)]
  }

  /** What it shows, in short. */
  get shown(): Readonly<Record<string, string>> {
    return shownOf([...this.client.view().picture.values()].map((one) => ({
      ...one,
      rooms: [...one.rooms.values()].map(({ people, ...about }) => ({ ...about, members: [...people.values()] })),
    })))
  }

  get phase(): string {
    return this.client.view().status.phase
  }

  freeze(): void {
    if (this.state === 'awake') this.state = 'frozen'
  }

  thaw(): void {
    if (this.state !== 'frozen') return
    this.state = 'awake'
    const late = this.#late
    this.#late = []
    for (const run of late) this.browser.enqueue(this, 'timers', run)
  }

  crash(): void {
    if (this.state === 'gone') return
    this.state = 'gone'
    this.browser.bury(this)
  }

  /** The page is left for good: its last act, then nothing more. */
  close(): void {
    if (this.state === 'awake') this.#page.dispatchEvent(new Event('pagehide'))
    this.crash()
  }

  /** Into the page cache, or out of it. */
  cache(into: boolean): void {
    this.isCached = into
    if (into) this.#page.dispatchEvent(new Event('pagehide'))
    else this.#page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  }

  hide(hidden: boolean): void {
    this.#page.document.visibilityState = hidden ? 'hidden' : 'visible'
    this.#page.document.dispatchEvent(new Event('visibilitychange'))
  }

  isCached = false
  /** The room on whose page it is. */
  viewed: string | undefined
  #leave: Stop = () => {}

  view(channelId?: string): void {
    this.#leave()
    this.viewed = channelId
    this.#leave = channelId === undefined ? () => {} : this.client.viewing(channelId)
  }

  /** Its components go. */
  unmount(): void {
    for (const stop of this.#stops) stop()
    this.view()
    this.#stops = []
  }

  #whenAwake(run: () => void): void {
    if (this.state === 'awake') run()
    else if (this.state === 'frozen') this.#late.push(run)
  }
}

class TestSource {
  onerror: (() => void) | null = null
  readonly tab: Tab
  readonly url: URL
  /** Whose cookie came with it. */
  user: User | null = null
  readonly #listeners = new Map<string, (message: { data: string; lastEventId: string }) => void>()
  #last = ''

  constructor(tab: Tab, url: URL, _withCredentials: boolean) {
    ;[this.tab, this.url] = [tab, url]
    tab.browser.server.begin(this)
  }

  get guilds(): readonly string[] {
    return this.url.searchParams.getAll('guild')
  }

  get viewing(): readonly string[] {
    return this.url.searchParams.getAll('viewing')
  }

  get cursor(): number | undefined {
    const cursor = this.url.searchParams.get('lastEventId')
    return cursor === null ? undefined : Number(cursor.slice(2))
  }

  addEventListener(name: string, listener: (message: { data: string; lastEventId: string }) => void): void {
    this.#listeners.set(name, listener)
  }

  say(name: string, payload: unknown, id?: string): void {
    this.#later(() => {
      this.#last = id ?? this.#last
      this.#listeners.get(name)?.({ data: JSON.stringify(payload), lastEventId: this.#last })
    })
  }

  fail(): void {
    this.tab.browser.server.sources.delete(this)
    this.tab.browser.enqueue(this.tab, this, () => this.onerror?.())
  }

  close(): void {
    this.tab.browser.server.sources.delete(this)
  }

  #later(run: () => void): void {
    const { browser } = this.tab
    browser.enqueue(this.tab, this, () => {
      if (browser.server.sources.has(this)) run()
    })
  }
}

const rooms = ['10', '11', '12']
const people = ['7', '8', '9']
export const guilds = ['1', '2', '3']

/** A server whose log is numbered; number `n` has the cursor `c-n`. */
export class TestHouse {
  readonly sources = new Set<TestSource>()
  down = false
  /** Nobody: null. */
  user: User | null = ana
  /** Guilds that this viewer is not in. */
  readonly unknown = new Set<string>(['404'])
  /** Guilds whose state is not known at the moment. */
  readonly waiting = new Set<string>()
  /** Groups, the first of them number 1. */
  readonly groups: (readonly GuildEvent[])[] = []
  readonly asked: string[] = []
  readonly opened: string[] = []
  /** Cursors before this one are no longer kept. */
  floor = 0
  readonly #browser: TestBrowser
  readonly #where = new Map<string, string>()
  readonly #names = new Map<string, string>()

  constructor(browser: TestBrowser) {
    this.#browser = browser
  }

  get head(): number {
    return this.groups.length
  }

  picture(asked: readonly string[] = [], user = this.user): readonly GuildPicture[] {
    return guilds.filter((id) => asked.length === 0 || asked.includes(id)).map((id) => ({
      ...guild(id, ...rooms.map((channelId) => ({
        ...room(channelId, ...people.filter((one) => this.#where.get(`${id}/${one}`) === channelId).map((one) => person(one))),
        name: this.#names.get(`${id}/${channelId}`) ?? 'Room',
      }))),
      name: `As ${user?.username} sees it`,
    }))
  }

  /** Somebody comes, or moves, or a room gets a name. */
  happen(guildId = this.#one(guilds)): void {
    const [channelId, userId] = [this.#one(rooms), this.#one(people)]
    const before = this.#where.get(`${guildId}/${userId}`)
    const ts = this.head + 1
    const group: GuildEvent[] = []
    if (before === channelId) {
      this.#names.set(`${guildId}/${channelId}`, `Room ${ts}`)
      const { members: _members, ...info } = room(channelId)
      group.push({ name: 'room.updated', data: { guildId, ...info, name: `Room ${ts}`, ts } })
    } else {
      this.#where.set(`${guildId}/${userId}`, channelId)
      if (before !== undefined) group.push(left(guildId, before, userId))
      const { name, data } = joined(guildId, channelId, userId)
      group.push({ name, data: { ...data, ts } } as GuildEvent)
    }
    this.groups.push(group)
    for (const source of this.sources) this.#send(source, ts)
  }

  settle(key: string): void {
    for (const source of this.sources) source.say('checkpoint', { now: this.#browser.time.at, settled: [key] })
  }

  checkpoint(): void {
    for (const source of this.sources) source.say('checkpoint', { now: this.#browser.time.at }, `c-${this.head}`)
  }

  begin(source: TestSource): void {
    this.opened.push(source.url.search)
    this.sources.add(source)
    source.user = this.user
    if (this.down || this.user === null || source.guilds.some((id) => this.unknown.has(id))) return source.fail()
    if (source.guilds.some((id) => this.waiting.has(id))) return source.say('bye', { reason: 'unavailable', retryMs: 1_000 })
    const { cursor } = source
    if (cursor === undefined || cursor < this.floor) {
      const reason = cursor === undefined ? 'no_cursor' : 'cursor_expired'
      return source.say('snapshot', { reason, status: allWell, guilds: this.picture(source.guilds, source.user) }, `c-${this.head}`)
    }
    const missed = this.groups.map((group, at) => ({ group, number: at + 1 }))
      .filter(({ group, number }) => number > cursor && this.#sees(source, group))
    source.say('resumed', { replayed: missed.flatMap(({ group }) => group).length, status: allWell }, `c-${cursor}`)
    for (const { number } of missed) this.#send(source, number)
  }

  /** Somebody else signs in, or nobody is signed in any more; the session of before may be told of it. */
  signIn(user: User | null, tells: boolean): void {
    this.user = user
    for (const source of tells ? [...this.sources] : []) {
      if (source.user !== user) source.say('bye', { reason: 'session_revoked', retryMs: 1_000 })
    }
  }

  /** Every stream ends as when a proxy restarts. */
  cut(): void {
    for (const source of [...this.sources]) source.fail()
  }

  async answer(url: URL, init: RequestInit): Promise<Response> {
    const path = `${init.method ?? 'GET'} ${url.pathname}`
    this.asked.push(path)
    if (this.down) throw new TypeError('no network')
    const give = (status: number, body: unknown) =>
      ({ ok: status === 200, status, body: null, json: async () => body }) as Partial<Response> as Response
    if (url.pathname.endsWith('/api/me')) return this.user === null ? give(401, {}) : give(200, { user: this.user })
    if (init.method === 'POST') return give(200, { outcome: 'done' })
    if (init.method === 'HEAD') return give(this.user === null ? 401 : 200, {})
    const bad = url.searchParams.getAll('guild').some((id) => this.unknown.has(id))
    return bad ? give(404, { error: { code: 'not_found', message: 'no' } }) : give(200, {})
  }

  #sees(source: TestSource, group: readonly GuildEvent[]): boolean {
    return source.guilds.length === 0 || group.some(({ data }) => source.guilds.includes(data.guildId))
  }

  #send(source: TestSource, number: number): void {
    const group = this.groups[number - 1] ?? []
    if (!this.#sees(source, group)) return
    group.forEach(({ name, data }, at) => source.say(name, data, at === group.length - 1 ? `c-${number}` : undefined))
  }

  #one<Value>(of: readonly Value[]): Value {
    const value = of[Math.floor(this.#browser.random() * of.length)]
    if (value === undefined) throw new RangeError('nothing to choose from')
    return value
  }
}

/** A picture as a table: who is in which room, and what the rooms are called. */
export const shownOf = (picture: readonly GuildPicture[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    picture.flatMap((one) =>
      one.rooms.map(({ channelId, name, members }) => [
        `${one.id}/${channelId}`,
        `${name}: ${members.map(({ userId }) => userId).sort().join()}`,
      ]),
    ).sort(),
  )
