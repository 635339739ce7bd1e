// @vitest-environment jsdom
import type { View } from '@guildhall/client'
import { beforeEach, describe, expect, it } from 'vitest'

import { guild, person, room } from '../client.testing'
import { follow } from './follow'
import { showRoom } from './room'

type Phase = View['status']['phase']

const seeing = (phase: Phase, ...rooms: readonly Parameters<typeof guild>[1][]): View => ({
  picture: rooms.length === 0 ? new Map() : new Map([['1', guild('1', ...rooms)]]),
  status: { phase, since: 1, reason: 'no_cursor', complete: true },
  user: null,
})

let place: HTMLElement

beforeEach(() => {
  document.body.innerHTML = '<main id="overlay"></main>'
  place = document.getElementById('overlay') as HTMLElement
})

const names = () => [...place.querySelectorAll('.person-name')].map((one) => one.textContent)
const rowOf = (id: string) => place.querySelector<HTMLElement>(`[data-user-id="${id}"]`)

describe('the room of an overlay', () => {
  it('has who is in it, by name, with what they have turned off', () => {
    const draw = showRoom(place)
    draw(seeing('live', room('5', person('2', { displayName: 'ben', selfMute: true }), person('1', { displayName: 'Ana', deaf: true }))))
    expect(place.dataset).toMatchObject({ connection: 'live', guildId: '1' })
    expect(place.querySelector('[data-channel-id="5"] .room-name')?.textContent).toBe('Room 5')
    expect(names()).toEqual(['Ana', 'ben'])
    expect(rowOf('2')?.dataset).toMatchObject({ muted: 'true', deafened: 'false' })
    expect(rowOf('2')?.querySelector('.flag')?.getAttribute('aria-label')).toBe('Muted')
    expect(rowOf('1')?.querySelector('.flag')?.getAttribute('aria-label')).toBe('Deafened')
    draw(seeing('live', room('5', person('2', { displayName: 'ben' }))))
    expect(names()).toEqual(['ben'])
    expect(rowOf('2')?.querySelector('.flag')).toBeNull()
  })

  it('keeps a person\'s element, so that no picture flickers', () => {
    const draw = showRoom(place)
    draw(seeing('live', room('5', person('2', { displayName: 'ben' }))))
    const [before, picture] = [rowOf('2'), rowOf('2')?.querySelector('img')]
    expect(picture?.referrerPolicy).toBe('no-referrer')
    draw(seeing('live', room('5', person('1', { displayName: 'Ana' }), person('2', { displayName: 'Ben', video: true }))))
    expect(names()).toEqual(['Ana', 'Ben'])
    expect(rowOf('2')).toBe(before)
    expect(rowOf('2')?.querySelector('img')).toBe(picture)
  })

  it('takes no markup from a name', () => {
    showRoom(place)(seeing('live', { ...room('5', person('2', { displayName: '<img src=x onerror=alert(1)>' })), name: '<b>x</b>' }))
    expect(names()).toEqual(['<img src=x onerror=alert(1)>'])
    expect(place.querySelectorAll('img')).toHaveLength(1)
    expect(place.querySelector('b')).toBeNull()
  })

  it('goes when the room goes, without a word on air', () => {
    const draw = showRoom(place)
    draw(seeing('live', room('5', person('2'))))
    draw(seeing('live'))
    expect(place.childElementCount).toBe(0)
    draw(seeing('signed-out'))
    expect(place.childElementCount).toBe(0)
    expect(place.dataset['guildId']).toBeUndefined()
  })

  it('tells whoever sets it up that the link is not good', () => {
    const draw = showRoom(place)
    draw(seeing('connecting'))
    expect(place.textContent).toBe('')
    draw(seeing('signed-out'))
    expect(place.textContent).toContain('This overlay link is over')
    draw(seeing('live', room('5', person('2', { displayName: 'ben' }))))
    expect(names()).toEqual(['ben'])
    expect(place.textContent).not.toContain('over')
  })
})

describe('a link that is over', () => {
  it('is tried again by a client of its own, a minute later', () => {
    const opened: { say: (view: View) => void; closed: boolean; readers: number }[] = []
    const waits: { ms: number; run: () => void }[] = []
    follow(place, {
      after: (ms, run) => void waits.push({ ms, run }),
      open: () => {
        let view = seeing('connecting')
        let reader = () => {}
        const one = { say: (next: View) => { view = next; reader() }, closed: false, readers: 0 }
        opened.push(one)
        return {
          view: () => view,
          subscribe: (heard) => {
            reader = heard
            one.readers += 1
            return () => void (one.readers -= 1)
          },
          close: () => { one.closed = true },
        }
      },
    })
    opened[0]?.say(seeing('live', room('5', person('2', { displayName: 'ben' }))))
    expect(names()).toEqual(['ben'])
    opened[0]?.say(seeing('signed-out'))
    expect(names()).toEqual([])
    expect(opened[0]).toMatchObject({ closed: true, readers: 0 })
    expect(waits.map(({ ms }) => ms)).toEqual([60_000])
    waits[0]?.run()
    opened[1]?.say(seeing('live', room('5', person('1', { displayName: 'Ana' }))))
    expect(names()).toEqual(['Ana'])
  })
})
