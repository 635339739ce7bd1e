import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'

import { ben, connect, settle, TestServer } from '../environment.testing.js'
import { guild, joined, left, person, room } from '../events.testing.js'
import { SILENCE_MS } from './connection.js'

const house = [guild('1', room('10', person('7')), room('11'))]

let it_: ReturnType<typeof connect>
const begin = async (more: Parameters<typeof connect>[0] = {}) => {
  it_ = connect(more)
  it_.connection.start()
  await settle()
}
const live = async (more: Parameters<typeof connect>[0] = {}) => {
  await begin(more)
  it_.server.stream.snapshot(house, 'c-1')
}
const seconds = (count: number) => it_.time.pass(count * 1_000)

describe('a connection', () => {
  beforeEach(() => live())

  it('asks who is signed in, then for a stream, and is live with its snapshot', () => {
    expect(it_.server.asked).toEqual(['me'])
    expect(it_.server.stream.url.href).toBe('https://app.test/hall/api/stream')
    expect(it_.phase()).toEqual({ is: 'phase', phase: 'live', reason: 'no_cursor' })
  })

  it('comes back at its cursor when the stream breaks', async () => {
    it_.server.stream.event(joined('1', '11', '8'), 'c-2')
    it_.server.stream.end()
    expect(it_.phase()).toMatchObject({ phase: 'stale', reason: 'broken' })
    await seconds(1)
    expect(it_.server.stream.url.search).toBe('?lastEventId=c-2')
    expect(it_.phase()).toMatchObject({ phase: 'catching-up' })
    it_.server.stream.resumed(1, 'c-2')
    expect(it_.phase()).toMatchObject({ phase: 'catching-up' })
    it_.server.stream.event(left('1', '11', '8'), 'c-3')
    expect(it_.phase()).toMatchObject({ phase: 'live', reason: 'resumed' })
  })

  it('has caught up at once where nothing was missed, and at a checkpoint where less was shown', async () => {
    for (const replayed of [0, 5]) {
      it_.server.stream.end()
      await seconds(2)
      it_.server.stream.resumed(replayed)
      it_.server.stream.say('checkpoint', { now: it_.time.now() })
      expect(it_.phase()).toMatchObject({ phase: 'live' })
    }
  })

  it('waits a random part of ever more seconds, half a minute at most', async () => {
    it_.server.stream.end()
    const waits: number[] = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const before = it_.server.streams.length
      let waited = 0
      while (it_.server.streams.length === before) {
        await it_.time.pass(500)
        waited += 500
      }
      waits.push(waited)
      it_.server.stream.end(502)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    it_.time.chance = 0
    await seconds(30)
    const before = it_.server.streams.length
    it_.server.stream.end()
    await it_.time.pass(0)
    expect(it_.server.streams).toHaveLength(before + 1)
    it_.server.stream.resumed(0)
    it_.time.chance = 1
    it_.server.stream.end()
    await seconds(1)
    expect(it_.server.streams).toHaveLength(before + 2)
  })

  it('takes silence for a dead stream, and comes back at once', async () => {
    await it_.time.pass(SILENCE_MS - 1_000)
    it_.server.stream.say('checkpoint', { now: 1 }, 'c-5')
    await it_.time.pass(SILENCE_MS - 1_000)
    expect(it_.server.streams).toHaveLength(1)
    await seconds(6)
    expect(it_.server.streams.map((stream) => stream.open)).toEqual([false, true])
    expect(it_.server.stream.url.search).toBe('?lastEventId=c-5')
  })

  it('waits after a stream that was opened and never spoke', async () => {
    await it_.time.pass(2 * SILENCE_MS + 500)
    expect(it_.server.open).toHaveLength(0)
    expect(it_.phase()).toMatchObject({ phase: 'stale', reason: 'silent' })
    await seconds(1)
    expect(it_.server.open).toHaveLength(1)
  })

  it('comes back at once when the computer wakes up', async () => {
    it_.time.suspend(3_600_000)
    it_.connection.look()
    await settle()
    expect(it_.server.streams.map((stream) => stream.open)).toEqual([false, true])
  })

  it('doubts a stream when the network goes, and gives up only when it is dead', async () => {
    it_.connection.wentOffline()
    expect(it_.phase()).toMatchObject({ phase: 'live' })
    it_.time.isOnline = false
    await seconds(25)
    expect(it_.server.streams).toHaveLength(2)
    it_.server.stream.end()
    expect(it_.phase()).toMatchObject({ phase: 'offline', reason: 'offline' })
    await seconds(20)
    expect(it_.server.streams).toHaveLength(2)
    it_.time.isOnline = true
    it_.connection.cameOnline()
    await settle()
    expect(it_.server.streams).toHaveLength(3)
  })

  it('is no less live for a network that went and came back', () => {
    it_.connection.wentOffline()
    expect(it_.phase()).toEqual({ is: 'phase', phase: 'live', reason: 'no_cursor' })
    it_.connection.cameOnline()
    expect(it_.phase()).toEqual({ is: 'phase', phase: 'live', reason: 'no_cursor' })
  })

  it('goes on when a stream speaks although the browser says it is offline', async () => {
    it_.connection.wentOffline()
    for (let beats = 0; beats < 5; beats += 1) {
      await seconds(15)
      it_.server.stream.say('checkpoint', { now: 1 })
    }
    expect(it_.server.streams).toHaveLength(1)
  })

  it.each([
    ['draining', 3_000, 'stale'],
    ['max_age', 3_000, 'stale'],
    ['unavailable', 3_000, 'stale'],
    ['too_many_streams', 120_000, 'stale'],
  ])('comes back after bye %s, in %d ms', async (reason, wait, phase) => {
    it_.server.stream.bye(reason, 3_000)
    expect(it_.phase()).toEqual({ is: 'phase', phase, reason })
    expect(it_.server.open).toHaveLength(0)
    await it_.time.pass(wait - 1)
    expect(it_.server.streams).toHaveLength(1)
    await it_.time.pass(1)
    expect(it_.server.streams).toHaveLength(2)
  })

  it.each(['session_expired', 'session_revoked'])('is over after bye %s', async (reason) => {
    it_.server.stream.bye(reason)
    expect(it_.phase()).toEqual({ is: 'phase', phase: 'signed-out', reason })
    expect(it_.moments.flat()).toContainEqual({ is: 'forgotten' })
    await seconds(600)
    expect(it_.server.streams).toHaveLength(1)
    expect(it_.time.timers).toBe(0)
  })

  it.each([
    [401, 'signed-out'],
    [404, 'connecting'],
    [400, 'ended'],
    [502, 'stale'],
    [403, 'stale'],
  ])('is refused with %d: %s', (status, phase) => {
    it_.server.stream.end(status)
    expect(it_.phase()).toMatchObject({ phase })
  })

  it('keeps nothing of somebody else', async () => {
    it_.server.stream.end()
    it_.server.user = ben
    await seconds(1)
    const told = it_.moments.map((moment) => moment.map((change) => change.is)).find((moment) => moment.includes('forgotten'))
    expect(told?.indexOf('user')).toBeGreaterThan(told?.indexOf('forgotten') ?? -1)
    expect(it_.server.stream.url.search).toBe('')
    // No stream is opened on the word of a question that another attempt asked.
    expect(it_.server.asked).toEqual(['me', 'me', 'me'])
  })

  it('tells a group as one moment, and drops what a cut left of one', async () => {
    const before = it_.moments.length
    it_.server.stream.event(left('1', '10', '7'))
    expect(it_.moments).toHaveLength(before)
    it_.server.stream.event(joined('1', '11', '7'), 'c-2')
    expect(it_.moments.slice(before)).toEqual([
      [{ is: 'group', events: [left('1', '10', '7'), joined('1', '11', '7')], cursor: 'c-2' }],
    ])
    it_.server.stream.event(left('1', '11', '7'))
    it_.server.stream.end()
    await seconds(1)
    expect(it_.server.stream.url.search).toBe('?lastEventId=c-2')
    it_.server.stream.resumed(2)
    it_.server.stream.event(left('1', '11', '7'))
    it_.server.stream.event(joined('1', '10', '7'), 'c-3')
    expect(it_.moments.flat().filter((change) => change.is === 'group')).toHaveLength(2)
  })

  it('ends a group at what is said of a guild as a whole', () => {
    it_.server.stream.event({ name: 'guild.unavailable', data: { guildId: '1', ts: 5 } })
    expect(it_.moments.at(-1)).toMatchObject([{ is: 'group', cursor: 'c-1' }])
  })

  it('asks for a new picture when something could not be read', async () => {
    it_.server.stream.raw('voice.joined', '{"guildId":', 'c-2')
    await seconds(1)
    expect(it_.server.stream.url.search).toBe('')
  })

  it('passes over what it does not know', () => {
    const before = it_.moments.length
    it_.server.stream.say('poll.created', { guildId: '1' }, 'c-2')
    expect(it_.moments).toHaveLength(before)
    expect(it_.phase()).toMatchObject({ phase: 'live' })
  })

  it('tells what is settled, and the server\'s clock by the fastest of its words', () => {
    const now = it_.time.now()
    it_.server.stream.say('checkpoint', { now: now + 5_000, settled: ['k-1'] })
    it_.server.stream.say('checkpoint', { now: now + 4_000 })
    const changes = it_.moments.flat()
    expect(changes).toContainEqual({ is: 'settled', keys: ['k-1'] })
    expect(changes.findLast((change) => change.is === 'clock')).toEqual({ is: 'clock', offset: 5_000, cursor: 'c-1' })
  })

  it('lets go and comes back at its cursor', async () => {
    it_.connection.release()
    expect([it_.server.open.length, it_.time.timers]).toEqual([0, 0])
    expect(it_.phase()).toMatchObject({ phase: 'idle' })
    it_.connection.start()
    await settle()
    expect(it_.phase()).toMatchObject({ phase: 'catching-up' })
    expect(it_.server.stream.url.search).toBe('?lastEventId=c-1')
  })

  it('asks for something else with a new stream, at its cursor unless it needs all anew', async () => {
    it_.connection.ask({ viewing: ['10'] })
    await settle()
    expect(it_.server.stream.url.search).toBe('?viewing=10&lastEventId=c-1')
    it_.connection.ask({ viewing: ['10'] })
    it_.connection.ask({ guilds: ['1', '2'], viewing: [] }, true)
    await settle()
    expect(it_.server.streams).toHaveLength(3)
    expect(it_.server.stream.url.search).toBe('?guild=1&guild=2')
  })

  it('is over for good once closed', async () => {
    it_.connection.close()
    it_.connection.start()
    await seconds(600)
    expect([it_.server.streams.length, it_.server.open.length, it_.time.timers]).toEqual([1, 0, 0])
  })
})

