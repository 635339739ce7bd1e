// @vitest-environment jsdom
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { person } from '../client.testing'
import { Crowd, PER_BLOCK } from './crowd'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const people = Array.from({ length: 2 * PER_BLOCK + 5 }, (_, at) => person(`${1_000 + at}`))

let place: HTMLElement
let root: Root
beforeEach(() => {
  place = document.body.appendChild(document.createElement('div'))
  root = createRoot(place)
})
afterEach(() => {
  act(() => root.unmount())
  place.remove()
  vi.unstubAllGlobals()
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
})

const show = (of = people) =>
  act(() =>
    root.render(
      <Crowd
        people={of}
        className="people"
        labelledBy="title"
        render={({ userId }) => (
          <li key={userId} data-user-id={userId}>
            <button type="button">{userId}</button>
          </li>
        )}
      />,
    ),
  )
const there = () => [...place.querySelectorAll('[data-user-id]')].map((one) => one.getAttribute('data-user-id'))
const idsOf = (from: number, to: number) => people.slice(from, to).map(({ userId }) => userId)

describe('a crowd', () => {
  it('is there whole where nobody tells what is looked at', () => {
    show()
    expect(there()).toEqual(idsOf(0, people.length))
  })

  it('is there where it is looked at, in order, and stays where the focus is', () => {
    const seen = new Map<Element, (isIntersecting: boolean) => void>()
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        readonly #tell: (entries: object[]) => void
        constructor(tell: (entries: object[]) => void) {
          this.#tell = tell
        }
        observe(block: Element) {
          seen.set(block, (isIntersecting) => this.#tell([{ isIntersecting, boundingClientRect: { height: 300 } }]))
        }
        disconnect() {}
      },
    )
    show()
    const blocks = [...seen.keys()]
    const look = (at: number, isNear: boolean) => act(() => seen.get(blocks[at] as Element)?.(isNear))
    expect([blocks.length, there()]).toEqual([3, idsOf(0, PER_BLOCK)])
    look(1, true)
    look(0, false)
    expect(there()).toEqual(idsOf(PER_BLOCK, 2 * PER_BLOCK))
    expect((blocks[0] as HTMLElement).style.height).toBe('300px')
    place.querySelector('button')?.focus()
    look(1, false)
    look(2, true)
    expect(there()).toEqual(idsOf(PER_BLOCK, people.length))
    show(people.slice(1))
    expect(there()).toEqual(idsOf(PER_BLOCK + 1, people.length))
  })
})
