/**
 * A stream followed by npm's `eventsource`, bare or by the lines that the protocol page prints.
 *
 *     node follow.mjs '{"url":"http://127.0.0.1:3000/api/stream","cookie":"…","by":"itself"|"the page's lines"}'
 *
 * Says what it hears in lines of JSON on stdout, and ends when its stdin does.
 */

import { EventSource } from 'eventsource'

import { EVENTS, pagesLines, said } from './told.mjs'

const { url, cookie, by } = JSON.parse(process.argv[2])

/** As the package's page says: what is asked with headers of one's own is asked by a `fetch` of one's own. */
const withCookie = (address, init = {}) => fetch(address, { ...init, headers: { ...init.headers, cookie } })

class SignedIn extends EventSource {
  constructor(address) {
    super(address, { fetch: withCookie })
  }
}

const listeners = Object.fromEntries(EVENTS.map((name) => [name, (payload) => console.log(said(name, payload))]))

if (by === 'itself') {
  const source = new SignedIn(url)
  for (const name of EVENTS) source.addEventListener(name, ({ data }) => listeners[name](JSON.parse(data)))
} else {
  // What a page has as globals, the lines take as names.
  const follow = new Function('EventSource', 'fetch', `${pagesLines()}; return follow`)(SignedIn, withCookie)
  follow(new URL(url), listeners, () => console.log(said('signed-out', {})))
}

process.stdin.resume().on('end', () => process.exit(0))
