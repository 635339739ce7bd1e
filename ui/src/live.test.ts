import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { allWell, guild, joined, left, person, roomOnWire, snapshot } from './events.testing'
import { Live, SILENCE_MS } from './live'
import type { Me } from './session'
import type { StreamEvent } from './wire'

/** An `EventSource` whose server is the test. */
class Stream extends EventTarget {
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSED = 2
  readyState = 1
  onerror: (() => void) | null = null
  readonly query: string

  constructor(query: URLSearchParams) {
    super()
    this.query = query.toString()
  }

  send({ name, data }: StreamEvent, lastEventId = ''): void {
    this.sendText(name, JSON.stringify(data), lastEventId)
  }

  sendText(name: string, data: string, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(name, { data, lastEventId }))
  }

  /** The connection broke; the browser is about to try again. */
  breaks(): void {
    this.readyState = this.CONNECTING
    this.onerror?.()
  }

  /** An answer that is no stream: the browser gives up. */
  isRefused(): void {
    this.readyState = this.CLOSED
    this.onerror?.()
  }

  close(): void {
    this.readyState = this.CLOSED
  }
}

const ana = { is: 'signed-in', user: { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: 'https://cdn.test/7.png' } } satisfies Me
const resumed: StreamEvent = { name: 'resumed', data: { replayed: 2, status: allWell } }
const house = snapshot(guild('1', roomOnWire('10', person('7'))))

let me: Me
let streams: Stream[]
let live: Live

/** The newest stream; what runs before it must be there. */
const stream = (): Stream => {
  const newest = streams.at(-1)
  if (newest === undefined) throw new Error('no stream was opened')
  return newest
}

/** Who is in the one room. */
const people = (): string[] => [...(live.view().picture?.get('1')?.rooms.get('10')?.people.keys() ?? [])]

const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(async () => {
  vi.useFakeTimers()
  me = ana
  streams = []
  live = new Live({
    openStream: (query) => {
      const opened = new Stream(query)
      streams.push(opened)
      return opened as unknown as EventSource
    },
    readMe: () => Promise.resolve(me),
    endSession: () => Promise.resolve(true),
    random: () => 1,
    beforePaint: (run) => void setTimeout(run, 0),
  })
  live.start()
  await settle()
})

afterEach(() => {
  live.stop()
  vi.useRealTimers()
})

