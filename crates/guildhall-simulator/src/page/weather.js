// What happens by itself, and what goes wrong.

import { at, element, fill } from './dom.js'
import { call, sim } from './sim.js'
import { guild } from './world.js'

const SCENARIOS = {
  standing: 'Nothing happens by itself',
  evening: 'People drift between rooms',
  big: 'A guild of 10,000 members',
  outage: 'Guilds fail, connections tear',
}

/** What a press on the page makes go wrong; scripts can do more. */
const FAULTS = [
  {
    title: 'The bot’s connection',
    faults: [
      { label: 'Tear it', body: { kind: 'drop' } },
      { label: 'Close with 4000', body: { kind: 'close', code: 4000 } },
      { label: 'Op 7: reconnect', body: { kind: 'reconnect' } },
      { label: 'Op 9: session over', body: { kind: 'invalid_session' } },
      { label: 'Op 1: ask for a heartbeat', body: { kind: 'ask_heartbeat' } },
      { label: 'Stop acknowledging', body: { kind: 'stop_acking' } },
      { label: 'Fall silent', body: { kind: 'silence' } },
      { label: 'Half a frame', body: { kind: 'half_frame' } },
      { label: 'Trickle', body: { kind: 'slow', bytes: 256, pauseMs: 20 } },
    ],
  },
  {
    title: 'The next time it connects',
    faults: [
      { label: 'Op 7 instead of HELLO', body: { kind: 'reconnect_hello' } },
      { label: 'Resume host: 503', body: { kind: 'resume_503' } },
      { label: 'Resume host: refuses', body: { kind: 'resume_refused' } },
      { label: 'Resume host: hangs', body: { kind: 'resume_hang' } },
    ],
  },
  {
    title: 'The next REST request',
    faults: [
      { label: '429', body: { kind: 'rate_limit', scope: 'user', retryAfterMs: 2000 } },
      { label: '429 for all', body: { kind: 'rate_limit', scope: 'global', retryAfterMs: 2000 } },
      { label: '429 without JSON', body: { kind: 'rate_limit', scope: 'edge', retryAfterMs: 2000 } },
      { label: '500', body: { kind: 'status', status: 500 } },
      { label: '2 s late', body: { kind: 'latency', latencyMs: 2000 } },
    ],
  },
  {
    title: 'The next events',
    faults: [
      { label: 'One comes twice', body: { kind: 'duplicate' } },
      { label: 'Two swap places', body: { kind: 'reorder' } },
    ],
  },
]

const HEAL = { label: 'Heal what still waits', body: { kind: 'heal' } }

const titled = (name) => name[0].toUpperCase() + name.slice(1)

export const setOutage = (over) => call('POST', '/sim/faults', { kind: 'outage', guildId: guild().id, over })

/** Causes a fault, and says whether it met anybody. */
async function cause({ label, body }) {
  const told = await call('POST', '/sim/faults', body)
  if (!told) return
  const met = told.connections
  const whom = met === undefined ? 'done' : met === 0 ? 'no bot is connected' : `met ${met} connection${met === 1 ? '' : 's'}`
  at('caused').textContent = `${label}: ${whom}`
}

export function drawScenarios() {
  const { scenario } = sim.state
  at('scenario-now').textContent = titled(scenario)
  fill(at('scenarios'), ...Object.entries(SCENARIOS).map(([name, says]) => element('button', {
    type: 'button',
    class: 'button',
    'data-key': `scenario-${name}`,
    'aria-pressed': String(scenario === name),
    onclick: () => call('POST', '/sim/scenario', { name }),
  }, titled(name), element('span', {}, says))))
}

/** Buttons that never change are drawn once. */
export function drawFaults() {
  const button = (fault) => element('button', { type: 'button', class: 'button', onclick: () => cause(fault) }, fault.label)
  fill(at('faults'),
    ...FAULTS.map(({ title, faults }) => element('div', { role: 'group', 'aria-label': title },
      element('h4', {}, title),
      element('div', { class: 'buttons' }, ...faults.map(button)))),
    element('div', { class: 'buttons' }, button(HEAL)))
}
