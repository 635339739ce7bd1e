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

/** Debian's Chromium, with nothing in it; `more`: further options of Playwright's. */
export const launch = (more = {}) => chromium.launch({ ...LAUNCH, ...more })

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
  #requests = []

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
    page.on('request', (request) => this.#requests.push(request))
    page.on('pageerror', (error) => this.#consoleErrors.push({ text: String(error), url: page.url() }))
  }

  /** The page, or the one at `path` below it, such as that of an invite. */
  async open({ path = '' } = {}) {
    await this.#page.goto(new URL(path, this.#pageUrl).href)
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
    await this.press({ action: 'account', withinMs })
    await this.press({ action: 'sign-out', withinMs })
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

  /** Makes a room from the page, which opens it. Answers its id. */
  async createRoom({ guildId, name, isPrivate = true, withinMs = WITHIN_MS }) {
    const guild = this.#page.locator(attribute('data-guild-id', guildId))
    await guild.locator('[data-action="new-room"]').click({ timeout: withinMs })
    const dialog = this.#page.locator('[data-dialog="new-room"]')
    await dialog.locator('input[type="text"]').fill(name, { timeout: withinMs })
    await dialog.getByRole('checkbox').setChecked(isPrivate, { timeout: withinMs })
    await dialog.locator('[data-action="create-room"]').click({ timeout: withinMs })
    const room = guild.locator('[data-open="true"]').filter({ hasText: name })
    const channelId = await room.getAttribute('data-channel-id', { timeout: withinMs })
    return { channelId }
  }

  /** Opens a room's page, from the lobby or from another one's; or goes back to the lobby. */
  async openRoom({ channelId, open = true, withinMs = WITHIN_MS }) {
    const room = attribute('data-channel-id', channelId)
    await this.#staysOut()
    const back = this.#page.locator('[data-action="back"], [data-action="to-lobby"]')
    if (await back.count()) await back.click({ timeout: withinMs })
    if (open) await this.#page.locator(`${room} .room-name`).click({ timeout: withinMs })
    await this.#attached(open ? `${room}[data-open="true"]` : `${room}:not([data-open])`, withinMs)
  }

  /** Clicks a button by its `data-action`: that of an open room, or of the page. */
  async press({ action, channelId, withinMs = WITHIN_MS }) {
    await this.#staysOut()
    const within = channelId === undefined ? '' : `${attribute('data-channel-id', channelId)} `
    await this.#page.locator(`${within}${attribute('data-action', action)}`).click({ timeout: withinMs })
  }

  /** Makes an invite into an open room of one's own. Answers its address. */
  async invite({ channelId, withinMs = WITHIN_MS }) {
    await this.press({ action: 'invite', channelId, withinMs })
    const field = this.#page.locator(`${attribute('data-channel-id', channelId)} .invite input`)
    return { address: await field.inputValue({ timeout: withinMs }) }
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

  /** All that was asked for, of whomever, with what was told of where the page came from. */
  async requests() {
    const told = async (request) => {
      const { referer = null } = await request.allHeaders()
      return { url: request.url(), type: request.resourceType(), referer }
    }
    return { requests: await Promise.all(this.#requests.map(told)) }
  }

  /** Puts a style into the page as stream software does, and answers what became of it. */
  async style({ css, selector, property }) {
    const put = (element, [text, name]) => {
      const style = document.createElement('style')
      style.innerHTML = text
      document.head.append(style)
      return { value: getComputedStyle(element)[name], ground: getComputedStyle(document.body).backgroundColor }
    }
    return await this.#page.locator(selector).first().evaluate(put, [css, property])
  }

  async close() {
    await this.#browser.close()
  }

  /** Whoever dropped out of voice is told so in a dialog, and cannot press anything behind it. */
  async #staysOut() {
    const dialog = this.#page.locator('[data-dialog="dropout"]')
    if (await dialog.count()) await dialog.locator('[data-action="stay-out"]').click()
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
