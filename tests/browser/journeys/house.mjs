/** The product as it runs: simulator, gateway and web, each a process, on free ports of this machine. */

import { freePort, newFolder, Process, until } from './process.mjs'

const SECRETS = {
  LINK_TOKEN: 'link-token-of-the-journeys-0123456789abcdef',
  SESSION_SECRET: 'session-secret-of-the-journeys-0123456789ab',
}

export class House {
  /** The binary. */
  #binary
  #settings
  #folder = newFolder()
  #opsPort

  /** `baseUrl(port)`: where browsers reach it, if that is not web itself; `more`: further settings. */
  static async start(binary, { baseUrl, more = {} } = {}) {
    const house = new House()
    house.#binary = binary
    house.webPort = await freePort()
    house.#opsPort = await freePort()
    house.gatewayOpsPort = await freePort()
    const simulator = house.#run('simulator', ['--listen', '127.0.0.1:0'], {})
    house.discordUrl = (await simulator.lineAfter('Discord side')).split(/\s/)[0].replace(/\/$/, '')
    const { application, guilds, users } = await house.discord('GET', '/state')
    const linkPort = await freePort()
    house.baseUrl = baseUrl?.(house.webPort) ?? `http://localhost:${house.webPort}/`
    house.#settings = {
      ...SECRETS,
      DISCORD_URL: house.discordUrl,
      DISCORD_CDN_URL: house.discordUrl,
      DISCORD_BOT_TOKEN: application.botToken,
      DISCORD_CLIENT_ID: application.id,
      DISCORD_CLIENT_SECRET: application.clientSecret,
      DISCORD_PUBLIC_KEY: application.publicKey,
      GATEWAY_WS_PORT: String(linkPort),
      GATEWAY_WS_URL: `ws://127.0.0.1:${linkPort}`,
      WEB_PORT: String(house.webPort),
      BASE_URL: house.baseUrl,
      ROOM_PARENTS: guilds[0].channels.find(({ type }) => type === 4).id,
      RUST_LOG: 'warn',
      ...more,
    }
    const [guild] = guilds
    const isBot = (id) => users.find((user) => user.id === id).bot
    const inVoice = (id) => guild.voiceStates.some((voice) => voice.userId === id)
    house.guild = guild.id
    house.nameOf = (id) => users.map((user) => user.id === id && (user.globalName ?? user.username)).find(Boolean)
    house.rooms = guild.channels.filter(({ type }) => type === 2).slice(0, 2).map(({ id }) => id)
    const VIEW_CHANNEL = 1n << 10n
    const isGated = ({ type, permissionOverwrites }) =>
      type === 2 && permissionOverwrites.some(({ id, deny }) => id === guild.id && (BigInt(deny) & VIEW_CHANNEL) !== 0n)
    /** A room that takes a role to see. */
    house.gated = guild.channels.find(isGated).id
    house.people = guild.members.map(({ userId }) => userId).filter((id) => !isBot(id) && !inVoice(id))
    /** Whoever signs in; nobody moves them. */
    house.ana = house.people.shift()
    house.ben = house.people.shift()
    house.startGateway()
    house.startWeb()
    await house.ready()
    return house
  }

  #run(role, words, settings) {
    return new Process(this.#binary, [role, ...words], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, ...settings },
    })
  }

  startGateway() {
    this.gateway = this.#run('gateway', ['--ops-port', String(this.gatewayOpsPort)], this.#settings)
  }

  startWeb() {
    this.web = this.#run('web', ['--ops-port', String(this.#opsPort)], this.#settings)
  }

  /** Web has its world, and Discord is live. */
  ready() {
    return this.#ready(this.#opsPort, () => this.web)
  }

  async #ready(opsPort, web) {
    await until('the house is ready', async () => {
      const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`)
      return answer.ok && !(await answer.text()).includes('degraded')
    }).catch((error) => {
      throw new Error(`${error.message}\n${this.gateway.said.slice(-1_500)}\n${web().said.slice(-1_500)}`)
    })
  }

  /** One more web of the same house; `more(port)`: settings of its own. It is ready. */
  async anotherWeb(more) {
    const [port, opsPort] = [await freePort(), await freePort()]
    const settings = { ...this.#settings, WEB_PORT: String(port), ...more(port) }
    const start = () => this.#run('web', ['--ops-port', String(opsPort)], settings)
    const web = {
      port,
      process: start(),
      ready: () => this.#ready(opsPort, () => web.process),
      startAgain: () => {
        web.process = start()
        return web.ready()
      },
    }
    await web.ready()
    return web
  }

  /** Web itself, whatever stands before it. */
  get webUrl() {
    return `http://localhost:${this.webPort}/`
  }

  async discord(method, path, body) {
    const answer = await fetch(`${this.discordUrl}/sim${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`the simulator: ${method} ${path} ${answer.status} ${await answer.text()}`)
    const text = await answer.text()
    return text === '' ? null : JSON.parse(text)
  }

  /** Puts somebody into a room of the guild, or out of any. */
  voice(userId, channelId) {
    return this.discord('POST', `/guilds/${this.guild}/voice`, { userId, channelId })
  }

  /** Who has streams, as web itself counts them. */
  async streams() {
    const answer = await fetch(`http://127.0.0.1:${this.#opsPort}/admin/streams`)
    return answer.json()
  }

  async metric(name) {
    const text = await (await fetch(`http://127.0.0.1:${this.#opsPort}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`))
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')))
  }

  /** Open streams of everybody. */
  async openStreams() {
    return (await this.streams()).streams
  }

  /** Signs somebody in without a browser; answers the `Cookie` header. */
  async cookieOf(userId) {
    return (await this.signIn(userId)).cookie
  }

  /** The same at any address that leads here, and where that led to in the end. */
  async signIn(userId, { baseUrl = this.baseUrl, returnTo = '' } = {}) {
    const ask = (url, cookie) => fetch(url, { redirect: 'manual', ...(cookie && { headers: { cookie } }) })
    const cookieIn = (answer) => answer.headers.getSetCookie().map((line) => line.split(';')[0]).filter((pair) => !pair.endsWith('='))
    let login = await ask(new URL(`auth/login?returnTo=${encodeURIComponent(returnTo)}`, baseUrl))
    // First to the name that web knows itself by, if it was asked by another one.
    if (!login.headers.get('location').startsWith(this.discordUrl)) login = await ask(login.headers.get('location'))
    const consent = await ask(`${login.headers.get('location')}&sim_user=${userId}`)
    const callback = await ask(consent.headers.get('location'), cookieIn(login).join('; '))
    const cookie = cookieIn(callback).find((pair) => pair.startsWith('guildhall='))
    if (cookie === undefined) throw new Error(`no session: ${callback.status}`)
    return { cookie, returnedTo: callback.headers.get('location') }
  }

  async end() {
    await this.web.end()
    await this.gateway.end()
  }
}
