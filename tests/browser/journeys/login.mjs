/** An app with a login of its own vouches for its people: tabs of one person, and a sign-out that lasts. */

import { createHmac, randomUUID } from 'node:crypto'

import { House } from './house.mjs'
import { until } from './process.mjs'
import { clientPage } from './served.mjs'
import { Visitor } from './visitor.mjs'

const SECRET = 'jwt-secret-of-the-journeys-0123456789abcdef'

/** What the app's server gives its own pages. */
const jwtOf = (sub) => {
  const claims = { sub, aud: 'guildhall', exp: Math.floor(Date.now() / 1_000) + 60, jti: randomUUID() }
  const parts = [{ alg: 'HS256', typ: 'JWT' }, claims]
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`
}

const script = `
  import { createGuildhall } from '@guildhall/client'
  globalThis.steps = []
  globalThis.client = createGuildhall({ url: '/', auth: () => { vouched += 1; return jwt() }, log: (line) => steps.push(line) })
  globalThis.vouched = 0
  client.subscribe(() => (document.body.dataset.phase = client.view().status.phase))`

const phaseOf = (page) => page.evaluate(() => globalThis.client.view().status.phase)
const isLive = (page) => until('it is live', async () => (await phaseOf(page)) === 'live')

export const login = {
  'an app with its own login: a second tab signs nobody out, and a sign-out lasts': async ({ binary, browser }) => {
    const house = await House.start(binary, { more: { JWT_SECRET: SECRET } })
    const visitor = await Visitor.stranger(browser, house)
    await visitor.context.exposeFunction('jwt', () => jwtOf(house.ana))
    const tabs = []
    for (let count = 0; count < 4; count += 1) {
      tabs.push(await clientPage(visitor, script))
      for (const tab of tabs) await isLive(tab)
    }
    const challenged = await Promise.all(tabs.map((tab) => tab.evaluate(() => globalThis.steps.filter((line) => /challenged|unauthorized/.test(line)))))
    if (challenged.flat().length > 0) throw new Error(`a tab lost its session: ${challenged.flat()}`)
    const [person] = house.people
    await house.voice(person, house.rooms[0])
    const sees = (tab) => tab.evaluate(([user]) => [...globalThis.client.view().picture.values()].some((guild) => [...guild.rooms.values()].some((room) => room.people.has(user))), [person])
    for (const tab of tabs) await until('it sees who came', () => sees(tab))

    for (const tab of tabs.slice(1)) await tab.close()
    const [last] = tabs
    await isLive(last)
    const before = await last.evaluate(() => globalThis.vouched)
    if (!(await last.evaluate(() => globalThis.client.signOut()))) throw new Error('the server was not told')
    await until('its stream is gone', async () => (await house.openStreams()) === 0)
    const after = await last.evaluate(() => [globalThis.client.view().status.phase, globalThis.vouched])
    if (after.join() !== `signed-out,${before}`) throw new Error(`signed out, and then: ${after}, vouched ${before} times before`)
  },
}
