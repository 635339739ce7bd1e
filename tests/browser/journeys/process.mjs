/** Child processes, free ports, folders, and waiting for what must become so. What was started ends with us. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const WITHIN_MS = 30_000

/** Looks again until it is so, and answers what was found. */
export const until = async (what, look, withinMs = WITHIN_MS) => {
  const deadline = performance.now() + withinMs
  let seen
  for (;;) {
    try {
      seen = await look()
      if (seen) return seen
    } catch (error) {
      seen = error
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms; last: ${String(seen)}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

export const freePort = async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const cleanups = []

/** Runs when all is over, the newest first. */
export const atEnd = (clean) => void cleanups.push(clean)

export const cleanUp = async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
}

export const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-journeys-'))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export class Process {
  #child
  #said = ''

  /** `options`: of `spawn`. */
  constructor(program, words, options) {
    this.#child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#said += text))
    }
    this.#child.on('error', (error) => (this.#said += String(error)))
    atEnd(() => this.end('SIGKILL'))
  }

  get said() {
    return this.#said
  }

  get runs() {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get endedWell() {
    return this.#child.exitCode === 0
  }

  /** What it ended with by itself. */
  get exitCode() {
    return this.#child.exitCode
  }

  /** The rest of the first line that has this. */
  async lineAfter(words) {
    return until(`it says ${words}`, () => {
      const line = this.#said.split('\n').find((one) => one.includes(words))
      if (line !== undefined) return line.slice(line.indexOf(words) + words.length).trim()
      if (!this.runs) throw new Error(`it ended:\n${this.#said.slice(-2_000)}`)
      return undefined
    })
  }

  signal(name) {
    this.#child.kill(name)
  }

  async end(signal = 'SIGTERM') {
    if (!this.runs) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}
