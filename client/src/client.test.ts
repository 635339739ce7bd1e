import { beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'

import type { Parts } from './browser.js'
import { createGuildhall, createWith, type Guildhall, type GuildhallOptions } from './client.js'
import { ConflictError, InvalidError, NoAnswerError, UnauthorizedError, UnavailableError } from './commands/errors.js'
import { ana, ben, settle, TestTime } from './environment.testing.js'
import { allWell, guild, joined, left, person, room } from './events.testing.js'
import { HIDDEN_MS } from './page.js'
import { fetchState } from './state.js'
import type { GuildEvent, State } from './wire.js'

const house = [guild('1', room('10', person('7')), room('11')), guild('2', room('20'))]

/** An `EventSource` whose server is the test. */
class Source extends EventTarget {
  static all: Source[] = []
  static get open(): Source[] {
    return Source.all.filter((source) => !source.closed)
  }
  onerror: ((event: Event) => unknown) | null = null
  closed = false
  readonly url: URL
  readonly withCredentials: boolean
  constructor(url: URL, { withCredentials }: { withCredentials: boolean }) {
    super()
    ;[this.url, this.withCredentials] = [url, withCredentials]
    Source.all.push(this)
  }
  close() {
    this.closed = true
  }
  #last = ''
  say(name: string, payload: unknown, lastEventId = this.#last) {
    this.#last = lastEventId
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(payload), lastEventId }))
  }
  event({ name, data }: GuildEvent, id: string) {
    this.say(name, data, id)
  }
}

class Page extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  hide(hidden: boolean) {
    this.document.visibilityState = hidden ? 'hidden' : 'visible'
    this.document.dispatchEvent(new Event('visibilitychange'))
  }
  show(persisted: boolean) {
    this.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
  }
}

let time: TestTime
let page: Page
let me: Response
/** An answer to whose it is that comes later. */
let slow: Promise<Response> | undefined
let answers: (() => Response | Promise<Response>)[]
let asked: { path: string; init: RequestInit }[]
let keys = 0

const ask = async (url: URL, init: RequestInit): Promise<Response> => {
  asked.push({ path: url.pathname, init })
  if (url.pathname === '/hall/api/me') return slow ?? me.clone()
  const next = answers.shift()
  if (next === undefined) throw new TypeError('no network')
  return next()
}

const create = <const Options extends Omit<GuildhallOptions, 'url'>>(options: Options, more: Partial<Parts> = {}) =>
  createWith({ url: '/hall', ...options }, {
    now: time.now, random: time.random, after: time.after, online: time.online,
    fetch: ask,
    newKey: () => `key-${(keys += 1)}`,
    report: (error) => { throw error },
    eventSource: Source as unknown as typeof EventSource,
    window: page as never,
    base: 'https://app.test/some/page?x=1',
    ...more,
  }) as Guildhall<Options extends { readonly guild: string } ? true : false>

const source = (): Source => {
  const newest = Source.all.at(-1)
  if (newest === undefined) throw new Error('no stream was opened')
  return newest
}
const refuse = (status: number, error: object) => () => Response.json({ error }, { status })
const done = (more: object = {}) => () => Response.json({ outcome: 'done', ...more })

beforeEach(() => {
  ;[time, page, answers, asked, Source.all, keys] = [new TestTime(), new Page(), [], [], [], 0]
  me = Response.json({ user: ana, guilds: ['1'], expiresAt: 1 })
})

