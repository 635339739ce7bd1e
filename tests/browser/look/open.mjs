/** Brings the page into a state, in a browser of its own person. */

import { FakeServer } from '../fake-server.mjs'
import { states } from './states.mjs'
import { me } from './worlds.mjs'

const WITHIN_MS = 20_000

/** Answers the page and what ends it. Fonts and pictures are there, nothing moves. */
export const openState = async (browser, name, { width, height, colorScheme }) => {
  const { world, path = '', stranger = false, before, act, waits, locale = 'en-GB' } = states[name]
  const server = new FakeServer({ snapshot: world, people: [me] })
  server.me = me.id
  before?.(server)
  await server.start()
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    locale,
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  context.setDefaultTimeout(WITHIN_MS)
  const url = new URL(server.pageUrl)
  if (!stranger) await context.addCookies([{ name: 'guildhall', value: me.id, domain: url.hostname, path: '/' }])
  const page = await context.newPage()
  const wrong = []
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('console', (message) => {
    // What the state itself refuses or cuts is said by Chromium.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text())
  })
  await page.goto(new URL(path, url).href)
  await act?.(page, server)
  await page.locator(waits).first().waitFor()
  await page.evaluate(async () => {
    await document.fonts.ready
    const shown = [...document.images].filter((image) => image.loading !== 'lazy' || image.getBoundingClientRect().top < innerHeight)
    await Promise.all(shown.map((image) => image.decode().catch(() => undefined)))
  })
  const end = async () => {
    await context.close()
    await server.kill().catch(() => undefined)
  }
  return { page, wrong, end }
}
