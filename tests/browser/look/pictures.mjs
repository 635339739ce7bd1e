/**
 * Makes the pictures of the documentation again, after `cargo xtask ui`:
 *
 *     npm run pictures [-- --all FOLDER]
 *
 * `--all`: of every state, into another folder, to look at.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { launch } from '../browser.mjs'
import { openState } from './open.mjs'
import { states } from './states.mjs'

const DOCS = new URL('../../../docs/', import.meta.url)
const SIZES = [[1280, 800], [390, 844]]

const [option, elsewhere] = process.argv.slice(2)
const all = option === '--all'
const folder = all ? pathToFileURL(`${resolve(elsewhere)}/`) : new URL('pictures/', DOCS)

const browser = await launch()
await mkdir(folder, { recursive: true })
for (const name of Object.keys(states).filter((name) => all || states[name].pictured)) {
  for (const [width, height] of SIZES) {
    for (const colorScheme of ['light', 'dark']) {
      const { page, end } = await openState(browser, name, { width, height, colorScheme })
      const session = await page.context().newCDPSession(page)
      const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 })
      await writeFile(new URL(`${name}-${width}-${colorScheme}.webp`, folder), Buffer.from(data, 'base64'))
      // The one at the top of the README.
      if (name === 'lobby' && width === 1280 && colorScheme === 'light' && !all) await page.screenshot({ path: new URL('picture.png', DOCS).pathname })
      await end()
    }
  }
  console.log(name)
}
await browser.close()
