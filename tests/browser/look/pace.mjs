/**
 * How the page keeps pace, by Chromium's own trace:
 *
 *     npm run pace [-- [--json] EVENTS_PER_SECOND SECONDS]
 *
 * A fake server has a room of a thousand people and tells events at this rate; the lobby, and then the room's
 * page while it is scrolled from top to end, must go on drawing. Prints frames a second, the longest time
 * between two, how much of a processor the main thread took, and how long the first list took. A machine that
 * others use draws fewer: then what the main thread took tells whether it is the page. With `--json` one object,
 * and whoever asked judges it.
 */

import { launch } from '../browser.mjs'
import { FakeServer } from '../fake-server.mjs'
import { crowd, ids, me } from './worlds.mjs'

const isForProgram = process.argv[2] === '--json'
const [perSecond = 1_000, seconds = 10] = process.argv.slice(isForProgram ? 3 : 2).map(Number)
const PEOPLE = 1_000
/** Sent together so often: timers are not finer. */
const TICK_MS = 10
const FRAMES_LEAST = 50
const LIST_WITHIN_MS = 1_000

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.frame']

/** Events at the rate, until it is called off. Answers how many there were. */
const told = (server) => {
  const [{ id: guildId, rooms }] = crowd(PEOPLE)
  const people = rooms[0].members
  let count = 0
  const began = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond)
    for (; count < due; count += 1) {
      const person = people[(count * 7) % people.length]
      server.happen('voice.updated', { ...person, guildId, ts: Date.now(), selfMute: Math.floor((count * 7) / people.length) % 2 === 0 })
    }
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return count
  }
}

const traced = async (browser, page, doing) => {
  await browser.startTracing(page, { categories: CATEGORIES })
  await doing()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString())
  const frames = traceEvents.filter(({ name }) => name === 'DrawFrame').map(({ ts }) => ts).sort((a, b) => a - b)
  const gaps = frames.slice(1).map((ts, at) => (ts - frames[at]) / 1_000)
  const length = (frames.at(-1) - frames[0]) / 1e6
  const drawn = traceEvents.find(({ name }) => name === 'FireAnimationFrame')
  const tasks = traceEvents.filter(({ name, ph, pid, tid }) => name === 'RunTask' && ph === 'X' && pid === drawn.pid && tid === drawn.tid)
  // By the processor's clock: others who use the machine are not in it.
  const busy = tasks.reduce((sum, { tdur = 0 }) => sum + tdur, 0) / 1e6
  return { fps: (frames.length - 1) / length, longest: Math.max(...gaps), busy: busy / length }
}

const browser = await launch()
const server = new FakeServer({ snapshot: () => crowd(PEOPLE), people: [me] })
await server.start()
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
await context.addCookies([{ name: 'guildhall', value: me.id, domain: '127.0.0.1', path: '/' }])

const firstList = async () => {
  const page = await context.newPage()
  await page.goto(server.pageUrl)
  await page.locator('[data-user-id]').first().waitFor()
  const ms = await page.evaluate(() => performance.now())
  await page.close()
  return ms
}
const lists = []
for (let look = 0; look < 5; look += 1) lists.push(await firstList())
lists.sort((a, b) => a - b)
const views = []
const page = await context.newPage()
for (const [name, path, scrolls] of [['lobby', '', false], ['room page, scrolled', `?room=${ids.hearth}`, true]]) {
  await page.goto(new URL(path, server.pageUrl).href)
  await page.locator('[data-user-id]').first().waitFor()
  const stop = told(server)
  const began = performance.now()
  const { fps, longest, busy } = await traced(browser, page, () =>
    page.evaluate(
      ([ms, scrolls]) =>
        new Promise((done) => {
          const began = performance.now()
          const step = (now) => {
            const part = Math.min(1, (now - began) / ms)
            if (scrolls) scrollTo(0, part * (document.documentElement.scrollHeight - innerHeight))
            if (part < 1) requestAnimationFrame(step)
            else done()
          }
          requestAnimationFrame(step)
        }),
      [seconds * 1_000, scrolls],
    ),
  )
  const count = stop()
  const rate = count / ((performance.now() - began) / 1_000)
  views.push({ name, eventsPerSecond: rate, framesPerSecond: fps, longestMs: longest, mainThread: busy })
}
await browser.close()
await server.kill()

if (isForProgram) {
  console.log(JSON.stringify({ firstLists: lists, views }))
} else {
  console.log(`first list of ${PEOPLE} people: ${lists.map(Math.round).join(', ')} ms`)
  for (const { name, eventsPerSecond, framesPerSecond, longestMs, mainThread } of views) {
    console.log(
      `${name}: ${Math.round(eventsPerSecond)} events/s, ${framesPerSecond.toFixed(1)} frames/s, ` +
        `${longestMs.toFixed(0)} ms between two at most, main thread ${(mainThread * 100).toFixed(0)} % of a processor`,
    )
  }
  const isSlow = lists[2] > LIST_WITHIN_MS || views.some(({ framesPerSecond }) => framesPerSecond < FRAMES_LEAST)
  process.exitCode = isSlow ? 1 : 0
}