describe('a connection whose app vouches for its user', () => {
  const server = new TestServer()
  const vouching = { session: { identify: server.identify, vouch: server.vouch } }
  beforeEach(() => {
    server.asked.length = 0
    server.vouched = 'done'
  })

  it('exchanges at the start, and again after a 401, once', async () => {
    await live(vouching)
    expect(server.asked).toEqual(['exchange', 'me'])
    it_.server.stream.end(401)
    await settle()
    expect(server.asked).toEqual(['exchange', 'me', 'exchange', 'me'])
    it_.server.stream.end(401)
    expect(it_.phase()).toMatchObject({ phase: 'signed-out' })
  })

  it('is signed out where the exchange is refused, and tries again where it failed', async () => {
    server.vouched = 'failed'
    await begin(vouching)
    expect(it_.phase()).toMatchObject({ phase: 'connecting', reason: 'broken' })
    server.vouched = 'refused'
    await seconds(1)
    expect(it_.phase()).toMatchObject({ phase: 'signed-out' })
  })
})

describe('a connection that begins where a server left off', () => {
  it('goes on at that cursor', async () => {
    await begin({ from: { cursor: 'c-9' } })
    expect(it_.phase()).toMatchObject({ phase: 'catching-up' })
    expect(it_.server.stream.url.search).toBe('?lastEventId=c-9')
  })
})

