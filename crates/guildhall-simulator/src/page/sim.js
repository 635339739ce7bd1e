// What /sim says, and whether it says anything.

import { at } from './dom.js'

const REFRESH_MS = 200
/** Of one request. */
const PATIENCE_MS = 15_000
/** A connection that hangs says nothing of it; a question that is not answered does. */
const ASK_EVERY_MS = 10_000
const AGAIN_MS = 1000

/** `heard`: when something last came; `isGone`: what is shown is how it was then. */
export const sim = { state: null, heard: null, isGone: false }

/** Why something was not done stands where whoever asked is looking, until they close it or do something. */
export function refuse(text) {
  const isCardOpen = at('card').open
  at('card-refusal').textContent = isCardOpen ? text : ''
  at('refusal').textContent = isCardOpen ? '' : text
}

/** Asks, and answers what was told, or null after having said why not. */
export async function call(method, path, body) {
  try {
    const told = await ask(path, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    })
    refuse('')
    return told
  } catch (error) {
    refuse(error instanceof Refused ? `Not done: ${error.message}.` : 'The simulator does not answer.')
    return null
  }
}

class Refused extends Error {}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) })
  const told = await answer.json().catch(() => null)
  if (answer.ok) return told
  throw new Refused(told?.error?.message ?? `${path} answers ${answer.status}`)
}

/** Calls `draw` whenever what is known, or whether it is still so, has changed. */
export function watch(draw) {
  let source = null
  let loading = false
  let stale = false

  function listen() {
    source?.close()
    source = new EventSource('/sim/events')
    source.addEventListener('changed', refresh)
    source.addEventListener('error', lost)
  }

  /** One request at a time, at most one every REFRESH_MS, and none missed. */
  async function refresh() {
    stale = true
    if (loading) return
    loading = true
    while (stale) {
      stale = false
      const state = await ask('/sim/state').catch(() => null)
      if (state === null) {
        lost()
        break
      }
      Object.assign(sim, { state, heard: new Date(), isGone: false })
      draw()
      await new Promise((done) => setTimeout(done, REFRESH_MS))
    }
    loading = false
  }

  /** Its signal is opened anew: the first thing that it says is to look again. */
  let again = null
  function lost() {
    source?.close()
    clearTimeout(again)
    again = setTimeout(listen, AGAIN_MS)
    if (sim.isGone) return
    sim.isGone = true
    draw()
  }

  setInterval(async () => {
    if (sim.isGone) return
    await ask('/sim/scenario').then(() => { sim.heard = new Date() }, lost)
  }, ASK_EVERY_MS)
  listen()
}
