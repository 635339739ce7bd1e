import { beforeEach, describe, expect, it } from 'vitest'

import { ana } from '../environment.testing.js'
import { HIDDEN_MS } from '../page.js'
import { guilds, shownOf, type Tab, TestBrowser } from './browser.testing.js'
import { leftOf } from './days.testing.js'

let browser: TestBrowser
beforeEach(() => {
  browser = new TestBrowser()
})

const opened = async (...options: readonly Parameters<TestBrowser['open']>[0][]): Promise<readonly Tab[]> => {
  const tabs: Tab[] = []
  for (const one of options) {
    tabs.push(browser.open(one))
    await browser.drain()
  }
  return tabs
}
const streams = () => [...browser.server.sources]
/** The tab whose stream it is. */
const leader = () => streams()[0]?.tab as Tab

describe('a tab that joins', () => {
  it('shows the picture of the one that leads, without a stream and without a flash', async () => {
    await opened({})
    browser.server.happen('1')
    const tab = browser.open()
    const phases: string[] = []
    tab.client.subscribe(() => phases.push(`${tab.phase} ${tab.client.view().status.complete}`))
    await browser.pass(1_000)
    expect([...new Set(phases)]).toEqual(['connecting false', 'live true'])
    expect(tab.shown).toEqual(shownOf(browser.server.picture()))
    expect(browser.server.opened).toHaveLength(1)
    expect(tab.client.view().status).toEqual(leader().client.view().status)
  })

  it('has the stream reopened with what it asks for, and with the rooms on whose pages tabs are', async () => {
    const [, second] = await opened({ guild: '1' }, { guild: '2' })
    second?.view('20')
    await browser.drain()
    expect(browser.server.opened.at(-1)).toBe('?guild=1&guild=2&viewing=20&lastEventId=c-0')
    second?.crash()
    await browser.pass(30_000)
    expect(streams()[0]?.viewing).toEqual([])
  })

  it('stays by itself where it asks for what is not to be had', async () => {
    const [first, bad] = await opened({ guild: '1' }, { guild: '404' })
    await browser.pass(1_000)
    expect(first?.client.view().status).toMatchObject({ phase: 'live' })
    expect(bad?.client.view().status).toMatchObject({ complete: false, reason: 'not_found' })
    const [third] = await opened({ guild: '1' })
    expect(third?.phase).toBe('live')
    expect(streams().filter(({ guilds }) => guilds.includes('1'))).toHaveLength(1)
  })
})

describe('a tab by itself', () => {
  it('tells nobody what happens, and everybody once there is somebody', async () => {
    await opened({})
    await browser.pass(20_000)
    const posted = () => browser.posted.filter((is) => is === 'told').length
    const before = posted()
    browser.server.happen('1')
    await browser.drain()
    expect(posted()).toBe(before)
    const [second] = await opened({})
    browser.server.happen('1')
    await browser.pass(1_000)
    expect(second?.shown).toEqual(shownOf(browser.server.picture()))
    expect(browser.server.opened).toHaveLength(1)
  })
})

describe('a tab that asks by name for a guild that is not there', () => {
  it('stays by itself beside a tab of all guilds, and knows nothing', async () => {
    const [, bad] = await opened({}, { guild: '404' })
    await browser.pass(1_000)
    expect(bad?.client.view().status).toMatchObject({ complete: false, reason: 'not_found' })
    expect(streams()).toHaveLength(1)
  })
})

