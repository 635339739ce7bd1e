/** What the simulator's pages look like with many people, odd names, and nobody who answers. */

import { strict as assert } from 'node:assert'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

import { emptyRows, findings, tooWide, wrongEnds } from '../look/eyes.mjs'

/** The last one is a window of 1280 pixels at 200 %. */
const SIZES = [[1280, 800, 'light'], [390, 844, 'dark'], [320, 640, 'light'], [640, 400, 'dark']]

/** `isBig`: the same many times over, so that axe needs to look once. */
export async function looksRight(page, name, { isBig = false } = {}) {
  const found = []
  for (const [place, [width, height, colorScheme]] of SIZES.entries()) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const all = [['too wide', tooWide], ['empty', emptyRows], ['cut at its beginning', wrongEnds], ['axe', findings]]
    const looks = isBig && place > 0 ? all.slice(0, -1) : all
    for (const [what, look] of looks) {
      for (const finding of await look(page)) found.push(`${width}, ${colorScheme}: ${what}: ${finding}`)
    }
    const folder = process.env.SCREENSHOTS
    if (folder === undefined) continue
    const path = join(folder, `simulator-${name}-${width}-${colorScheme}.png`)
    await page.screenshot({ path, animations: 'disabled' })
  }
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.emulateMedia({ reducedMotion: null })
  assert.deepEqual(found, [], name)
}

/** Names as people have them, and as nobody should. */
export const ODD_NAMES = [
  'W'.repeat(32),
  'محمد عبد الرحمن بن عبد الله',
  '\u3164',
  '\u200b \u2800',
  '🎲👩‍👩‍👧‍👦🏳️‍🌈',
  '<b>bold</b><script>alert(1)</script>',
  '\u202etxet sdrawkcab',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘',
  'Rowan',
]

/** Its address leads to the simulator, until it is cut. */
export async function leash(origin) {
  const { hostname, port } = new URL(origin)
  const sockets = new Set()
  const server = createServer((socket) => {
    const onward = connect(Number(port), hostname)
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => { sockets.delete(one); other.destroy() })
    }
  })
  const listen = (at) => new Promise((done) => server.listen(at, '127.0.0.1', done))
  await listen(0)
  const own = server.address().port
  return {
    origin: `http://127.0.0.1:${own}`,
    async cut() {
      const closed = new Promise((done) => server.close(done))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    mend: () => listen(own),
  }
}
