/** Debian's Chromium with the page in it, and what a test may ask of both. */

import { chromium } from 'playwright-core'

const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

const WITHIN_MS = 10_000

/** Debian's Chromium, with nothing in it. */
export const launch = () => chromium.launch(LAUNCH)

/** `[name="value"]`; the value is any text. */
const attribute = (name, value) => `[${name}=${JSON.stringify(String(value))}]`

/**
 * Waits are written as selectors, which Chromium's isolated world answers: the
 * page's content security policy stays as strict as it is for users.
 */
export class Page {
  #browser
  #page
  #pageUrl
  #consoleErrors = []

  static async launch(pageUrl) {
    const browser = await launch()
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    return new Page(browser, page, pageUrl)
  }

  constructor(browser, page, pageUrl) {
    this.#browser = browser
    this.#page = page
    this.#pageUrl = pageUrl
    page.on('console', (message) => {
      if (message.type() === 'error') {
        this.#consoleErrors.push({ text: message.text(), url: message.location().url })
      }
    })
    page.on('pageerror', (error) => this.#consoleErrors.push({ text: String(error), url: page.url() }))
  }

  async open() {
    await this.#page.goto(this.#pageUrl)
    await this.#attached('[data-connection]', WITHIN_MS)
  }

  /**
   * Through the page's own link and Discord's consent page, as a person would.
   * `pick: "sim_user"` names the user in the address instead of clicking.
   */
  async signIn({ userId, pick = 'click', withinMs = WITHIN_MS }) {
    await this.#page.locator('[data-action="sign-in"]').click({ timeout: withinMs })
    await this.#page.waitForURL((url) => url.pathname.endsWith('/oauth2/authorize'), { timeout: withinMs })
    if (pick === 'sim_user') {
      const url = new URL(this.#page.url())
      url.searchParams.set('sim_user', userId)
      await this.#page.goto(url.href)
    } else {
      await this.#page.locator(`a[href$=${JSON.stringify(`sim_user=${userId}`)}]`).click({ timeout: withinMs })
    }
    await this.expectConnection({ state: 'live', withinMs })
  }

  async signOut({ withinMs = WITHIN_MS } = {}) {
    await this.#page.getByRole('button', { name: 'Sign out' }).click({ timeout: withinMs })
    await this.expectConnection({ state: 'signed-out', withinMs })
  }

  /** In this room and in no other of its guild; with `channelId: null`, nowhere on the page. */
  async expectPerson({ userId, channelId, withinMs = WITHIN_MS }) {
    const person = attribute('data-user-id', userId)
    if (channelId === null) {
      await this.#page.locator(person).first().waitFor({ state: 'detached', timeout: withinMs })
      return
    }
    const here = `${attribute('data-channel-id', channelId)} ${person}`
    await this.#attached(here, withinMs)
    const inGuild = await this.#page.locator(`[data-guild-id]:has(${here}) ${person}`).count()
    if (inGuild !== 1) throw new Error(`user ${userId} is in ${inGuild} rooms of one guild`)
  }

  async expectRoom({ channelId, shown, withinMs = WITHIN_MS }) {
    const room = this.#page.locator(attribute('data-channel-id', channelId)).first()
    await room.waitFor({ state: shown ? 'attached' : 'detached', timeout: withinMs })
  }

  /** All that is named must hold at one moment. */
  async expectConnection({ state, began, snapshots, link, discord, withinMs = WITHIN_MS }) {
    const wanted = Object.entries({ connection: state, began, snapshots, link, discord })
    const selector = wanted
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => attribute(`data-${name}`, value))
      .join('')
    if (selector === '') throw new Error('expect_connection was asked for nothing')
    await this.#attached(selector, withinMs)
  }

  /** What the page says of itself: its data attributes, its words, and who is in which room. */
  async read() {
    const data = await this.#page
      .locator('[data-connection]')
      .evaluate((element) => ({ ...element.dataset }), undefined, { timeout: WITHIN_MS })
    const rooms = await this.#page
      .locator('[data-channel-id]')
      .evaluateAll((found) =>
        Object.fromEntries(
          found.map((room) => [
            room.dataset.channelId,
            [...room.querySelectorAll('[data-user-id]')].map((person) => person.dataset.userId),
          ]),
        ),
      )
    const text = await this.#page.locator('body').innerText()
    return { url: this.#page.url(), data, rooms, text }
  }

  async screenshot({ path, width = 1280, height = 800, colorScheme = 'light', fullPage = true }) {
    await this.#page.setViewportSize({ width, height })
    await this.#page.emulateMedia({ colorScheme })
    await this.#page.screenshot({ path, fullPage, animations: 'disabled' })
  }

  /** What the console called an error since the last time it was asked. */
  consoleErrors() {
    return this.#consoleErrors.splice(0)
  }

  async close() {
    await this.#browser.close()
  }

  async #attached(selector, withinMs) {
    try {
      await this.#page.locator(selector).first().waitFor({ state: 'attached', timeout: withinMs })
    } catch (cause) {
      const { data, rooms } = await this.read().catch(() => ({ data: null, rooms: null }))
      const seen = JSON.stringify({ url: this.#page.url(), data, rooms })
      throw new Error(`nothing matched ${selector} within ${withinMs} ms; the page: ${seen}`, { cause })
    }
  }
}
