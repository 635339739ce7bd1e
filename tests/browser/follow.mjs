/**
 * A stream followed by Chromium's own EventSource, bare or by the lines that the protocol page prints.
 *
 *     node follow.mjs '{"url":"http://localhost:3000/api/stream","cookie":"…","by":"itself"|"the page's lines"}'
 *
 * Says what it hears in lines of JSON on stdout, and ends when its stdin does.
 */

import { launch } from './browser.mjs'
import { EVENTS, pagesLines, said } from '../libraries/eventsource/told.mjs'

const { url, cookie, by } = JSON.parse(process.argv[2])
const separator = cookie.indexOf('=')

const browser = await launch()
const context = await browser.newContext()
await context.addCookies([{ name: cookie.slice(0, separator), value: cookie.slice(separator + 1), url }])
const page = await context.newPage()
await page.exposeFunction('say', (name, payload) => console.log(said(name, payload)))
// Any answer will do as a page of this origin; this one opens no stream by itself.
await page.goto(new URL('/api/health', url).href)

if (by === 'itself') {
  await page.evaluate(
    ([address, names]) => {
      const source = new EventSource(address)
      for (const name of names) source.addEventListener(name, ({ data }) => window.say(name, JSON.parse(data)))
    },
    [url, EVENTS],
  )
} else {
  await page.evaluate(`(() => {
    ${pagesLines()}
    const say = (name) => [name, (payload) => window.say(name, payload)]
    follow(new URL(${JSON.stringify(url)}), Object.fromEntries(${JSON.stringify(EVENTS)}.map(say)), () => window.say('signed-out', {}))
  })()`)
}

process.stdin.resume().on('end', async () => {
  await browser.close()
  process.exit(0)
})
