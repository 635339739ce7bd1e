// @vitest-environment jsdom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'

import { ConflictError, createGuildhall, type Guildhall, personIn, roomIn } from '../index.js'
import { GuildhallProvider, useCommand, useDiscordEventStream, useLiveStatus, useVoice } from '../react/index.js'
import { fakeGuildhall, guild, person, room } from './index.js'

const house = () => [guild('1', [room('10', [person('7')]), room('11')])]
const rooms = ({ client }: { readonly client: Guildhall }) =>
  [...(client.view().picture.get('1')?.rooms.values() ?? [])].map(({ channelId, people }) => `${channelId}: ${[...people.keys()]}`)

describe('the fake', () => {
  it('is a client like any other', () => {
    expectTypeOf(fakeGuildhall({ guild: '1' }).client).toEqualTypeOf(createGuildhall({ url: '/', guild: '1' }))
    expectTypeOf(fakeGuildhall().client).toEqualTypeOf(createGuildhall({ url: '/' }))
    expect(Object.keys(fakeGuildhall().client).sort()).toEqual(Object.keys(createGuildhall({ url: 'http://app.test/' })).sort())
  })

  it('knows nothing until it is told', () => {
    const fake = fakeGuildhall()
    expect(fake.client.view().status).toMatchObject({ phase: 'connecting', complete: false })
    fake.snapshot(house())
    expect(fake.client.view().status).toMatchObject({ phase: 'live', complete: true })
    expect(rooms(fake)).toEqual(['10: 7', '11: '])
  })

  it('shows who comes, moves and goes, each as one change', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const heard: string[] = []
    const shown: string[][] = []
    fake.client.on('voice.joined', ({ userId, channelId }) => heard.push(`${userId} to ${channelId}`))
    fake.client.on('voice.left', ({ userId, previousChannelId }) => heard.push(`${userId} from ${previousChannelId}`))
    fake.client.subscribe(() => shown.push(rooms(fake)))
    fake.join('11', '8')
    fake.move('7', '11')
    fake.join('10', { userId: '8', displayName: 'Ben' })
    fake.leave('7')
    expect(shown).toEqual([['10: 7', '11: 8'], ['10: ', '11: 8,7'], ['10: 8', '11: 7'], ['10: 8', '11: ']])
    expect(heard).toEqual(['8 to 11', '7 from 10', '7 to 11', '8 from 11', '8 to 10', '7 from 11'])
    expect(roomIn(fake.client.view().picture, '10')?.people.get('8')?.displayName).toBe('Ben')
  })

  it('shows what becomes of people and rooms', () => {
    const fake = fakeGuildhall({ guilds: house() })
    fake.update('7', { selfMute: true })
    expect(personIn(fake.client.view().picture.get('1')!, '7')).toEqual({ ...person('7'), channelId: '10', selfMute: true })
    fake.createRoom('1', room('12', [person('9')]))
    fake.updateRoom('12', { name: 'Den', locked: true })
    expect(roomIn(fake.client.view().picture, '12')).toMatchObject({ name: 'Den', locked: true })
    fake.deleteRoom('10')
    expect(rooms(fake)).toEqual(['11: ', '12: 9'])
    fake.tell({ name: 'room.idle', data: { guildId: '1', ts: 1, channelId: '12', deletesAt: 5 } })
    expect(roomIn(fake.client.view().picture, '12')?.deletesAt).toBe(5)
  })

  it('tells listeners nothing of a snapshot', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const heard = vi.fn()
    fake.client.on('voice.joined', heard)
    fake.snapshot([guild('1', [room('10', [person('7'), person('8')])])])
    expect([rooms(fake), heard.mock.calls]).toEqual([['10: 7,8'], []])
  })

  it('is as the connection, the server and the session are', () => {
    const fake = fakeGuildhall({ guilds: house(), user: { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: '' } })
    const status = () => [fake.client.view().status.phase, fake.client.view().status.reason]
    fake.status({ discord: 'down' })
    expect(status()).toEqual(['stale', 'discord_down'])
    fake.status({ discord: 'live' })
    fake.phase('offline', 'offline')
    expect([status(), fake.client.view().user?.id, rooms(fake).length]).toEqual([['offline', 'offline'], '7', 2])
    fake.signOut()
    expect([status(), fake.client.view().user, rooms(fake)]).toEqual([['signed-out', 'unauthorized'], null, []])
  })

  it('asks about its own guild alone, and names it in commands', async () => {
    const fake = fakeGuildhall({ guild: '1', guilds: [...house(), guild('2')] })
    expect([...fake.client.view().picture.keys()]).toEqual(['1'])
    fake.answer('rooms.create', ({ guildId, name }) => ({ outcome: 'done', channelId: `${guildId}${name.length}`, discordUrl: 'd' }))
    expect(await fake.client.rooms.create({ name: 'Den' }, { key: 'k' })).toMatchObject({ channelId: '13' })
    expect(fake.asked).toEqual([{ name: 'rooms.create', input: { guildId: '1', name: 'Den' }, key: 'k' }])
  })

  it('refuses what a test refuses, and names what nobody answers', async () => {
    const fake = fakeGuildhall({ guilds: house() })
    fake.answer('rooms.claim', () => {
      throw new ConflictError(409, { code: 'owner_present', message: 'm' })
    })
    await expect(fake.client.rooms.claim({ channelId: '10' })).rejects.toThrow(ConflictError)
    await expect(fake.client.rooms.close({ channelId: '10' })).rejects.toThrow('nobody answers rooms.close')
    fake.answer('rooms.exists', ({ channelId }) => ({ exists: channelId === '10' }))
    expect(await fake.client.rooms.exists({ channelId: '10' })).toEqual({ exists: true })
    expect(() => fake.leave('8')).toThrow('8 is in no room')
    expect(() => fake.join('12', '8')).toThrow('there is no room 12')
  })

  it('drives components, and tells when all of them are gone', async () => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
    const fake = fakeGuildhall({ guilds: house() })
    const came = vi.fn()
    let click = async () => {}
    const Page = () => {
      const [people, lock] = [useVoice({ guild: '1', room: '10' }), useCommand('rooms.lock')]
      useDiscordEventStream({ onVoiceJoined: came })
      click = async () => void (await lock.run({ channelId: '10', locked: true }))
      return `${useLiveStatus().phase} ${people?.map((one) => one.userId)} ${lock.pending}`
    }
    const place = document.createElement('div')
    const root = createRoot(place)
    act(() => root.render(<GuildhallProvider client={fake.client}><Page /></GuildhallProvider>))
    expect(place.textContent).toBe('live 7 false')
    act(() => fake.join('10', '8'))
    expect([place.textContent, came.mock.calls.length]).toEqual(['live 7,8 false', 1])
    let settle = () => {}
    fake.answer('rooms.lock', () => ({ outcome: 'done', settled: new Promise<void>((done) => (settle = done)) }))
    await act(() => click())
    expect(place.textContent).toBe('live 7,8 true')
    await act(async () => settle())
    expect(place.textContent).toBe('live 7,8 false')
    act(() => root.unmount())
    expect(fake.readers).toBe(0)
  })

  it('counts the rooms on whose pages somebody is', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const [one, two] = [fake.client.viewing('10'), fake.client.viewing('10')]
    one()
    one()
    expect([fake.viewing, fake.readers]).toEqual([['10'], 1])
    two()
    expect([fake.viewing, fake.readers]).toEqual([[], 0])
  })
})
