/**
 * The simulator's own page in Chromium, every control of it pressed as a person
 * would; what comes of it is looked up in /sim.
 *
 *     node simulator.mjs http://127.0.0.1:4000
 *
 * `SCREENSHOTS=folder` also leaves pictures there. Ends with 0 if all was as promised.
 */

import { strict as assert } from 'node:assert'
import { join } from 'node:path'

import { launch } from './browser.mjs'

const origin = process.argv[2]
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.')

const WITHIN_MS = 20_000
const SIZES = [[1280, 800], [390, 844]]

const ask = async (path) => (await fetch(`${origin}/sim${path}`)).json()
const state = () => ask('/state')

/** Looks again until it is so: the page acts, then the simulator, then we see it. */
async function until(what, look) {
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`${what}: not within ${WITHIN_MS} ms`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

const browser = await launch()
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
context.setDefaultTimeout(WITHIN_MS)
const page = await context.newPage()
const wrong = []
page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
page.on('pageerror', (error) => wrong.push(String(error)))

const before = await state()
const guild = before.guilds[0]
const person = guild.members[0].userId
const nameOf = (id) => before.users.find((one) => one.id === id).globalName
const channelId = (name) => guild.channels.find((one) => one.name === name).id
const roleId = (name) => guild.roles.find((one) => one.name === name).id

const voiceOf = async (id) => (await state()).guilds[0].voiceStates.find((one) => one.userId === id)
const button = (name, within = page) => within.getByRole('button', { name, exact: true })
const room = (name) => page.getByRole('article', { name, exact: true })
const face = (id, within = page) => within.locator(`[data-key="person-${id}"]`)
const card = page.locator('#card')
const panel = page.locator('.weather')

/**
 * A bot that says who it is and no more: enough to be met by faults. It has a window of
 * its own, because Chromium draws a page behind another only once a second.
 */
const bot = await (await browser.newContext()).newPage()
async function connect() {
  const { application, sessions } = await state()
  if (sessions.some((session) => session.attached)) return
  await bot.evaluate(([url, token]) => new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.onmessage = ({ data }) => {
      const { op, t } = JSON.parse(data)
      const d = { token, intents: 129, properties: {} }
      if (op === 10) socket.send(JSON.stringify({ op: 2, d }))
      if (t === 'READY') resolve()
    }
    socket.onerror = () => reject(new Error('no gateway'))
    globalThis.socket = socket
  }), [`${origin.replace('http', 'ws')}/gateway/?v=10&encoding=json`, application.botToken])
  await page.locator('.pulse .on').first().waitFor()
}

async function looksRight(name) {
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(wide <= 0, `${name} is ${wide} px wider than ${width}`)
      const folder = process.env.SCREENSHOTS
      if (folder === undefined) continue
      const path = join(folder, `simulator-${name}-${width}-${colorScheme}.png`)
      const fullPage = name !== 'card'
      await page.screenshot({ path, fullPage, animations: 'disabled' })
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 })
}

