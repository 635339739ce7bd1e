/** The page's programs that show a token, before a web that knows it. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { newFolder, Process, until } from '../process.mjs'
import { printed, printedSettings } from './page.mjs'

/** Of a token, by its name in the page's settings. */
const tokens = (settings) =>
  Object.fromEntries(
    settings.API_TOKENS.split(',').map((one) => [one.split(/[+:]/)[0], one.slice(one.indexOf(':') + 1)]),
  )

export class Programs {
  #house
  #folder = newFolder()
  #tokens
  #url
  web

  static async start(house) {
    const programs = new Programs()
    programs.#house = house
    const settings = printedSettings('backend/guildhall.env')
    programs.#tokens = tokens(settings)
    programs.web = await house.anotherWeb(() => settings)
    programs.#url = `http://127.0.0.1:${programs.web.port}`
    programs.follower = programs.#run(process.execPath, 'backend/follow.mjs', 'board')
    programs.curl = programs.look()
    return programs
  }

  #run(program, file, token, words = [], addresses = {}) {
    const path = join(this.#folder, file.replace('/', '-'))
    writeFileSync(path, printed(file, addresses))
    const env = { ...process.env, GUILDHALL: this.#url, GUILDHALL_TOKEN: this.#tokens[token] }
    return new Process(program, [path, ...words], { env })
  }

  look() {
    return this.#run('sh', 'backend/look.sh', 'board', [], { 'http://127.0.0.1:3000': this.#url })
  }

  /** Who is where, as somebody sees it; and that person moved into a room. It is over. */
  async who(...words) {
    const program = this.#run('python3', 'backend/who.py', 'app', words)
    await until('who.py ends', () => !program.runs)
    return program
  }

  /** How often the follower was told that somebody came into a room. */
  joins(userId, channelId) {
    const lines = this.follower.said.split('\n').filter((line) => line.startsWith('voice.joined '))
    const joined = lines.map((line) => JSON.parse(line.slice(line.indexOf(' '))))
    return joined.filter((one) => one.userId === userId && one.channelId === channelId).length
  }

  /** How often the follower was given the whole picture. */
  get pictures() {
    return this.follower.said.split('\n').filter((line) => line.startsWith('snapshot ')).length
  }

  async begin() {
    await until('follow.mjs has a picture', () => this.pictures === 1)
    await until('curl has both', () => /"cursor":".*\n?event: snapshot|retry: \d+\nevent: snapshot/s.test(this.curl.said))
    const { ana, guild, rooms } = this.#house
    await this.#house.voice(ana, rooms[0])
    const program = await this.who(ana, guild, rooms[1])
    if (!program.endedWell || !/\bdone\n$/.test(program.said)) throw new Error(`who.py: ${program.said}`)
    const again = await this.who(ana, guild)
    const name = this.#house.nameOf(ana)
    const lines = again.said.split('\n').filter((line) => line.includes(name))
    if (!again.endedWell || lines.length !== 1) throw new Error(`who.py sees ${name} where they are: ${again.said}`)
    await this.#house.voice(ana, null)
  }

  /** What they say while web is gone. */
  async areRefused() {
    await until('curl ends', () => !this.curl.runs)
    const later = this.look()
    await until('another curl ends', () => !later.runs)
    if ([this.curl.exitCode, later.exitCode].join() !== '18,7') {
      throw new Error(`curl: ${this.curl.exitCode}, then ${later.exitCode}: ${later.said}`)
    }
    const program = await this.who(this.#house.ana, this.#house.guild)
    if (program.endedWell) throw new Error(`who.py: ${program.said}`)
    if (!this.follower.runs) throw new Error(`follow.mjs: ${this.follower.said}`)
  }
}
