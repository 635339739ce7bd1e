// @vitest-environment jsdom
/** Many mounts, at any moment: nobody misses anybody, and nothing is left behind. */

import { act, memo, StrictMode, Suspense, useLayoutEffect } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Guildhall } from '../index.js'
import { roomIn } from '../index.js'
import { type FakeGuildhall, fakeGuildhall, guild, person, room } from '../testing/index.js'
import {
  GuildhallProvider,
  useCommand,
  useDiscordEventStream,
  useGuildhallEvent,
  useLiveStatus,
  useMember,
  useRoom,
  useRooms,
  useSuspenseVoice,
  useVoice,
  useVoiceChannelMembers,
  useVoiceChannelMembersFromSSE,
} from './index.js'

const ROOMS = 20
const rooms = Array.from({ length: ROOMS }, (_, at) => `${10 + at}`)
const house = () => [guild('1', rooms.map((id) => room(id)))]

let place: HTMLElement
let root: Root

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
  place = document.createElement('div')
  root = createRoot(place)
})
afterEach(() => {
  act(() => root.unmount())
  vi.useRealTimers()
})

const within = (client: Guildhall, element: React.ReactNode) => (
  <StrictMode><GuildhallProvider client={client}>{element}</GuildhallProvider></StrictMode>
)

describe('5,000 mounts', () => {
  const AT_ONCE = 100
  const shown: string[] = []

  const Row = memo(({ at }: { at: number }) => {
    const people = useVoice({ guild: '1', room: rooms[at % ROOMS]! })
    useLayoutEffect(() => void (shown[at] = people?.map((one) => one.userId).join() ?? '?'))
    return null
  })
  /** Somebody comes between a mount's rendering and its effects: whoever subscribes by then has missed it. */
  const Comer = ({ fake, userId, channelId }: { fake: FakeGuildhall; userId: string; channelId: string }) => {
    useLayoutEffect(() => fake.join(channelId, userId), [fake, userId, channelId])
    return null
  }

  it('agree on who is there, whenever each of them came', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const peopleOf = (channelId: string) => [...(roomIn(fake.client.view().picture, channelId)?.people.keys() ?? [])]
    for (let count = AT_ONCE; count <= 5_000; count += AT_ONCE) {
      const [userId, channelId] = [`${count % 3_700}`, rooms[(count / AT_ONCE) * 7 % ROOMS]!]
      act(() => root.render(
        <GuildhallProvider client={fake.client}>
          {Array.from({ length: count }, (_, at) => <Row key={at} at={at} />)}
          <Comer key={count} fake={fake} userId={userId} channelId={channelId} />
        </GuildhallProvider>,
      ))
      if (count % 300 === 0) act(() => fake.leave(userId))
      const right = rooms.map((id) => peopleOf(id).join())
      expect(shown.filter((people, at) => people !== right[at % ROOMS])).toEqual([])
    }
    expect(shown).toHaveLength(5_000)
    expect(rooms.flatMap(peopleOf).length).toBeGreaterThan(5)
  })

  it('of selections without React agree, too', () => {
    const fake = fakeGuildhall({ guilds: house() })
    const select = ({ picture }: ReturnType<Guildhall['view']>) => roomIn(picture, '10')?.people
    const shown: unknown[] = []
    for (let at = 0; at < 5_000; at += 1) {
      if (at % 10 === 0) fake.join(rooms[at % 3]!, `${at % 7}`)
      shown[at] = select(fake.client.view())
      fake.client.select(select, (people) => (shown[at] = people))
    }
    fake.join('10', '99')
    expect(new Set(shown)).toEqual(new Set([roomIn(fake.client.view().picture, '10')?.people]))
    expect(shown.every((one) => one === shown[0])).toBe(true)
  })
})

describe('1,000 mounts', () => {
  const Everything = ({ word }: { word: string }) => {
    const people = useVoice({ guild: '1', select: (all) => all.length, equal: Object.is })
    const known = [useRoom('10'), useRooms('1'), useMember('1', '7'), useLiveStatus(), useCommand('rooms.claim')]
    useGuildhallEvent('room.created', () => {})
    useDiscordEventStream({ onVoiceJoined: () => {} })
    useSuspenseVoice({ guild: '1', room: '10' })
    return <p>{[word, people, known.length, useVoiceChannelMembers('10'), useVoiceChannelMembersFromSSE('10')].length}</p>
  }

  it('of every hook leave nothing behind, hot reloads and other clients between them, too', async () => {
    vi.useFakeTimers()
    const fakes = [fakeGuildhall({ guilds: house() }), fakeGuildhall()]
    for (let mounts = 0; mounts < 1_000; mounts += 1) {
      const { client } = fakes[mounts % 2]!
      // Another function is what a hot reload makes of a component: its state is lost, its effects are ended.
      const Reloaded = mounts % 3 === 0 ? Everything : ({ word }: { word: string }) => <Everything word={word} />
      await act(async () => root.render(within(client, <Suspense fallback="…"><Reloaded word={`${mounts}`} /></Suspense>)))
      if (mounts % 5 === 0) await act(async () => root.render(null))
    }
    await act(async () => root.render(null))
    // What suspended waits for a while: React does not tell that nobody does any more.
    await act(async () => vi.advanceTimersByTime(5_000))
    expect([fakes.map(({ readers }) => readers), vi.getTimerCount()]).toEqual([[0, 0], 0])
  })
})

describe('a component that waits', () => {
  const Page = () => <p>{`${useSuspenseVoice({ guild: '1', room: '10' })?.length}`}</p>
  const page = (client: Guildhall) => within(client, <Suspense fallback="…"><Page /></Suspense>)

  it('shows who is there as soon as that is known', async () => {
    const fake = fakeGuildhall()
    await act(async () => root.render(page(fake.client)))
    expect(place.textContent).toBe('…')
    await act(async () => fake.snapshot([guild('1', [room('10', [person('7')])])]))
    expect(place.textContent).toBe('1')
  })

  it('waits for nothing where nobody is signed in', async () => {
    const fake = fakeGuildhall()
    await act(async () => root.render(page(fake.client)))
    await act(async () => fake.signOut())
    expect(place.textContent).toBe('undefined')
  })

  it('waits on for as long as it takes, and reads nothing once it is gone', async () => {
    vi.useFakeTimers()
    const fake = fakeGuildhall()
    await act(async () => root.render(page(fake.client)))
    await act(async () => vi.advanceTimersByTime(60_000))
    expect([place.textContent, fake.readers]).toEqual(['…', 1])
    await act(async () => root.render(null))
    await act(async () => vi.advanceTimersByTime(5_000))
    expect([fake.readers, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('is left to the browser by a server that knows nothing', () => {
    const fake = fakeGuildhall()
    vi.stubGlobal('window', undefined)
    const html = renderToString(page(fake.client))
    vi.unstubAllGlobals()
    expect([html.includes('…'), fake.readers]).toEqual([true, 0])
  })
})
