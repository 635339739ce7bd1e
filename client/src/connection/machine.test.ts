import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Effect, type Event, type State, step, table } from './machine.js'
import { canCome, events, explore, fault, play, type Scene, states, wrongStep } from './machine.testing.js'

/** The table of `STATES.md`: what stands in each cell, by state and event. */
const written = (): ReadonlyMap<string, string> => {
  const text = readFileSync(new URL('../../STATES.md', import.meta.url), 'utf8')
  const lines = text.split('\n')
  const head = lines.findIndex((line) => line.startsWith('| event | `idle`'))
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'))
  const rows = lines.slice(head, end).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
  const names = rows[0]?.slice(1).map((name) => name.replaceAll('`', '')) ?? []
  const cells = new Map<string, string>()
  for (const [event, ...row] of rows.slice(2)) {
    names.forEach((state, column) => cells.set(`${state} × ${event?.replaceAll('`', '')}`, row[column] ?? ''))
  }
  return cells
}

const cells = states.flatMap((state) => events.map((event) => [state, event] as const))

describe('the table of the program', () => {
  const asWritten = written()

  it('has the cells of STATES.md, no more and no fewer', () => {
    expect([...asWritten.keys()].sort()).toEqual(cells.map(([state, event]) => `${state} × ${event}`).sort())
    expect(cells).toHaveLength(8 * 19)
  })

  it.each(cells)('does at %s × %s what is written', (state, event) => {
    const said = asWritten.get(`${state} × ${event}`) ?? ''
    for (const known of [false, true]) {
      const { state: after, effects } = step({ state, known }, event)
      const [target, ...done] = said === '·' ? [state] : said.split(' ')
      const forgets = done.includes('forget')
      const trying = known && !forgets ? 'catching-up' : 'connecting'
      expect(after).toBe(target === '**trying**' ? trying : target)
      expect(effects).toEqual(done)
    }
  })
})

describe('a walk through the table', () => {
  it('finds nothing that must not be, wherever it goes', () => {
    const { scenes, found } = explore()
    expect(found).toBeNull()
    expect(new Set(scenes.map((scene) => scene.state)).size).toBe(8)
  })

  it('finds nothing either when it is random and long', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 200 }), fc.boolean(), (walk, known) => {
        let scene: Scene = { state: 'idle', known, stream: 'none', waits: false }
        for (const event of walk) {
          if (!canCome(scene, event)) continue
          const after = play(scene, event)
          expect(wrongStep(scene, event, after) ?? fault(after)).toBeNull()
          scene = after
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is harmed by no event that comes where it cannot', () => {
    for (const [state, event] of cells) {
      const after = step({ state, known: false }, event)
      expect(states).toContain(after.state)
    }
  })
})

describe('a table that is broken in one cell', () => {
  type Table = typeof table
  type Target = State | 'trying'
  const actions: readonly Effect[] = ['open', 'vouch', 'shut', 'later', 'as-told', 'much-later', 'seldom']

  const withCell = (state: State, event: Event, cell: readonly [Target, ...Effect[]] | undefined): Table => {
    const { [event]: _before, ...row } = table[state]
    return { ...table, [state]: cell === undefined ? row : { ...row, [event]: cell } }
  }

  /** Every way to break one cell: it is gone, leads elsewhere, does less, does another thing, or is there. */
  const broken = function* (): Generator<{ what: string; rules: Table }> {
    for (const [state, event] of cells) {
      const cell = table[state][event]
      if (cell === undefined) {
        yield { what: `${state} × ${event} forgets`, rules: withCell(state, event, [state, 'forget']) }
        continue
      }
      const [target, ...effects] = cell
      yield { what: `${state} × ${event} is gone`, rules: withCell(state, event, undefined) }
      for (const other of [...states, 'trying'] as const) {
        if (other === target) continue
        yield { what: `${state} × ${event} leads to ${other}`, rules: withCell(state, event, [other, ...effects]) }
      }
      for (const effect of effects) {
        const less = effects.filter((one) => one !== effect)
        yield { what: `${state} × ${event} without ${effect}`, rules: withCell(state, event, [target, ...less]) }
        for (const other of actions) {
          if (!actions.includes(effect) || other === effect) continue
          const swapped = effects.map((one) => (one === effect ? other : one))
          yield { what: `${state} × ${event} does ${other}`, rules: withCell(state, event, [target, ...swapped]) }
        }
      }
    }
  }

  const differs = (rules: Table): boolean =>
    cells.some(([state, event]) =>
      [false, true].some((known) => {
        const [ours, theirs] = [step({ state, known }, event), step({ state, known }, event, rules)]
        return JSON.stringify(ours) !== JSON.stringify(theirs)
      }),
    )

  it('is found, by what must hold alone in most cases, and by STATES.md in all', () => {
    const asWritten = written()
    let [all, byWalking] = [0, 0]
    for (const { what, rules } of broken()) {
      // `trying` where nothing can be known is `connecting`: not broken at all.
      if (!differs(rules)) continue
      all += 1
      if (explore(rules).found !== null) byWalking += 1
      const seen = cells.some(([state, event]) => {
        const [target, ...effects] = rules[state][event] ?? ['·']
        const word = target === 'trying' ? '**trying**' : target
        return [word, ...effects].join(' ') !== asWritten.get(`${state} × ${event}`)
      })
      expect(seen, what).toBe(true)
    }
    console.log(`${byWalking} of ${all} broken tables are found by walking alone`)
    expect(all).toBeGreaterThan(500)
    expect(byWalking / all).toBeGreaterThan(0.7)
  })
})
