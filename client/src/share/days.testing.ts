/** Days of a browser, act by act, and what must be so at their end. */

import type { TestBrowser } from './browser.testing.js'
import { shownOf } from './browser.testing.js'

export const acts = [
  'happens', 'happens', 'happens', 'opens', 'closes', 'crashes', 'freezes', 'thaws', 'cut', 'down', 'up', 'checkpoint',
  'hides', 'shows', 'caches', 'returns', 'second', 'minute', 'burst',
] as const

export const one = <Value>({ random }: { readonly random: () => number }, of: readonly Value[]): Value | undefined => of[Math.floor(random() * of.length)]

export const play = async (browser: TestBrowser, what: string, open: () => void): Promise<void> => {
  const { server } = browser
  const awake = browser.living.filter((tab) => tab.state === 'awake')
  const tab = one(browser, awake)
  switch (what) {
    case 'happens':
      server.happen()
      break
    case 'burst':
      for (let count = 0; count < 4; count += 1) server.happen()
      return
    case 'opens':
      if (browser.living.length < 5) open()
      break
    case 'closes':
      tab?.close()
      break
    case 'crashes':
      one(browser, browser.living)?.crash()
      break
    case 'freezes':
      tab?.freeze()
      break
    case 'thaws':
      one(browser, browser.living.filter((one) => one.state === 'frozen'))?.thaw()
      break
    case 'cut':
      server.cut()
      break
    case 'down':
      server.down = true
      server.cut()
      break
    case 'up':
      server.down = false
      break
    case 'checkpoint':
      server.checkpoint()
      break
    case 'hides':
    case 'shows':
      tab?.hide(what === 'hides')
      break
    case 'caches':
    case 'returns':
      tab?.cache(what === 'caches')
      break
    default:
      await browser.pass(what === 'second' ? 1_000 : 60_000)
  }
  if (browser.random() < 0.7) await browser.drain()
}

/** Everything that sleeps wakes up, and time passes. */
export const calm = async (browser: TestBrowser): Promise<void> => {
  browser.server.down = false
  for (const tab of browser.living) {
    tab.thaw()
    tab.hide(false)
    tab.cache(false)
  }
  for (let waited = 0; waited < 12; waited += 1) {
    await browser.pass(10_000)
    browser.server.checkpoint()
  }
  browser.server.happen()
  await browser.pass(100)
}

/** What is wrong among the tabs that somebody may look at, which all asked for the same; null: nothing. */
export const faultOf = ({ server, living, faults }: TestBrowser): string | null => {
  if (faults[0] !== undefined) return faults[0]
  const tabs = living.filter((tab) => tab.state === 'awake' && !tab.isCached)
  const [source, ...more] = [...server.sources].filter((one) => one.tab.state === 'awake')
  if (more.length > 0) return `${more.length + 1} streams`
  if ((source === undefined) !== (tabs.length === 0)) return source === undefined ? 'no stream' : 'a stream for nobody'
  const wanted = JSON.stringify(shownOf(server.picture()))
  const status = JSON.stringify(tabs[0]?.client.view().status)
  for (const { phase, shown, told, client } of tabs) {
    if (phase !== 'live') return `${phase}, not live`
    if (JSON.stringify(client.view().status) !== status) return 'tabs do not say the same of how fresh it is'
    if (JSON.stringify(shown) !== wanted) return 'a picture that is not the server\'s'
    const gap = told.findIndex((number, at) => at > 0 && number !== (told[at - 1] ?? 0) + 1)
    if (gap > 0) return `told ${told[gap - 1]}, then ${told[gap]}`
    if (told.at(-1) !== server.head) return `told no more than ${told.at(-1)} of ${server.head}`
  }
  return null
}

/** What is left when nobody reads any more; null: nothing. */
export const leftOf = async (browser: TestBrowser): Promise<string | null> => {
  for (const tab of browser.living) tab.unmount()
  await browser.pass(2_000)
  const timers = browser.living.reduce((sum, tab) => sum + tab.timers, 0)
  const left = { ...browser.locks, timers, channels: browser.channels.size, streams: browser.server.sources.size }
  return Object.values(left).some((count) => count > 0) ? `left: ${JSON.stringify(left)}` : null
}

/** A day of three tabs at first, on which this happens, quickly; wrong is only what does not mend itself. */
export const day = async (browser: TestBrowser, what: readonly string[]): Promise<string | null> => {
  const open = () => void browser.open()
  for (let count = 0; count < 3; count += 1) open()
  await browser.drain()
  for (const act of what) await play(browser, act, open)
  if (browser.living.length === 0) open()
  await calm(browser)
  return faultOf(browser) ?? leftOf(browser)
}

/** A day on which each act is followed by a look: all must be right at once, or within 20 s
 * of a tab that freezes and a beat of one that thaws. */
export const closeDay = async (browser: TestBrowser): Promise<string | null> => {
  const { server } = browser
  const look = async (after: string): Promise<string | null> => {
    await browser.drain()
    server.happen()
    await browser.drain()
    const fault = faultOf(browser)
    return fault === null ? null : `${after}: ${fault}`
  }
  for (let count = 0; count < 14; count += 1) {
    const tabs = browser.living.filter((tab) => !tab.isCached)
    const [act = ''] = tabs.length < 2 ? ['opens'] : [one(browser, ['opens', 'closes', 'crashes', 'caches', 'freezes', 'views', 'time'])]
    const leader = [...server.sources][0]?.tab
    const tab = browser.random() < 0.6 && leader !== undefined ? leader : one(browser, tabs)
    if (act === 'opens' && tabs.length < 5) browser.open().view(one(browser, ['10', '11', '12']))
    if (act === 'closes') tab?.close()
    if (act === 'crashes') tab?.crash()
    if (act === 'caches') tab?.cache(true)
    if (act === 'time') await browser.pass(30_000)
    if (act === 'views') tab?.view(one(browser, ['10', '11', '12']))
    if (act === 'freezes') {
      tab?.freeze()
      // A new tab may lead next, with no more than a picture: who comes out of the cache would be told that.
      const away = browser.living.some((one) => one.isCached)
      if (!away && browser.random() < 0.5) browser.open()
      await browser.pass(20_000)
    }
    const fault = await look(act)
    if (fault !== null) return fault
    for (const asleep of browser.living) {
      asleep.thaw()
      if (asleep.isCached && browser.random() < 0.5) asleep.cache(false)
    }
    // A tab may have asked one that did not know yet that it leads no more: the next beat tells.
    if (act === 'freezes') await browser.pass(7_000)
    const again = await look(`${act}, and back`)
    if (again !== null) return again
    if (act !== 'time') continue
    const viewed = [...new Set(browser.living.flatMap((one) => (one.isCached ? [] : (one.viewed ?? []))))].sort().join()
    const told = [...server.sources][0]?.viewing.join() ?? ''
    if (viewed !== told) return `viewing ${told} instead of ${viewed}`
  }
  return leftOf(browser)
}
