import { BasicIndex, createCollection, createLiveQueryCollection, eq } from '@tanstack/db'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'

import { roomIn } from '../index.js'
import { type FakeGuildhall, fakeGuildhall, guild, person, room } from '../testing/index.js'
import { peopleCollectionOptions, type PersonRow, roomsCollectionOptions } from './index.js'

const house = () => [guild('1', [room('10', [person('7')]), room('11')]), guild('2', [room('20', [person('7')])])]

type Changes = readonly { readonly type: string; readonly key: string | number }[]
interface Followed {
  subscribeChanges(hear: (changes: Changes) => void, options: { includeInitialState: true }): { unsubscribe(): void }
}

/** What is seen to change in a collection, a list for each transaction. */
const follow = (collection: Followed) => {
  const seen: string[][] = []
  const hear = (changes: Changes) => {
    if (changes.length > 0) seen.push(changes.map(({ type, key }) => `${type} ${key}`).sort())
  }
  const subscription = collection.subscribeChanges(hear, { includeInitialState: true })
  return { subscription, last: () => seen.splice(0) }
}

/** Rows without what TanStack DB adds to them, in the order of their keys. */
const plain = (rows: Iterable<PersonRow>) =>
  [...rows]
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('$'))))
    .sort((a, b) => `${a['guildId']}/${a['userId']}`.localeCompare(`${b['guildId']}/${b['userId']}`))

const everybody = ({ client }: FakeGuildhall): readonly PersonRow[] =>
  [...client.view().picture].flatMap(([guildId, { rooms }]) =>
    [...rooms.values()].flatMap(({ people }) => [...people.values()].map((one) => ({ guildId, ...one }))),
  )

describe('a collection of people', () => {
  it('is what the client shows, and is ready when something is known', async () => {
    const fake = fakeGuildhall()
    const people = createCollection(peopleCollectionOptions({ client: fake.client }))
    expectTypeOf(people.get('1/7')!).toExtend<PersonRow>()
    const { last } = follow(people)
    expect([people.isReady(), people.size]).toEqual([false, 0])
    fake.snapshot(house())
    expect(people.isReady()).toBe(true)
    expect(last()).toEqual([['insert 1/7', 'insert 2/7']])
    expect(people.get('1/7')).toMatchObject({ guildId: '1', userId: '7', channelId: '10', displayName: 'User 7' })
  })

  it('changes by just the rows that differ, a transaction for each change', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const people = createCollection(peopleCollectionOptions({ client: fake.client, guild: '1' }))
    const { last } = follow(people)
    expect(last()).toEqual([['insert 1/7']])
    fake.join('11', '8')
    fake.move('7', '11')
    fake.update('8', { selfMute: true })
    fake.leave('7')
    expect(last()).toEqual([['insert 1/8'], ['update 1/7'], ['update 1/8'], ['delete 1/7']])
    expect(people.get('1/8')).toMatchObject({ selfMute: true, channelId: '11' })
  })

  it('is not truncated by a snapshot: what is the same is not touched', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const people = createCollection(peopleCollectionOptions({ client: fake.client }))
    const { last } = follow(people)
    last()
    const before = people.get('1/7')
    fake.phase('stale', 'broken')
    fake.snapshot(house())
    expect(last()).toEqual([])
    expect(people.get('1/7')).toBe(before)
    fake.snapshot([guild('1', [room('10', [person('7'), person('9')])])])
    expect(last()).toEqual([['delete 2/7', 'insert 1/9']])
  })

  it('forgets who was seen by somebody whose session ended', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const people = createCollection(peopleCollectionOptions({ client: fake.client }))
    const { last } = follow(people)
    last()
    fake.signOut()
    expect([last(), people.size]).toEqual([[['delete 1/7', 'delete 2/7']], 0])
  })

  it('reads as long as it is synced, and begins anew', async () => {
    const fake = fakeGuildhall({ guilds: house() })
    const people = createCollection(peopleCollectionOptions({ client: fake.client }))
    expect(fake.readers).toBe(0)
    const { subscription } = follow(people)
    expect(fake.readers).toBe(1)
    subscription.unsubscribe()
    await people.cleanup()
    expect(fake.readers).toBe(0)
    fake.join('11', '8')
    expect(follow(people).last()).toEqual([['insert 1/7', 'insert 1/8', 'insert 2/7']])
    await people.cleanup()
  })

  it('is the picture after anything that can happen', () => {
    const act = fc.record({
      is: fc.constantFrom('join', 'leave', 'snapshot', 'signOut'),
      user: fc.constantFrom('7', '8', '9'),
      into: fc.constantFrom('10', '11', '20'),
    })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const fake = fakeGuildhall({ guilds: house() })
        const people = createCollection(peopleCollectionOptions({ client: fake.client }))
        const { last } = follow(people)
        for (const { is, user, into } of acts) {
          if (is === 'snapshot') fake.snapshot([guild('1', [room('10', [person(user)]), room('11')]), guild('2', [room('20')])])
          if (is === 'signOut') fake.signOut()
          if (is === 'join' && roomIn(fake.client.view().picture, into) !== undefined) fake.join(into, user)
          if (is === 'leave' && everybody(fake).some(({ userId }) => userId === user)) fake.leave(user)
          // A row changes once in a transaction: a move is no going and coming back.
          for (const rows of last()) expect(new Set(rows.map((text) => text.split(' ')[1])).size).toBe(rows.length)
          expect(plain(people.values())).toEqual(plain(everybody(fake)))
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('a collection of rooms', () => {
  it('does not change with the people in them', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const rooms = createCollection(roomsCollectionOptions({ client: fake.client, guild: '1' }))
    const { last } = follow(rooms)
    expect(last()).toEqual([['insert 10', 'insert 11']])
    fake.join('11', '8')
    expect(last()).toEqual([])
    fake.updateRoom('11', { name: 'Den' })
    fake.deleteRoom('10')
    expect(last()).toEqual([['update 11'], ['delete 10']])
    expect(rooms.get('11')).toMatchObject({ name: 'Den', guildId: '1' })
  })

  it('joins with that of people in a live query', async () => {
    const fake = fakeGuildhall({ guilds: house() })
    const people = createCollection(peopleCollectionOptions({ client: fake.client }))
    const indexed = { autoIndex: 'eager', defaultIndexType: BasicIndex } as const
    const rooms = createCollection({ ...roomsCollectionOptions({ client: fake.client }), ...indexed })
    const where = createLiveQueryCollection((query) =>
      query
        .from({ one: people })
        .innerJoin({ place: rooms }, ({ one, place }) => eq(one.channelId, place.channelId))
        .select(({ one, place }) => ({ who: one.displayName, where: place.name })),
    )
    await where.preload()
    fake.join('11', { userId: '8', displayName: 'Ben' })
    const shown = [...where.values()].map(({ who, where: name }) => `${who}: ${name}`).sort()
    expect(shown).toEqual(['Ben: Room 11', 'User 7: Room 10', 'User 7: Room 20'])
  })
})
