/**
 * A stand-in for `guildhall web` and Discord's consent page, just true enough to
 * try the page without either: the built page under a prefix, a login, and a
 * stream over a log. The log outlives the server, as the real one does.
 */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const DIST = new URL('../../ui/dist/', import.meta.url).pathname
const PREFIX = '/hall/'
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

export class FakeServer {
  /** What happened so far; the cursor `c-N` stands after the first N. */
  log = []
  /** Cursors that streams asked to go on from; null for none. */
  asked = []
  /** `?viewing=` of the streams, in the order in which they came. */
  viewing = []
  /** Commands that were given: name and input. */
  commands = []
  /** Where Discord's own client is, as this server tells it. */
  discordUrl = 'https://discord.com'
  /** Where invites lead to; null: to this server. */
  inviteUrl = null
  /** How many of the next streams are answered 503, at which an EventSource gives up. */
  refusals = 0
  /** All streams are answered so; null: as they should. 0: not at all, as by a server that is stuck. */
  answersStreams = null
  /** Files of the page that come late: those that `names` matches, when `until` is settled. */
  late = null
  #snapshot
  #people
  #streams = new Set()
  /** The one that was made. */
  #room = null
  #server = null
  #port = 0

  /** `snapshot()` gives the guilds as they are now; `people` may sign in. */
  constructor({ snapshot, people }) {
    this.#snapshot = snapshot
    this.#people = people
  }

  get pageUrl() {
    return `http://127.0.0.1:${this.#port}${PREFIX}`
  }

