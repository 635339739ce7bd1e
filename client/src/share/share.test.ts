import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { shownOf, type Tab, TestBrowser } from './browser.testing.js'

/** Each number once, in order, up to the last of all. */
const gaps = (told: readonly number[]): readonly string[] =>
  told.flatMap((number, at) => (at === 0 || number === (told[at - 1] ?? 0) + 1 ? [] : [`${told[at - 1]} then ${number}`]))

const act = fc.constantFrom(
  'happens', 'happens', 'happens', 'opens', 'closes', 'crashes', 'freezes', 'thaws', 'cut', 'down', 'up', 'checkpoint',
  'hides', 'shows', 'caches', 'returns', 'second', 'minute', 'burst',
)

const one = (browser: TestBrowser, tabs: readonly Tab[]): Tab | undefined => tabs[Math.floor(browser.random() * tabs.length)]

const play = async (browser: TestBrowser, what: string, open: () => void): Promise<void> => {
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

const calm = async (browser: TestBrowser): Promise<void> => {
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

describe('random days of a browser', () => {
  it('have one stream, and tell each tab every change once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), fc.array(act, { maxLength: 60 }), async (seed, lossy, acts) => {
        const browser = new TestBrowser(seed)
        browser.lossy = lossy
        const open = () => browser.open()
        for (let count = 0; count < 3; count += 1) open()
        await browser.drain()
        for (const what of acts) await play(browser, what, open)
        if (browser.living.length === 0) open()
        await calm(browser)
        const { server } = browser
        expect(server.sources.size).toBe(1)
        for (const tab of browser.living) {
          expect(tab.phase).toBe('live')
          expect(tab.shown).toEqual(shownOf(server.picture()))
          expect(gaps(tab.told)).toEqual([])
          expect(tab.told.at(-1)).toBe(server.head)
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 100) },
    )
  })
})
