/** What is behind the page, or the page itself, fails and comes back. */

import { launch } from '../browser.mjs'
import { House } from './house.mjs'
import { atEnd, until } from './process.mjs'
import { Proxy } from './proxy.mjs'
import { Visitor } from './visitor.mjs'

export const outages = {
  'the gateway is killed in the middle: stale, then live and right': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const [person, other] = house.people
    const [first, second] = house.rooms
    await house.voice(person, first)
    await house.voice(other, first)
    const tab = await (await Visitor.signedIn(browser, house, house.ana)).tab()
    await tab.sees(person, first)
    await house.gateway.end('SIGKILL')
    await tab.shows({ state: 'live', link: 'down' })
    if (!(await tab.words()).includes('may be out of date')) throw new Error(`it does not say so: ${await tab.words()}`)
    await tab.sees(person, first)
    await house.voice(person, second)
    await house.voice(other, null)
    house.startGateway()
    await tab.shows({ state: 'live', link: 'up', discord: 'live' })
    await tab.sees(person, second)
    await tab.sees(other, null)
  },

  'a proxy answers 502 for five seconds: live again, at its cursor': async ({ binary, browser }) => {
    const proxy = await Proxy.start()
    const house = await House.start(binary, { baseUrl: () => proxy.url })
    proxy.to(house.webPort)
    const [person] = house.people
    const [room] = house.rooms
    const tab = await (await Visitor.signedIn(browser, house, house.ana)).tab()
    await tab.shows({ state: 'live', began: 'snapshot', snapshots: 1 })
    proxy.breaks()
    const brokenAt = performance.now()
    await tab.shows({ state: 'reconnecting' })
    await house.voice(person, room)
    await until('it is refused again and again, for five seconds', () => proxy.refused > 1 && performance.now() > brokenAt + 5_000)
    if (!(await tab.words()).includes('does not answer')) throw new Error(await tab.words())
    proxy.mends()
    await tab.shows({ state: 'live', began: 'resumed', snapshots: 1 })
    await tab.sees(person, room)
  },

  'a tab alone is frozen and thawed: right again': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const [person, other] = house.people
    const [room, next] = house.rooms
    await house.voice(person, room)
    const tab = await (await Visitor.signedIn(browser, house, house.ana)).tab()
    await tab.sees(person, room)
    const thaw = await tab.freeze()
    await house.voice(person, next)
    await house.voice(other, room)
    await thaw()
    await tab.sees(person, next)
    await tab.sees(other, room)
    await tab.shows({ state: 'live' })
    await until('web counts one stream', async () => (await house.openStreams()) === 1)
  },

  'a page in the page cache holds no stream, and goes on where it was': async ({ binary }) => {
    // Playwright switches the cache off.
    const browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
    atEnd(() => browser.close())
    const house = await House.start(binary)
    const [person] = house.people
    const [room] = house.rooms
    const tab = await (await Visitor.signedIn(browser, house, house.ana)).tab()
    await tab.page.evaluate(() => addEventListener('pageshow', ({ persisted }) => (globalThis.wasKept = persisted)))
    await tab.page.goto(new URL('api/health', house.baseUrl).href)
    await until('web counts no stream', async () => (await house.openStreams()) === 0)
    await house.voice(person, room)
    await tab.page.goBack({ waitUntil: 'commit' })
    await tab.sees(person, room)
    await tab.shows({ state: 'live', began: 'resumed', snapshots: 1 })
    if (!(await tab.page.evaluate(() => globalThis.wasKept))) throw new Error('it was loaded anew')
  },
}
