/** The examples, each as its README starts it, and what becomes of them when something behind them dies. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { House } from './house.mjs'
import { freePort, until } from './process.mjs'
import { exampleFolder, runScript, startNginx, startTool } from './proxy.mjs'
import { pageSays, Visitor } from './visitor.mjs'

const addressOf = (port) => `http://localhost:${port}/`

/** A house that is known by the address of what stands before it, which is started behind it. */
const houseBehind = async (binary, port, start, more = {}) => {
  const house = await House.start(binary, { baseUrl: () => addressOf(port), more })
  await start(house)
  return house
}

/** What an example's list says of a room. */
const line = (room) => `[data-channel-id="${room}"]`

/** Complaints of a page's console, beside those of requests that were refused on purpose. */
const complaints = (page) => {
  const said = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) said.push(message.text())
  })
  page.on('pageerror', (error) => said.push(String(error)))
  return () => {
    if (said.length > 0) throw new Error(`the console: ${said.join('\n')}`)
  }
}

/** Web dies behind the example and comes back; meanwhile somebody moves. */
const outlives = async (house, page, told) => {
  const [person, other] = house.people
  const [room, next] = house.rooms
  await house.voice(person, room)
  await pageSays(page, line(room), house.nameOf(person))
  await house.web.end('SIGKILL')
  await told()
  await house.voice(person, next)
  await house.voice(other, room)
  house.startWeb()
  await house.ready()
  await pageSays(page, line(next), house.nameOf(person))
  await pageSays(page, line(room), house.nameOf(other))
}

/** The page says soon that it is not live any more; the watchdog alone would take 40 s. */
const saidToBeOld = (page) => () =>
  until('it says that it is old', async () => !['live', null].includes(await page.locator('#state').textContent()), 10_000)

const isLive = (page) => until('it is live', async () => (await page.locator('#state').textContent()) === 'live')

/** What the app of the Start example and the house know together, and what the app alone does. */
const SHARED = { JWT_SECRET: 'jwt-secret-of-the-journeys-0123456789abcdef' }
const OF_APP = { ...SHARED, APP_SECRET: 'app-secret-of-the-journeys-0123456789abcdef' }

/** A page of the Start example, by its own login. */
const startSignedIn = async (browser, house) => {
  const visitor = await Visitor.stranger(browser, house)
  const page = await visitor.page()
  const field = page.getByRole('textbox', { name: 'Your Discord id' })
  // Typed again where the page was not awake yet: a form without its script only loads the page anew.
  await until('it is signed in', async () => {
    if (await page.locator('#state').count()) return true
    await field.fill(house.ana, { timeout: 1_000 }).catch(() => undefined)
    await page.getByRole('button', { name: 'Sign in' }).click({ timeout: 1_000 }).catch(() => undefined)
    return false
  })
  await isLive(page)
  return { visitor, page }
}

