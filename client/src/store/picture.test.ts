import { readdirSync, readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { guild, idle, joined, left, person, renamed, room } from '../events.testing.js'
import { travelOf, type GuildEvent, type GuildPicture, type Occupant, type RoomPicture } from '../wire.js'
import { after, emptyPicture, type Picture, replaced } from './picture.js'

const house = replaced(emptyPicture, [guild('1', room('10', person('7')), room('11')), guild('2', room('20'))])
const all = (...events: readonly GuildEvent[]): Picture => events.reduce(after, house)

/** Who is where, in short: `{ 'guild/room': ['person'] }`. */
const people = (picture: Picture): Record<string, string[]> =>
  Object.fromEntries(
    [...picture.values()].flatMap((one) =>
      [...one.rooms.values()].map((room) => [`${one.id}/${room.channelId}`, [...room.people.keys()]]),
    ),
  )

const at = { guildId: '1', ts: 5 }

describe('the picture', () => {
  it.each<[string, readonly GuildEvent[], Record<string, string[]>]>([
    ['a join', [joined('1', '11', '8')], { '1/10': ['7'], '1/11': ['8'], '2/20': [] }],
    ['a move', [left('1', '10', '7'), joined('1', '11', '7')], { '1/10': [], '1/11': ['7'], '2/20': [] }],
    ['a leave', [left('1', '10', '7')], { '1/10': [], '1/11': [], '2/20': [] }],
    ['a leave that was not heard of', [joined('1', '11', '7')], { '1/10': [], '1/11': ['7'], '2/20': [] }],
    ['a bot in two guilds', [joined('2', '20', '7')], { '1/10': ['7'], '1/11': [], '2/20': ['7'] }],
    ['a leave from elsewhere', [left('1', '11', '7')], { '1/10': ['7'], '1/11': [], '2/20': [] }],
    ['a join into a room nobody told of', [joined('1', '99', '7')], { '1/10': [], '1/11': [], '2/20': [] }],
    ['a new name', [renamed('1', '10', 'New')], { '1/10': ['7'], '1/11': [], '2/20': [] }],
    [
      'a room that is shown with people of another',
      [{ name: 'room.shown', data: { ...at, ...room('12', person('7'), person('8')) } }],
      { '1/10': [], '1/11': [], '1/12': ['7', '8'], '2/20': [] },
    ],
    ['a hidden room', [{ name: 'room.hidden', data: { ...at, channelId: '10' } }], { '1/11': [], '2/20': [] }],
    ['a deleted room', [{ name: 'room.deleted', data: { ...at, channelId: '10' } }], { '1/11': [], '2/20': [] }],
    ['a removed guild', [{ name: 'guild.removed', data: at }], { '2/20': [] }],
    ['a guild in an outage', [{ name: 'guild.unavailable', data: at }], { '1/10': ['7'], '1/11': [], '2/20': [] }],
  ])('shows %s, also when it is told twice', (_what, events, expected) => {
    expect(people(all(...events))).toEqual(expected)
    expect(all(...events, ...events)).toEqual(all(...events))
  })

  it('knows when an unused room goes, until it is used again', () => {
    const ends = (...events: readonly GuildEvent[]) => all(...events).get('1')?.rooms.get('10')?.deletesAt
    expect(ends(idle('1', '10', 9))).toBe(9)
    expect(ends(idle('1', '10', 9), renamed('1', '10', 'New'))).toBe(9)
    expect(ends(idle('1', '10', 9), idle('1', '10', null))).toBeUndefined()
  })

  it('takes what a newer picture of a guild says', () => {
    const data = { ...at, guild: guild('1', room('30', person('9'))) }
    expect(people(all({ name: 'guild.available', data }))).toEqual({ '1/30': ['9'], '2/20': [] })
    const out = all({ name: 'guild.unavailable', data: at })
    expect(out.get('1')?.available).toBe(false)
    expect(after(out, { name: 'guild.available', data: at })).toEqual(house)
    const info = all({ name: 'guild.updated', data: { ...at, name: 'New', icon: 'i' } }).get('1')
    expect(info).toMatchObject({ name: 'New', icon: 'i' })
  })
})

describe('identity', () => {
  it.each<GuildEvent>([
    joined('404', '10', '7'),
    left('404', '10', '7'),
    left('1', '404', '7'),
    { name: 'voice.joined', data: { ...at, ...person('7'), channelId: '10' } },
    { name: 'room.deleted', data: { ...at, channelId: '404' } },
    { name: 'guild.removed', data: { ...at, guildId: '404' } },
    { name: 'guild.available', data: at },
    { name: 'guild.available', data: { ...at, guild: guild('1', room('10', person('7')), room('11')) } },
    { name: 'guild.updated', data: { ...at, name: 'Guild 1', icon: null } },
    { name: 'room.shown', data: { ...at, ...room('10', person('7')) } },
    renamed('1', '10', 'Room 10'),
    idle('1', '10', null),
    { name: 'gap', data: { ...at, from: 1, to: 2 } },
  ])('is kept of everything when $name changes nothing', (event) => {
    expect(after(house, event)).toBe(house)
  })

  it('is kept of what an event does not touch', () => {
    const now = after(house, joined('1', '11', '8'))
    expect(now.get('2')).toBe(house.get('2'))
    expect(now.get('1')?.rooms.get('10')).toBe(house.get('1')?.rooms.get('10'))
  })

  it('is kept through snapshots, of everything that is as it was', () => {
    const same = [guild('1', room('10', person('7')), room('11')), guild('2', room('20'))]
    expect(replaced(house, same)).toBe(house)
    const now = replaced(house, [guild('1', room('10', person('7')), room('11', person('8'))), guild('2', room('20'))])
    expect(now.get('2')).toBe(house.get('2'))
    expect(now.get('1')?.rooms.get('10')).toBe(house.get('1')?.rooms.get('10'))
    expect(now.get('1')?.rooms.get('11')).not.toBe(house.get('1')?.rooms.get('11'))
  })
})

/** A world as the gateway's log has it, with much that no browser is told. */
interface LoggedGuild {
  readonly info: { readonly name: string; readonly icon: string | null }
  readonly available: boolean
  readonly rooms: Readonly<Record<string, Omit<RoomPicture, 'members'> & { readonly rights: unknown }>>
  readonly voice: Readonly<Record<string, Occupant>>
}

/** What somebody who sees every room is shown of it. */
const shown = (id: string, { info, available, rooms, voice }: LoggedGuild): GuildPicture => ({
  id,
  ...info,
  available,
  rooms: Object.values(rooms).map(({ rights: _rights, ...about }) => ({
    ...about,
    members: Object.values(voice).filter((one) => one.channelId === about.channelId),
  })),
})

interface Logged {
  readonly event: string
  readonly payload: Record<string, unknown> & { readonly guildId: string }
}

const shownEvent = ({ event, payload }: Logged): GuildEvent | null => {
  if (travelOf(event) !== 'group') return null
  const { rights: _rights, ...data } = payload
  const whole = data['guild'] as LoggedGuild | undefined
  const told = whole === undefined ? data : { ...data, guild: shown(payload.guildId, whole) }
  return { name: event, data: told } as unknown as GuildEvent
}

/** Without the order of rooms and people, which the log does not have. */
const plain = (picture: Picture) =>
  [...picture.values()].map(({ rooms, ...about }) => ({
    ...about,
    rooms: Object.fromEntries([...rooms].map(([id, { people, ...of }]) => [id, { ...of, people: Object.fromEntries(people) }])),
  }))

/** All of it as text, in its order, which a map keeps and shows. */
const told = (picture: Picture): string =>
  JSON.stringify(picture, (_, value: unknown) => (value instanceof Map ? [...value] : value))

describe('the histories that are committed', () => {
  const folder = new URL('../../../fixtures/world/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

  it('are all there', () => expect(files.length).toBeGreaterThanOrEqual(9))

  it.each(files)('end for the client as for the gateway: %s', (file) => {
    const { events, world } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      events: readonly Logged[]
      world: Readonly<Record<string, LoggedGuild>>
    }
    const told = events.map(shownEvent).filter((event) => event !== null)
    const expected = Object.entries(world).map(([id, one]) => shown(id, one))
    expect(plain(told.reduce(after, emptyPicture))).toEqual(plain(replaced(emptyPicture, expected)))
  })
})

describe('random histories', () => {
  const guildId = fc.constantFrom('1', '2')
  const channelId = fc.constantFrom('10', '11', '12')
  const userId = fc.constantFrom('7', '8', '9')
  const event: fc.Arbitrary<GuildEvent> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(guildId, channelId, userId).map((args) => joined(...args)) },
    { weight: 4, arbitrary: fc.tuple(guildId, channelId, userId).map((args) => left(...args)) },
    fc.tuple(guildId, channelId, fc.constantFrom('A', 'B')).map((args) => renamed(...args)),
    fc.tuple(guildId, channelId, fc.option(fc.constantFrom(4, 5))).map((args) => idle(...args)),
    fc.tuple(guildId, channelId, fc.constantFrom('room.deleted', 'room.hidden')).map(
      ([guildId, channelId, name]): GuildEvent => ({ name, data: { guildId, ts: 5, channelId } }),
    ),
    fc.tuple(guildId, channelId, fc.uniqueArray(userId)).map(
      ([guildId, channelId, users]): GuildEvent => ({
        name: 'room.shown',
        data: { guildId, ts: 5, ...room(channelId, ...users.map((user) => person(user))) },
      }),
    ),
    fc.tuple(guildId, fc.constantFrom('guild.available', 'guild.unavailable')).map(
      ([guildId, name]): GuildEvent => ({ name, data: { guildId, ts: 5 } }),
    ),
  )
  const histories = fc.array(event, { maxLength: 60 })
  const begin = () => replaced(emptyPicture, [guild('1', room('10'), room('11')), guild('2', room('10'))])

  it('never have anybody in two rooms of a guild, and never change what was', () => {
    fc.assert(
      fc.property(histories, (history) => {
        let picture = begin()
        for (const event of history) {
          const before = told(picture)
          const now = after(picture, event)
          expect(told(picture)).toBe(before)
          if (told(now) === before) expect(now).toBe(picture)
          for (const { rooms } of now.values()) {
            const crowd = [...rooms.values()].flatMap((one) => [...one.people.keys()])
            expect(new Set(crowd).size).toBe(crowd.length)
          }
          picture = now
        }
      }),
    )
  })

  it('end where a list of facts ends that knows no maps', () => {
    fc.assert(
      fc.property(histories, (history) => {
        /** `guild/user` → room, and the rooms there are: the same rules, told in another way. */
        const where = new Map<string, string>()
        const rooms = new Set(['1/10', '1/11', '2/10'])
        for (const { name, data } of history) {
          const { guildId } = data
          if (name === 'voice.joined') {
            where.delete(`${guildId}/${data.userId}`)
            if (rooms.has(`${guildId}/${data.channelId}`)) where.set(`${guildId}/${data.userId}`, data.channelId)
          } else if (name === 'voice.left') {
            const key = `${guildId}/${data.userId}`
            if (where.get(key) === data.previousChannelId) where.delete(key)
          } else if (name === 'room.updated') {
            rooms.add(`${guildId}/${data.channelId}`)
          } else if (name === 'room.deleted' || name === 'room.hidden' || name === 'room.shown') {
            for (const [key, channel] of [...where]) {
              if (key.startsWith(`${guildId}/`) && channel === data.channelId) where.delete(key)
            }
            rooms.delete(`${guildId}/${data.channelId}`)
            if (name !== 'room.shown') continue
            rooms.add(`${guildId}/${data.channelId}`)
            for (const { userId } of data.members) where.set(`${guildId}/${userId}`, data.channelId)
          }
        }
        const picture = history.reduce(after, begin())
        const seen = [...picture.values()].flatMap(({ id, rooms }) =>
          [...rooms.values()].flatMap((one) => [...one.people.values()].map((who) => [`${id}/${who.userId}`, one.channelId])),
        )
        expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(where))
        const known = [...picture.values()].flatMap(({ id, rooms }) => [...rooms.keys()].map((one) => `${id}/${one}`))
        expect(known.sort()).toEqual([...rooms].sort())
      }),
    )
  })
})