  /** On a free port the first time, on the same one after `kill`. */
  async start() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error))
    })
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = this.#server.address().port
  }

  /** Without a word: every connection is cut. */
  async kill() {
    this.#streams.clear()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** Ends every stream, in order. */
  hangUp() {
    for (const stream of this.#streams) stream.end()
  }

  /** Appends an event and sends it to every stream. */
  happen(event, data) {
    this.log.push({ event, data })
    for (const stream of this.#streams) stream.write(frame(event, data, `c-${this.log.length}`))
  }

  /** A control event: it moves no cursor. */
  say(event, data) {
    for (const stream of this.#streams) stream.write(frame(event, data, `c-${this.log.length}`))
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.pageUrl)
    if (url.pathname === '/oauth2/authorize') return this.#pick(url, response)
    if (!url.pathname.startsWith(PREFIX)) return void response.writeHead(404).end()
    const user = this.#people.find(({ id }) => request.headers.cookie?.includes(`guildhall=${id}`))
    switch (`${request.method} ${url.pathname.slice(PREFIX.length)}`) {
      case 'GET auth/login':
        return redirect(response, `/oauth2/authorize?state=${encodeURIComponent(url.searchParams.get('returnTo'))}`)
      case 'GET auth/callback':
        response.setHeader('set-cookie', `guildhall=${url.searchParams.get('code')}; Path=/; HttpOnly; SameSite=Lax`)
        return redirect(response, url.searchParams.get('state'))
      case 'POST auth/logout':
        response.setHeader('set-cookie', 'guildhall=; Path=/; Max-Age=0')
        return void response.writeHead(204).end()
      case 'GET api/me':
        return user === undefined
          ? void response.writeHead(401).end()
          : json(response, {
              user,
              guilds: this.#snapshot().map(({ id }) => id),
              expiresAt: Date.now() + 3_600_000,
              discordUrl: this.discordUrl,
            })
      case 'GET api/stream':
        return user === undefined ? void response.writeHead(401).end() : this.#stream(request, url, response)
      // Asked by a browser whose EventSource has given up without a word.
      case 'HEAD api/stream':
        return void response.writeHead(user === undefined ? 401 : this.answersStreams || 200).end()
      // The page of an invite is the page.
      case 'GET join':
        return this.#file('index.html', response)
      default:
        if (request.method === 'POST' && url.pathname.startsWith(`${PREFIX}api/rpc/`)) {
          await this.#command(url.pathname.slice(`${PREFIX}api/rpc/`.length), user, request, response)
          // What it did has been told before this.
          return this.say('checkpoint', { now: Date.now(), settled: [request.headers['idempotency-key']] })
        }
        return this.#file(url.pathname.slice(PREFIX.length) || 'index.html', response)
    }
  }

  /** One link a person, as on the simulator's page: the same address with `sim_user`. */
  #pick(url, response) {
    const state = encodeURIComponent(url.searchParams.get('state'))
    const picked = url.searchParams.get('sim_user')
    if (picked !== null) return redirect(response, `${PREFIX}auth/callback?code=${picked}&state=${state}`)
    const links = this.#people.map(
      ({ id, displayName }) => `<li><a href="?state=${state}&amp;sim_user=${id}">${displayName}</a></li>`,
    )
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>Who signs in?</title><ul>${links.join('')}</ul>`)
  }

  /** Rooms as the product makes them, as far as the page can tell. */
  async #command(name, user, request, response) {
    if (user === undefined) return void response.writeHead(401).end()
    let text = ''
    for await (const chunk of request) text += chunk
    const input = JSON.parse(text)
    this.commands.push([name, input])
    const discordUrl = 'https://discord.test/channels/1/2'
    const update = (more) => {
      this.#room = { ...this.#room, ...more }
      this.happen('room.updated', { ts: Date.now(), ...this.#room })
    }
    switch (name) {
      case 'createRoom': {
        this.#room = {
          guildId: input.guildId,
          channelId: '613425648685547699',
          name: input.name,
          kind: 'voice',
          position: 9,
          userLimit: 4,
          managed: true,
          ownerId: user.id,
          locked: false,
          hidden: input.private,
        }
        this.happen('room.created', { ts: Date.now(), ...this.#room })
        return json(response, { outcome: 'done', channelId: this.#room.channelId, discordUrl })
      }
      case 'lockRoom':
        update({ locked: input.locked })
        return json(response, { outcome: 'done' })
      case 'hideRoom':
        update({ hidden: input.hidden })
        return json(response, { outcome: 'done' })
      case 'closeRoom':
        this.happen('room.deleted', { guildId: this.#room.guildId, ts: Date.now(), channelId: input.channelId })
        return json(response, { outcome: 'done' })
      case 'createInvite':
        return json(response, {
          outcome: 'done',
          token: 'T',
          url: this.inviteUrl ?? `${this.pageUrl}join?invite=T`,
          expiresAt: Date.now() + 86_400_000,
        })
      case 'joinRoom':
        return json(response, {
          outcome: 'waiting',
          until: Date.now() + 86_400_000,
          channelId: this.#room.channelId,
          discordUrl,
        })
      default:
        response.writeHead(409, { 'content-type': 'application/json' })
        return void response.end('{"error":{"code":"not_managed","message":"Guildhall did not make this room."}}')
    }
  }

  #stream(request, url, response) {
    if (this.answersStreams === 0) return
    if (this.answersStreams !== null) return void response.writeHead(this.answersStreams).end()
    if (this.refusals > 0) {
      this.refusals -= 1
      return void response.writeHead(503).end()
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store, no-transform',
    })
    const cursor = request.headers['last-event-id'] ?? url.searchParams.get('lastEventId')
    this.asked.push(cursor)
    this.viewing.push(url.searchParams.getAll('viewing'))
    const after = Number(/^c-(\d+)$/.exec(cursor ?? '')?.[1] ?? Number.NaN)
    response.write('retry: 300\n\n')
    const status = { discord: 'live', link: 'up', since: Date.now() }
    if (after <= this.log.length) {
      const missed = this.log.slice(after)
      response.write(frame('resumed', { replayed: missed.length, status }, cursor))
      missed.forEach(({ event, data }, index) => response.write(frame(event, data, `c-${after + index + 1}`)))
    } else {
      const snapshot = { reason: 'no_cursor', status, guilds: this.#snapshot() }
      response.write(frame('snapshot', snapshot, `c-${this.log.length}`))
    }
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }

  async #file(path, response) {
    const drawn = /^cdn\/(\d+)\.svg$/.exec(path)
    if (drawn !== null) return drawAvatar(Number(drawn[1]), response)
    if (this.late?.names.test(path)) await this.late.until
    try {
      const body = await readFile(join(DIST, normalize(`/${path}`)))
      response.writeHead(200, {
        'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        'content-security-policy': POLICY,
      })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  }
}

const frame = (event, data, id) => `event: ${event}\ndata: ${JSON.stringify(data)}\nid: ${id}\n\n`

const redirect = (response, location) => void response.writeHead(302, { location }).end()

const json = (response, body) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const drawAvatar = (seed, response) => {
  const hue = (seed * 47) % 360
  response.writeHead(200, { 'content-type': 'image/svg+xml' })
  response.end(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="hsl(${hue} 32% 46%)"/>` +
      `<circle cx="4" cy="3.2" r="1.5" fill="hsl(${hue} 45% 84%)"/><circle cx="4" cy="8" r="3" fill="hsl(${hue} 45% 84%)"/></svg>`,
  )
}
