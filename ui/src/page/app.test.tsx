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
  testNavigation,
  withDialogs,
} from '../client.testing'
import type { Shown } from '../shown'
import { de } from '../words/de'
import { english, SpeechContext } from '../words/language'
import { App } from './app'
import { freshness } from './connection'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

let place: HTMLElement
let root: Root

let client: ReturnType<typeof testClient>
let navigation: ReturnType<typeof testNavigation>
withDialogs()

/** Awaited: parts of the page are loaded when they are wanted. */
const show = async (shown: Shown, outcome: LoginOutcome | null = null, discordUrl: string | null = null): Promise<void> => {
  const signInUrl = '/hall/auth/login?returnTo=%2Fhall%2F'
  const showing = { view: () => shown, subscribe: () => () => undefined }
  await act(async () =>
    root.render(
      <GuildhallProvider client={asClient(client)}>
        <App
          shown={showing}
          navigation={navigation}
          signInUrl={signInUrl}
          outcome={outcome}
          askDiscordUrl={() => Promise.resolve(discordUrl)}
        />
      </GuildhallProvider>,
    ),
  )
  await act(() => vi.dynamicImportSettled())
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
  navigation = testNavigation()
  place = document.createElement('div')
  root = createRoot(place)
})

afterEach(() => act(() => root.unmount()))

