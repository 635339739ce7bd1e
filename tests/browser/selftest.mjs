/**
 * Proves the page and `road.mjs` without the product: `npm run selftest`.
 *
 * Every promise is asked through road.mjs's own protocol, as the whole-house test
 * does. `SCREENSHOTS=folder` also leaves pictures of each state there.
 */

import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { FakeServer } from './fake-server.mjs'
import { guilds, ids, joined, left, people } from './selftest-world.mjs'

/** road.mjs as a child: ask for a step, get its answer. */
class Road {
  #child
  #lines

  static async start(pageUrl) {
    const road = new Road()
    const script = new URL('road.mjs', import.meta.url).pathname
    road.#child = spawn(process.execPath, [script, JSON.stringify({ pageUrl })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    road.#lines = createInterface({ input: road.#child.stdout })[Symbol.asyncIterator]()
    assert.deepEqual(await road.#answer(), { ok: true, ready: true })
    return road
  }

  async ask(step, more = {}) {
    this.#child.stdin.write(`${JSON.stringify({ step, ...more })}\n`)
    return this.#answer()
  }

  async must(step, more = {}) {
    const answer = await this.ask(step, more)
    assert.ok(answer.ok, answer.error)
    return answer
  }

  async end() {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    assert.equal(this.#child.exitCode, 0)
  }

  async #answer() {
    const { value, done } = await this.#lines.next()
    assert.ok(!done, 'road.mjs ended early')
    return JSON.parse(value)
  }
}

const pictures = async (road, name) => {
  const folder = process.env.SCREENSHOTS
  if (folder === undefined) return
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    for (const colorScheme of ['light', 'dark']) {
      const path = join(folder, `${name}-${width}-${colorScheme}.png`)
      await road.must('screenshot', { path, width, height, colorScheme })
    }
  }
}

