// @vitest-environment jsdom
import { GuildhallProvider } from '@guildhall/client/react'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { LoginOutcome } from '../address'
import {
  allWell,
  asClient,
  connected,
  guild,
  nothingYet,
  person,
  quiet,
  room,
  seeing,
  signedOut,
  testClient,
} from '../client.testing'
import type { Shown } from '../shown'
import { App } from './app'
import { freshness } from './connection'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

let place: HTMLElement
let root: Root

let client: ReturnType<typeof testClient>

const show = (shown: Shown, outcome: LoginOutcome | null = null): void => {
  const signInUrl = '/hall/auth/login?returnTo=%2Fhall%2F'
  const showing = { view: () => shown, subscribe: () => () => undefined }
  act(() =>
    root.render(
      <GuildhallProvider client={asClient(client)}>
        <App shown={showing} signInUrl={signInUrl} outcome={outcome} />
      </GuildhallProvider>,
    ),
  )
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
  client = testClient()
  place = document.createElement('div')
  root = createRoot(place)
})

afterEach(() => act(() => root.unmount()))

describe('the page', () => {
  const house = guild('1', room('10', person('7')), room('11'))

  it('lists who is in which room', () => {
    show(seeing(house))
    expect(listed('10')).toEqual(['User 7'])
    expect(one('[data-channel-id="11"]').textContent).toContain('Nobody here')
  })

  it('follows a join, a move and a leave', () => {
    show(seeing(guild('1', room('10', person('7'), person('8')), room('11'))))
    expect(listed('10')).toEqual(['User 7', 'User 8'])
    show(seeing(guild('1', room('10', person('7')), room('11', person('8')))))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], ['User 8']])
    show(seeing(house))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], []])
  })

  it('says in words what the signs beside a person mean', () => {
    const flags = { selfMute: true, deaf: true, video: true, streaming: true }
    show(seeing(guild('1', room('10', person('7', flags)))))
    const signs = [...place.querySelectorAll('.flags [role=img]')].map((sign) => sign.getAttribute('aria-label'))
    expect(signs).toEqual(['Camera on', 'Muted', 'Deafened by the server'])
    expect(one('.flags').textContent).toContain('Streaming')
  })

  it('sorts rooms by position and people by name', () => {
    const zoe = person('1', { displayName: 'zoe' })
    const adam = person('2', { displayName: 'Adam' })
    show(seeing(guild('1', room('11'), room('9', zoe, adam))))
    const rooms = [...place.querySelectorAll('.room')].map((card) => card.getAttribute('data-channel-id'))
    expect(rooms).toEqual(['9', '11'])
    expect(listed('9')).toEqual(['Adam', 'zoe'])
  })

  it('writes names as text, whatever is in them', () => {
    const name = '<img src=x onerror=alert(1)>'
    show(seeing(guild('1', room('10', person('7', { displayName: name })))))
    expect(listed('10')).toEqual([name])
  })

  it('marks a guild in an outage and keeps its people', () => {
    show(seeing({ ...house, available: false }))
    expect(one('.outage').textContent).toContain('outage')
    expect(listed('10')).toEqual(['User 7'])
  })

  it('says so when there is no guild', () => {
    show(quiet)
    expect(one('main').textContent).toContain('No guild to show')
  })

  it('is busy before the first snapshot', () => {
    show(nothingYet)
    expect(one('[aria-busy=true]')).toBeTruthy()
  })

  it('offers the sign-in to who is signed out', () => {
    show(signedOut)
    expect(one('[data-action=sign-in]').getAttribute('href')).toBe('/hall/auth/login?returnTo=%2Fhall%2F')
  })

  it.each([
    ['denied', 'did not let Discord sign you in'],
    ['failed', 'did not work this time'],
    ['not_admitted:room_locked', 'The room is locked'],
    ['not_admitted:toString', 'could not be let in'],
  ] as const)('says how a sign-in ended: %s', (outcome, words) => {
    show(signedOut, outcome)
    expect(one('.outcome').textContent).toContain(words)
    expect(one('[data-action=sign-in]')).toBeTruthy()
    show(signedOut)
    expect(place.querySelector('.outcome')).toBeNull()
  })

  it.each([
    ['no-answer', 'keeps trying', 'does not answer right now'],
    ['no-network', 'as soon as there is', 'There is no network'],
    ['unavailable', 'cannot tell yet what you may see', 'waiting for its bot'],
    ['too-many-streams', 'Close one', 'Too many pages'],
  ] as const)('says why nothing comes, and keeps what it has: %s', (obstacle, words, line) => {
    show({ ...nothingYet, connection: connected('connecting', obstacle) })
    expect(one(`[data-notice=${obstacle}]`).textContent).toContain(words)
    expect(place.textContent).not.toContain('Loading')
    expect(one('.connection').textContent).toContain(line)
    show({ ...seeing(house), connection: connected('reconnecting', obstacle) })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('may be out of date')
  })

  it('asks to be loaded again where the server refuses its questions', () => {
    show({ ...nothingYet, connection: connected('ended') })
    expect(one('[data-notice=refused]').textContent).toContain('load it again')
    show({ ...seeing(house), connection: connected('ended') })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('Load it again')
  })

  it('says so when signing out did not work', async () => {
    client.signOut.mockResolvedValue(false)
    show(quiet)
    await act(async () => one('.account button').click())
    expect(one('[role=alert]').textContent).toContain('Not signed out')
  })

  it('shows a letter where a picture does not load', () => {
    show(seeing(house))
    act(() => void one('.person img').dispatchEvent(new Event('error')))
    expect(one('.person .avatar').textContent).toBe('U')
  })

  it('tells tests how it is connected', () => {
    show({ ...quiet, began: { how: 'resumed', snapshots: 1 } })
    expect({ ...one('.page').dataset }).toEqual({
      connection: 'live',
      discord: 'live',
      link: 'up',
      began: 'resumed',
      snapshots: '1',
    })
  })
})

describe('the state of the connection in words', () => {
  const since = new Date(2026, 10, 23, 12, 3).getTime()

  it.each([
    ['live', allWell, 'good', 'Live'],
    ['connecting', undefined, 'waiting', 'Connecting'],
    ['reconnecting', allWell, 'bad', 'Reconnecting to the server'],
    ['live', { ...allWell, discord: 'resuming', since }, 'waiting', 'Discord is reconnecting since 12:03'],
    ['live', { ...allWell, discord: 'down', since }, 'bad', 'Discord cannot be reached since 12:03'],
    ['live', { ...allWell, discord: 'unknown', since }, 'waiting', 'Waiting for word from Discord'],
    ['live', { discord: 'unknown', link: 'down', since }, 'bad', 'The server lost its bot at 12:03'],
    ['signed-out', undefined, 'idle', 'Signed out'],
  ] as const)('%s %o', (state, server, tone, words) => {
    const said = freshness(connected(state), server)
    expect(said.tone).toBe(tone)
    expect(said.words).toContain(words)
  })
})
