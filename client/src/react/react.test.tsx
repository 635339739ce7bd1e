// @vitest-environment jsdom
import { act, StrictMode, Suspense } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Parts } from '../browser.js'
import { createWith, type Guildhall, type GuildhallOptions } from '../client.js'
import { ana, settle, TestTime } from '../environment.testing.js'
import { allWell, guild, joined, left, person, room } from '../events.testing.js'
import { fakeGuildhall } from '../testing/index.js'
import type { GuildEvent, State } from '../wire.js'
import {
  GuildhallProvider,
  useCommand,
  useDiscordEventStream,
  useLiveStatus,
  useMember,
  useRoom,
  useRooms,
  useSuspenseVoice,
  useVoice,
  useVoiceChannelMembers,
} from './index.js'

const house = [guild('1', room('10', person('7')), room('11'))]

class Source extends EventTarget {
  static all: Source[] = []
  onerror = null
  close() {
    Source.all = Source.all.filter((one) => one !== this)
  }
  constructor() {
    super()
    Source.all.push(this)
  }
  say(name: string, payload: unknown, lastEventId: string) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(payload), lastEventId }))
  }
}

let time: TestTime
let root: Root
let place: HTMLElement
let answers: (() => Response)[]

const create = (options: Partial<GuildhallOptions> = {}): Guildhall => {
  const parts: Parts = {
    now: time.now,
    random: time.random,
    after: time.after,
    online: time.online,
    fetch: async (url) =>
      url.pathname.endsWith('/me') ? Response.json({ user: ana }) : (answers.shift() ?? Response.error)(),
    newKey: () => 'key',
    report: (error) => {
      throw error
    },
    eventSource: Source as unknown as typeof EventSource,
  }
  return createWith({ url: 'https://app.test/', ...options }, parts)
}

const stream = (): Source => {
  const [only] = Source.all
  if (only === undefined) throw new Error('no stream is open')
  return only
}

let turn = 0
const say = (...events: readonly GuildEvent[]) =>
  act(async () => {
    events.forEach(({ name, data }, at) => {
      if (at === events.length - 1) turn += 1
      stream().say(name, data, `c-${turn}`)
    })
  })
const snapshot = () =>
  act(async () => stream().say('snapshot', { reason: 'no_cursor', status: allWell, guilds: house }, `c-${(turn += 1)}`))

const render = async (client: Guildhall, element: React.ReactNode) => {
  await act(async () => {
    root.render(<StrictMode><GuildhallProvider client={client}>{element}</GuildhallProvider></StrictMode>)
    await settle()
  })
}

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
  ;[time, Source.all, answers] = [new TestTime(), [], []]
  place = document.createElement('div')
  root = createRoot(place)
})
afterEach(() => act(async () => root.unmount()))

const Row = ({ channelId, seen }: { channelId: string; seen: (channelId: string) => void }) => {
  seen(channelId)
  return <li>{`${channelId}: ${useVoice({ guild: '1', room: channelId })?.map((one) => one.userId).join() ?? '?'}`}</li>
}

