/** Pages of the journeys' own, with the built client, at the house's own origin. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const CLIENT = new URL('../../../client/dist/', import.meta.url).pathname
const PATH = '/journey/'

/** A page at the house's origin that runs this module; `@guildhall/client` is the built one. */
export const clientPage = async (visitor, script) => {
  const imports = { '@guildhall/client': `${PATH}client/index.js` }
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Journey</title><body>
    <script type="importmap">${JSON.stringify({ imports })}</script><script type="module">${script}</script>`
  const page = await visitor.context.newPage()
  await page.route(`**${PATH}**`, async (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === PATH) return route.fulfill({ contentType: 'text/html', body: html })
    const body = await readFile(join(CLIENT, pathname.slice(`${PATH}client/`.length)))
    return route.fulfill({ contentType: 'text/javascript', body })
  })
  await page.goto(new URL(PATH, visitor.url).href)
  return page
}