describe('the page', () => {
  const house = guild('1', room('10', person('7')), room('11'))

  it('lists who is in which room', async () => {
    await show(seeing(house))
    expect(listed('10')).toEqual(['User 7'])
    expect(one('[data-channel-id="11"]').textContent).toContain('Nobody here')
  })

  it('follows a join, a move and a leave', async () => {
    await show(seeing(guild('1', room('10', person('7'), person('8')), room('11'))))
    expect(listed('10')).toEqual(['User 7', 'User 8'])
    await show(seeing(guild('1', room('10', person('7')), room('11', person('8')))))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], ['User 8']])
    await show(seeing(house))
    expect([listed('10'), listed('11')]).toEqual([['User 7'], []])
  })

  it('says in words what the signs beside a person mean', async () => {
    const flags = { selfMute: true, deaf: true, video: true, streaming: true }
    await show(seeing(guild('1', room('10', person('7', flags)))))
    const signs = [...place.querySelectorAll('.flags [role=img]')].map((sign) => sign.getAttribute('aria-label'))
    expect(signs).toEqual(['Streaming', 'Camera on', 'Muted', 'Deafened by the server'])
  })

  it('sorts rooms by position and people by name', async () => {
    const zoe = person('1', { displayName: 'zoe' })
    const adam = person('2', { displayName: 'Adam' })
    await show(seeing(guild('1', room('11'), room('9', zoe, adam))))
    const rooms = [...place.querySelectorAll('.room')].map((card) => card.getAttribute('data-channel-id'))
    expect(rooms).toEqual(['9', '11'])
    expect(listed('9')).toEqual(['Adam', 'zoe'])
  })

  it('writes names as text, whatever is in them', async () => {
    const name = '<img src=x onerror=alert(1)>'
    await show(seeing(guild('1', room('10', person('7', { displayName: name })))))
    expect(listed('10')).toEqual([name])
  })

  it('marks a guild in an outage and keeps its people', async () => {
    await show(seeing({ ...house, available: false }))
    expect(one('.outage').textContent).toContain('outage')
    expect(listed('10')).toEqual(['User 7'])
  })

  it('says so when there is no guild', async () => {
    await show(quiet)
    expect(one('main').textContent).toContain('No server to show')
  })

  it('is busy before the first snapshot', async () => {
    await show(nothingYet)
    expect(one('[aria-busy=true]')).toBeTruthy()
  })

  it('offers the sign-in to who is signed out', async () => {
    await show(signedOut)
    expect(one('[data-action=sign-in]').getAttribute('href')).toBe('/hall/auth/login?returnTo=%2Fhall%2F')
  })

  it.each([
    ['denied', 'did not let Discord sign you in'],
    ['failed', 'did not work this time'],
    ['not_admitted:room_locked', 'The room is locked'],
    ['not_admitted:toString', 'could not be let in'],
  ] as const)('says how a sign-in ended: %s', async (outcome, words) => {
    await show(signedOut, outcome)
    expect(one('[data-outcome]').textContent).toContain(words)
    expect(one('[data-action=sign-in]')).toBeTruthy()
    await show(signedOut)
    expect(place.querySelector('[data-outcome]')).toBeNull()
  })

  it.each([
    ['no-answer', 'keeps trying', 'does not answer'],
    ['no-network', 'as soon as there is', 'There is no network'],
    ['unavailable', 'cannot tell yet what you may see', 'waiting for its bot'],
    ['too-many-streams', 'Close one', 'Too many pages'],
  ] as const)('says why nothing comes, and keeps what it has: %s', async (obstacle, words, line) => {
    await show({ ...nothingYet, connection: connected('connecting', obstacle) })
    expect(one(`[data-notice=${obstacle}]`).textContent).toContain(words)
    expect(place.textContent).not.toContain('Loading')
    expect(one('.connection').textContent).toContain(line)
    await show({ ...seeing(house), connection: connected('reconnecting', obstacle) })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('may be out of date')
  })

  it('asks to be loaded again where the server refuses its questions', async () => {
    await show({ ...nothingYet, connection: connected('ended') })
    expect(one('[data-notice=refused] [data-action=reload]')).toBeTruthy()
    await show({ ...seeing(house), connection: connected('ended') })
    expect(listed('10')).toEqual(['User 7'])
    expect(one('.connection').textContent).toContain('Load it again')
  })

  it('says so when signing out did not work', async () => {
    client.signOut.mockResolvedValue(false)
    await show(quiet)
    await act(async () => one('[data-action=sign-out]').click())
    expect(client.signOut.mock.lastCall).toEqual([{ everywhere: false }])
    expect(one('[role=alert]').textContent).toContain('not signed out yet')
    await act(async () => one('[data-action=sign-out-everywhere]').click())
    expect(client.signOut.mock.lastCall).toEqual([{ everywhere: true }])
  })

  it('shows a letter where a picture does not load', async () => {
    await show(seeing(house))
    act(() => void one('.person img').dispatchEvent(new Event('error')))
    expect(one('.person .avatar').textContent).toBe('U')
    const turned = person('8', { displayName: '\u202e\u200b éve', avatarUrl: '' })
    await show(seeing(guild('1', room('10', turned))))
    expect(one('.person .avatar').textContent).toBe('É')
  })

  it('lists rooms under their categories, those of none first, as Discord does', async () => {
    const hall = { parentId: '90', parentName: 'The Hall' }
    const cellar = { parentId: '80', parentName: 'Cellar' }
    await show(
      seeing(guild('1', { ...room('1'), ...hall }, { ...room('2'), ...cellar }, { ...room('3'), ...hall }, room('4'))),
    )
    const categories = [...place.querySelectorAll('.category')].map((category) => [
      category.querySelector('h3')?.textContent,
      ...[...category.querySelectorAll('.room')].map((card) => card.getAttribute('data-channel-id')),
    ])
    expect(categories).toEqual([['Rooms', '4'], ['The Hall', '1', '3'], ['Cellar', '2']])
  })

  it('leaves no row empty, and tells namesakes apart', async () => {
    const blank = person('1', { displayName: '\u3164\u200b ', username: 'quill' })
    const nobody = person('2', { displayName: ' ', username: '' })
    const [first, second] = [person('3', { displayName: 'Mo', username: 'mo.a' }), person('4', { displayName: 'Mo', username: 'mo.b' })]
    await show(seeing(guild('1', room('10', blank, nobody, first, second))))
    expect(listed('10').sort()).toEqual(['Mo mo.a', 'Mo mo.b', 'Without a name', 'quill'])
  })

  it('speaks German where it is asked to', async () => {
    const shown = seeing(house)
    const showing = { view: () => shown, subscribe: () => () => undefined }
    await act(async () =>
      root.render(
        <SpeechContext value={{ language: 'de', words: de, speak: () => undefined }}>
          <GuildhallProvider client={asClient(client)}>
            <App shown={showing} navigation={navigation} signInUrl="/auth/login" />
          </GuildhallProvider>
        </SpeechContext>,
      ),
    )
    expect(one('[data-channel-id="11"]').textContent).toContain('Niemand hier')
    expect(one('[data-action=new-room]').textContent).toBe('Neuer Raum')
  })

  it('says of a false Discord where people are made to move, and of the real one nothing', async () => {
    await show(seeing(house), null, 'http://127.0.0.1:4000')
    expect(one('[data-action=open-simulator]').getAttribute('href')).toBe('http://127.0.0.1:4000')
    act(() => root.unmount())
    root = createRoot(place)
    await show(seeing(house), null, 'https://discord.com')
    expect(place.querySelector('[data-notice=simulated]')).toBeNull()
  })

  it('tells tests how it is connected', async () => {
    await show({ ...quiet, began: { how: 'resumed', snapshots: 1 } })
    expect({ ...one('.page').dataset }).toEqual({
      connection: 'live',
      tone: 'good',
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
    ['reconnecting', allWell, 'bad', 'Reconnecting… What you see may be out of date'],
    ['live', { ...allWell, discord: 'resuming', since }, 'waiting', 'Discord has been reconnecting since 12:03'],
    ['live', { ...allWell, discord: 'down', since }, 'bad', 'Discord has been out of reach since 12:03'],
    ['live', { ...allWell, discord: 'unknown', since }, 'waiting', 'Waiting for word from Discord'],
    ['live', { discord: 'unknown', link: 'down', since }, 'bad', 'The server lost its bot at 12:03'],
    ['signed-out', undefined, 'idle', ''],
  ] as const)('%s %o', (state, server, tone, words) => {
    const said = freshness(connected(state), server, english)
    expect(said.tone).toBe(tone)
    expect(said.words).toContain(words)
  })
})

