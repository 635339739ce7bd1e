import { beforeEach, describe, expect, it, vi } from 'vitest'

import type { Change } from '../connection/change.js'
import { ana } from '../environment.testing.js'
import { allWell, group, guild, joined, left, person, room, snapshot } from '../events.testing.js'
import { type Store, storeOf } from './store.js'

const live: Change = { is: 'phase', phase: 'live', reason: 'no_cursor' }
const house = [guild('1', room('10', person('7')), room('11')), guild('2', room('20'))]

let store: Store
let now = 1
const report = vi.fn()
const people = (channelId: string) => [...(store.view().picture.get('1')?.rooms.get(channelId)?.people.keys() ?? [])]

beforeEach(() => {
  report.mockReset()
  store = storeOf({ now: () => now, report })
})

describe('the store', () => {
  it('knows nothing at first, and says so', () => {
    expect(store.view().status).toMatchObject({ phase: 'idle', complete: false })
    store.feed([{ is: 'phase', phase: 'connecting', reason: 'not_started' }])
    expect(store.view().status).toMatchObject({ phase: 'connecting', complete: false })
    store.feed([snapshot([]), live])
    expect(store.view().status).toMatchObject({ phase: 'live', complete: true })
  })

  it('tells readers once for each moment, when all of it is in', () => {
    store.feed([snapshot(house), live])
    const seen: unknown[] = []
    store.subscribe(() => seen.push([people('10'), people('11')]))
    store.feed([group('c-2', left('1', '10', '7'), joined('1', '11', '7'))])
    expect(seen).toEqual([[[], ['7']]])
    expect(store.cursor).toBe('c-2')
  })

  it('tells readers nothing where nothing changed', () => {
    store.feed([snapshot(house), { is: 'status', status: allWell }, live])
    const before = store.view()
    const reader = vi.fn()
    store.subscribe(reader)
    store.feed([snapshot(house, 'c-9')])
    store.feed([group('c-10', left('1', '11', '7'))])
    store.feed([{ is: 'clock', offset: 5, cursor: 'c-10' }, { is: 'status', status: allWell }])
    expect(reader).not.toHaveBeenCalled()
    expect(store.view()).toBe(before)
    expect(store.cursor).toBe('c-10')
    expect(store.now).toBe(6)
  })

  it('tells readers once of what one of them had it told, and of nothing that is over', () => {
    store.feed([snapshot(house), live])
    const seen: string[] = []
    const see = (who: string) => () => void seen.push(`${who} ${store.view().status.phase} ${people('10').length}`)
    store.subscribe(see('first'))
    const stop = store.subscribe(() => {
      stop()
      store.feed([{ is: 'phase', phase: 'ended', reason: 'closed' }])
    })
    store.subscribe(see('last'))
    store.feed([group('c-2', left('1', '10', '7'))])
    expect(seen).toEqual(['first live 0', 'first ended 0', 'last ended 0'])
  })

  it('tells readers once, too, where a listener had it told something', () => {
    store.feed([snapshot(house), live])
    const reader = vi.fn()
    store.subscribe(reader)
    store.on('voice.left', () => store.feed([{ is: 'phase', phase: 'ended', reason: 'closed' }]))
    store.feed([group('c-2', left('1', '10', '7'))])
    expect(reader).toHaveBeenCalledTimes(1)
  })

  it('tells what the server says of Discord, in its own words', () => {
    store.feed([snapshot(house), { is: 'status', status: allWell }, live])
    expect(store.view().server).toEqual(allWell)
    const resuming = { ...allWell, discord: 'resuming' } as const
    store.feed([{ is: 'status', status: resuming }])
    expect(store.view()).toMatchObject({ server: resuming, status: { phase: 'stale', reason: 'discord_down' } })
    store.feed([{ is: 'forgotten' }])
    expect(store.view().server).toBeUndefined()
  })

  it('tells each event once and in order, and never what a snapshot brings', () => {
    const heard: string[] = []
    store.on('voice.joined', ({ userId, channelId }) => heard.push(`${userId} into ${channelId}: ${people(channelId)}`))
    const stop = store.on('voice.left', ({ userId }) => heard.push(`${userId} left`))
    store.feed([snapshot(house), live])
    store.feed([group('c-2', left('1', '10', '7'), joined('1', '11', '7'))])
    stop()
    store.feed([group('c-3', left('1', '11', '7'))])
    expect(heard).toEqual(['7 left', '7 into 11: 7'])
  })

  it('tells the others when one of them throws', () => {
    const reader = vi.fn()
    store.subscribe(() => {
      throw new Error('no')
    })
    store.subscribe(reader)
    store.feed([snapshot(house), live])
    expect(reader).toHaveBeenCalledOnce()
    expect(report).toHaveBeenCalledOnce()
  })

  it('is stale while the server says that what it has is old', () => {
    store.feed([snapshot(house), live, { is: 'status', status: allWell }])
    now = 50
    store.feed([{ is: 'status', status: { discord: 'down', link: 'up', since: 1 } }])
    expect(store.view().status).toEqual({ phase: 'stale', since: 50, reason: 'discord_down', complete: true })
    store.feed([{ is: 'status', status: { discord: 'unknown', link: 'down', since: 1 } }])
    expect(store.view().status).toEqual({ phase: 'stale', since: 50, reason: 'link_down', complete: true })
    now = 60
    store.feed([{ is: 'status', status: allWell }])
    expect(store.view().status).toMatchObject({ phase: 'live', since: 60 })
  })

  it('keeps nothing when it is told to forget', () => {
    store.feed([{ is: 'user', user: ana }, snapshot(house), live])
    expect(store.view().user).toBe(ana)
    store.feed([{ is: 'forgotten' }, { is: 'phase', phase: 'signed-out', reason: 'session_revoked' }])
    expect(store.view()).toMatchObject({ user: null, status: { phase: 'signed-out', complete: false } })
    expect(store.view().picture.size).toBe(0)
    expect(store.cursor).toBeUndefined()
  })

  it('tells keys behind what they did', () => {
    const heard: unknown[] = []
    store.onSettled((keys) => heard.push(keys, people('11')))
    store.feed([snapshot(house), group('c-2', joined('1', '11', '8')), { is: 'settled', keys: ['k-1'] }])
    expect(heard).toEqual([['k-1'], ['8']])
  })

  it('has what it was asked for only, of a stream that is about more', () => {
    store = storeOf({ now: () => now, report, query: { guilds: ['2'], viewing: [] } })
    const heard = vi.fn()
    store.on('voice.joined', heard)
    store.feed([snapshot(house), live])
    store.feed([group('c-2', joined('1', '11', '8'))])
    expect([...store.view().picture.keys()]).toEqual(['2'])
    expect(heard).not.toHaveBeenCalled()
    expect(store.cursor).toBe('c-2')
  })
})