describe('the connection', () => {
  it('is connecting until the first snapshot, then live', () => {
    expect(live.view()).toMatchObject({ connection: 'connecting', user: { id: '7' }, picture: null })
    stream().send(house, 'c1')
    expect(live.view()).toMatchObject({ connection: 'live', snapshots: 1, began: { how: 'snapshot' } })
  })

  it('asks for no cursor at first', () => {
    expect(stream().query).toBe('')
  })

  it('lets the browser reconnect by itself, and goes on with what it had', () => {
    stream().send(house, 'c1')
    stream().breaks()
    expect(live.view().connection).toBe('reconnecting')
    stream().send(resumed, 'c1')
    stream().send(joined('1', '10', '8'), 'c2')
    expect(streams).toHaveLength(1)
    expect(live.view()).toMatchObject({
      connection: 'live',
      snapshots: 1,
      began: { how: 'resumed', replayed: 2 },
    })
    expect(people()).toEqual(['7', '8'])
  })

  it('opens a new stream with its cursor when the browser has given up', async () => {
    stream().send(house, 'c1')
    stream().send(joined('1', '10', '8'), 'c2')
    stream().isRefused()
    expect(live.view().connection).toBe('reconnecting')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(streams).toHaveLength(2)
    expect(stream().query).toBe('lastEventId=c2')
  })

  it('says on whose pages one is, from where it got to', async () => {
    live.setViewing([])
    expect(streams).toHaveLength(1)
    stream().send(house, 'c1')
    live.setViewing(['10'])
    expect(streams.map((opened) => opened.readyState)).toEqual([stream().CLOSED, stream().OPEN])
    expect(stream().query).toBe('lastEventId=c1&viewing=10')
    expect(live.view().connection).toBe('live')
    live.setViewing(['10'])
    expect(streams).toHaveLength(2)
    stream().send(resumed, 'c1')
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stream().query).toBe('lastEventId=c1&viewing=10')
    live.setViewing([])
    expect(stream().query).toBe('lastEventId=c1')
  })

  it('waits longer each time it is refused, up to half a minute', async () => {
    const waits: number[] = []
    for (let refusal = 0; refusal < 7; refusal += 1) {
      const opened = streams.length
      stream().isRefused()
      let waited = 0
      while (streams.length === opened) {
        await vi.advanceTimersByTimeAsync(500)
        waited += 500
      }
      waits.push(waited)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('shows the sign-in when the refusal was about the session', async () => {
    stream().send(house, 'c1')
    me = { is: 'signed-out' }
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(live.view()).toMatchObject({ connection: 'signed-out', user: null, picture: null })
    expect(streams).toHaveLength(1)
  })

  it('goes on asking while the server cannot be reached', async () => {
    me = { is: 'unreachable' }
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(streams).toHaveLength(1)
    me = ana
    await vi.advanceTimersByTimeAsync(30_000)
    expect(streams).toHaveLength(2)
  })

  it('says that nobody answers, from a proxy\'s 502 until the stream goes on', async () => {
    expect(live.view()).toMatchObject({ connection: 'connecting', unanswered: false })
    me = { is: 'unreachable' }
    stream().isRefused()
    expect(live.view()).toMatchObject({ connection: 'connecting', unanswered: true })
    await vi.advanceTimersByTimeAsync(60_000)
    me = ana
    await vi.advanceTimersByTimeAsync(30_000)
    stream().send(house, 'c1')
    expect(live.view()).toMatchObject({ connection: 'live', unanswered: false })
    stream().isRefused()
    expect(live.view()).toMatchObject({ connection: 'reconnecting', unanswered: true })
    me = { is: 'signed-out' }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(live.view()).toMatchObject({ connection: 'signed-out', unanswered: false })
  })

  it('says that the server is there and cannot tell yet, from its bye until the stream goes on', async () => {
    stream().send({ name: 'bye', data: { reason: 'unavailable', retryMs: 3_000 } })
    expect(live.view()).toMatchObject({ connection: 'connecting', bye: 'unavailable' })
    stream().breaks()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(live.view().bye).toBe('unavailable')
    stream().send(house, 'c1')
    expect(live.view()).toMatchObject({ connection: 'live', bye: null })
    stream().send({ name: 'bye', data: { reason: 'unavailable', retryMs: 3_000 } })
    expect(live.view()).toMatchObject({ connection: 'reconnecting', bye: 'unavailable' })
    stream().isRefused()
    expect(live.view()).toMatchObject({ unanswered: true, bye: null })
    await vi.advanceTimersByTimeAsync(1_000)
    stream().send({ name: 'bye', data: { reason: 'unavailable', retryMs: 3_000 } })
    expect(live.view()).toMatchObject({ unanswered: false, bye: 'unavailable' })
    await live.signOut()
    expect(live.view()).toMatchObject({ connection: 'signed-out', bye: null })
  })

  it('opens a new stream with its cursor when the old one has gone silent', async () => {
    const first = stream()
    first.send(house, 'c1')
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 5_000)
    expect(streams).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(first.readyState).toBe(first.CLOSED)
    expect(stream().query).toBe('lastEventId=c1')
    expect(live.view().connection).toBe('reconnecting')
  })

  it('takes a checkpoint as a sign of life', async () => {
    stream().send(house, 'c1')
    for (let quarter = 0; quarter < 8; quarter += 1) {
      await vi.advanceTimersByTimeAsync(15_000)
      stream().send({ name: 'checkpoint', data: { now: 1 } }, 'c1')
    }
    expect(streams).toHaveLength(1)
  })

  it('does not call it silence when the server asked for time', async () => {
    stream().send(house, 'c1')
    stream().send({ name: 'bye', data: { reason: 'too_many_streams', retryMs: 60_000 } })
    stream().breaks()
    await vi.advanceTimersByTimeAsync(90_000)
    expect(streams).toHaveLength(1)
  })

  it.each(['session_expired', 'session_revoked'] as const)('is signed out after bye %s', async (reason) => {
    stream().send(house, 'c1')
    me = { is: 'signed-out' }
    stream().send({ name: 'bye', data: { reason, retryMs: 1_000 } })
    await settle()
    expect(live.view()).toMatchObject({ connection: 'signed-out', picture: null })
    expect(stream().readyState).toBe(stream().CLOSED)
  })

  it('goes on at its cursor when its session was ended by a new one of the same person', async () => {
    stream().send(house, 'c1')
    stream().send({ name: 'bye', data: { reason: 'session_revoked', retryMs: 1_000 } })
    expect(live.view()).toMatchObject({ connection: 'reconnecting', user: { id: '7' } })
    await settle()
    expect(streams).toHaveLength(2)
    expect(stream().query).toBe('lastEventId=c1')
    stream().send(resumed, 'c1')
    expect(live.view()).toMatchObject({ connection: 'live', snapshots: 1 })
  })

  it('shows nothing of a person whose session was ended by that of another', async () => {
    stream().send(house, 'c1')
    if (me.is !== 'signed-in') throw new Error('somebody is signed in')
    me = { is: 'signed-in', user: { ...me.user, id: '9' } }
    stream().send({ name: 'bye', data: { reason: 'session_revoked', retryMs: 1_000 } })
    await settle()
    expect(live.view()).toMatchObject({ user: { id: '9' }, picture: null })
    expect(stream().query).toBe('')
  })

  it('counts what it cannot read and keeps the picture', () => {
    stream().send(house, 'c1')
    const { picture } = live.view()
    stream().sendText('voice.joined', '{"guildId":', 'c2')
    expect(live.view().ignored).toBe(1)
    expect(live.view().picture).toBe(picture)
  })

  it('keeps its cursor over events that carry none', async () => {
    stream().send(house, 'c1')
    stream().send(joined('1', '10', '8'))
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stream().query).toBe('lastEventId=c1')
  })

  it('shows what one cause did at once, when the last of it has come', () => {
    stream().send(house, 'c1')
    const { picture } = live.view()
    stream().send(left('1', '10', '7'), 'c1')
    stream().sendText('voice.joined', '{"guildId":', 'c1')
    expect(live.view().picture).toBe(picture)
    stream().send(joined('1', '10', '8'), 'c2')
    expect(people()).toEqual(['8'])
  })

  it('drops what a torn connection left unfinished, and hears it again', async () => {
    stream().send(house, 'c1')
    stream().send(left('1', '10', '7'), 'c1')
    stream().breaks()
    stream().send(resumed, 'c1')
    stream().send(joined('1', '10', '8'), 'c2')
    expect(people()).toEqual(['7', '8'])
    stream().send(left('1', '10', '7'), 'c2')
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stream().query).toBe('lastEventId=c2')
    stream().send(resumed, 'c2')
    stream().send(left('1', '10', '7'), 'c2')
    stream().send(left('1', '10', '8'), 'c3')
    expect(people()).toEqual([])
  })

  it.each([
    ['guild.unavailable', { guildId: '1', ts: 6 }],
    ['guild.removed', { guildId: '1', ts: 6 }],
    ['guild.available', { guildId: '1', ts: 6, guild: guild('1', roomOnWire('10', person('9'))) }],
  ] as const)('holds no %s, although nothing gave it an id of its own', (name, data) => {
    stream().send(house, 'c1')
    const { picture } = live.view()
    stream().send({ name, data }, 'c1')
    expect(live.view().picture).not.toEqual(picture)
  })

  it('shows what came before a guild together with it', () => {
    stream().send(house, 'c1')
    stream().send(left('1', '10', '7'), 'c1')
    const back = guild('2', roomOnWire('20', person('9')))
    stream().send({ name: 'guild.available', data: { guildId: '2', ts: 6, guild: back } }, 'c1')
    expect(people()).toEqual([])
    expect(live.view().picture?.get('2')?.name).toBe('Guild 2')
  })

  it('has nothing left of before a snapshot', () => {
    stream().send(house, 'c1')
    stream().send(left('1', '10', '7'), 'c1')
    stream().send(house, 'c2')
    expect(people()).toEqual(['7'])
  })

  it('forgets everything of a person when another one has signed in', async () => {
    stream().send(house, 'c1')
    me = { is: 'signed-in', user: { ...ana.user, id: '8' } }
    stream().isRefused()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(stream().query).toBe('')
    expect(live.view()).toMatchObject({ user: { id: '8' }, picture: null })
  })

  it('starts anew when the browser came back as somebody else', async () => {
    stream().send(house, 'c1')
    stream().breaks()
    me = { is: 'signed-in', user: { ...ana.user, id: '8' } }
    stream().send(resumed, 'c1')
    await settle()
    expect(streams).toHaveLength(2)
    expect(stream().query).toBe('')
    expect(live.view()).toMatchObject({ connection: 'connecting', user: { id: '8' }, picture: null })
  })

  it('forgets everything on signing out', async () => {
    stream().send(house, 'c1')
    expect(await live.signOut()).toBe(true)
    expect(live.view()).toMatchObject({ connection: 'signed-out', user: null, picture: null })
    expect(stream().readyState).toBe(stream().CLOSED)
  })

  it('makes one rendering of many events', async () => {
    const rendered = vi.fn()
    await settle()
    live.subscribe(rendered)
    stream().send(house, 'c1')
    for (let userId = 100; userId < 200; userId += 1) stream().send(joined('1', '10', String(userId)), `c${userId}`)
    expect(rendered).not.toHaveBeenCalled()
    await settle()
    expect(rendered).toHaveBeenCalledTimes(1)
  })
})