describe('out of voice', () => {
  const meIn = (channelId: string) => guild('1', ...['10', '11'].map((id) => (id === channelId ? room(id, person('7')) : room(id))))
  const left = { guildId: '1', ts: 1, channelId: null, previousChannelId: '10', userId: '7' } as const
  const dialog = () => place.querySelector('[data-dialog=dropout]')

  const drop = async (to: string, openRoom: string | null = null) => {
    navigation = testNavigation(openRoom)
    await show(seeing(meIn('10')))
    client.knows(meIn(to))
    act(() => client.tell('voice.left', left))
  }

  it('is said at once, with the way back, and brings nobody back by itself', async () => {
    await drop('nowhere')
    expect(dialog()?.textContent).toContain('You are out of Room 10')
    expect(one('[data-action=rejoin]').getAttribute('href')).toBe('https://discord.com/channels/1/10')
    expect(client.run).not.toHaveBeenCalled()
    act(() => one('[data-action=stay-out]').click())
    expect(dialog()).toBeNull()
  })

  it('is over as soon as one is back', async () => {
    await drop('nowhere')
    act(() => client.tell('voice.joined', { guildId: '1', ts: 2, ...person('7'), channelId: '10' }))
    expect(dialog()).toBeNull()
  })

  it('says where one was moved, out of the room that one looks at, and is silent elsewhere', async () => {
    await drop('11')
    expect(dialog()).toBeNull()
    act(() => root.unmount())
    root = createRoot(place)
    await drop('11', '10')
    expect(dialog()?.textContent).toContain('You were moved to Room 11')
  })

  it('is nobody else\'s', async () => {
    await show(seeing(meIn('10')))
    act(() => client.tell('voice.left', { ...left, userId: '8' }))
    expect(dialog()).toBeNull()
  })
})
