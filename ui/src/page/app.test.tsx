// @vitest-environment jsdom
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { allWell, guild, joined, left, person, roomOnWire, snapshot } from '../events.testing'
import type { View } from '../live'
import type { LoginOutcome } from '../session'
import { after, emptyPicture } from '../picture'
import type { StreamEvent } from '../wire'
import { App } from './app'
import { freshness } from './connection'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const user = { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: 'https://cdn.test/7.png' }

const quiet: View = {
  connection: 'live',
  user,
  picture: emptyPicture,
  status: allWell,
  began: { how: 'snapshot', reason: 'no_cursor' },
  snapshots: 1,
  ignored: 0,
  unanswered: false,
  bye: null,
}

const seeing = (...events: readonly StreamEvent[]): View => ({
  ...quiet,
  picture: events.reduce(after, emptyPicture),
})

let place: HTMLElement
let root: Root

const show = (view: View, signOut = () => Promise.resolve(true), outcome: LoginOutcome | null = null): void => {
  const live = { view: () => view, subscribe: () => () => undefined, signOut, setViewing: () => undefined }
  const signInUrl = '/hall/auth/login?returnTo=%2Fhall%2F'
  act(() => root.render(<App live={live} run={vi.fn()} signInUrl={signInUrl} outcome={outcome} />))
}

const one = (selector: string): HTMLElement => {
  const found = place.querySelector<HTMLElement>(selector)
  if (found === null) throw new Error(`nothing matches ${selector} in ${place.innerHTML}`)
  return found
}

/** Who is in a room, as the page lists them. */
const listed = (channelId: string): string[] =>
  [...place.querySelectorAll(`[data-channel-id="${channelId}"] .person-name`)].map((name) => name.textContent ?? '')

beforeEach(() => {
  place = document.createElement('div')
  root = createRoot(place)
})

afterEach(() => act(() => root.unmount()))