describe('a client', () => {
  const read = async (options: Omit<GuildhallOptions, 'url'> = {}) => {
    const client = create(options)
    const reader = vi.fn()
    const stop = client.subscribe(reader)
    await vi.waitFor(source)
    source().say('snapshot', { reason: 'no_cursor', status: allWell, guilds: house }, 'c-1')
    return { client, reader, stop }
  }

  it('asks for nothing before somebody reads, and once however many do', async () => {
    const client = create({})
    await settle()
    expect(asked).toEqual([])
    const stops = [client.subscribe(() => {}), client.on('voice.joined', () => {})]
    await settle()
    expect(Source.all.map(({ url }) => url.href)).toEqual(['https://app.test/hall/api/stream'])
    for (const stop of stops) [stop(), stop()]
    expect(Source.open).toHaveLength(1)
    await time.pass(1_000)
    expect([Source.open.length, time.timers]).toEqual([0, 0])
  })

  it('keeps its stream while one reader makes room for the next', async () => {
    const { client, stop } = await read()
    stop()
    client.subscribe(() => {})
    await time.pass(5_000)
    expect(Source.all).toHaveLength(1)
    expect(Source.open).toHaveLength(1)
  })

  it('shows the picture, who is signed in, and how fresh it is', async () => {
    const { client } = await read()
    expect(client.view()).toMatchObject({ user: ana, status: { phase: 'live', complete: true } })
    expect(client.view().picture.get('1')?.rooms.get('10')?.people.has('7')).toBe(true)
  })

  it('tells a selection only when it changed', async () => {
    const { client } = await read()
    const reader = vi.fn()
    client.select((view) => [...(view.picture.get('1')?.rooms.get('11')?.people.keys() ?? [])].join(), reader)
    source().event(left('1', '10', '7'), 'c-2')
    expect(reader).not.toHaveBeenCalled()
    source().event(joined('1', '11', '7'), 'c-3')
    expect(reader.mock.calls).toEqual([['7']])
  })

  it('says on whose pages one is, while somebody is', async () => {
    const { client } = await read()
    const stops = [client.viewing('10'), client.viewing('10')]
    await settle()
    expect(source().url.search).toBe('?viewing=10&lastEventId=c-1')
    stops[0]?.()
    expect(Source.all).toHaveLength(2)
    stops[1]?.()
    await settle()
    expect(source().url.search).toBe('?lastEventId=c-1')
  })

  it('says of which room it cannot say that one is on its page', () => {
    const lines: string[] = []
    const client = create({ log: (line) => lines.push(line) })
    const rooms = ['10', '11', '12', '13', '14', '15', '16', '17']
    const stops = [...rooms, ...rooms].map((room) => client.viewing(room))
    expect(lines.filter((line) => line.includes('too many'))).toEqual([])
    stops.push(client.viewing('18'))
    expect(lines.filter((line) => line.includes('too many'))).toEqual(['viewing 18: too many'])
    for (const stop of stops) stop()
    client.close()
  })

  it('begins where the server left off', async () => {
    const initial: State = { cursor: 'c-9', status: allWell, guilds: house }
    const client = create({ initial })
    expect(client.view()).toMatchObject({ status: { complete: true } })
    expect(client.initial).toBe(client.view())
    client.subscribe(() => {})
    await settle()
    expect(source().url.search).toBe('?lastEventId=c-9')
    const before = client.view().picture
    source().say('resumed', { replayed: 0, status: allWell }, 'c-9')
    expect(client.view().picture).toBe(before)
    expect(client.view().status).toMatchObject({ phase: 'live' })
  })

  it('lets go of what is hidden for five minutes, and is back at once', async () => {
    await read()
    page.hide(true)
    for (let beats = 0; beats < HIDDEN_MS / 15_000 - 1; beats += 1) {
      await time.pass(15_000)
      source().say('checkpoint', { now: 1 })
    }
    expect(Source.open).toHaveLength(1)
    await time.pass(15_000)
    expect([Source.open.length, time.timers]).toEqual([0, 0])
    page.hide(false)
    await settle()
    expect(source().url.search).toBe('?lastEventId=c-1')
    expect(Source.open).toHaveLength(1)
  })

  it('holds nothing in the page cache', async () => {
    await read()
    page.dispatchEvent(new Event('pagehide'))
    expect([Source.open.length, time.timers]).toEqual([0, 0])
    page.show(true)
    await settle()
    expect(Source.open).toHaveLength(1)
  })

  it('notices who signed in in another tab, when somebody looks again', async () => {
    const { client } = await read()
    source().say('bye', { reason: 'session_revoked', retryMs: 1 })
    expect(client.view()).toMatchObject({ user: null, status: { phase: 'signed-out', complete: false } })
    me = Response.json({ error: {} }, { status: 401 })
    page.hide(false)
    await settle()
    expect(client.view()).toMatchObject({ status: { phase: 'signed-out' } })
    me = Response.json({ user: ben, guilds: [], expiresAt: 1 })
    page.hide(false)
    await settle()
    expect(client.view()).toMatchObject({ user: ben, status: { phase: 'connecting' } })
  })

  it('asks whose the browser is whenever somebody looks again', async () => {
    const { client } = await read()
    me = Response.json({ user: ben, guilds: [], expiresAt: 1 })
    page.hide(true)
    page.hide(false)
    await vi.waitFor(() => expect(client.view()).toMatchObject({ user: ben, status: { phase: 'connecting', complete: false } }))
  })

  it('believes the newest answer to whose it is, whenever an earlier one comes, and opens no stream on trust', async () => {
    const { client } = await read()
    for (const late of [Response.json({ user: ana }), Response.json({}, { status: 401 })]) {
      let come = (_answer: Response): void => {}
      slow = new Promise((done) => { come = done })
      const first = client.refresh()
      slow = undefined
      me = Response.json({ user: ben })
      await client.refresh()
      come(late)
      await first
      await vi.waitFor(() => expect(Source.open).toHaveLength(1))
      expect(client.view()).toMatchObject({ user: ben, status: { phase: 'connecting' } })
    }
    // Ana's stream; and before Ben's, the attempt itself asked once more.
    expect(asked.filter(({ path }) => path === '/hall/api/me')).toHaveLength(6)
  })

  it('reads on where its readers went while nobody looked', async () => {
    const { client, stop } = await read()
    page.hide(true)
    await time.pass(HIDDEN_MS)
    stop()
    await time.pass(1_000)
    page.hide(false)
    client.subscribe(() => {})
    await settle()
    expect(Source.open).toHaveLength(1)
  })

  it('is made on a server, in the scope of a module, without a page that it is relative to', () => {
    expect(createGuildhall({ url: '/' }).view().status).toMatchObject({ phase: 'idle', since: 0, complete: false })
  })

  it('is made of nothing known where the server knew nothing, and is since nothing on both sides', () => {
    expect(create({ initial: null }).view().status.complete).toBe(false)
    const initial: State = { cursor: 'c-9', status: allWell, guilds: house }
    const there = create({ initial }).initial
    time.at += 5_000
    expect(create({ initial }).initial).toEqual(there)
  })

  it('signs out with the app\'s own login: the end of the stream is no reason to vouch again', async () => {
    answers = [() => new Response(null, { status: 204 })]
    const word = vi.fn(async () => 'jwt')
    const { client } = await read({ auth: word })
    answers = [async () => {
      source().say('bye', { reason: 'session_revoked', retryMs: 1 })
      await settle()
      return new Response(null, { status: 204 })
    }]
    expect(await client.signOut()).toBe(true)
    expect(client.view()).toMatchObject({ user: null, status: { phase: 'signed-out' } })
    await time.pass(60_000)
    expect([word.mock.calls.length, Source.open.length]).toEqual([1, 0])
  })

  it('signs out, and says where one signs in', async () => {
    const { client } = await read()
    answers = [() => new Response(null, { status: 503 }), () => new Response(null, { status: 204 })]
    expect(await client.signOut()).toBe(false)
    expect(client.view()).toMatchObject({ user: ana, status: { phase: 'live' } })
    expect(await client.signOut()).toBe(true)
    expect(client.view()).toMatchObject({ user: null, status: { phase: 'signed-out' } })
    expect(client.signInUrl('/a?b=1', 't')).toBe('https://app.test/hall/auth/login?returnTo=%2Fa%3Fb%3D1&invite=t')
  })

  it('signs out everywhere by the server\'s own word for it', async () => {
    const { client } = await read()
    answers = [() => new Response(null, { status: 204 })]
    expect(await client.signOut({ everywhere: true })).toBe(true)
    expect(asked.at(-1)).toMatchObject({ path: '/hall/auth/logout', init: { body: '{"everywhere":true}' } })
  })

  it('leaves nothing behind when it is closed, also where its readers go later', async () => {
    const { client, stop } = await read()
    client.close()
    stop()
    expect(time.timers).toBe(0)
    page.hide(true)
    client.subscribe(() => {})
    await time.pass(600_000)
    expect([Source.open.length, time.timers]).toEqual([0, 0])
  })

  it('sends a token by fetch, asks nobody who is signed in, and follows', async () => {
    const text = `event: snapshot\ndata: ${JSON.stringify({ reason: 'no_cursor', status: allWell, guilds: house })}\nid: c-1\n\n`
    answers = [() => new Response(text, { headers: { 'content-type': 'text/event-stream' } })]
    const client = create({ apiToken: 'secret' }, { window: undefined })
    client.subscribe(() => {})
    await vi.waitFor(() => expect(client.view().status.complete).toBe(true))
    expect(Source.all).toEqual([])
    expect(asked.map(({ path }) => path)).toEqual(['/hall/api/stream'])
    expect(new Headers(asked[0]?.init.headers).get('authorization')).toBe('Bearer secret')
    client.close()
  })

  it('tells a stream that is refused for good from one that is broken, and logs with which status', async () => {
    const lines: string[] = []
    const client = create({ guild: '404', log: (line) => lines.push(line) })
    client.subscribe(() => {})
    await settle()
    answers = [() => new Response(null), refuse(404, { code: 'not_found', message: 'no' })]
    source().onerror?.(new Event('error'))
    await vi.waitFor(() => expect(client.view().status.reason).toBe('not_found'))
    expect(asked.map(({ path, init }) => `${init.method ?? 'GET'} ${path}`)).toEqual([
      'GET /hall/api/me', 'HEAD /hall/api/stream', 'GET /hall/api/state',
    ])
    expect(lines).toContain('/hall/api/state: 404')
    expect(lines).not.toContain('/hall/api/me: 200')
  })
})

