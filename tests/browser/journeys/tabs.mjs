/** Several tabs of one browser: one stream for all, whatever becomes of the tab that has it. */

import { House } from './house.mjs'
import { until } from './process.mjs'
import { clientPage } from './served.mjs'
import { Visitor } from './visitor.mjs'

const oneStream = (house) => until('web counts one stream', async () => (await house.openStreams()) === 1)

export const tabs = {
  'three tabs share one stream, also when the tab that has it crashes': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const [person, other] = house.people
    const [room, next] = house.rooms
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const open = [await visitor.tab(), await visitor.tab(), await visitor.tab()]
    await oneStream(house)
    await house.voice(person, room)
    for (const tab of open) await tab.sees(person, room)
    // Whichever of them has the stream: at the end there is one left.
    for (const [channelId, who] of [[next, person], [room, other]]) {
      await open.shift().crash()
      await house.voice(who, channelId)
      for (const tab of open) {
        await tab.sees(who, channelId)
        await tab.shows({ state: 'live' })
      }
      await oneStream(house)
    }
  },

  'the tab that has the stream is frozen: another takes over, and the thawed one obeys': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const [person] = house.people
    const [room, next] = house.rooms
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const first = await visitor.tab()
    const second = await visitor.tab()
    await oneStream(house)
    const thaw = await first.freeze()
    await house.voice(person, room)
    await second.view.expectPerson({ userId: person, channelId: room, withinMs: 60_000 })
    await second.shows({ state: 'live' })
    await thaw()
    await first.sees(person, room)
    await oneStream(house)
    await house.voice(person, next)
    for (const tab of [first, second]) {
      await tab.sees(person, next)
      await tab.shows({ state: 'live' })
    }
  },

  'stamps across the death of the tab that has the stream reach every tab once, in order': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const script = `
      import { createGuildhall } from '@guildhall/client'
      const client = createGuildhall({ url: '/' })
      globalThis.stamps = []
      client.on('voice.updated', ({ username }) => stamps.push(username))
      client.subscribe(() => (document.body.dataset.phase = client.view().status.phase))`
    const pages = []
    for (const _ of [1, 2, 3, 4]) {
      const page = await clientPage(visitor, script)
      await page.locator('[data-phase=live]').waitFor({ state: 'attached' })
      pages.push(page)
    }
    await oneStream(house)
    const sent = []
    const stamp = async () => {
      sent.push(`stamp-${sent.length}`)
      await house.discord('POST', '/stamp', { guildId: house.guild, stamp: sent.at(-1) })
    }
    const stamps = (page) => page.evaluate(() => globalThis.stamps)
    const allHave = (least) =>
      until(`${least} stamps everywhere`, async () => {
        for (const page of pages) if ((await stamps(page)).length < least) return false
        return true
      })
    // Twice: whoever has the stream dies while stamps come, without a pause before or behind it.
    for (let death = 0; death < 2; death += 1) {
      for (let count = 0; count < 50; count += 1) await stamp()
      await allHave(1)
      const session = await visitor.context.newCDPSession(pages[0])
      const crashed = new Promise((done) => pages[0].once('crash', done))
      session.send('Page.crash').catch(() => undefined)
      for (let count = 0; count < 50; count += 1) await stamp()
      await crashed
      pages.shift()
    }
    await allHave(sent.length)
    for (const page of pages) {
      const heard = await stamps(page)
      if (heard.join() !== sent.join()) throw new Error(`sent ${sent.length}, heard ${heard.length}: ${heard}`)
    }
    await oneStream(house)
    return `${sent.length} stamps, ${pages.length} tabs left of 4`
  },
}