describe('random days of a connection', () => {
  it('have one stream at most, and none that nobody waits for', async () => {
    const act = fc.constantFrom(
      'snapshot', 'resumed', 'event', 'broken', '502', '401', '404', 'bye', 'crowded', 'offline', 'online', 'sleep',
      'second', 'minute', 'release', 'start', 'ask', 'sign-in',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
        await begin()
        const { server, time, connection } = it_
        let asks = 0
        for (const act of acts) {
          const stream = server.open[0]
          if (act === 'snapshot') stream?.snapshot(house, `c-${asks}`)
          if (act === 'resumed' && stream?.url.searchParams.has('lastEventId')) stream.resumed(2)
          if (act === 'event') stream?.event(joined('1', '11', '8'), `d-${asks}`)
          if (act === 'broken') stream?.end()
          if (act === '502' || act === '401' || act === '404') stream?.end(Number(act))
          if (act === 'bye') stream?.bye('draining')
          if (act === 'crowded') stream?.bye('too_many_streams')
          if (act === 'offline') connection.wentOffline()
          if (act === 'online') connection.cameOnline()
          if (act === 'sleep') time.suspend(600_000)
          if (act === 'second') await time.pass(1_000)
          if (act === 'minute') await time.pass(60_000)
          if (act === 'release') connection.release()
          if (act === 'start') connection.start()
          if (act === 'ask') connection.ask({ viewing: [String((asks += 1))] })
          if (act === 'sign-in') connection.signedIn(ben)
          await settle()
          expect(server.open.length).toBeLessThanOrEqual(1)
        }
        connection.start()
        connection.cameOnline()
        for (let waited = 0; waited < 180 && server.open.length === 0; waited += 1) await time.pass(1_000)
        server.open[0]?.snapshot(house, 'last')
        expect(it_.phase()).toMatchObject({ phase: 'live' })
        connection.close()
        expect([server.open.length, time.timers]).toEqual([0, 0])
      }),
      { numRuns: 60 },
    )
  })
})
