/**
 * Looks at the page in every state, with the eyes of machines:
 *
 *     npm run look -- [words of a state's name …]
 *
 * Nobody is shut out (axe, with contrast), nothing is wider than the window, no row is empty, and boxes and
 * texts of what the documentation pictures are where they were: `npm run look -- --write` says where they are.
 */

import { strict as assert } from 'node:assert'
import { readFile, writeFile } from 'node:fs/promises'

import { launch } from '../browser.mjs'
import { emptyRows, findings, tooWide, wrongEnds } from './eyes.mjs'
import { openState } from './open.mjs'
import { states } from './states.mjs'

const BOXES = new URL('boxes.json', import.meta.url)
/** A browser of another build rounds differently. */
const WITHIN_PX = 4

const WIDE = { width: 1280, height: 800, colorScheme: 'light' }
const NARROW = { width: 390, height: 844, colorScheme: 'dark' }
const NARROWEST = { width: 320, height: 640, colorScheme: 'light' }
/** At 200 % zoom a window of 1280 has 640 pixels, each twice as large. */
const ZOOMED = { width: 640, height: 400, colorScheme: 'dark' }

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const writes = process.argv.includes('--write')
const known = writes ? {} : JSON.parse(await readFile(BOXES, 'utf8'))

const boxesOf = (page) =>
  page.evaluate(() => {
    const parts = 'header, .brand, .connection, h1, h2, h3, .room, .room-name, .person, .tile, .count, .button, .notice, .panel, .hint, .skeleton'
    // Without what is for the eye alone: a face is a letter until, or unless, its picture comes.
    const textOf = (part) => {
      const read = part.cloneNode(true)
      for (const hidden of read.querySelectorAll('[aria-hidden="true"]')) hidden.remove()
      return read.textContent
    }
    return [...document.querySelectorAll(parts)]
      .filter((part) => part.checkVisibility() && part.getBoundingClientRect().top < innerHeight)
      .map((part) => {
        const { x, y, width, height } = part.getBoundingClientRect()
        const text = part.childElementCount === 0 || part.matches('.person, .room-name, h1, h2, h3, .button, .connection') ? textOf(part) : ''
        return [`${part.tagName.toLowerCase()}.${part.classList[0] ?? ''}`, text, ...[x, y, width, height].map(Math.round)]
      })
  })

const compare = (where, before, now) => {
  assert.ok(before, `${where}: nothing is known, npm run look -- --write`)
  const names = (boxes) => boxes.map(([name, text]) => `${name} ${text}`)
  assert.deepEqual(names(now), names(before), `${where}: other parts or texts`)
  now.forEach(([name, text, ...box], at) => {
    const was = before[at].slice(2)
    const off = Math.max(...box.map((value, side) => Math.abs(value - was[side])))
    assert.ok(off <= WITHIN_PX, `${where}: ${name} ${text} is at ${box}, was at ${was}`)
  })
}

const browser = await launch()
let failed = false
let looks = 0
for (const [name, { pictured, hostile, big }] of Object.entries(states)) {
  if (!words.every((word) => name.includes(word))) continue
  const began = performance.now()
  const found = []
  const { page, wrong, end } = await openState(browser, name, WIDE)
  for (const size of [WIDE, NARROW, ...(hostile || pictured ? [NARROWEST, ZOOMED] : [])]) {
    const where = `${name} at ${size.width}, ${size.colorScheme}`
    await page.setViewportSize({ width: size.width, height: size.height })
    await page.emulateMedia({ colorScheme: size.colorScheme })
    // What is big is the same many times over: once is enough for the slowest of the three.
    const looking = big && size !== WIDE ? [] : [['axe', findings]]
    for (const [what, of] of [...looking, ['too wide', tooWide], ['empty', emptyRows], ['cut at its beginning', wrongEnds]]) {
      for (const finding of await of(page)) found.push(`${where}: ${what}: ${finding}`)
    }
    if (pictured && (size === WIDE || size === NARROW)) {
      const boxes = await boxesOf(page)
      try {
        if (writes) known[where] = boxes
        else compare(where, known[where], boxes)
      } catch (error) {
        found.push(error.message)
      }
    }
    looks += 1
  }
  for (const said of wrong) found.push(`${name}: ${said}`)
  await end()
  failed ||= found.length > 0
  console.log(`${found.length === 0 ? 'ok   ' : 'FAIL '} ${name} (${Math.round(performance.now() - began)} ms)`)
  for (const finding of found) console.log(`      ${finding}`)
}
await browser.close()
if (writes) await writeFile(BOXES, `{\n${Object.entries(known).map(([where, boxes]) => `${JSON.stringify(where)}: [\n${boxes.map((box) => JSON.stringify(box)).join(',\n')}\n]`).join(',\n')}\n}\n`)
console.log(`${looks} looks`)
process.exit(failed ? 1 : 0)