describe('the page', () => {
  const house = snapshot(guild('1', roomOnWire('10', person('7')), roomOnWire('11')))

  it('lists who is in which room', () => {
    show(seeing(house))
    expect(listed('10')).toEqual(['User 7'])
    expect(one('[data-channel-id="11"]').textContent).toContain('Nobody here')
  })

  it('follows a join, a move and a leave', () => {
    show(seeing(house, joined('1', '10', '8')))
    expect(listed('10')).toEqual(['User 7', 'User 8'])
    show(seeing(house, joined('1', '10', '8'), left('1', '10', '8'), joined('1', '11', '8')))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], ['User 8']])
    show(seeing(house))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], []])
  })

  it('says in words what the signs beside a person mean', () => {
    const flags = { selfMute: true, deaf: true, video: true, streaming: true }
    show(seeing(snapshot(guild('1', roomOnWire('10', person('7', flags))))))
    const signs = [...place.querySelectorAll('.flags [role=img]')].map((sign) => sign.getAttribute('aria-label'))
    expect(signs).toEqual(['Camera on', 'Muted', 'Deafened by the server'])
    expect(one('.flags').textContent).toContain('Streaming')
  })

  it('sorts rooms by position and people by name', () => {
    const zoe = person('1', { displayName: 'zoe' })
    const adam = person('2', { displayName: 'Adam' })
    show(seeing(snapshot(guild('1', roomOnWire('11'), roomOnWire('9', zoe, adam)))))
    const rooms = [...place.querySelectorAll('.room')].map((room) => room.getAttribute('data-channel-id'))
    expect(rooms).toEqual(['9', '11'])
    expect(listed('9')).toEqual(['Adam', 'zoe'])
  })

  it('writes names as text, whatever is in them', () => {
    const name = '<img src=x onerror=alert(1)>'
    show(seeing(snapshot(guild('1', roomOnWire('10', person('7', { displayName: name }))))))
    expect(listed('10')).toEqual([name])
  })

  it('marks a guild in an outage and keeps its people', () => {
    show(seeing(house, { name: 'guild.unavailable', data: { guildId: '1', ts: 5 } }))
    expect(one('.outage').textContent).toContain('outage')
    expect(listed('10')).toEqual(['User 7'])
  })

  it('says so when there is no guild', () => {
    show(quiet)
    expect(one('main').textContent).toContain('No guild to show')
  })

  it('is busy before the first snapshot', () => {
    show({ ...quiet, connection: 'connecting', picture: null })
    expect(one('[aria-busy=true]')).toBeTruthy()
  })

  it('offers the sign-in to who is signed out', () => {
    show({ ...quiet, connection: 'signed-out', user: null, picture: null })
    expect(one('[data-action=sign-in]').getAttribute('href')).toBe('/hall/auth/login?returnTo=%2Fhall%2F')
  })

  it.each([
    ['denied', 'did not let Discord sign you in'],
    ['failed', 'did not work this time'],
    ['not_admitted:room_locked', 'The room is locked'],
    ['not_admitted:toString', 'could not be let in'],
  ] as const)('says how a sign-in ended: %s', (outcome, words) => {
    const stranger: View = { ...quiet, connection: 'signed-out', user: null, picture: null }
    show(stranger, undefined, outcome)
    expect(one('.outcome').textContent).toContain(words)
    expect(one('[data-action=sign-in]')).toBeTruthy()
    show(stranger)
    expect(place.querySelector('.outcome')).toBeNull()
  })

  it('says so when the server does not answer, and keeps what it has', () => {
    show({ ...quiet, connection: 'connecting', picture: null, unanswered: true })
    expect(one('[data-notice=no-answer]').textContent).toContain('keeps trying')
    show({ ...seeing(house), connection: 'reconnecting', unanswered: true })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('does not answer right now')
  })

  it.each([
    ['unavailable', 'unavailable', 'cannot tell yet what you may see', 'waiting for its bot'],
    ['too_many_streams', 'too-many-streams', 'Close one', 'Too many pages'],
  ] as const)('says why a server that is there lets nobody in, and keeps what it has: %s', (bye, notice, words, line) => {
    show({ ...quiet, connection: 'connecting', picture: null, status: null, bye })
    expect(one(`[data-notice=${notice}]`).textContent).toContain(words)
    expect(place.textContent).not.toContain('Loading')
    expect(one('.connection').textContent).toContain(line)
    show({ ...seeing(house), connection: 'reconnecting', bye })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('may be out of date')
  })

  it('loads on where the server only asked to come back', () => {
    show({ ...quiet, connection: 'connecting', picture: null, bye: 'draining' })
    expect(place.textContent).toContain('Loading')
  })

  it('says so when signing out did not work', async () => {
    show(quiet, () => Promise.resolve(false))
    await act(async () => one('.account button').click())
    expect(one('[role=alert]').textContent).toContain('Not signed out')
  })

  it('shows a letter where a picture does not load', () => {
    show(seeing(house))
    act(() => void one('.person img').dispatchEvent(new Event('error')))
    expect(one('.person .avatar').textContent).toBe('U')
  })

  it('tells tests how it is connected', () => {
    show({ ...quiet, began: { how: 'resumed', replayed: 3 } })
    expect({ ...one('.page').dataset }).toEqual({
      connection: 'live',
      discord: 'live',
      link: 'up',
      began: 'resumed',
      snapshots: '1',
      ignored: '0',
    })
  })
})

describe('the state of the connection in words', () => {
  const since = new Date(2026, 10, 23, 12, 3).getTime()

  it.each([
    ['live', allWell, 'good', 'Live'],
    ['connecting', null, 'waiting', 'Connecting'],
    ['reconnecting', allWell, 'bad', 'Reconnecting to the server'],
    ['connecting', null, 'bad', 'The server does not answer right now. Trying again', true],
    ['reconnecting', allWell, 'bad', 'does not answer right now. Trying again… What you see may be', true],
    ['live', { ...allWell, discord: 'resuming', since }, 'waiting', 'Discord is reconnecting since 12:03'],
    ['live', { ...allWell, discord: 'down', since }, 'bad', 'Discord cannot be reached since 12:03'],
    ['live', { ...allWell, discord: 'unknown', since }, 'waiting', 'Waiting for word from Discord'],
    ['live', { discord: 'unknown', link: 'down', since }, 'bad', 'The server lost its bot at 12:03'],
  ] as const)('%s %o', (connection, status, tone, words, ...more) => {
    const said = freshness({ connection, status, unanswered: more.length > 0, bye: null })
    expect(said.tone).toBe(tone)
    expect(said.words).toContain(words)
  })
})
