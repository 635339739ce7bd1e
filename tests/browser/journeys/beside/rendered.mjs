/** The page that the printed server renders, as somebody has it who is signed in. */

import { until } from '../process.mjs'
import { check } from './stand.mjs'

const ask = (stand) => fetch(stand.origin, { headers: { cookie: stand.cookie } })

/** It comes with its picture, nothing is missing between that and its stream, and in Chromium it hears what happens. */
export const rendersItsPicture = async (stand, browser) => {
  const { house } = stand
  const [, , person] = house.people
  const [room, next] = house.rooms
  const html = await (await ask(stand)).text()
  const cursor = decodeURIComponent(/lastEventId=([^']+)/.exec(html)[1])
  await house.voice(person, room)
  const stream = await stand.begin('resumed', cursor)
  await until('what came in between is told', () => stream.joins(person, room) === 1)
  stream.close()
  check((await (await ask(stand)).text()) !== html, 'the page is rendered anew')

  const context = await browser.newContext()
  const separator = stand.cookie.indexOf('=')
  const [name, value] = [stand.cookie.slice(0, separator), stand.cookie.slice(separator + 1)]
  await context.addCookies([{ name, value, domain: 'localhost', path: '/', httpOnly: true, sameSite: 'Lax' }])
  const page = await context.newPage()
  const said = []
  page.on('console', async (message) => said.push(await message.args()[0]?.jsonValue()))
  await page.goto(stand.origin)
  await until('the page has its stream', () => page.evaluate('stream.readyState === EventSource.OPEN'))
  await house.voice(person, next)
  await until('the page hears it', () => said.some((one) => one?.userId === person && one.channelId === next))
  await context.close()
  await house.voice(person, null)
}

/** Its Guildhall is gone, or stands still: it says so and does not wait. */
export const isNotRendered = async (stand) => {
  const answer = await ask(stand)
  check(answer.status === 503 && answer.headers.get('retry-after') === '1', `the rendered page: ${answer.status}`)
}

export const isRenderedAgain = async (stand) => {
  const { status } = await ask(stand)
  check(status === 200, `the rendered page is back: ${status}`)
}
