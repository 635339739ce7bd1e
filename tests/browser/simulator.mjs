/**
 * The simulator's own page in Chromium: `acts`, every control of it pressed as a person
 * would, and what comes of it looked up in /sim; `looks`, with anybody on it.
 *
 *     node simulator.mjs http://127.0.0.1:4000 [acts | looks]
 *
 * `SCREENSHOTS=folder` also leaves pictures there. Ends with 0 if all was as promised.
 */

import { strict as assert } from 'node:assert'

import { launch } from './browser.mjs'
import { tooWide } from './look/eyes.mjs'
import { leash, looksRight, ODD_NAMES } from './simulator/looks.mjs'

const [origin, part] = process.argv.slice(2)
if (!origin) throw new Error('Give the origin of a simulator, such as http://127.0.0.1:4000.')

const WITHIN_MS = 20_000
/** Requests that make people. */
const AT_ONCE = 8

async function ask(path, method = 'GET', body) {
  const headers = body ? { 'content-type': 'application/json' } : {}
  const answer = await fetch(`${origin}/sim${path}`, { method, headers, body: body && JSON.stringify(body) })
  const told = await answer.json()
  assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(told)}`)
  return told
}
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

/** A guild's people and channels, made by the control API while the page, which would follow each, is away. */
async function makeGuild(name, names, rooms = ['Long Table']) {
  await page.goto('about:blank')
  const { id } = await ask('/guilds', 'POST', { name })
  const channels = []
  for (const room of rooms) channels.push((await ask('/channels', 'POST', { guildId: id, name: room })).id)
  const people = []
  const bring = async (globalName, place) => {
    const { id: userId } = await ask('/users', 'POST', { username: `guest.${place}.of.${id}`.slice(0, 32), globalName })
    await ask('/members', 'POST', { guildId: id, userId })
    // One in five is in no room.
    const at = { channelId: channels[place % channels.length], selfMute: place % 3 === 0 }
    if (place % 5) await ask(`/guilds/${id}/voice`, 'POST', { userId, ...at })
    people[place] = userId
  }
  // A few at once: a simulator on a busy machine does not accept five hundred connections in one moment.
  const waiting = [...names.entries()]
  const one = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await bring(next[1], next[0])
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return { id, people, channels }
}

async function openGuild({ id }, name) {
  await page.goto(`${origin}/#${id}`)
  await page.getByRole('heading', { name, level: 2, exact: true }).waitFor()
}

