/** Many who look at the same see the same, soon. */

import { monitorEventLoopDelay } from 'node:perf_hooks'

import { createGuildhall, roomIn } from '../../../client/dist/index.js'
import { House } from './house.mjs'
import { until } from './process.mjs'
import { Visitor } from './visitor.mjs'

const STORES = 100
const CHANGES = 60
const WITHIN_MS = 500

/** Who is in the rooms, and what they are called, in one line. */
const digest = (rooms) =>
  rooms.map(({ name, people }) => `${name}: ${[...people].sort().join(' ')}`).join('; ')

const inStore = (client, rooms) => {
  const { picture } = client.view()
  return digest(rooms.map((id) => roomIn(picture, id)).map(({ name, people }) => ({ name, people: people.keys() })))
}

const inTab = async (tab, rooms) => {
  const shown = await tab.page.evaluate(
    (ids) =>
      ids.map((id) => {
        const room = document.querySelector(`[data-channel-id="${id}"]`)
        const people = [...room.querySelectorAll('[data-user-id]')].map((one) => one.dataset.userId)
        return { name: room.querySelector('.room-name').textContent, people }
      }),
    rooms,
  )
  return digest(shown)
}

const inDiscord = async (house) => {
  const [{ channels, voiceStates }] = (await house.discord('GET', '/state')).guilds
  return digest(
    house.rooms.map((id) => ({
      name: channels.find((one) => one.id === id).name,
      people: voiceStates.filter(({ channelId }) => channelId === id).map(({ userId }) => userId),
    })),
  )
}

/** Numbers from 0 to below `below`, the same each time. */
const numbers = () => {
  let state = 20_251_130
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export const agreement = {
  'a hundred stores in Node and two pages agree within 500 ms after any change': async ({ binary, browser }) => {
    const house = await House.start(binary, { more: { STREAMS_PER_USER: '300' } })
    const tabs = [
      await (await Visitor.signedIn(browser, house, house.ana)).tab(),
      await (await Visitor.signedIn(browser, house, house.ana)).tab(),
    ]
    const cookie = await house.cookieOf(house.ana)
    const { fetch } = globalThis
    // A program has no cookie jar: this is what one does.
    globalThis.fetch = (url, init) => {
      const headers = new Headers(init?.headers)
      if (String(url).startsWith(house.baseUrl)) headers.set('cookie', cookie)
      return fetch(url, { ...init, headers })
    }
    const clients = Array.from({ length: STORES }, () => createGuildhall({ url: house.baseUrl, transport: 'fetch' }))
    try {
      for (const client of clients) client.subscribe(() => undefined)
      await until('all are live', () => clients.every((client) => client.view().status.phase === 'live'))
      const draw = numbers()
      const took = []
      const delay = monitorEventLoopDelay({ resolution: 5 })
      for (let change = 0; change < CHANGES; change += 1) {
        delay.reset()
        delay.enable()
        const began = performance.now()
        if (draw(6) === 0) {
          await house.discord('PATCH', `/channels/${house.rooms[draw(2)]}`, { name: `Table ${change}` })
        } else {
          const rooms = [...house.rooms, null]
          await house.voice(house.people[draw(house.people.length)], rooms[draw(3)])
        }
        const truth = await inDiscord(house)
        await until(`all agree after change ${change}`, async () => {
          if (!clients.every((client) => inStore(client, house.rooms) === truth)) return false
          for (const tab of tabs) if ((await inTab(tab, house.rooms)) !== truth) return false
          return true
        })
        const ms = performance.now() - began
        delay.disable()
        // How late this process itself was, on a machine that others use too, is not the house's.
        const late = delay.max / 1e6
        took.push(ms)
        if (ms - late > WITHIN_MS) throw new Error(`change ${change}: ${ms} ms, of which we were late ${late} ms`)
      }
      took.sort((a, b) => a - b)
      const at = (part) => Math.round(took[Math.floor((took.length - 1) * part)])
      return `${CHANGES} changes, p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms`
    } finally {
      for (const client of clients) client.close()
      globalThis.fetch = fetch
    }
  },
}
