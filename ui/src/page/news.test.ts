import { beforeEach, describe, expect, it } from 'vitest'

import { asClient, guild, person, room, testClient } from '../client.testing'
import { medianLatency, newsOf } from './news'

let client: ReturnType<typeof testClient>
let due: (() => void)[]

const followed = () => {
  const news = newsOf(asClient(client), (run) => void due.push(run))
  news.subscribe(() => undefined)
  return () => {
    for (const run of due.splice(0)) run()
    return news.view().map(({ kind, person, room, latency }) => [kind, person, room, latency])
  }
}

const came = (channelId: string, ts: number) => ({ guildId: '1', ts, ...person('7'), channelId })
const left = (previousChannelId: string, ts: number) => ({ guildId: '1', ts, channelId: null, previousChannelId, userId: '7' })

beforeEach(() => {
  client = testClient()
  client.knows(guild('1', room('10', person('7')), room('11')))
  due = []
})

describe('the news', () => {
  it('have who, where and how long they took, the newest first', () => {
    const told = followed()
    client.tell('voice.left', left('10', 990))
    client.tell('voice.joined', came('11', 995))
    expect(told()).toEqual([
      ['came', 'User 7', 'Room 11', 5],
      ['left', 'User 7', 'Room 10', 10],
    ])
  })

  it('call it a move where both are one moment', () => {
    const told = followed()
    client.tell('voice.left', left('10', 990))
    client.tell('voice.joined', came('11', 990))
    expect(told()).toEqual([['moved', 'User 7', 'Room 11', 10]])
  })

  it('know what is gone by the name that it had', () => {
    const told = followed()
    client.knows(guild('1', room('11')))
    client.tell('voice.left', left('10', 990))
    client.tell('room.deleted', { guildId: '1', ts: 991, channelId: '10' })
    expect(told()).toEqual([
      ['roomClosed', undefined, 'Room 10', 9],
      ['left', 'User 7', 'Room 10', 10],
    ])
  })

  it('keep a hundred, however many come, and ask for one rendering', () => {
    const told = followed()
    for (let at = 0; at < 1_000; at += 1) client.tell('voice.updated', came('10', at))
    expect(due).toHaveLength(1)
    expect(told()).toHaveLength(100)
  })

  it('say how long half of them took at most', () => {
    const of = (...latencies: readonly number[]) =>
      medianLatency(latencies.map((latency, id) => ({ id, kind: 'came', person: 'A', room: 'B', at: 0, latency })))
    expect([of(), of(4), of(9, 1), of(1, 50, 3)]).toEqual([undefined, 4, 1, 3])
  })
})
