/** People with a browser each: Chromium's contexts share nothing, the tabs of one share all. */

import { Page } from '../browser.mjs'
import { until } from './process.mjs'

export class Visitor {
  #context
  #house
  #url

  /** Somebody who is signed in, at the house's address or at another that leads to it. */
  static async signedIn(browser, house, userId, url = house.baseUrl) {
    const visitor = await Visitor.stranger(browser, house, url)
    await visitor.becomes(userId)
    return visitor
  }

  /** Somebody whom nobody knows. */
  static async stranger(browser, house, url = house.baseUrl) {
    const visitor = new Visitor()
    visitor.#context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    visitor.#house = house
    visitor.#url = url
    return visitor
  }

  get url() {
    return this.#url
  }

  get context() {
    return this.#context
  }

  /** From now on the browser has this person's session. */
  async becomes(userId) {
    this.cookie = await this.#house.cookieOf(userId)
    const separator = this.cookie.indexOf('=')
    const [name, value] = [this.cookie.slice(0, separator), this.cookie.slice(separator + 1)]
    await this.#context.addCookies([{ name, value, domain: 'localhost', path: '/', httpOnly: true, sameSite: 'Lax' }])
  }

  /** A tab with the house's own page, live. */
  async tab() {
    const tab = await Tab.open(this.#context, this.#url)
    await tab.shows({ state: 'live' })
    return tab
  }

  /** A tab with another page; it is given back as Playwright's. */
  async page(path = '') {
    const page = await this.#context.newPage()
    await page.goto(new URL(path, this.#url).href)
    return page
  }

  async close() {
    await this.#context.close()
  }
}

/** Today's page in a tab, and what may be asked of it. */
export class Tab {
  static async open(context, url) {
    const tab = new Tab()
    tab.page = await context.newPage()
    tab.view = new Page(null, tab.page, url)
    await tab.view.open()
    return tab
  }

  shows(wanted) {
    return this.view.expectConnection({ withinMs: 30_000, ...wanted })
  }

  sees(userId, channelId) {
    return this.view.expectPerson({ userId, channelId, withinMs: 30_000 })
  }

  async words() {
    return (await this.view.read()).text
  }

  /** The tab's process dies, as when a browser runs out of memory. Nothing is said to anybody. */
  async crash() {
    const crashed = new Promise((done) => this.page.once('crash', done))
    const session = await this.page.context().newCDPSession(this.page)
    session.send('Page.crash').catch(() => undefined)
    await crashed
  }

  /** Its JavaScript stands still until what is returned is called, as in a tab that is frozen. */
  async freeze() {
    const session = await this.page.context().newCDPSession(this.page)
    await session.send('Debugger.enable')
    const paused = new Promise((done) => session.once('Debugger.paused', done))
    await session.send('Debugger.pause')
    // Something must run to be stopped.
    session.send('Runtime.evaluate', { expression: '0' }).catch(() => undefined)
    await paused
    return async () => {
      await session.send('Debugger.resume')
      await session.detach()
    }
  }
}

/** Words in a page that is not ours, such as an example's. */
export const pageSays = (page, selector, words) =>
  until(`${selector} says ${words}`, async () => ((await page.locator(selector).first().textContent()) ?? '').includes(words))