const acts = {
  'the guilds and their people are shown': async () => {
    await page.goto(origin)
    await page.getByRole('heading', { name: guild.name }).waitFor()
    await face(person).waitFor()
    assert.equal(await page.locator('.pulse').innerText(), 'no bot connected')
    await looksRight(page, 'hall')
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
    await looksRight(page, 'card')
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
    for (const [label, status] of [['Idle', 'idle'], ['Do not disturb', 'dnd'], ['Offline', 'offline'], ['Online', 'online']]) {
      await button(label, card).click()
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

  'the keyboard alone finds somebody, moves them, and is where it was': async () => {
    await page.locator('#find').focus()
    await page.keyboard.type(nameOf(person))
    await page.locator('#outside-title', { hasText: 'Found' }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('#card-rooms button:focus').waitFor()
    await button('Table One', card).focus()
    await page.keyboard.press('Enter')
    await until('joining', async () => (await voiceOf(person))?.channelId === channelId('Table One'))
    await page.locator('#card-where', { hasText: 'in Table One' }).waitFor()
    await page.keyboard.press('Escape')
    await card.waitFor({ state: 'hidden' })
    await page.keyboard.press('Escape')
    await page.locator('#find').fill('')
    await face(person, room('Table One')).focus()
    await page.keyboard.press('Enter')
    await button('Leave', card).focus()
    await page.keyboard.press('Enter')
    await until('leaving', async () => !(await voiceOf(person)))
    await page.locator('#card-where', { hasText: 'in no voice channel' }).waitFor()
    await page.keyboard.press('Escape')
    // Their button in the room is gone; the focus is on the one that they have now.
    await page.locator(`#outside [data-key="person-${person}"]:focus`).waitFor()
  },

  'a refusal is said where it was asked for, until it is closed': async () => {
    const refusal = { status: 400, json: { error: { code: 'invalid', message: 'the table is nailed down' } } }
    await page.route('**/voice', (route) => route.fulfill(refusal))
    await face(person).click()
    await button('Table One', card).click()
    await page.locator('#card-refusal', { hasText: 'the table is nailed down' }).waitFor()
    await looksRight(page, 'refused-card')
    await button('Close', card).click()
    await face(person).dragTo(room('Table Two'))
    await page.locator('#refusal', { hasText: 'the table is nailed down' }).waitFor()
    await looksRight(page, 'refused')
    await button('Close', page.locator('.refusal-bar')).click()
    await page.locator('.refusal-bar').waitFor({ state: 'hidden' })
    await page.unroute('**/voice')
    // Chromium says them, too.
    assert.equal(wrong.splice(0).length, 2)
  },

  'whoever is led to a channel finds it': async () => {
    const at = channelId('The Cellar')
    await page.goto(`${origin}/channels/${guild.id}/${at}`)
    await page.locator(`.room[data-led="true"]`, { hasText: 'The Cellar' }).waitFor()
    assert.equal(new URL(page.url()).hash, `#${guild.id}/${at}`)
    // On a telephone it is not under the line of those who are in no channel.
    await page.setViewportSize({ width: 390, height: 844 })
    await page.reload()
    await until('the channel is in sight', () => page.evaluate((id) => {
      const room = document.getElementById(id)
      if (room === null) return false
      const { x, y, width, height } = room.getBoundingClientRect()
      return document.elementFromPoint(x + width / 2, y + height / 2)?.closest('.room')?.id === id
    }, at))
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.goto(origin)
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
    await looksRight(page, 'panel')
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
    // By their places: to find anything by its role takes long among so many.
    await page.locator(`#guilds [data-key="${big.id}"]`).click()
    await page.locator('#guild-head h2', { hasText: big.name }).waitFor()
    await panel.locator('summary').click()
    assert.deepEqual(await tooWide(page), [])
    await ask('/reset', 'POST', {})
    await page.locator('#guild-head h2', { hasText: guild.name }).waitFor()
  },
}

const looks = {
  'odd names are nobody’s trouble': async () => {
    const odd = await makeGuild('Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft', ODD_NAMES, [
      'X'.repeat(100), '\u3164', 'غرفة الجلوس',
    ])
    await page.goto(`${origin}/#${odd.id}`)
    await page.locator(`[data-key="${odd.channels[1]}"]`, { hasText: 'Without a name' }).waitFor()
    await looksRight(page, 'odd')
    await page.locator(`[data-key="person-${odd.people[0]}"]`).click()
    await looksRight(page, 'odd-card')
    await page.keyboard.press('Escape')
  },

  'who signs in is asked in the same words and colours': async () => {
    const { application } = await state()
    const query = new URLSearchParams({
      client_id: application.id, redirect_uri: 'http://127.0.0.1:9/callback', response_type: 'code', scope: 'identify guilds',
    })
    await page.goto(`${origin}/oauth2/authorize?${query}`)
    await page.getByRole('heading', { name: 'Who signs in?' }).waitFor()
    await looksRight(page, 'sign-in')
    query.set('client_id', '1')
    await page.goto(`${origin}/oauth2/authorize?${query}`)
    await page.getByRole('heading', { name: 'This sign-in cannot go on' }).waitFor()
    await looksRight(page, 'sign-in-refused')
    // Chromium says the 400.
    assert.deepEqual(wrong.splice(0).filter((text) => !text.includes('400')), [])
  },

  'nobody, sixty and five hundred fit': async () => {
    const nobody = await makeGuild('Nobody', [], [])
    await openGuild(nobody, 'Nobody')
    await looksRight(page, 'nobody')
    const sixty = await makeGuild('Sixty', Array.from({ length: 60 }, (_, place) => `Guest ${place}`))
    await openGuild(sixty, 'Sixty')
    await looksRight(page, 'sixty')
    const crowd = await makeGuild('Crowd', Array.from({ length: 500 }, (_, place) => `Guest ${place}`))
    await openGuild(crowd, 'Crowd')
    await looksRight(page, 'crowd', { isBig: true })
  },

  'a simulator that is gone is said to be, and comes back by itself': async () => {
    const line = await leash(origin)
    await page.goto(`${line.origin}/#${guild.id}`)
    await face(person).waitFor()
    await line.cut()
    await page.locator('#gone', { hasText: 'This is how it was at' }).waitFor()
    await page.locator('.pulse', { hasText: 'simulator away' }).waitFor()
    await looksRight(page, 'gone')
    await button('Take out of service').click()
    await page.locator('#refusal', { hasText: 'does not answer' }).waitFor()
    await ask(`/guilds/${guild.id}/voice`, 'POST', { userId: person, channelId: channelId('Table Two') })
    await line.mend()
    await face(person, room('Table Two')).waitFor()
    assert.equal(await page.locator('#gone').textContent(), '')
    await page.goto(origin)
    await face(person).waitFor()
    await line.cut()
    // Chromium says each request that nobody answered.
    wrong.splice(0)
  },
}

const promises = {
  ...(part === 'looks' ? {} : acts),
  ...(part === 'acts' ? {} : looks),
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
