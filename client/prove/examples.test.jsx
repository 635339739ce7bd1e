// @vitest-environment jsdom
/** Every example that says what it shows, shows that: components in a house of the pages', programs by what they print. */

import { format } from 'node:util'

import * as hooks from '@guildhall/client/react'
import { fakeGuildhall, guild, person, room } from '@guildhall/client/testing'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, describe, expect, it, vi } from 'vitest'

import examples from '../.examples/list.json'

const modules = import.meta.glob('../.examples/*.{ts,tsx}', { exhaustive: true })
const load = (file) => modules[`../.examples/${file}`]()

const [GUILD, LOUNGE, DEN, ANA, BEN] = ['613425648685547540', '613425648685547601', '613425648685547602', '80351110224678912', '80351110224678913']
const ben = person(BEN, { displayName: 'Ben' })
const house = () => {
  const lounge = room(LOUNGE, [person(ANA, { displayName: 'Ana' })], { name: 'Lounge', position: 0 })
  return [guild(GUILD, [lounge, room(DEN, [], { name: 'Den', position: 1 })], { name: 'The Hall' })]
}
const allWell = { discord: 'live', link: 'up', since: 1 }

afterEach(() => vi.unstubAllGlobals())

const shown = examples.filter(({ shows }) => shows[0]?.kind === 'html')
describe('a component of the pages', () => {
  /** What happens before each block, by the words behind its fence. */
  const happen = (fake, place) => {
    let done = () => {}
    return {
      '': () => {},
      'ben came': () => fake.join(LOUNGE, ben),
      'signed out': () => fake.signOut(),
      'stream broke': () => fake.phase('stale', 'broken'),
      clicked: () => {
        fake.answer('rooms.lock', () => ({ outcome: 'done', settled: new Promise((settled) => (done = settled)) }))
        place.querySelector('button').click()
      },
      done: () => {
        fake.updateRoom(LOUNGE, { locked: true })
        done()
      },
    }
  }

  it.each(shown)('$file shows what its page says', async ({ file, shows }) => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
    const fake = fakeGuildhall({ guilds: house() })
    const { Example } = await load(file)
    const place = document.createElement('div')
    const root = createRoot(place)
    await act(async () => root.render(<hooks.GuildhallProvider client={fake.client}><Example /></hooks.GuildhallProvider>))
    const acts = happen(fake, place)
    for (const { word, body } of shows) {
      await act(async () => acts[word]())
      expect(place.innerHTML).toBe(body.trim())
    }
    await act(async () => root.unmount())
    expect(fake.readers).toBe(0)
  })

  it('is on a page for each hook', () => {
    const named = Object.keys(hooks).filter((name) => !['useGuildhall', 'useVoiceChannelMembersFromSSE'].includes(name))
    expect(shown.map(({ page }) => page).sort()).toEqual(named.sort())
  })
})

describe('a program of the pages', () => {
  /** A server with the house in it: its stream tells of Ana, and then of Ben, who comes. */
  class Source extends EventTarget {
    onerror = null
    close() {}
    constructor() {
      super()
      const say = (name, payload, lastEventId) => this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(payload), lastEventId }))
      queueMicrotask(() => {
        say('snapshot', { reason: 'no_cursor', status: allWell, guilds: house() }, 'c-1')
        say('voice.joined', { guildId: GUILD, ts: 1, ...ben, channelId: LOUNGE }, 'c-2')
      })
    }
  }
  const answer = async (url) =>
    Response.json(`${url}`.includes('/api/state') ? { cursor: 'c-1', status: allWell, guilds: house() } : { user: { id: ANA, username: 'ana', displayName: 'Ana', avatarUrl: '' } })

  it.each(examples.filter(({ shows }) => shows[0]?.kind === 'text'))('$file prints what its page says', async ({ file, shows }) => {
    const lines = []
    vi.stubGlobal('EventSource', Source)
    vi.stubGlobal('fetch', answer)
    vi.stubGlobal('console', { ...console, log: (...words) => lines.push(format(...words)) })
    await load(file)
    await expect.poll(() => lines.join('\n')).toBe(shows[0].body.trimEnd())
  })
})
