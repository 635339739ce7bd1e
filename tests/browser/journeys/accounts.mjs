/** Whose page it is changes, or it is nobody's any more. */

import { House } from './house.mjs'
import { until } from './process.mjs'
import { Proxy } from './proxy.mjs'
import { clientPage } from './served.mjs'
import { Visitor } from './visitor.mjs'

const signedInAs = (tab) => tab.page.locator('.who').getAttribute('title', { timeout: 1_000 })

export const accounts = {
  'another account in the second tab: no tab shows what was the first one\'s': async ({ binary, browser }) => {
    const proxy = await Proxy.start()
    const house = await House.start(binary, { baseUrl: () => proxy.url })
    proxy.to(house.webPort)
    const { users } = await house.discord('GET', '/state')
    const nameOf = (id) => users.find((user) => user.id === id).username
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const first = await visitor.tab()
    await until('it is ana\'s', async () => (await signedInAs(first)).endsWith(` ${nameOf(house.ana)}`))
    // Ana's session goes on; the browser has another cookie now.
    await visitor.becomes(house.ben)
    const second = await visitor.tab()
    await until('the second is ben\'s', async () => (await signedInAs(second)).endsWith(` ${nameOf(house.ben)}`))
    proxy.cuts()
    await until('the first is ben\'s', async () => (await signedInAs(first)).endsWith(` ${nameOf(house.ben)}`))
    await first.shows({ state: 'live' })
    await until('nobody else has a stream', async () => {
      const { people } = await house.streams()
      return people.length === 1 && people[0].userId === house.ben
    })
  },

  'the browser is another person\'s when somebody looks again: so is the tab, and what it commands': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const page = await clientPage(visitor, `
      import { createGuildhall } from '@guildhall/client'
      globalThis.client = createGuildhall({ url: '/' })
      client.subscribe(() => {})`)
    const shows = (id) => until(`it is ${id}'s`, () => page.evaluate((user) => {
      const { user: shown, status } = globalThis.client.view()
      return shown?.id === user && status.phase === 'live'
    }, id))
    await shows(house.ana)
    await visitor.becomes(house.ben)
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await shows(house.ben)
    await until('nobody else has a stream', async () => {
      const { people } = await house.streams()
      return people.length === 1 && people[0].userId === house.ben
    })
  },

  'signed out everywhere: every browser of that person, and nobody else': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const [desk, phone] = [await Visitor.signedIn(browser, house, house.ana), await Visitor.signedIn(browser, house, house.ana)]
    const other = await (await Visitor.signedIn(browser, house, house.ben)).tab()
    const tabs = [await desk.tab(), await desk.tab(), await phone.tab()]
    const answer = await fetch(new URL('auth/logout', house.baseUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: new URL(house.baseUrl).origin, cookie: desk.cookie },
      body: '{"everywhere":true}',
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    for (const tab of tabs) {
      await tab.shows({ state: 'signed-out' })
      const { rooms } = await tab.view.read()
      if (Object.keys(rooms).length > 0) throw new Error('a room is still shown')
    }
    await until('only the other\'s stream is open', async () => {
      const { people } = await house.streams()
      return people.length === 1 && people[0].userId === house.ben
    })
    await house.voice(house.people[0], house.rooms[0])
    await other.sees(house.people[0], house.rooms[0])
  },
}
