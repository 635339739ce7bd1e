import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ana, ben } from '../environment.testing.js'
import { guilds, shownOf, TestBrowser } from './browser.testing.js'
import { acts, calm, closeDay, day, one, play } from './days.testing.js'

const act = fc.constantFrom(...acts)
const numRuns = Number(process.env['RUNS'] ?? 60)

describe('random days of a browser', () => {
  it('are right at once, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        expect(await closeDay(new TestBrowser(seed))).toBeNull()
      }),
      { numRuns },
    )
  })

  it('have one stream, and tell each tab every change once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), fc.array(act, { maxLength: 60 }), async (seed, lossy, acts) => {
        const browser = new TestBrowser(seed)
        browser.lossy = lossy
        expect(await day(browser, acts)).toBeNull()
      }),
      { numRuns },
    )
  })

  it('have one stream of all that tabs ask for, of which each shows its own', async () => {
    const days = fc.array(fc.oneof(act, fc.constantFrom('views', 'views no more', 'forgets')), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), days, async (seed, lossy, acts) => {
        const browser = new TestBrowser(seed)
        browser.lossy = lossy
        const { server } = browser
        const open = () => {
          const guild = one(browser, [undefined, ...guilds, ...guilds])
          browser.open(guild === undefined ? {} : { guild })
        }
        open()
        await browser.drain()
        for (const what of acts) {
          const tab = one(browser, browser.living.filter((tab) => tab.state === 'awake'))
          if (what === 'views') tab?.view(one(browser, ['10', '11', '12']) ?? '')
          else if (what === 'views no more') tab?.view()
          else if (what === 'forgets') server.floor = server.head
          else await play(browser, what, open)
        }
        if (browser.living.length === 0) open()
        await calm(browser)
        const [source] = server.sources
        expect(server.sources.size).toBe(1)
        const asked = browser.living.map(({ guild }) => guild)
        if (source?.guilds.length !== 0) expect(source?.guilds).toEqual(expect.arrayContaining(asked))
        const viewed = new Set(browser.living.flatMap(({ viewed }) => viewed ?? []))
        expect(source?.viewing).toEqual([...viewed].sort())
        for (const tab of browser.living) {
          expect(tab.phase).toBe('live')
          expect(tab.shown).toEqual(shownOf(server.picture(tab.guild === undefined ? [] : [tab.guild])))
          expect(tab.told).toEqual([...new Set(tab.told)].sort((a, b) => a - b))
        }
      }),
      { numRuns },
    )
  })

  it('show each tab what it asks for, whatever another one asks for', async () => {
    const days = fc.array(fc.oneof(act, fc.constantFrom('waits', 'comes')), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.integer(), days, async (seed, acts) => {
        const browser = new TestBrowser(seed)
        const { server } = browser
        const open = () => browser.open({ guild: one(browser, ['1', '2', '404']) ?? '1' })
        open()
        await browser.drain()
        for (const what of acts) {
          if (what === 'waits') server.waiting.add('2')
          else if (what === 'comes') server.waiting.clear()
          else await play(browser, what, open)
        }
        browser.open({ guild: '1' })
        await calm(browser)
        for (const tab of browser.living) {
          if (tab.guild === '404') expect(tab.client.view().status).toMatchObject({ complete: false, reason: 'not_found' })
          else if (tab.guild === '1' || server.waiting.size === 0) {
            expect([tab.guild, tab.phase]).toEqual([tab.guild, 'live'])
            expect(tab.shown).toEqual(shownOf(server.picture([tab.guild ?? ''])))
          }
          expect(tab.told).toEqual([...new Set(tab.told)].sort((a, b) => a - b))
        }
      }),
      { numRuns },
    )
  })

  it('never show anybody what another person sees', async () => {
    const days = fc.array(fc.oneof(act, fc.constantFrom('ana', 'ben', 'nobody')), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(fc.integer(), days, async (seed, acts) => {
        const browser = new TestBrowser(seed)
        const { server } = browser
        const open = () => void browser.open()
        const check = () => {
          for (const { client } of browser.living) {
            const { picture, user } = client.view()
            for (const { name } of picture.values()) expect(name).toBe(`As ${user?.username} sees it`)
          }
        }
        open()
        for (const what of acts) {
          // Who is asked for and what is opened then are two requests: nothing comes between them here.
          await browser.drain()
          if (what === 'ana') server.signIn(ana, browser.random() < 0.7)
          else if (what === 'ben') server.signIn(ben, browser.random() < 0.7)
          else if (what === 'nobody') server.signIn(null, browser.random() < 0.7)
          else await play(browser, what, open)
          check()
        }
        await browser.drain()
        server.signIn(ana, true)
        await calm(browser)
        check()
        expect(new Set([...server.sources].map(({ user }) => user?.id)).size).toBe(server.sources.size)
        for (const { client } of browser.living) {
          if (client.view().status.phase !== 'signed-out') expect(client.view()).toMatchObject({ user: ana, status: { phase: 'live' } })
        }
      }),
      { numRuns },
    )
  })
})
