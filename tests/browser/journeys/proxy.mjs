/** What stands between browsers and web: a proxy that can be told to fail, nginx, and servers of the examples. */

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'

import { atEnd, newFolder, Process, until } from './process.mjs'

const EXAMPLES = new URL('../../../examples/', import.meta.url).pathname

/** Passes everything on, or answers 502 as a proxy does whose upstream is away. */
export class Proxy {
  #server
  #target
  #isBroken = false
  /** Requests that were answered 502 since it was told to. */
  refused = 0
  port

  static async start() {
    const proxy = new Proxy()
    proxy.#server = createServer((incoming, outgoing) => proxy.#pass(incoming, outgoing))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    proxy.port = proxy.#server.address().port
    atEnd(() => {
      proxy.#server.close()
      proxy.#server.closeAllConnections()
    })
    return proxy
  }

  get url() {
    return `http://localhost:${this.port}/`
  }

  to(port) {
    this.#target = port
  }

  /** Cuts what is open, and answers 502 from now on. */
  breaks() {
    this.refused = 0
    this.#isBroken = true
    this.#server.closeAllConnections()
  }

  mends() {
    this.#isBroken = false
  }

  /** Cuts what is open, once. */
  cuts() {
    this.#server.closeAllConnections()
  }

  #pass(incoming, outgoing) {
    if (this.#isBroken) {
      this.refused += 1
      outgoing.writeHead(502, { 'content-type': 'text/html' })
      return outgoing.end('<h1>502 Bad Gateway</h1>')
    }
    const { method, url: path, headers } = incoming
    const upstream = request({ host: '127.0.0.1', port: this.#target, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    upstream.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()))
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  }
}

/** Debian's nginx with an example's own settings, its ports replaced; `ports`: from 3000 and 3001 to these. */
export const startNginx = async (example, port, ports, root) => {
  const folder = newFolder()
  let text = readFileSync(join(EXAMPLES, example, 'nginx.conf'), 'utf8')
  const replace = (from, to) => {
    if (!text.includes(from)) throw new Error(`${example}/nginx.conf has no ${from}`)
    text = text.replaceAll(from, to)
  }
  replace('127.0.0.1:8000', `127.0.0.1:${port}`)
  for (const [from, to] of Object.entries(ports)) replace(`127.0.0.1:${from}`, `127.0.0.1:${to}`)
  if (root !== undefined) replace('root .;', `root ${root};`)
  replace('error_log stderr;', `error_log ${folder}/error.log; master_process off;`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`)
  replace('access_log off;', `access_log off; ${temporary.join(' ')}`)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, text)
  const nginx = new Process('/usr/sbin/nginx', ['-p', folder, '-c', file, '-e', join(folder, 'start.log')], {})
  await answers(`http://localhost:${port}/`, nginx)
  return nginx
}

/** A program of an example's own packages, such as `vite`. */
export const startTool = async (example, tool, words, url, env) => {
  const folder = join(EXAMPLES, example)
  const program = join(folder, 'node_modules/.bin', tool)
  const server = new Process(process.execPath, [program, ...words], { cwd: folder, env: { ...process.env, ...env } })
  await answers(url, server)
  return server
}

/** Runs an example's own script to its end. */
export const runScript = async (folder, script) => {
  const npm = new Process('npm', ['run', script], { cwd: folder })
  await until(`${script} in ${folder} ends`, () => !npm.runs, 120_000)
  if (!npm.endedWell) throw new Error(`npm run ${script} in ${folder}:\n${npm.said.slice(-3_000)}`)
}

export const exampleFolder = (example) => join(EXAMPLES, example)

const answers = (url, server) =>
  until(`${url} answers`, async () => {
    if (!server.runs) throw new Error(server.said.slice(-2_000))
    return (await fetch(url, { redirect: 'manual' })).status > 0
  })