describe('the hooks', () => {
  it('tell what is not known from what is empty', async () => {
    const Page = () => {
      const { phase, complete } = useLiveStatus()
      const [rooms, here, where] = [useRooms('1'), useRoom('11'), useMember('1', '7')]
      const everybody = useVoice({ guild: '1' })?.length
      const named = useVoice({ guild: '1', user: '7', select: (people) => people.map((one) => one.displayName).join() })
      const words = [phase, complete, rooms?.length, here?.name, where?.channelId, everybody, named, useMember('1', '8'),
        useVoiceChannelMembers('10').length]
      return <p>{words.map(String).join(' ')}</p>
    }
    await render(create(), <Page />)
    expect(place.textContent).toBe('connecting false undefined undefined undefined undefined undefined undefined 0')
    await snapshot()
    expect(place.textContent).toBe('live true 2 Room 11 10 1 User 7 null 1')
  })

  it('share one stream, in StrictMode too, and leave none behind', async () => {
    const client = create()
    await render(client, <><Row channelId="10" seen={() => {}} /><Row channelId="11" seen={() => {}} /></>)
    expect(Source.all).toHaveLength(1)
    for (let mounts = 0; mounts < 1_000; mounts += 1) {
      await render(client, null)
      await render(client, <Row channelId="10" seen={() => {}} />)
    }
    expect(Source.all).toHaveLength(1)
    await render(client, null)
    await time.pass(1_000)
    expect([Source.all.length, time.timers]).toEqual([0, 0])
  })

  it('render one row for one person\'s change', async () => {
    const seen = vi.fn()
    await render(create(), <><Row channelId="10" seen={seen} /><Row channelId="11" seen={seen} /></>)
    await snapshot()
    seen.mockClear()
    await say(joined('1', '11', '8'))
    expect(new Set(seen.mock.calls.flat())).toEqual(new Set(['11']))
    expect(place.textContent).toBe('10: 711: 8')
    seen.mockClear()
    await snapshot()
    expect(new Set(seen.mock.calls.flat())).toEqual(new Set(['11']))
  })

  it('show a move at once: never in no room, never in two', async () => {
    const shown: string[] = []
    const Page = () => {
      const [a, b] = [useVoiceChannelMembers('10'), useVoiceChannelMembers('11')]
      shown.push(`${a.length}${b.length}`)
      return null
    }
    await render(create(), <Page />)
    await snapshot()
    await say(left('1', '10', '7'), joined('1', '11', '7'))
    expect([...new Set(shown)]).toEqual(['00', '10', '01'])
  })

  it('call for each event once, with what was rendered last', async () => {
    const heard: string[] = []
    const Page = ({ word }: { word: string }) => {
      useDiscordEventStream({ onVoiceJoined: ({ userId }) => heard.push(`${word} ${userId}`) })
      return null
    }
    const client = create()
    await render(client, <Page word="a" />)
    await snapshot()
    await render(client, <Page word="b" />)
    await say(joined('1', '11', '8'))
    expect(heard).toEqual(['b 8'])
  })

  it('suspend until something is known', async () => {
    const Page = () => <p>{useSuspenseVoice({ guild: '1', room: '10' })?.length}</p>
    await render(create(), <Suspense fallback="…"><Page /></Suspense>)
    expect(place.textContent).toBe('…')
    await snapshot()
    expect(place.textContent).toBe('1')
  })

  it('suspend no longer where what they ask for is not there', async () => {
    const { client, phase } = fakeGuildhall({ guild: '404' })
    const Page = () => <p>{String(useSuspenseVoice({ guild: '404' }))}</p>
    await render(client, <Suspense fallback="…"><Page /></Suspense>)
    expect(place.textContent).toBe('…')
    await act(async () => phase('connecting', 'not_found'))
    expect(place.textContent).toBe('undefined')
  })

  it('tell a button what its command does', async () => {
    let run: (() => Promise<unknown>) | undefined
    const Page = () => {
      const command = useCommand('rooms.claim')
      run = () => command.run({ channelId: '10' })
      return <p>{`${useLiveStatus().phase} ${command.pending} ${command.error?.code}`}</p>
    }
    await render(create(), <Page />)
    await snapshot()
    answers = [() => Response.json({ outcome: 'done' })]
    await act(async () => void (await run?.()))
    expect(place.textContent).toBe('live true undefined')
    await act(async () => {
      stream().say('checkpoint', { now: 1, settled: ['key'] }, `c-${turn}`)
      await settle()
    })
    expect(place.textContent).toBe('live false undefined')
    answers = [() => Response.json({ error: { code: 'owner_present', message: 'm' } }, { status: 409 })]
    await act(async () => void (await run?.().catch(() => {})))
    expect(place.textContent).toBe('live false owner_present')
  })

  it('show at first what the server did, and go on from there', async () => {
    const initial: State = { cursor: 'c-9', status: allWell, guilds: house }
    const page = (client: Guildhall) => (
      <GuildhallProvider client={client}><Row channelId="10" seen={() => {}} /></GuildhallProvider>
    )
    const html = renderToString(page(create({ initial })))
    expect(html).toContain('10: 7')
    await act(async () => root.unmount())
    place.innerHTML = html
    const said = vi.spyOn(console, 'error')
    await act(async () => {
      root = hydrateRoot(place, page(create({ initial })))
      await settle()
    })
    expect(said).not.toHaveBeenCalled()
    said.mockRestore()
    expect(place.textContent).toBe('10: 7')
  })
})
