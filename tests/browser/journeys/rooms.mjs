/** Two people, each with a browser of their own: a room is made, shared, filled, and left. */

import { House } from './house.mjs'
import { until } from './process.mjs'
import { Visitor } from './visitor.mjs'

/** From the news that somebody left until they are told so. */
const DIALOG_WITHIN_MS = 100

const peopleIn = (tab, channelId) =>
  tab.page.evaluate(
    (id) => [...document.querySelectorAll(`[data-channel-id="${id}"] [data-user-id]`)].map((one) => one.dataset.userId).sort(),
    channelId,
  )

/** Both pages say the same of a room, and it is this. */
const bothSee = (tabs, channelId, people) =>
  until(`both see ${people.length} in the room`, async () => {
    const wanted = [...people].sort().join()
    for (const tab of tabs) if ((await peopleIn(tab, channelId)).join() !== wanted) return false
    return true
  })

/** Ana has a room with a link into it, and Ben has come by it. */
const shared = async (binary, browser) => {
  const house = await House.start(binary)
  const ana = await (await Visitor.signedIn(browser, house, house.ana)).tab()
  const { channelId } = await ana.view.createRoom({ guildId: house.guild, name: 'Den', withinMs: 30_000 })
  const { address } = await ana.view.invite({ channelId, withinMs: 30_000 })
  const guest = await Visitor.signedIn(browser, house, house.ben)
  const ben = await guest.tab()
  await ben.page.goto(address)
  await ben.view.press({ action: 'join', withinMs: 30_000 })
  await ben.view.expectRoom({ channelId, shown: true, withinMs: 30_000 })
  return { house, channelId, address, ana, ben }
}

/** The time between the event in the page's own stream and the dialog on its screen, as the page itself measures. */
const dialogDelay = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => {
        let heard
        const listen = EventSource.prototype.addEventListener
        globalThis.heardLeft = (at) => (heard ??= at)
        const seen = new MutationObserver(() => {
          if (document.querySelector('dialog[data-dialog=dropout][open]') === null || heard === undefined) return
          seen.disconnect()
          EventSource.prototype.addEventListener = listen
          done(performance.now() - heard)
        })
        seen.observe(document, { subtree: true, childList: true, attributes: true })
        globalThis.dialogIsAwaited = true
      }),
  )

/** Tells when `voice.left` is in the page: before the page's own listeners hear of it. */
const hearsLeft = (context) =>
  context.addInitScript(() => {
    const Real = globalThis.EventSource
    globalThis.EventSource = class extends Real {
      constructor(...given) {
        super(...given)
        this.addEventListener('voice.left', () => globalThis.heardLeft?.(performance.now()))
      }
    }
  })