const promises = {
  'the guilds and their people are shown': async () => {
    await page.goto(origin)
    await page.getByRole('heading', { name: guild.name }).waitFor()
    await face(person).waitFor()
    assert.equal(await page.locator('.pulse').innerText(), 'no bot connected')
    await looksRight('hall')
  },

  'a person joins, moves, mutes and leaves by pressing': async () => {
    await face(person).click()
    await button('Table One', card).click()
    await until('joining', async () => (await voiceOf(person))?.channelId === channelId('Table One'))
    await face(person, room('Table One')).waitFor()
    await button('Table Two', card).click()
    await until('moving', async () => (await voiceOf(person))?.channelId === channelId('Table Two'))
    for (const [label, flag] of [
      ['Muted', 'selfMute'], ['Deafened', 'selfDeaf'], ['Streaming', 'selfStream'], ['Camera', 'selfVideo'],
      ['Muted by server', 'mute'], ['Deafened by server', 'deaf'],
    ]) {
      await button(label, card).click()
      await until(label, async () => (await voiceOf(person))?.[flag])
      await card.locator(`[data-key="${flag}"][aria-pressed="true"]`).waitFor()
    }
    await looksRight('card')
    await button('Muted by server', card).click()
    await until('unmuting', async () => (await voiceOf(person)).mute === false)
    await button('Leave', card).click()
    await until('leaving', async () => !(await voiceOf(person)))
    await face(person, page.locator('#outside')).waitFor()
  },

  'roles and a status are given and taken': async () => {
    const keeper = roleId('Keeper')
    const roles = async () => (await state()).guilds[0].members[0].roles
    await button('Keeper', card).click()
    await until('a role', async () => (await roles()).includes(keeper))
    await card.locator(`[data-key="${keeper}"][aria-pressed="true"]`).click()
    await until('no role', async () => !(await roles()).includes(keeper))
    for (const status of ['idle', 'dnd', 'offline', 'online']) {
      await button(status, card).click()
      await until(status, async () => (await state()).users.find((one) => one.id === person).status === status)
    }
    await button('Close', card).click()
    await card.waitFor({ state: 'hidden' })
    await page.locator(`[data-key="person-${person}"] .face.online`).waitFor()
  },

  'a person is dragged into a room and out again': async () => {
    await face(person).dragTo(room('Table Two'))
    await until('joining', async () => (await voiceOf(person))?.channelId === channelId('Table Two'))
    await face(person, room('Table Two')).waitFor()
    await face(person).dragTo(page.locator('#outside-title'))
    await until('leaving', async () => !(await voiceOf(person)))
  },

  'another guild is a press away, and a guild goes out of service and comes back': async () => {
    const other = before.guilds[1].name
    await page.getByRole('navigation').getByRole('button', { name: other }).click()
    await page.getByRole('heading', { name: other }).waitFor()
    await page.getByRole('navigation').getByRole('button', { name: guild.name }).click()
    for (const [label, available] of [['Take out of service', false], ['Bring back', true]]) {
      await button(label).click()
      await until(label, async () => (await state()).guilds[0].available === available)
    }
    await button('Take out of service').waitFor()
  },

  'every fault on the panel is caused and said': async () => {
    await panel.locator('summary').click()
    await connect()
    await looksRight('panel')
    const faults = panel.locator('#faults button')
    const labels = await faults.allInnerTexts()
    assert.ok(labels.length >= 20, `only ${labels.length} faults`)
    const kinds = new Set()
    for (const label of labels) {
      await connect()
      const count = (await ask('/faults')).done.length
      await button(label, panel.locator('#faults')).click()
      const done = await until(label, async () => {
        const { done } = await ask('/faults')
        return done.length > count && done
      })
      const { fault, by, answer } = done.at(-1)
      assert.equal(by, 'person')
      kinds.add(fault.kind)
      const said = answer.connections === undefined ? 'done' : 'met 1 connection'
      await page.locator('#caused', { hasText: `${label}: ${said}` }).waitFor()
      if (fault.kind === 'drop') await page.locator('.pulse .off').waitFor()
      // What meets whole connections must not meet the next fault's.
      if (answer.connections !== undefined) await bot.evaluate(() => globalThis.socket.close(1000))
      await until('the bot is away', async () =>
        answer.connections === undefined || !(await state()).sessions.some((session) => session.attached))
    }
    assert.ok(kinds.size >= 18, `only ${[...kinds]}`)
    assert.equal((await ask('/faults')).done.at(-1).fault.kind, 'heal')
  },

  'every scenario begins at a press': async () => {
    for (const name of ['evening', 'big', 'outage', 'standing']) {
      await panel.locator(`[data-key="scenario-${name}"]`).click()
      await until(name, async () => (await state()).scenario === name)
      await panel.locator(`[data-key="scenario-${name}"][aria-pressed="true"]`).waitFor()
    }
    const big = (await state()).guilds.at(-1)
    assert.equal(big.members.length, 10_000)
    await page.getByRole('navigation').getByRole('button', { name: big.name }).click()
    await page.getByRole('heading', { name: big.name }).waitFor()
    await looksRight('big')
  },

  'the console complains of nothing': async () => assert.deepEqual(wrong, []),
}

let failed = false
for (const [name, promise] of Object.entries(promises)) {
  try {
    const began = performance.now()
    await promise()
    console.log(`ok    ${name} (${Math.round(performance.now() - began)} ms)`)
  } catch (error) {
    failed = true
    console.error(`FAIL  ${name}\n${error.stack}`)
    break
  }
}
await browser.close()
process.exit(failed ? 1 : 0)
