import type { LiveStatus, View } from '@guildhall/client'
import { describe, expect, it, vi } from 'vitest'

import { allWell } from './client.testing'
import { type Began, type Connection, type Shown, showing } from './shown'

type Said = Pick<LiveStatus, 'phase' | 'reason'> & { readonly complete?: boolean }

const viewOf = ({ phase, reason, complete = true }: Said): View => ({
  picture: new Map(),
  status: { phase, reason, complete, since: 1 },
  server: allWell,
  user: null,
})

/** What the page shows when a client has said this, one after the other. */
const shownAfter = (...said: readonly Said[]): Shown => {
  let view = viewOf({ phase: 'idle', reason: 'not_started', complete: false })
  let tell = () => {}
  const client = {
    view: () => view,
    subscribe: (reader: () => void) => {
      tell = reader
      return () => undefined
    },
  }
  const shown = showing(client, () => undefined)
  for (const one of said) {
    view = viewOf(one)
    tell()
  }
  return shown.view()
}

const told = (...said: readonly Said[]): Pick<Connection, 'state' | 'obstacle'> => {
  const { state, obstacle } = shownAfter(...said).connection
  return { state, obstacle }
}

const live: Said = { phase: 'live', reason: 'no_cursor' }
const lost: Said = { phase: 'stale', reason: 'broken' }
const trying: Said = { phase: 'catching-up', reason: 'broken' }

describe('what the page says of its connection', () => {
  it.each<[string, readonly Said[], Connection['state'], Connection['obstacle']]>([
    ['nothing yet', [{ phase: 'connecting', reason: 'not_started', complete: false }], 'connecting', null],
    ['a server that does not answer', [{ phase: 'connecting', reason: 'broken', complete: false }], 'connecting', 'no-answer'],
    ['a server without its bot', [{ phase: 'connecting', reason: 'unavailable', complete: false }], 'connecting', 'unavailable'],
    ['too many pages', [live, { phase: 'stale', reason: 'too_many_streams' }], 'reconnecting', 'too-many-streams'],
    ['no network', [live, { phase: 'offline', reason: 'offline' }], 'reconnecting', 'no-network'],
    ['a picture', [live], 'live', null],
    ['Discord away', [live, { phase: 'stale', reason: 'discord_down' }], 'live', null],
    ['a lost link', [live, { phase: 'stale', reason: 'link_down' }], 'live', null],
    ['a stream that is asked for once more', [live, { phase: 'catching-up', reason: 'no_cursor' }], 'live', null],
    ['a repetition', [live, lost, trying, { phase: 'catching-up', reason: 'resumed' }], 'live', null],
    ['a lost stream', [live, lost], 'reconnecting', null],
    ['its first attempt', [live, lost, trying], 'reconnecting', null],
    ['an attempt that failed', [live, lost, trying, lost], 'reconnecting', 'no-answer'],
    ['the next attempt', [live, lost, trying, lost, trying], 'reconnecting', 'no-answer'],
    ['a loss after it was well again', [live, lost, trying, lost, trying, live, lost], 'reconnecting', null],
    ['a server that asks to come back', [live, { phase: 'stale', reason: 'draining' }], 'reconnecting', null],
    ['nobody looking for long', [live, { phase: 'idle', reason: 'not_started' }], 'reconnecting', null],
    ['the end of the session', [live, { phase: 'signed-out', reason: 'unauthorized', complete: false }], 'signed-out', null],
    ['a refused question', [live, { phase: 'ended', reason: 'invalid' }], 'ended', null],
  ])('%s', (_what, said, state, obstacle) => {
    expect(told(...said)).toEqual({ state, obstacle })
  })
})

describe('how the stream began', () => {
  const asked: Said = { phase: 'catching-up', reason: 'no_cursor' }
  const repeats: Said = { phase: 'catching-up', reason: 'resumed' }
  const resumed: Said = { phase: 'live', reason: 'resumed' }
  const down: Said = { phase: 'stale', reason: 'discord_down' }

  it.each<[string, readonly Said[], Began | null]>([
    ['nothing yet', [], null],
    ['a picture', [live], { how: 'snapshot', snapshots: 1 }],
    ['a picture while Discord is away', [down], { how: 'snapshot', snapshots: 1 }],
    ['a lost stream', [live, lost], { how: 'snapshot', snapshots: 1 }],
    ['an attempt', [live, lost, trying], { how: 'snapshot', snapshots: 1 }],
    ['one at the cursor', [live, lost, trying, resumed], { how: 'resumed', snapshots: 1 }],
    ['one that repeats first', [live, lost, trying, repeats, resumed], { how: 'resumed', snapshots: 1 }],
    ['one whose cursor was no good', [live, lost, trying, live], { how: 'snapshot', snapshots: 2 }],
    ['one at the cursor while Discord is away', [live, lost, trying, down, live], { how: 'resumed', snapshots: 1 }],
    ['Discord that comes back', [live, down, live], { how: 'snapshot', snapshots: 1 }],
    ['one more stream', [live, asked, resumed], { how: 'resumed', snapshots: 1 }],
    ['one more that repeats first', [live, asked, repeats, resumed], { how: 'resumed', snapshots: 1 }],
  ])('%s', (_what, said, began) => {
    expect(shownAfter(...said).began).toEqual(began)
  })
})

describe('readers', () => {
  it('hear of many changes once, before the next paint', () => {
    let tell = () => {}
    let view = viewOf(live)
    const client = { view: () => view, subscribe: (reader: () => void) => ((tell = reader), () => undefined) }
    const paints: (() => void)[] = []
    const shown = showing(client, (run) => paints.push(run))
    const reader = vi.fn()
    const stop = shown.subscribe(reader)
    for (const one of [lost, trying, live]) {
      view = viewOf(one)
      tell()
    }
    expect([paints.length, reader.mock.calls.length]).toEqual([1, 0])
    paints[0]?.()
    expect([shown.view().connection.state, reader.mock.calls.length]).toEqual(['live', 1])
    tell()
    stop()
    paints[1]?.()
    expect(reader).toHaveBeenCalledTimes(1)
  })
})
