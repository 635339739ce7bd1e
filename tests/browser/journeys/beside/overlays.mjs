/** Links that the page's files make, show and keep out of logs: in Chromium, through nginx, by people and by nobody. */

import { readFileSync } from 'node:fs'

import { until } from '../process.mjs'
import { startStand } from './kinds.mjs'
import { printed } from './page.mjs'
import { check } from './stand.mjs'

/** "Within a second", on a busy machine. */
const SOON_MS = 3_000

/** What `overlay/custom.css` changes, as Chromium computes it. */
const styleOf = (page) =>
  page.evaluate(() => {
    const of = (selector) => getComputedStyle(document.querySelector(selector))
    const people = of('.people')
    return {
      name: of('.room-name').display,
      people: `${people.flexDirection} ${people.flexWrap}`,
      muted: of('.person[data-muted="true"]').opacity,
      other: of('.person[data-muted="false"]').opacity,
    }
  })

const shows = (page, selector, withinMs) => page.locator(selector).first().waitFor({ state: 'attached', timeout: withinMs ?? 30_000 })

/** One web of the house behind nginx, somebody who makes a link there, and who has it. */
class Link {
  stand
  #maker
  #made
  token
  /** A request of an opened page that told the token on, as `Referer`. */
  #toldAs

  /** As `overlay/make.js` does, in a page of the app's in which somebody is signed in to Guildhall. */
  static async make(browser, stand, channelId) {
    const link = new Link()
    link.stand = stand
    await stand.opens()
    stand.stream.close()
    const context = await browser.newContext()
    link.#maker = await context.newPage()
    await link.#maker.goto(stand.origin)
    const make = () =>
      link.#maker.evaluate(
        async (room) => (await import('/make.js')).overlayLink(room).catch((error) => ({ refused: error.message })),
        channelId,
      )
    const { refused } = await make()
    check(/^\S.* .*\.$/.test(refused ?? ''), `nobody makes a link, and is told why: ${refused}`)
    const separator = stand.cookie.indexOf('=')
    const [name, value] = [stand.cookie.slice(0, separator), stand.cookie.slice(separator + 1)]
    await context.addCookies([{ name, value, domain: 'localhost', path: '/', httpOnly: true, sameSite: 'Lax' }])
    link.#made = await make()
    check(link.#made.url !== undefined, `make.js makes no link: ${link.#made.refused}`)
    link.token = new URL(link.#made.url).searchParams.get('overlay')
    check(link.token.length > 20, `the link has a token: ${link.#made.url}`)
    return link
  }

  get made() {
    return this.#made
  }

  /** A page in a browser that knows nobody; what its requests say of where they come from is looked at. */
  async open(browser, url) {
    const page = await (await browser.newContext()).newPage()
    page.on('request', async (request) => {
      const { referer } = await request.allHeaders().catch(() => ({}))
      if (referer?.includes(this.token)) this.#toldAs = `${request.url()} is told ${referer}`
    })
    await page.goto(url)
    return page
  }

  revoke() {
    return this.#maker.evaluate(async (id) => (await import('/make.js')).revokeOverlayLink(id), this.#made.id)
  }

  /** Its requests are in nginx's log, without what is after the question mark; its token is in neither log. */
  async isLoggedWithoutToken(wanted) {
    const { access, error } = this.stand.logs
    for (const line of wanted) {
      await until(`nginx has logged ${line}`, () => readFileSync(access, 'utf8').includes(`"GET ${line}`))
    }
    for (const path of [access, error]) {
      const line = readFileSync(path, 'utf8').split('\n').find((one) => one.includes(this.token) || one.includes('overlay='))
      check(line === undefined, `nginx has the token in its log: ${line}`)
    }
    check(this.#toldAs === undefined, this.#toldAs)
  }
}

const person = (userId, more = '') => `#overlay .room .people .person[data-user-id="${userId}"]${more}`

/** Guildhall's page of a link has what the page says to go by, and `overlay/custom.css` changes it. */
const isStyled = async (overlay, { muted, deafened, elsewhere }) => {
  await shows(overlay, '#overlay[data-connection="live"]')
  for (const part of ['.avatar', '.person-name', '.flag.muted']) {
    await shows(overlay, `${person(muted, '[data-muted="true"]')} ${part}`)
  }
  await shows(overlay, `${person(deafened, '[data-deafened="true"]')} .flag.deafened`)
  check((await overlay.locator(`.room, [data-user-id="${elsewhere}"]`).count()) === 1, 'the link shows one room')
  const before = JSON.stringify(await styleOf(overlay))
  check(before === '{"name":"block","people":"column nowrap","muted":"1","other":"1"}', `as it is by itself: ${before}`)
  // OBS puts it into the page as an element, and so does this.
  await overlay.addStyleTag({ content: printed('overlay/custom.css') })
  const after = JSON.stringify(await styleOf(overlay))
  check(after === '{"name":"none","people":"row wrap","muted":"0.5","other":"1"}', `custom.css makes of it: ${after}`)
}

/** A page of the app's with `overlay/room.js` shows who is there, and who comes. */
const isFollowed = async (own, house, { muted, deafened, elsewhere, later }) => {
  const names = async () => (await own.textContent('body')).split(', ')
  const says = (...people) =>
    until('room.js shows them', async () => {
      const said = await names()
      return people.every((id) => said.includes(house.nameOf(id)))
    })
  await says(muted, deafened)
  await house.voice(later, house.rooms[0])
  await says(muted, deafened, later)
  check(!(await names()).includes(house.nameOf(elsewhere)), 'room.js shows one room')
}

/** The ids of the rooms that a plain `EventSource` is told of, with the token in its address. */
const roomsOfEventSource = (page, token) =>
  page.evaluate(
    (overlay) =>
      new Promise((done, failed) => {
        const stream = new EventSource(`/api/stream?overlay=${overlay}`)
        stream.addEventListener('snapshot', ({ data }) => {
          stream.close()
          done(JSON.parse(data).guilds.flatMap(({ rooms }) => rooms).map(({ channelId }) => channelId))
        })
        stream.addEventListener('error', () => failed(new Error('no stream')))
      }),
    token,
  )

export const overlayLinks = async (house, browser) => {
  const [room, otherRoom] = house.rooms
  const [muted, deafened, elsewhere, later] = house.people
  const people = { muted, deafened, elsewhere, later }
  const voice = (userId, channelId, more) => house.discord('POST', `/guilds/${house.guild}/voice`, { userId, channelId, ...more })
  await voice(muted, room, { selfMute: true })
  await voice(deafened, room, { selfMute: false, selfDeaf: true })
  await voice(elsewhere, otherRoom)

  const link = await Link.make(browser, await startStand(house, 'linksBelow'), room)
  const { origin, web } = link.stand
  check(link.made.url.startsWith(`${origin}/live/overlay?overlay=`), `the link leads elsewhere: ${link.made.url}`)
  const overlay = await link.open(browser, link.made.url)
  await isStyled(overlay, people)

  // Where only /api and /auth are passed on, the page is the app's.
  const beside = await Link.make(browser, await startStand(house, 'linksBeside'), room)
  const own = await beside.open(browser, `${beside.stand.origin}/room?overlay=${beside.made.token}`)
  await isFollowed(own, house, people)
  await shows(overlay, person(later))
  const rooms = await roomsOfEventSource(own, beside.made.token)
  check(rooms.join() === room, `EventSource has other rooms than that one: ${rooms}`)

  // Guildhall is away, and nginx has something to complain of.
  await web.process.end('SIGKILL')
  await shows(overlay, '#overlay[data-connection="stale"]')
  const { status } = await fetch(link.made.url)
  check(status === 502, `the link, while Guildhall is down: ${status}`)
  await web.startAgain()
  await shows(overlay, '#overlay[data-connection="live"]')

  for (const one of [link, beside]) check(await one.revoke(), 'revokeOverlayLink ends the link')
  await shows(overlay, '#overlay[data-connection="signed-out"]:not(:has(.person))', SOON_MS)
  await until('room.js shows nobody', async () => (await own.textContent('body')) === '', SOON_MS)
  await link.isLoggedWithoutToken(['/live/overlay HTTP/1.1" 200', '/live/overlay HTTP/1.1" 502', '/live/api/stream HTTP/1.1" 200'])
  await beside.isLoggedWithoutToken(['/room HTTP/1.1" 200', '/api/stream HTTP/1.1" 200'])
}
