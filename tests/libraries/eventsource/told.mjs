/** What the two scripts that follow streams by an `EventSource` share: npm's here, Chromium's in tests/browser. */

import { readFileSync } from 'node:fs'

/** What they listen for. */
export const EVENTS = ['snapshot', 'resumed', 'bye', 'voice.updated']

/** A line about one event. */
export const said = (event, payload) => JSON.stringify({ event, stamp: payload.username ?? null })

/** The lines that the protocol page prints, as text in which `follow` is a name. */
export const pagesLines = () => {
  const page = readFileSync(new URL('../../../docs/protocol/sse.md', import.meta.url), 'utf8')
  const block = page.split('```js\n').find((part) => part.includes('export function follow'))
  return block.slice(0, block.indexOf('```')).replace('export function', 'function')
}
