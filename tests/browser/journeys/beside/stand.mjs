/** What stands before one web of a house: a proxy or a server that the page prints, and a stream through it. */

import { freePort, until } from '../process.mjs'
import { promised } from './page.mjs'
import { Stream } from './stream.mjs'

export const MINUTE_MS = 60_000
/** "At once", on a busy machine. */
const AT_ONCE_MS = 5_000
/** How much longer than any of them waits is looked whether the others wait for ever. */
const BEYOND_MS = 15_000
/** How far a cut may be from its second. */
const ABOUT_S = 5

export const check = (holds, what) => {
  if (!holds) throw new Error(what)
}

export class Stand {
  /** What it is called in the page's table, and what is particular about this one. */
  name
  #as
  #prefix
  web
  port
  /** Set by whoever starts it: whether what is not Guildhall's is the app's. */
  appAnswers
  /** The server that renders its pages, if there is one. */
  app
  /** Where its proxy writes what was asked, and what went wrong, if somebody reads that. */
  logs
  cookie
  stream

  constructor(house, name, as, prefix = '') {
    this.house = house
    this.name = name
    this.#as = as
    this.#prefix = prefix
  }

  /** `settings(stand, webPort)`: of its web; `start(stand)`: the processes before that. */
  static async start(house, [name, as, prefix], settings, start) {
    const stand = new Stand(house, name, as, prefix)
    stand.port = await freePort()
    stand.web = await house.anotherWeb((webPort) => settings(stand, webPort))
    await start(stand)
    return stand
  }

  get called() {
    return `${this.name} (${this.#as})`
  }

  get origin() {
    return `http://localhost:${this.port}`
  }

  /** An address of Guildhall's. */
  #url(path) {
    return `${this.origin}${this.#prefix}${path}`
  }

  /** A stream of whoever signed in here; its first event has this name. */
  begin(first, cursor) {
    return Stream.begin(this.#url('/api/stream'), this.cookie, first, cursor)
  }

  /** Waits for an answer of a server that was started at its port. */
  async answers(server, withinMs) {
    await until(`${this.called} answers`, async () => {
      check(server.runs, 'it ended')
      return (await fetch(this.origin, { redirect: 'manual' })).status > 0
    }, withinMs).catch((error) => {
      throw new Error(`${error.message}\n${server.said.slice(-3_000)}`)
    })
  }

  /** Somebody signs in through it, opens a stream and sends a command; the rest is the app's. */
  async opens() {
    const { ana, guild } = this.house
    check(await this.appAnswers(), `${this.called} passes the rest on to the app`)
    const returnTo = `${this.origin}/`
    const { cookie, returnedTo } = await this.house.signIn(ana, { baseUrl: this.#url('/'), returnTo })
    check(returnedTo === returnTo, `${this.called}: signing in ends at ${returnedTo}`)
    this.cookie = cookie
    this.stream = await this.begin('snapshot')
    const command = await fetch(this.#url('/api/rpc/ensureUserInGuild'), {
      method: 'POST',
      headers: { cookie, origin: this.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ guildId: guild }),
    })
    check(command.status === 200, `${this.called}: a command is answered ${command.status} ${await command.text()}`)
  }

  /** It is told once that somebody came into a room. */
  hears(userId, channelId, withinMs) {
    return until(`${this.called} lets it through`, () => this.stream.joins(userId, channelId) === 1, withinMs)
  }

  /** A minute passes in which nothing happens: the stream stays, and says nothing but that it is there. */
  async staysIdle(began) {
    const before = this.stream.frames.length
    await until(
      `${this.called} says something after a minute`,
      () => {
        check(this.stream.isOpen, 'it was closed')
        return this.stream.lastByteAt - began > MINUTE_MS
      },
      MINUTE_MS + BEYOND_MS,
    )
    const said = this.stream.frames.slice(before).map(({ event }) => event)
    check(said.length >= 4 && said.every((event) => event === 'checkpoint'), `${this.called}, idle, says ${said}`)
  }

  /**
   * Its web's process stands still, and no byte comes: the stream is cut when the page says so, or else waits for
   * longer than any of the others, the longest of which is `longestMs`.
   */
  async isCutAsSaid(longestMs) {
    const { cutAfter } = promised(this.name)
    const { stream } = this
    const over = stream.lastByteAt + (cutAfter === undefined ? longestMs : cutAfter * 1_000) + BEYOND_MS
    const left = over - performance.now()
    await until(`${this.called} waits`, () => !stream.isOpen || performance.now() > over, left + BEYOND_MS)
    if (cutAfter === undefined) {
      check(stream.isOpen, `${this.called}: cut, and not kept`)
      return `${this.called}: kept`
    }
    const waited = (stream.closedAt - stream.lastByteAt) / 1_000
    check(Math.abs(waited - cutAfter) < ABOUT_S, `${this.called}: cut after ${waited} s, and not after ${cutAfter} s`)
    return `${this.called}: cut after ${waited.toFixed(1)} s`
  }

  /** A stream that was kept goes on by itself, any other from where it was. */
  async goesOn() {
    if (!this.stream.isOpen) this.stream = await this.begin('resumed', this.stream.cursor)
  }

  /** Its web was killed: the stream is closed at once, and whoever asks is answered as the page says. */
  async isClosedAtOnce(killedAt) {
    await until(`${this.called} closes the stream`, () => !this.stream.isOpen)
    const took = this.stream.closedAt - killedAt
    check(took < AT_ONCE_MS, `${this.called}: closed after ${took} ms`)
    const { whileDown } = promised(this.name)
    const { status, stream } = await Stream.open(this.#url('/api/stream'), this.cookie, this.stream.cursor)
    stream.close()
    check(status === whileDown, `${this.called}: ${status} while web is down, and not ${whileDown}`)
  }
}
