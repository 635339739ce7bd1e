import { describe, expect, it } from 'vitest'

import { person } from '../client.testing'
import { byDisplayName, sortedPeople } from './order'

/** Numbers from 0 to below `below`, the same each time. */
const numbers = () => {
  let state = 7
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('people by name', () => {
  it('are in the same order whether the list is made anew or from that of a moment ago', () => {
    const draw = numbers()
    let people = new Map<string, ReturnType<typeof person>>()
    let list: readonly ReturnType<typeof person>[] = []
    for (let step = 0; step < 300; step += 1) {
      people = new Map(people)
      for (let change = draw(30); change >= 0; change -= 1) {
        const id = String(draw(60))
        if (draw(3) === 0) people.delete(id)
        else people.set(id, person(id, { displayName: `Name ${draw(20)}`, selfMute: draw(2) === 0 }))
      }
      list = sortedPeople(people, list)
      expect(list).toEqual([...people.values()].sort(byDisplayName))
    }
  })
})