describe('tabs', () => {
  it('settle their commands by the one stream', async () => {
    const [, second] = await opened({}, {})
    let settled = false
    const answer = second?.client.rooms.claim({ channelId: '10' }, { key: 'mine' })
    await browser.drain()
    void (await answer)?.settled.then(() => {
      settled = true
    })
    browser.server.settle('other')
    await browser.drain()
    expect(settled).toBe(false)
    browser.server.settle('mine')
    await browser.drain()
    expect(settled).toBe(true)
  })

  it.each<readonly [string, Parameters<TestBrowser['open']>[0], Parameters<TestBrowser['open']>[0]]>([
    ['the servers are not the same', { url: 'https://app.test/' }, { url: 'https://app.test/hall/' }],
    ['one sends cookies to another origin', {}, { credentials: 'include' }],
    ['one does not want to share', {}, { share: false }],
  ])('share nothing where %s', async (_why, one, other) => {
    await opened(one, other, other)
    expect(streams().length).toBeGreaterThanOrEqual(2)
    expect(new Set(streams().map(({ tab }) => tab)).size).toBe(streams().length)
  })

  it('have a stream each where there are no locks, or where they are forbidden', async () => {
    for (const locks of ['none', 'forbidden'] as const) {
      browser = new TestBrowser()
      browser.locking = locks
      const tabs = await opened({}, {})
      expect(streams()).toHaveLength(2)
      expect(tabs.map(({ phase }) => phase)).toEqual(['live', 'live'])
    }
  })

  it('go on at once when the leader closes or crashes, and in 20 s when it freezes; thawed, it follows', async () => {
    await opened({}, {}, {}, {})
    for (const end of ['close', 'crash', 'freeze'] as const) {
      const old = leader()
      old[end]()
      await browser.pass(end === 'freeze' ? 20_000 : 0)
      const next = streams().find(({ tab }) => tab !== old)?.tab
      expect(next?.phase).toBe('live')
      expect(browser.server.opened.at(-1)).toMatch(/lastEventId/)
      old.thaw()
      await browser.drain()
      expect(streams()).toHaveLength(1)
      browser.server.happen()
      await browser.drain()
      for (const tab of browser.living) expect(tab.told.at(-1)).toBe(browser.server.head)
    }
  })

  it('hand over when the leader is hidden for five minutes; it is back at once', async () => {
    const [first, second] = await opened({}, {})
    first?.hide(true)
    for (let passed = 0; passed <= HIDDEN_MS; passed += 15_000) {
      await browser.pass(15_000)
      browser.server.checkpoint()
      browser.server.happen()
    }
    expect(leader()).toBe(second)
    expect(streams()).toHaveLength(1)
    first?.hide(false)
    await browser.drain()
    expect(first?.phase).toBe('live')
    expect(first?.told).toEqual(second?.told)
    expect(streams()).toHaveLength(1)
  })

  it('are all signed out with the one that leads', async () => {
    const tabs = await opened({}, {})
    browser.server.signIn(null, true)
    await browser.drain()
    for (const tab of tabs) {
      expect(tab.client.view()).toMatchObject({ user: null, status: { phase: 'signed-out', complete: false } })
    }
    expect(browser.channels.size).toBe(0)
  })

  it('that followed are signed in again when they ask', async () => {
    const tabs = await opened({}, {})
    browser.server.signIn(null, true)
    await browser.drain()
    browser.server.signIn(ana, false)
    const asked = Promise.all(tabs.map(({ client }) => client.refresh()))
    await browser.pass(1_000)
    await asked
    expect(tabs.map(({ phase }) => phase)).toEqual(['live', 'live'])
    expect(streams()).toHaveLength(1)
  })

  it('leave nothing behind after a thousand openings, closings and changes of the leader', async () => {
    await opened({}, {})
    for (let count = 0; count < 1_000; count += 1) {
      const [tab] = await opened({ guild: guilds[count % 3] ?? '1' })
      tab?.view('10')
      const victim = count % 2 === 0 ? leader() : (tab as Tab)
      const way = Math.floor(count / 2) % 4
      if (way === 0) victim.close()
      if (way === 1) victim.client.close()
      if (way === 2) victim.unmount()
      if (way === 3) victim.crash()
      await browser.pass(1_100)
      expect(streams()).toHaveLength(1)
      const kept = way === 1 || way === 2 ? victim.timers : 0
      victim.crash()
      expect([kept, browser.channels.size, browser.locks]).toEqual([0, 2, { held: 1, waiting: 1 }])
      browser.tabs.splice(0, browser.tabs.length, ...browser.living)
    }
    expect(await leftOf(browser)).toBeNull()
  })
})
