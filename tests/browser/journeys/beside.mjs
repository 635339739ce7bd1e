/**
 * `docs/beside-your-app.md`: each file that it prints is run as it stands there, with other addresses alone, before
 * real webs of one house. They live through a minute in which nothing happens, a minute without a byte, and a web that
 * is killed; what the page says of each is what must come. The minutes pass for all of them side by side.
 */

import { startStand } from './beside/kinds.mjs'
import { AppVisitor } from './beside/login.mjs'
import { overlayLinks } from './beside/overlays.mjs'
import { neverAsked, promised } from './beside/page.mjs'
import { Programs } from './beside/programs.mjs'
import { isNotRendered, isRenderedAgain, rendersItsPicture } from './beside/rendered.mjs'
import { check } from './beside/stand.mjs'
import { House } from './house.mjs'
import { until } from './process.mjs'

/** One of each has a minute in which nothing happens, the other a minute without a byte. */
const PAIRS = [['nginx', 'nginx'], ['prefix', 'prefix'], ['caddy', 'caddy'], ['haproxy', 'haproxy'], ['vite', 'viteAllowed']]

/** These take a while to start, so each has the one minute after the other. */
const NEXTS = ['nextBuilt', 'nextDev']

const all = (list, work) => Promise.all(list.map(work))

/** All that is started, and who looks. */
class Scene {
  #house
  #idle = []
  #silent = []
  #nexts = []
  /** Vite without the lines that close its stream. */
  #bare
  #idlePrograms
  #silentPrograms
  #visitors = []

  static async start(binary) {
    const scene = new Scene()
    const house = await House.start(binary)
    scene.#house = house
    for (const kind of NEXTS) scene.#nexts.push(await startStand(house, kind))
    for (const [idle, silent] of PAIRS) {
      scene.#idle.push(await startStand(house, idle))
      scene.#silent.push(await startStand(house, silent))
    }
    scene.#bare = await startStand(house, 'viteBare')
    scene.#idlePrograms = await Programs.start(house)
    scene.#silentPrograms = await Programs.start(house)
    return scene
  }

  get #live() {
    return [...this.#nexts, ...this.#idle, ...this.#silent]
  }

  get #rendered() {
    return this.#live.filter(({ app }) => app !== undefined)
  }

  get #programs() {
    return [this.#idlePrograms, this.#silentPrograms]
  }

  /** All of them hear once that somebody came into a room. */
  async #allHear(userId, channelId, withinMs) {
    await all(this.#live, (stand) => stand.hears(userId, channelId, withinMs))
    await all(this.#programs, (one) => until('follow.mjs hears it', () => one.joins(userId, channelId) === 1))
  }

  async opens(browser) {
    const { ben, people: [person], rooms: [room] } = this.#house
    for (const stand of [...this.#live, this.#bare]) await stand.opens()
    for (const programs of this.#programs) await programs.begin()
    for (const stand of this.#rendered) await rendersItsPicture(stand, browser)
    for (const stand of this.#nexts) this.#visitors.push(await AppVisitor.signIn(browser, stand, ben))
    await this.#house.voice(person, room)
    // Nobody holds it back.
    await this.#allHear(person, room, 2_000)
    await all(this.#visitors, (visitor) => visitor.hearsJoin(person, room))
  }

  /** A minute in which nothing happens; elsewhere a minute in which web's process stands still. */
  async minutes() {
    const { people: [person], rooms: [, room] } = this.#house
    const stopped = [...this.#silent, this.#silentPrograms]
    for (const { web } of stopped) web.process.signal('SIGSTOP')
    await this.#bare.web.process.end('SIGKILL')
    const began = performance.now()
    const longestMs = Math.max(...this.#silent.map(({ name }) => (promised(name).cutAfter ?? 0) * 1_000))
    const [said] = await Promise.all([
      all(this.#silent, (stand) => stand.isCutAsSaid(longestMs)),
      all([...this.#idle, ...this.#nexts], (stand) => stand.staysIdle(began)),
      all(this.#silent.filter(({ app }) => app !== undefined), isNotRendered),
    ])
    check(this.#bare.stream.isOpen, 'without those lines Vite leaves the stream open, the page says')
    for (const { web } of stopped) web.process.signal('SIGCONT')
    await all(stopped, ({ web }) => web.ready())
    await all(this.#silent, (stand) => stand.goesOn())
    await this.#house.voice(person, room)
    await this.#allHear(person, room)
    await all(this.#visitors, (visitor) => visitor.hearsJoin(person, room))
    return said
  }

  /** Every web but that of some programs is killed, and started again when something has happened. */
  async kill() {
    const { people: [, person], rooms: [room] } = this.#house
    const killed = [...this.#live, this.#idlePrograms]
    const killedAt = new Map()
    for (const one of killed) {
      await one.web.process.end('SIGKILL')
      killedAt.set(one, performance.now())
    }
    await all(this.#live, (stand) => stand.isClosedAtOnce(killedAt.get(stand)))
    await all(this.#visitors, (visitor) => visitor.isCut())
    await all(this.#rendered, isNotRendered)
    await this.#idlePrograms.areRefused()
    await this.#house.voice(person, room)
    for (const { web } of killed) await web.startAgain()
    await all(this.#live, (stand) => stand.goesOn())
    await this.#allHear(person, room)
    check(this.#programs.every(({ pictures }) => pictures === 1), 'follow.mjs goes on, and begins nothing anew')
    for (const visitor of this.#visitors) await visitor.comesBack()
    await all(this.#rendered, isRenderedAgain)
  }

  /** What is left of Next's: its streams without a byte. */
  async nextsMinute() {
    const { people: [, person], rooms: [, room] } = this.#house
    for (const { web } of this.#nexts) web.process.signal('SIGSTOP')
    const said = await all(this.#nexts, (stand) => stand.isCutAsSaid(0))
    for (const { web } of this.#nexts) web.process.signal('SIGCONT')
    await all(this.#nexts, ({ web }) => web.ready())
    await all(this.#nexts, (stand) => stand.goesOn())
    await this.#house.voice(person, room)
    await all(this.#nexts, (stand) => stand.hears(person, room))
    return said
  }
}

const isOfOverlays = (name) => name.startsWith('overlay/')

export const beside = {
  'the overlays of docs/beside-your-app.md: made, styled, shown by a page of one\'s own, and in no log': async ({ binary, browser }) => {
    await overlayLinks(await House.start(binary), browser)
    const left = neverAsked(isOfOverlays)
    check(left.length === 0, `the page prints what nothing runs: ${left}`)
  },
  'what docs/beside-your-app.md prints runs, and outlives a minute of silence and a killed web': async ({ binary, browser }) => {
    const scene = await Scene.start(binary)
    await scene.opens(browser)
    const said = await scene.minutes()
    await scene.kill()
    said.push(...(await scene.nextsMinute()))
    const left = neverAsked((name) => !isOfOverlays(name))
    check(left.length === 0, `the page prints what nothing runs: ${left}`)
    return said.join('; ')
  },
}
