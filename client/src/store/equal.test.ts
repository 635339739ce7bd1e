import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { keepEqual, shallowEqual } from './equal.js'

const value = fc.jsonValue({ maxDepth: 4 })

describe('what is kept', () => {
  it('is the older one wherever both are equal', () => {
    fc.assert(
      fc.property(value, (json) => {
        const [older, newer] = [json, structuredClone(json)]
        expect(keepEqual(older, newer)).toBe(older)
        const maps = [new Map([['a', older]]), new Map([['a', newer]])] as const
        expect(keepEqual(...maps)).toBe(maps[0])
      }),
    )
  })

  it('is always equal to the newer one', () => {
    fc.assert(
      fc.property(value, value, (older, newer) => {
        expect(keepEqual(older, newer)).toEqual(newer)
      }),
    )
  })

  it('is a part of a whole that changed', () => {
    const before = { kept: { a: [1, 2] }, gone: 1, list: [{ x: 1 }, { y: 2 }] }
    const now = keepEqual(before, { kept: { a: [1, 2] }, list: [{ x: 1 }, { y: 3 }] })
    expect(now.kept).toBe(before.kept)
    expect(now.list[0]).toBe(before.list[0])
    expect(now.list[1]).toEqual({ y: 3 })
  })

  it('heeds the order of a map', () => {
    const before = new Map([['a', 1], ['b', 2]])
    const now = new Map([['b', 2], ['a', 1]])
    expect([...keepEqual(before, now).keys()]).toEqual(['b', 'a'])
  })
})

describe('equal one level deep', () => {
  it.each([
    [1, 1, true],
    [NaN, NaN, true],
    [[1, 2], [1, 2], true],
    [[1, 2], [2, 1], false],
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [{ a: undefined }, { b: undefined }, false],
    [{ a: {} }, { a: {} }, false],
    [[], {}, false],
    [null, {}, false],
    [new Map([['a', 1]]), new Map([['a', 1]]), true],
    [new Map([['a', 1]]), new Map([['a', 2]]), false],
  ])('%o and %o: %s', (a, b, expected) => expect(shallowEqual(a, b)).toBe(expected))
})

describe('what is kept of maps', () => {
  const map = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.jsonValue({ maxDepth: 1 }))).map((pairs) => new Map(pairs))

  it('is equal to the newer one, in its order, and each part is the older one where that is equal', () => {
    fc.assert(
      fc.property(map, map, (older, newer) => {
        const kept = keepEqual(older, structuredClone(newer))
        expect([...kept]).toEqual([...newer])
        const isSame = JSON.stringify([...older]) === JSON.stringify([...newer])
        if (isSame) expect(kept).toBe(older)
        for (const [key, value] of kept) {
          if (older.has(key) && JSON.stringify(older.get(key)) === JSON.stringify(value)) expect(value).toBe(older.get(key))
        }
      }),
    )
  })
})
