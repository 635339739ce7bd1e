/** Apps that Guildhall stands beside. */

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

import { atEnd } from '../process.mjs'
import { printed } from './page.mjs'

const CLIENT = new URL('../../../../client/dist/', import.meta.url).pathname

const HTML = 'text/html; charset=utf-8'
const JAVASCRIPT = 'text/javascript; charset=utf-8'

/** Serves until all is over; answers its port. `answer(request, response)`. */
const serve = async (stand, answer) => {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  stand.appAnswers = async () => (await (await fetch(stand.origin)).text()).includes('the app')
  return server.address().port
}

/** One that is not ours in any way. */
export const plainApp = (stand) => serve(stand, (_request, response) => response.end('the app'))

/** The page around `overlay/room.js`, as its comment wants it. */
const roomPage = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,"><title>The room</title>
<script type="importmap">${JSON.stringify({ imports: { '@guildhall/client': '/client/index.js' } })}</script>
<body><script type="module" src="/room.js"></script>`

/** One with the page's files about overlays; `addresses`: what `overlay/make.js` has other than it is printed. */
export const appWithLinks = (addresses) => (stand) => {
  const files = {
    '/': [HTML, '<!doctype html><link rel="icon" href="data:,"><p>the app</p>'],
    '/make.js': [JAVASCRIPT, printed('overlay/make.js', addresses)],
    '/room': [HTML, roomPage],
    '/room.js': [JAVASCRIPT, printed('overlay/room.js')],
  }
  return serve(stand, async (request, response) => {
    const { pathname } = new URL(request.url, stand.origin)
    const ofClient = /^\/client\/([\w/-]+\.js)$/.exec(pathname)?.[1]
    const [type, body] = ofClient === undefined ? (files[pathname] ?? []) : [JAVASCRIPT, await readFile(join(CLIENT, ofClient))]
    if (body === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': type }).end(body)
  })
}