export const examples = {
  'the plain page behind nginx outlives a dead upstream': async ({ binary, browser }) => {
    const port = await freePort()
    const house = await houseBehind(binary, port, ({ webPort }) =>
      startNginx('plain', port, { 3000: webPort }, exampleFolder('plain')),
    )
    const visitor = await Visitor.signedIn(browser, house, house.ana)
    const page = await visitor.page()
    let isRefused = false
    page.on('response', (response) => {
      if (response.status() === 502 && response.url().includes('/api/stream')) isRefused = true
    })
    await outlives(house, page, () => until('nginx answers 502', () => isRefused))
  },

  'the plain page has the lines that the protocol\'s page prints': async () => {
    const printed = await readFile(new URL('../../../docs/protocol/sse.md', import.meta.url), 'utf8')
    if (!printed.includes(`\`\`\`js\n${await readFile(join(exampleFolder('plain'), 'follow.js'), 'utf8')}\`\`\``)) {
      throw new Error('examples/plain/follow.js is not what docs/protocol/sse.md prints')
    }
  },

  'the examples that Vite makes compile and build': async () => {
    for (const example of ['vite-proxy', 'react']) await runScript(exampleFolder(example), 'build')
    const main = await readFile(join(exampleFolder('react'), 'src/main.tsx'), 'utf8')
    if (main.split('\n').length > 61) throw new Error('the React example is longer than 60 lines')
  },

  'behind Vite\'s development server a dead upstream is told at once': async ({ binary, browser }) => {
    const port = await freePort()
    const house = await houseBehind(binary, port, ({ webUrl }) =>
      startTool('vite-proxy', 'vite', ['--host', '127.0.0.1', '--port', String(port)], addressOf(port), {
        GUILDHALL_URL: webUrl,
      }),
    )
    const page = await (await Visitor.signedIn(browser, house, house.ana)).page()
    await isLive(page)
    await outlives(house, page, saidToBeOld(page))
    await isLive(page)
  },

  'the React example shows people, makes a room and outlives a dead upstream': async ({ binary, browser }) => {
    const port = await freePort()
    const house = await houseBehind(binary, port, ({ webUrl, guild }) =>
      startTool('react', 'vite', ['--host', '127.0.0.1', '--port', String(port)], addressOf(port), {
        GUILDHALL_URL: webUrl,
        VITE_DISCORD_GUILD_ID: guild,
      }),
    )
    const page = await (await Visitor.signedIn(browser, house, house.ana)).page()
    const quiet = complaints(page)
    await isLive(page)
    await house.voice(house.people[0], house.rooms[0])
    await pageSays(page, '[aria-live]', `${house.nameOf(house.people[0])} came`)
    await page.getByRole('button', { name: 'New room' }).click()
    await page.locator('li', { hasText: 'Den' }).waitFor()
    await outlives(house, page, saidToBeOld(page))
    await isLive(page)
    quiet()
  },

  'TanStack Start while developing: a dead upstream is told at once': async ({ binary, browser }) => {
    const port = await freePort()
    const house = await houseBehind(binary, port, ({ webUrl }) =>
      startTool('tanstack-start', 'vite', ['dev', '--host', '127.0.0.1', '--port', String(port)], addressOf(port), {
        GUILDHALL_URL: webUrl,
        ...OF_APP,
      }),
      SHARED,
    )
    const { page } = await startSignedIn(browser, house)
    await outlives(house, page, saidToBeOld(page))
    await isLive(page)
  },

  'TanStack Start renders on the server, goes on without a gap, and the stream passes beside it': async ({ binary, browser }) => {
    const folder = exampleFolder('tanstack-start')
    await runScript(folder, 'build')
    const [port, startPort] = [await freePort(), await freePort()]
    let start
    const house = await houseBehind(binary, port, async ({ webPort, webUrl }) => {
      const words = ['serve', '--prod', '--hostname', '127.0.0.1', '--port', String(startPort), '-s', '../client', '--entry', 'dist/server/server.js']
      start = await startTool('tanstack-start', 'srvx', words, addressOf(startPort), { GUILDHALL_URL: webUrl, ...OF_APP })
      await startNginx('tanstack-start', port, { 3000: webPort, 3001: startPort })
    }, SHARED)
    const [person] = house.people
    const [room, next] = house.rooms
    await house.voice(person, room)
    // By the app's own login, which Guildhall takes: from now on the server knows the picture, too.
    const { visitor, page: first } = await startSignedIn(browser, house)
    await first.close()
    const cookie = (await visitor.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    await until('the server renders who is there', async () => {
      const answer = await fetch(addressOf(port), { headers: { cookie } })
      return (await answer.text()).includes(house.nameOf(person))
    })

    // Between the server's rendering and the browser's first line somebody moves.
    const page = await visitor.context.newPage()
    const quiet = complaints(page)
    const streams = []
    page.on('request', (request) => request.url().includes('/api/stream') && streams.push(request.url()))
    let release
    const held = new Promise((done) => (release = done))
    await page.route('**/assets/*.js', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(addressOf(port), { waitUntil: 'commit' })
    await pageSays(page, line(room), house.nameOf(person))
    await house.voice(person, next)
    release()
    await pageSays(page, line(next), house.nameOf(person))
    await isLive(page)
    if (streams.length === 0 || !streams.every((url) => url.includes('lastEventId='))) throw new Error(`a stream without a cursor: ${streams}`)

    await page.getByRole('textbox', { name: 'Name' }).first().fill('Den')
    await page.getByRole('button', { name: 'New room' }).first().click()
    await pageSays(page, 'output', 'Made: ')
    await page.locator('li', { hasText: 'Den' }).waitFor()
    // As long as the form lets it be, and longer than Discord does: the schema says so, and nobody is asked.
    await page.getByRole('textbox', { name: 'Name' }).first().fill('x'.repeat(150))
    await page.getByRole('button', { name: 'New room' }).first().click()
    await until('it is refused', async () => !(await page.locator('output').first().textContent()).startsWith('Made'))
    quiet()

    await outlives(house, page, saidToBeOld(page))
    await isLive(page)
    await start.end('SIGKILL')
    await house.voice(person, room)
    await pageSays(page, line(room), house.nameOf(person))
    await isLive(page)
  },
}