const promises = {
  'a stranger is offered the sign-in': async ({ road }) => {
    await road.must('open')
    await road.must('expect_connection', { state: 'signed-out' })
    await pictures(road, 'signed-out')
  },

  'signing in shows the rooms': async ({ road, server }) => {
    await road.must('sign_in', { userId: ids.ana })
    await road.must('expect_person', { userId: ids.bo, channelId: ids.lobby })
    const { url, data, text } = await road.must('read')
    assert.equal(url, server.pageUrl, 'the browser came back to where it began')
    assert.deepEqual(data, {
      connection: 'live',
      tone: 'good',
      discord: 'live',
      link: 'up',
      began: 'snapshot',
      snapshots: '1',
    })
    assert.match(text, /The Long Table/)
    await pictures(road, 'live')
  },

  'a join, a move and a leave appear': async ({ road, server }) => {
    await road.must('expect_person', { userId: ids.dee, channelId: null })
    server.happen('voice.joined', joined(ids.lobby))
    await road.must('expect_person', { userId: ids.dee, channelId: ids.lobby })
    server.happen('voice.left', left(ids.lobby))
    server.happen('voice.joined', joined(ids.table))
    await road.must('expect_person', { userId: ids.dee, channelId: ids.table })
    server.happen('voice.left', left(ids.table))
    await road.must('expect_person', { userId: ids.dee, channelId: null })
  },

  'a lost link is said and taken back': async ({ road, server }) => {
    server.say('status', { discord: 'unknown', link: 'down', since: Date.now() })
    await road.must('expect_connection', { state: 'live', link: 'down' })
    server.say('status', { discord: 'resuming', link: 'up', since: Date.now() })
    await road.must('expect_connection', { state: 'live', link: 'up', discord: 'resuming' })
    await pictures(road, 'resuming')
    server.say('status', { discord: 'live', link: 'up', since: Date.now() })
    await road.must('expect_connection', { discord: 'live' })
  },

  'a killed server is noticed, and what was missed comes by resuming': async ({ road, server }) => {
    const cursor = `c-${server.log.length}`
    await server.kill()
    await road.must('expect_connection', { state: 'reconnecting' })
    await pictures(road, 'reconnecting')
    server.happen('voice.joined', joined(ids.lobby))
    await server.start()
    await road.must('expect_connection', { state: 'live', began: 'resumed', snapshots: 1 })
    await road.must('expect_person', { userId: ids.dee, channelId: ids.lobby })
    const { data } = await road.must('read')
    assert.equal(data.snapshots, '1', 'no snapshot followed')
    assert.equal(server.asked.at(-1), cursor)
  },

  'where the browser gives up, the page goes on with its cursor': async ({ road, server }) => {
    server.refusals = 1
    server.hangUp()
    await road.must('expect_connection', { state: 'reconnecting' })
    server.happen('voice.left', left(ids.lobby))
    await road.must('expect_connection', { state: 'live', began: 'resumed', snapshots: 1 })
    await road.must('expect_person', { userId: ids.dee, channelId: null })
    assert.equal(server.refusals, 0)
  },

  'a room of one\'s own is made, opened, ruled and closed': async ({ road, server }) => {
    const { channelId } = await road.must('create_room', { guildId: ids.guild, name: 'Den' })
    assert.deepEqual(server.commands, [['createRoom', { guildId: ids.guild, name: 'Den', limit: 4, private: true }]])
    const { address } = await road.must('invite', { channelId })
    assert.equal(address, `${server.pageUrl}join?invite=T`)
    await pictures(road, 'own-room')
    await road.must('press', { action: 'lock', channelId })
    server.happen('room.idle', { guildId: ids.guild, ts: Date.now(), channelId, deletesAt: Date.now() + 30_000 })
    await road.must('press', { action: 'go', channelId })
    const { text } = await road.must('read')
    assert.match(text, /Locked/)
    assert.match(text, /Nobody uses this room/)
    await road.must('press', { action: 'close', channelId })
    assert.ok(server.commands.every(([name]) => name !== 'closeRoom'), 'it is asked whether one is sure')
    await road.must('press', { action: 'close-now', channelId })
    await road.must('expect_room', { channelId, shown: false })
    await road.must('open_room', { channelId: ids.lobby })
    await road.must('expect_connection', { state: 'live', began: 'resumed', snapshots: 1 })
    assert.deepEqual(server.viewing.filter((rooms) => rooms.length > 0).slice(-2), [[channelId], [ids.lobby]])
    await road.must('open_room', { channelId: ids.lobby, open: false })
  },

  'an invite is taken by a click': async ({ road, server }) => {
    await road.must('open', { path: 'join?invite=T' })
    await road.must('expect_connection', { state: 'live', began: 'snapshot' })
    const given = server.commands.length
    await pictures(road, 'invitation')
    await road.must('press', { action: 'join' })
    const { text } = await road.must('read')
    assert.deepEqual(server.commands.slice(given), [['joinRoom', { token: 'T' }]])
    assert.match(text, /Open in Discord/)
    await road.must('open')
  },

  'the page breaks no rule of its content security policy': async ({ road }) => {
    const { errors } = await road.must('console_errors')
    // What was refused or cut on purpose is in there too: the stranger's 401, the killed stream.
    const unexpected = errors.filter(({ text }) => !text.startsWith('Failed to load resource'))
    assert.deepEqual(unexpected, [])
  },

  'what does not come is an answer, not a hang': async ({ road }) => {
    const answer = await road.ask('expect_person', { userId: ids.ana, channelId: ids.stage, withinMs: 100 })
    assert.equal(answer.ok, false)
    assert.match(answer.error, /expect_person: nothing matched/)
    assert.equal((await road.ask('dance')).ok, false)
  },

  'signing out shows the sign-in again, also by a menu that was asked for before it was loaded': async ({ road, server }) => {
    let load
    server.late = { names: /while-live/, until: new Promise((resolve) => (load = resolve)) }
    await road.must('open')
    await road.must('expect_connection', { state: 'live' })
    await road.must('press', { action: 'account' })
    load()
    await road.must('press', { action: 'sign-out' })
    await road.must('expect_connection', { state: 'signed-out' })
    const { text } = await road.must('read')
    assert.doesNotMatch(text, /The Long Table/)
  },
}

const server = new FakeServer({ snapshot: guilds, people })
await server.start()
const road = await Road.start(server.pageUrl)
let failed = false
for (const [name, promise] of Object.entries(promises)) {
  try {
    await promise({ road, server })
    console.log(`ok    ${name}`)
  } catch (error) {
    failed = true
    console.log(`FAIL  ${name}\n${error.stack}`)
    break
  }
}
await road.end()
await server.kill()
process.exit(failed ? 1 : 0)