export const rooms = {
  'two people: a room is made, a link is sent, and both lists agree': async ({ binary, browser }) => {
    const { house, channelId, ana, ben } = await shared(binary, browser)
    const tabs = [ana, ben]
    await bothSee(tabs, channelId, [])
    await house.voice(house.ana, channelId)
    // Ben comes in as soon as he is in voice: the link has let him in.
    await house.voice(house.ben, house.rooms[0])
    await bothSee(tabs, channelId, [house.ana, house.ben])
    await house.voice(house.ana, null)
    await bothSee(tabs, channelId, [house.ben])
    // The owner's tools are on the owner's page alone.
    for (const [tab, count] of [[ana, 1], [ben, 0]]) {
      const found = await tab.page.locator('[data-action=close]').count()
      if (found !== count) throw new Error(`${found} tools where ${count} were to be`)
    }
  },

  'whoever is moved out of the room is told so within 100 ms, and is not brought back': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    await hearsLeft(visitor.context)
    const tab = await visitor.tab()
    const [room, other] = house.rooms
    const took = []
    // Taken out altogether from the lobby; moved elsewhere from the page of the room that they are in.
    for (const [opens, to] of [[false, null], [true, other], [true, null], [true, null], [true, other]]) {
      await house.voice(house.ana, room)
      await tab.sees(house.ana, room)
      if (opens) await tab.view.openRoom({ channelId: room, withinMs: 30_000 })
      const delay = dialogDelay(tab.page)
      await until('the page listens', () => tab.page.evaluate(() => globalThis.dialogIsAwaited === true))
      await house.voice(house.ana, to)
      took.push(await delay)
      await tab.page.evaluate(() => delete globalThis.dialogIsAwaited)
      const dialog = tab.page.locator('[data-dialog=dropout]')
      const href = await dialog.locator('[data-action=rejoin]').getAttribute('href')
      if (!href.endsWith(`/channels/${house.guild}/${room}`)) throw new Error(`it leads to ${href}`)
      const [{ voiceStates }] = (await house.discord('GET', '/state')).guilds
      const now = voiceStates.find(({ userId }) => userId === house.ana)?.channelId ?? null
      if (now !== to) throw new Error(`they are in ${now}`)
      await dialog.locator('[data-action=stay-out]').click()
      await dialog.waitFor({ state: 'detached' })
    }
    // The machine has others to serve: one of them may be late by that, not the most.
    const [, , median] = took.toSorted((a, b) => a - b)
    const said = took.map((ms) => Math.round(ms)).join(', ')
    if (median > DIALOG_WITHIN_MS) throw new Error(`the dialog took ${said} ms`)
    return `${said} ms`
  },

  'a link for one lets nobody in but the first, and the page says why': async ({ binary, browser }) => {
    const house = await House.start(binary)
    const ana = await (await Visitor.signedIn(browser, house, house.ana)).tab()
    const { channelId } = await ana.view.createRoom({ guildId: house.guild, name: 'Den', withinMs: 30_000 })
    // The page's own links are for everybody; this one is asked for as any app would.
    const url = await ana.page.evaluate(async (id) => {
      const body = JSON.stringify({ channelId: id, singleUse: true })
      const answer = await fetch('/api/rpc/createInvite', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return (await answer.json()).url
    }, channelId)
    const [ben, carl] = [house.ben, house.people[0]]
    for (const [userId, isLetIn] of [[ben, true], [carl, false]]) {
      const tab = await (await Visitor.signedIn(browser, house, userId)).tab()
      await tab.page.goto(url)
      await tab.view.press({ action: 'join', withinMs: 30_000 })
      if (isLetIn) await tab.view.expectRoom({ channelId, shown: true, withinMs: 30_000 })
      else {
        await tab.page.locator('[role=alert][data-code=no_seats_left]').waitFor({ timeout: 30_000 })
        await tab.view.expectRoom({ channelId, shown: false })
        if (await tab.page.locator('[data-action=join]').count()) throw new Error('it can be pressed once more')
      }
    }
  },

  'the gateway is killed in the middle: both pages say so, keep what they have, and agree again': async ({ binary, browser }) => {
    const { house, channelId, ana, ben } = await shared(binary, browser)
    await house.voice(house.ana, channelId)
    await bothSee([ana, ben], channelId, [house.ana])
    await house.gateway.end('SIGKILL')
    for (const tab of [ana, ben]) await tab.shows({ state: 'live', link: 'down' })
    await bothSee([ana, ben], channelId, [house.ana])
    for (const tab of [ana, ben]) {
      const said = await tab.page.locator('.connection').innerText()
      if (!said.includes('out of date')) throw new Error(`it says ${said}`)
    }
    // Meanwhile things go on in Discord.
    await house.voice(house.ana, null)
    house.startGateway()
    await house.ready()
    for (const tab of [ana, ben]) await tab.shows({ state: 'live', link: 'up', discord: 'live' })
    await bothSee([ana, ben], channelId, [])
    await house.voice(house.ben, channelId)
    await bothSee([ana, ben], channelId, [house.ben])
  },
}
