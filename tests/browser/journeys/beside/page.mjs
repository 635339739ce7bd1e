/** `docs/beside-your-app.md`: the files that it prints, and what its table says of each proxy. */

import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../../../../docs/beside-your-app.md', import.meta.url), 'utf8')

const blocks = new Map()
for (const [, about, block] of text.matchAll(/^```(.+)\n([^]*?)^```$/gm)) {
  const name = /^\w+ file=(\S+)$/.exec(about)?.[1]
  if (name === undefined) throw new Error(`a block of the page names no file, so nobody runs it: ${about}`)
  blocks.set(name, block)
}

const asked = new Set()

/** A file as it is printed, with other addresses: each of them must be in it. */
export const printed = (name, addresses = {}) => {
  let file = blocks.get(name)
  if (file === undefined) throw new Error(`the page prints no ${name}`)
  asked.add(name)
  for (const [from, to] of Object.entries(addresses)) {
    if (!file.includes(from)) throw new Error(`${name} has no ${from}`)
    file = file.replaceAll(from, to)
  }
  return file
}

/** The same, of settings: by name. */
export const printedSettings = (name, addresses) =>
  Object.fromEntries(
    printed(name, addresses)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

/** Files that nothing has asked for, of those which `isMeant(name)`. */
export const neverAsked = (isMeant) => [...blocks.keys()].filter((name) => isMeant(name) && !asked.has(name))

/**
 * A row of the page's table: after how many seconds without a byte a stream is cut (or never), that it is
 * closed when its upstream dies, and what is answered meanwhile.
 */
export const promised = (name) => {
  const row = text.split('\n').find((line) => line.startsWith(`| ${name} |`))
  const [idle, dead, down] = (row ?? '').split('|').slice(2, 5).map((cell) => cell.trim())
  const cut = /^cut after (\d+) s without a byte/.exec(idle)?.[1]
  if ((cut === undefined && idle !== 'kept') || !dead.startsWith('closed at once') || !/^\d{3}$/.test(down)) {
    throw new Error(`the page's table says something else of ${name}: ${row}`)
  }
  return { cutAfter: cut === undefined ? undefined : Number(cut), whileDown: Number(down) }
}
