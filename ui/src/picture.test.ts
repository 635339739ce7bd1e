import { describe, expect, it } from 'vitest'

import { after, emptyPicture, type Picture } from './picture'
import { guild, joined, left, person, roomOnWire, snapshot } from './events.testing'
import type { StreamEvent } from './wire'

const all = (...events: readonly StreamEvent[]): Picture => events.reduce(after, emptyPicture)

/** Who is where, in short: `{ 'guild/room': ['person'] }`. */
const people = (picture: Picture): Record<string, string[]> =>
  Object.fromEntries(
    [...picture.values()].flatMap((one) =>
      [...one.rooms.values()].map((room) => [`${one.id}/${room.channelId}`, [...room.people.keys()]]),
    ),
  )

const house = snapshot(guild('1', roomOnWire('10', person('7')), roomOnWire('11')), guild('2', roomOnWire('20')))

describe('the picture', () => {
  it('is replaced by a snapshot', () => {
    const picture = all(house, snapshot(guild('3', roomOnWire('30', person('9')))))
    expect(people(picture)).toEqual({ '3/30': ['9'] })
  })

  it('shows a join', () => {
    expect(people(all(house, joined('1', '11', '8')))).toEqual({ '1/10': ['7'], '1/11': ['8'], '2/20': [] })
  })

  it('shows a move as leaving and joining', () => {
    const picture = all(house, left('1', '10', '7'), joined('1', '11', '7'))
    expect(people(picture)).toEqual({ '1/10': [], '1/11': ['7'], '2/20': [] })
  })

  it('shows a leave', () => {
    expect(people(all(house, left('1', '10', '7')))).toEqual({ '1/10': [], '1/11': [], '2/20': [] })
  })

  it('has nobody in two rooms of a guild when the leaving was not heard of', () => {
    expect(people(all(house, joined('1', '11', '7')))).toEqual({ '1/10': [], '1/11': ['7'], '2/20': [] })
  })

  it('lets a bot be in rooms of two guilds', () => {
    expect(people(all(house, joined('2', '20', '7')))).toEqual({ '1/10': ['7'], '1/11': [], '2/20': ['7'] })
  })

  it('does not take somebody out of a room they did not leave', () => {
    expect(people(all(house, left('1', '11', '7')))).toMatchObject({ '1/10': ['7'] })
  })

  it('takes somebody away who went into a room nobody told of', () => {
    expect(people(all(house, joined('1', '99', '7')))).toEqual({ '1/10': [], '1/11': [], '2/20': [] })
  })

  it('is the same after an event that was sent twice', () => {
    const events = [joined('1', '11', '8'), left('1', '10', '7')]
    expect(all(house, ...events, ...events)).toEqual(all(house, ...events))
  })

  it('knows when an unused room goes, until it is used again', () => {
    const idle = (deletesAt: number | null): StreamEvent => ({
      name: 'room.idle',
      data: { guildId: '1', ts: 5, channelId: '10', deletesAt },
    })
    const ends = (...events: readonly StreamEvent[]) => all(house, ...events).get('1')?.rooms.get('10')?.deletesAt
    expect(ends(idle(9))).toBe(9)
    const { members: _members, ...renamed } = { ...roomOnWire('10'), name: 'Renamed' }
    expect(ends(idle(9), { name: 'room.updated', data: { guildId: '1', ts: 5, ...renamed } })).toBe(9)
    expect(ends(idle(9), idle(null))).toBeUndefined()
    const before = all(house)
    expect(after(before, idle(null))).toBe(before)
  })

  it('keeps the people of a room that is renamed', () => {
    const { members: _members, ...room } = { ...roomOnWire('10'), name: 'Renamed' }
    const picture = all(house, { name: 'room.updated', data: { guildId: '1', ts: 5, ...room } })
    expect(picture.get('1')?.rooms.get('10')?.name).toBe('Renamed')
    expect(people(picture)).toMatchObject({ '1/10': ['7'] })
  })

  it('shows a room with its people, who are nowhere else then', () => {
    const shown = { guildId: '1', ts: 5, ...roomOnWire('12', person('7'), person('8')) }
    const picture = all(house, { name: 'room.shown', data: shown })
    expect(people(picture)).toMatchObject({ '1/10': [], '1/12': ['7', '8'] })
  })

  it.each(['room.hidden', 'room.deleted'] as const)('forgets a room after %s', (name) => {
    const picture = all(house, { name, data: { guildId: '1', ts: 5, channelId: '10' } })
    expect(Object.keys(people(picture))).toEqual(['1/11', '2/20'])
  })

  it('keeps rooms and people of a guild in an outage', () => {
    const out = all(house, { name: 'guild.unavailable', data: { guildId: '1', ts: 5 } })
    expect(out.get('1')?.available).toBe(false)
    expect(people(out)).toEqual(people(all(house)))
    const back = after(out, { name: 'guild.available', data: { guildId: '1', ts: 6 } })
    expect(back.get('1')?.available).toBe(true)
  })

  it('takes in a guild that is new', () => {
    const data = { guildId: '3', ts: 5, guild: guild('3', roomOnWire('30', person('9'))) }
    expect(people(all(house, { name: 'guild.available', data }))).toMatchObject({ '3/30': ['9'] })
  })

  it('forgets a guild that was removed', () => {
    expect(all(house, { name: 'guild.removed', data: { guildId: '1', ts: 5 } }).has('1')).toBe(false)
  })

  it.each<StreamEvent>([
    joined('404', '10', '7'),
    left('404', '10', '7'),
    left('1', '404', '7'),
    { name: 'room.deleted', data: { guildId: '1', ts: 5, channelId: '404' } },
    { name: 'guild.removed', data: { guildId: '404', ts: 5 } },
    { name: 'room.idle', data: { guildId: '1', ts: 5, channelId: '10', deletesAt: null } },
    { name: 'gap', data: { guildId: '1', ts: 5, from: 1, to: 2 } },
    { name: 'checkpoint', data: { now: 5 } },
  ])('is the very same object when $name changes nothing', (event) => {
    const picture = all(house)
    expect(after(picture, event)).toBe(picture)
  })

  it('keeps the identity of what an event does not touch', () => {
    const before = all(house)
    const now = after(before, joined('1', '11', '8'))
    expect(now.get('2')).toBe(before.get('2'))
    expect(now.get('1')?.rooms.get('10')).toBe(before.get('1')?.rooms.get('10'))
  })
})