describe('a command', () => {
  /** Lets seconds pass until it is done: how many turns an answer takes to be read is Node's affair. */
  const inTime = async <Value>(promise: Promise<Value>): Promise<Value> => {
    let over = false
    void promise.finally(() => (over = true))
    while (!over) {
      await time.pass(1_000)
      await new Promise(setImmediate)
    }
    return promise
  }

  const body = (at = 0) => JSON.parse(String(asked[at]?.init.body))
  const key = (at: number) => new Headers(asked[at]?.init.headers).get('idempotency-key')

  it('is a POST of JSON with a key of its own; a question has none', async () => {
    answers = [done(), done(), () => Response.json({ exists: true })]
    const client = create({})
    await client.rooms.lock({ channelId: '10', locked: true })
    await client.rooms.lock({ channelId: '10', locked: false }, { key: 'mine' })
    expect(await client.rooms.exists({ channelId: '10' })).toEqual({ exists: true })
    expect(asked.map(({ path }) => path)).toEqual(['/hall/api/rpc/lockRoom', '/hall/api/rpc/lockRoom', '/hall/api/rpc/checkRoomExists'])
    expect([key(0), key(1), key(2)]).toEqual(['key-1', 'mine', null])
    expect(body()).toEqual({ channelId: '10', locked: true })
  })

  it('is about the guild that the client names, unless it names another', async () => {
    answers = [done(), done(), done()]
    const client = create({ guild: '1' })
    await client.rooms.create({ name: 'Den' })
    await client.rooms.create({ name: 'Den', guildId: '2' })
    await client.rooms.create({ name: 'Den', guildId: undefined })
    expect([0, 1, 2].map(body)).toEqual(['1', '2', '1'].map((guildId) => ({ guildId, name: 'Den' })))
  })

  it.each([
    [400, { code: 'invalid', message: 'm', fields: { name: 'is empty' } }, InvalidError, { fields: { name: 'is empty' } }],
    [409, { code: 'owner_present', message: 'm', retryAfter: 12 }, ConflictError, { code: 'owner_present', retryAfter: 12 }],
    [503, { code: 'busy', message: 'm' }, UnavailableError, { code: 'busy', status: 503 }],
  ])('that is refused with %d throws what to do about it', async (status, error, Class, fields) => {
    answers = [refuse(status, error)]
    const failed = await create({}).rooms.claim({ channelId: '10' }).catch((thrown: unknown) => thrown)
    expect(failed).toBeInstanceOf(Class)
    expect(failed).toMatchObject({ message: 'm', ...fields })
  })

  it('is tried again with the same key where it may have been done, three times at most', async () => {
    answers = [
      () => Promise.reject(new TypeError('no network')),
      () => new Response('<html>', { status: 502 }),
      done(),
    ]
    const answer = inTime(create({}).rooms.claim({ channelId: '10' }))
    expect(await answer).toMatchObject({ outcome: 'done' })
    expect([key(0), key(1), key(2)]).toEqual(['key-1', 'key-1', 'key-1'])
    const never = inTime(create({}).rooms.claim({ channelId: '10' }).catch((thrown: unknown) => thrown))
    expect(await never).toBeInstanceOf(NoAnswerError)
    expect(asked).toHaveLength(6)
  })

  it('settles when the stream says so, also before its answer; or a second after it', async () => {
    const client = create({})
    client.subscribe(() => {})
    await settle()
    source().say('snapshot', { reason: 'no_cursor', status: allWell, guilds: house }, 'c-1')
    for (const early of [true, false]) {
      answers = [async () => {
        if (early) source().say('checkpoint', { now: 1, settled: ['k-1'] })
        return done()()
      }]
      const { settled } = await client.rooms.claim({ channelId: '10' }, { key: 'k-1' })
      const then = vi.fn()
      void settled.then(then)
      await settle()
      expect(then).toHaveBeenCalledTimes(early ? 1 : 0)
      source().say('checkpoint', { now: 1, settled: ['k-1'] })
      await settle()
      expect(then).toHaveBeenCalledOnce()
    }
    answers = [done()]
    const { settled } = await client.rooms.claim({ channelId: '10' })
    const then = vi.fn()
    void settled.then(then)
    await time.pass(1_000)
    expect(then).toHaveBeenCalledOnce()
    client.close()
    expect(time.timers).toBe(0)
  })

  it('with a 401 ends the session, or asks the app for its word and is tried once more', async () => {
    const unauthorized = refuse(401, { code: 'unauthorized', message: 'm' })
    answers = [unauthorized]
    const client = create({})
    await expect(client.rooms.claim({ channelId: '10' })).rejects.toBeInstanceOf(UnauthorizedError)
    expect(client.view().status.phase).toBe('signed-out')
    answers = [unauthorized, () => new Response(null, { status: 204 }), unauthorized]
    const vouching = create({ auth: async () => 'jwt' })
    await expect(vouching.rooms.claim({ channelId: '10' })).rejects.toBeInstanceOf(UnauthorizedError)
    expect(asked.slice(1).map(({ path }) => path)).toEqual([
      '/hall/api/rpc/claimRoom', '/hall/auth/exchange', '/hall/api/rpc/claimRoom',
    ])
  })

  it('shares one exchange with all that are told at once that the session is over', async () => {
    const unauthorized = refuse(401, { code: 'unauthorized', message: 'm' })
    const word = vi.fn(async () => 'jwt')
    answers = [unauthorized, unauthorized, unauthorized, () => new Response(null, { status: 204 }), done(), done(), done()]
    const client = create({ auth: word })
    const given = await Promise.all([1, 2, 3].map(() => client.rooms.claim({ channelId: '10' })))
    expect(given.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done'])
    expect(word).toHaveBeenCalledOnce()
  })

  it('hears at once that it is given up, also while it waits to be tried again', async () => {
    answers = [refuse(503, { code: 'unavailable', message: 'm', retryAfter: 5 })]
    const abort = new AbortController()
    const over = vi.fn()
    create({}).rooms.claim({ channelId: '10' }, { signal: abort.signal }).catch(over)
    await vi.waitFor(() => expect(time.timers).toBe(1))
    await new Promise(setImmediate)
    abort.abort()
    await vi.waitFor(() => expect(over).toHaveBeenCalledOnce())
    expect(over.mock.calls[0]?.[0]).toMatchObject({ name: 'AbortError' })
    expect([asked.length, time.timers]).toEqual([1, 0])
  })

  it('is had without the newer parts of AbortSignal, by the fetch that is given, as somebody', async () => {
    const [any, timeout] = [AbortSignal.any, AbortSignal.timeout]
    Object.assign(AbortSignal, { any: undefined, timeout: undefined })
    try {
      const own = vi.fn(async (_url: URL, _init: RequestInit) => done()())
      const client = create({ apiToken: 'secret', actAs: '7', fetch: own })
      await client.rooms.claim({ channelId: '10' })
      const headers = new Headers(own.mock.calls[0]?.[1].headers)
      expect([headers.get('authorization'), headers.get('guildhall-as')]).toEqual(['Bearer secret', '7'])
    } finally {
      Object.assign(AbortSignal, { any, timeout })
    }
  })

  it('is typed by the document', () => {
    type OfOne = Guildhall<true>
    type OfAll = Guildhall<false>
    expectTypeOf(() => createGuildhall({ url: '/', guild: '1' })).returns.toEqualTypeOf<OfOne>()
    expectTypeOf(() => createGuildhall({ url: '/' })).returns.toEqualTypeOf<OfAll>()
    expectTypeOf(() => createGuildhall({ url: '/', guild: undefined, apiToken: undefined, initial: null })).returns.toEqualTypeOf<OfAll>()
    // @ts-expect-error a misspelt option
    void (() => createGuildhall({ url: '/', guidl: '1' }))
    // @ts-expect-error the same beside a guild
    void (() => createGuildhall({ url: '/', guild: '1', credential: 'include' }))
    expectTypeOf<{ name: string }>().toExtend<Parameters<OfOne['rooms']['create']>[0]>()
    expectTypeOf<{ name: string }>().not.toExtend<Parameters<OfAll['rooms']['create']>[0]>()
    expectTypeOf<{ name: string; guildId: string }>().toExtend<Parameters<OfAll['rooms']['create']>[0]>()
    expectTypeOf<Awaited<ReturnType<OfAll['voice']['channelOf']>>['channelId']>().toEqualTypeOf<string | null>()
    expectTypeOf<Awaited<ReturnType<OfAll['invites']['create']>>['token']>().toEqualTypeOf<string>()
    // @ts-expect-error an unknown field
    void (() => create({}).rooms.lock({ channelId: '1', locked: true, guild: '1' }))
    // @ts-expect-error no guild is named
    void (() => create({}).rooms.create({ name: 'Den' }))
  })
})

describe('the state for a server', () => {
  const request = new Request('https://app.test/', { headers: { cookie: 'guildhall=x' } })

  it('is asked for with the cookie of the request', async () => {
    const state: State = { cursor: 'c-1', status: allWell, guilds: house }
    const fetch = vi.fn(async (_url: URL | RequestInfo, _init?: RequestInit) => Response.json(state))
    expect(await fetchState(request, { url: 'http://127.0.0.1:3000/hall', guild: '1', fetch })).toEqual(state)
    const [url, init] = fetch.mock.calls[0] ?? []
    expect(String(url)).toBe('http://127.0.0.1:3000/hall/api/state?guild=1')
    expect([...new Headers(init?.headers)]).toEqual([['cookie', 'guildhall=x']])
    // @ts-expect-error a token of the bot's would show everybody what the bot sees
    void (() => fetchState(request, { url: 'http://127.0.0.1:3000', apiToken: 'secret' }))
  })

  it('is not waited for longer than ten seconds', async () => {
    vi.useFakeTimers()
    try {
      const never = fetchState(request, { url: 'http://127.0.0.1:3000', fetch: () => new Promise<never>(() => {}) })
      const failed = expect(never).rejects.toBeInstanceOf(NoAnswerError)
      await vi.advanceTimersByTimeAsync(10_000)
      await failed
    } finally {
      vi.useRealTimers()
    }
  })

  it('is nothing where nobody is signed in, and an error where it is not known', async () => {
    const answer = (status: number, code: string) => async () => Response.json({ error: { code, message: 'm' } }, { status })
    const at = { url: 'http://127.0.0.1:3000' }
    expect(await fetchState(request, { ...at, fetch: answer(401, 'unauthorized') })).toBeNull()
    await expect(fetchState(request, { ...at, fetch: answer(503, 'unavailable') })).rejects.toBeInstanceOf(UnavailableError)
    await expect(fetchState(request, { ...at, fetch: async () => Promise.reject(new TypeError('no network')) })).rejects.toBeInstanceOf(NoAnswerError)
  })
})
