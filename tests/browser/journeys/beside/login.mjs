/** Somebody in Chromium who signs in to the Next app, and by that to Guildhall, as the page's files have it. */

import { until } from '../process.mjs'

export class AppVisitor {
  #page
  #stand

  static async signIn(browser, stand, userId) {
    const visitor = new AppVisitor()
    visitor.#stand = stand
    const context = await browser.newContext()
    visitor.#page = await context.newPage()
    await visitor.#page.goto(stand.origin)
    if (await visitor.#enter()) throw new Error('nobody is signed in, and Guildhall lets them in')
    // What the button of `next-auth/react` does.
    const authorize = await visitor.#page.evaluate(async () => {
      const { csrfToken } = await (await fetch('/api/auth/csrf')).json()
      const body = new URLSearchParams({ csrfToken, callbackUrl: '/', json: 'true' })
      return (await (await fetch('/api/auth/signin/discord', { method: 'POST', body })).json()).url
    })
    const discord = 'https://discord.com/'
    if (!authorize.startsWith(discord)) throw new Error(`the app asks somebody else: ${authorize}`)
    await visitor.#page.goto(`${authorize.replace(discord, `${stand.house.discordUrl}/`)}&sim_user=${userId}`)
    if (visitor.#page.url() !== `${stand.origin}/`) throw new Error(`signing in ends at ${visitor.#page.url()}`)
    if (!(await visitor.#enter())) throw new Error('the app lets them in, and Guildhall does not')
    const me = await visitor.#page.evaluate(async () => (await fetch('/live/api/me')).json())
    if (me.user.id !== userId) throw new Error(`Guildhall knows somebody else: ${JSON.stringify(me)}`)
    await visitor.opens()
    return visitor
  }

  #enter() {
    return this.#page.evaluate(() => import('/enter.js').then(({ enter }) => enter()))
  }

  /** A stream in the page, past its first frame. */
  async opens() {
    await this.#page.evaluate(() => {
      window.heard = []
      window.stream = new EventSource('/live/api/stream')
      window.stream.addEventListener('snapshot', () => window.heard.push('snapshot'))
      window.stream.addEventListener('voice.joined', ({ data }) => window.heard.push(JSON.parse(data)))
      window.stream.addEventListener('error', () => window.heard.push('error'))
    })
    await this.#hears('a picture', (heard) => heard.includes('snapshot'))
  }

  async #hears(what, test) {
    await until(`the page behind ${this.#stand.called} hears ${what}`, async () => test(await this.#page.evaluate(() => window.heard)))
  }

  hearsJoin(userId, channelId) {
    const is = (one) => one.userId === userId && one.channelId === channelId
    return this.#hears(`${userId} in ${channelId}`, (heard) => heard.some(is))
  }

  /** Guildhall is gone: the stream ends, and nobody is let in. */
  async isCut() {
    await this.#hears('the end', (heard) => heard.includes('error'))
    if (await this.#enter()) throw new Error('Guildhall is gone, and lets people in')
  }

  /** It is back: the app's session still opens it. */
  async comesBack() {
    if (!(await this.#enter())) throw new Error('Guildhall is back, and does not let them in')
    await this.#page.evaluate(() => window.stream.close())
    await this.opens()
  }
}
