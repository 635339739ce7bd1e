/** What holds in the table whatever comes, for any table: found by walking everywhere. */

import { type Effect, type Event, type Place, type State, step, table } from './machine.js'

export const states = Object.keys(table) as readonly State[]
export const events: readonly Event[] = [
  'started', 'released', 'closed', 'snapshot', 'resumed', 'caught-up', 'lost', 'bye', 'crowded', 'challenged',
  'unauthorized', 'rejected', 'missing', 'due', 'silent', 'offline', 'online', 'asked', 'account',
]

/** The place, and what a driver would have going on there. */
export interface Scene extends Place {
  /** `asked`: an attempt without an answer; `repeats`: its stream has said `resumed`. */
  readonly stream: 'none' | 'asked' | 'repeats' | 'flows'
  readonly waits: boolean
}

const outset: Scene = { state: 'idle', known: false, stream: 'none', waits: false }

const waits: readonly Effect[] = ['later', 'as-told', 'much-later', 'seldom']
const opens: readonly Effect[] = ['open', 'vouch']

/** What can come: only an open stream speaks, only a wait ends. */
export const canCome = (scene: Scene, event: Event): boolean => {
  switch (event) {
    case 'snapshot':
      return scene.stream !== 'none'
    case 'resumed':
      return scene.stream === 'asked'
    case 'caught-up':
      return scene.stream === 'repeats'
    case 'bye':
    case 'crowded':
    case 'challenged':
    case 'rejected':
    case 'missing':
    case 'lost':
    case 'silent':
    case 'asked':
      return scene.stream !== 'none'
    case 'due':
      return scene.waits
    default:
      return true
  }
}

/** What a driver has going on after an event. */
export const play = (scene: Scene, event: Event, rules = table): Scene => {
  const { state, known, effects } = step(scene, event, rules)
  let { stream } = scene
  let waiting = scene.waits && event !== 'due'
  if (event === 'snapshot' || event === 'caught-up') stream = 'flows'
  if (event === 'resumed') stream = 'repeats'
  for (const effect of effects) {
    if (effect === 'shut' || waits.includes(effect)) [stream, waiting] = ['none', effect !== 'shut']
    if (opens.includes(effect)) [stream, waiting] = ['asked', false]
  }
  return { state, known, stream, waits: waiting }
}

/** Why the scene must not be; null where it may. */
export const fault = ({ state, known, stream, waits }: Scene): string | null => {
  if (stream !== 'none' && waits) return 'a stream is open while a wait goes on'
  const going = stream !== 'none' || waits
  switch (state) {
    case 'live':
      return known && stream === 'flows' ? null : 'live without a stream that flows'
    case 'catching-up':
      return known && (stream === 'asked' || stream === 'repeats') ? null : 'catching up with nothing'
    case 'connecting':
      return !known && going && (stream === 'asked' || waits) ? null : 'connecting to nothing, or from something'
    case 'stale':
      return known && waits ? null : 'stale and stuck'
    case 'offline':
      return waits ? null : 'offline and stuck'
    case 'signed-out':
      return known || going ? 'signed out, and something goes on' : null
    default:
      return going ? `${state}, and something goes on` : null
  }
}

/** Why a step must not be; null where it may. */
export const wrongStep = (before: Scene, event: Event, after: Scene): string | null => {
  if (before.state === 'ended' && after.state !== 'ended') return 'left the end'
  if (event === 'closed' && after.state !== 'ended') return 'closed, and not ended'
  if (event === 'released' && after.stream !== 'none') return 'nobody asks, and a stream is open'
  if (event === 'unauthorized' && after.known) return 'the session is over, and its picture is kept'
  if (event === 'account' && after.known) return 'the picture of somebody else is kept'
  if (event === 'lost' && !after.waits) return 'lost, and tried again at once'
  if (event === 'online' && before.waits && after.stream === 'none') return 'online, and waiting'
  const forgetful: readonly Event[] = ['unauthorized', 'account', 'missing', 'resumed']
  if (before.known && !after.known && !forgetful.includes(event)) return 'forgot what still holds'
  return null
}

/** Every scene that can come about, and the first fault among them or on the way. */
export const explore = (rules = table): { scenes: readonly Scene[]; found: string | null } => {
  const seen = new Map<string, Scene>()
  const todo = [outset, { ...outset, known: true }]
  for (let scene = todo.pop(); scene !== undefined; scene = todo.pop()) {
    const key = JSON.stringify(scene)
    if (seen.has(key)) continue
    seen.set(key, scene)
    const found = fault(scene)
    if (found !== null) return { scenes: [...seen.values()], found: `${key}: ${found}` }
    for (const event of events) {
      if (!canCome(scene, event)) continue
      const after = play(scene, event, rules)
      const wrong = wrongStep(scene, event, after)
      if (wrong !== null) return { scenes: [...seen.values()], found: `${key} × ${event}: ${wrong}` }
      todo.push(after)
    }
  }
  const scenes = [...seen.values()]
  const stuck = scenes.find((scene) => scene.state !== 'ended' && !comesToLive(scene, rules))
  return { scenes, found: stuck === undefined ? null : `${JSON.stringify(stuck)}: no way to live` }
}

/** Whether good luck alone leads to live: somebody asks, a wait ends, the server answers. */
const comesToLive = (scene: Scene, rules: typeof table): boolean => {
  let at = scene
  for (const event of ['started', 'due', 'snapshot', 'due', 'snapshot'] as const) {
    if (at.state === 'live') return true
    if (canCome(at, event)) at = play(at, event, rules)
  }
  return at.state === 'live'
}
