// @vitest-environment jsdom
import { GuildhallError } from '@guildhall/client'
import { GuildhallProvider } from '@guildhall/client/react'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ana, asClient, guild, person, room, seeing, signedOut, testClient } from '../client.testing'
import type { Shown } from '../shown'
import { App } from './app'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

const mine = { ...room('10'), managed: true, ownerId: '7', locked: false, hidden: true }
const theirs = { ...room('11', person('8')), managed: true, ownerId: '8', locked: true, hidden: false }

const house = guild('1', mine, theirs, room('12'))

const client = testClient()
const { run: asked, viewing, leave } = client
const onRoom = vi.fn<(channelId: string | null) => void>()

let place: HTMLElement
let root: Root

const show = (shown: Shown, invite: string | null = null, channelId: string | null = null): void => {
  const showing = { view: () => shown, subscribe: () => () => undefined }
  act(() =>
    root.render(
      <GuildhallProvider client={asClient(client)}>
        <App shown={showing} signInUrl="/auth/login?invite=T" invite={invite} room={channelId} onRoom={onRoom} />
      </GuildhallProvider>,
    ),
  )
}

const find = <Kind extends HTMLElement>(selector: string): Kind => {
  const found = place.querySelector<Kind>(selector)
  if (found === null) throw new Error(`nothing matches ${selector} in ${place.innerHTML}`)
  return found
}

const press = (selector: string) => act(async () => find(selector).click())

/** As a person types: React listens to the native setter's event. */
const type = (selector: string, text: string) =>
  act(async () => {
    const field = find<HTMLInputElement>(selector)
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(field, text)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })

const answers = (answer: object) => asked.mockResolvedValueOnce({ ...answer, settled: Promise.resolve() })
const refuses = (code: string, message: string) =>
  asked.mockRejectedValueOnce(new GuildhallError(409, { code, message }))

const open = (channelId: string) => press(`[data-channel-id="${channelId}"] .room-name`)

beforeEach(() => {
  asked.mockReset()
  viewing.mockClear()
  leave.mockReset()
  onRoom.mockReset()
  place = document.createElement('div')
  document.body.append(place)
  root = createRoot(place)
})

afterEach(() => {
  act(() => root.unmount())
  place.remove()
})

describe('a room of one\'s own', () => {
  it('is made with a name, private unless one says otherwise, and opened', async () => {
    show(seeing(house))
    await press('[data-action=new-room]')
    await type('.new-room [type=text]', 'Den')
    answers({ outcome: 'done', channelId: '10', discordUrl: 'https://discord.test/10' })
    await press('[data-action=create-room]')
    expect(asked.mock.calls).toEqual([['rooms.create', { guildId: '1', name: 'Den', private: true }]])
    expect(place.querySelector('.new-room')).toBeNull()
    expect(find('[data-channel-id="10"]').dataset['open']).toBe('true')
    expect(viewing.mock.lastCall).toEqual(['10'])
  })

  it('is not made without a name, and a refusal is said and keeps what was typed', async () => {
    show(seeing(house))
    await press('[data-action=new-room]')
    await press('[data-action=create-room]')
    expect(asked).not.toHaveBeenCalled()
    await type('.new-room [type=text]', 'Den')
    await press('.new-room [type=checkbox]')
    refuses('too_many_rooms', 'You have a room already.')
    await press('[data-action=create-room]')
    expect(asked.mock.lastCall).toEqual(['rooms.create', { guildId: '1', name: 'Den', private: false }])
    expect(find('[role=alert]').textContent).toBe('You have a room already.')
    expect(find<HTMLInputElement>('.new-room [type=text]').value).toBe('Den')
  })

  it('has tools for its owner alone', async () => {
    show(seeing(house))
    for (const [channelId, tools] of [
      ['10', ['go', 'invite', 'revoke', 'lock', 'hide', 'close']],
      ['11', ['go']],
      ['12', ['go']],
    ] as const) {
      await open(channelId)
      const shown = [...place.querySelectorAll<HTMLElement>('.open-room button')]
      expect(shown.map((button) => button.dataset['action'])).toEqual(tools)
    }
  })

  it('is locked and shown by what it is now', async () => {
    show(seeing(house))
    await open('10')
    answers({ outcome: 'done' })
    await press('[data-action=lock]')
    answers({ outcome: 'done' })
    await press('[data-action=hide]')
    expect(asked.mock.calls).toEqual([
      ['rooms.lock', { channelId: '10', locked: true }],
      ['rooms.hide', { channelId: '10', hidden: false }],
    ])
  })

  it('is closed by the second of two clicks, and not by a double-click', async () => {
    show(seeing(house))
    await open('10')
    await press('[data-action=close]')
    await press('[data-action=keep]')
    await press('[data-action=close]')
    expect(find('.open-room').textContent).toContain('It goes for everybody who is in it.')
    const second = new MouseEvent('click', { bubbles: true, detail: 2 })
    await act(async () => void find('[data-action=close-now]').dispatchEvent(second))
    expect(asked).not.toHaveBeenCalled()
    answers({ outcome: 'done' })
    await press('[data-action=close-now]')
    expect(asked.mock.calls).toEqual([['rooms.close', { channelId: '10' }]])
  })

  it('gives one link to copy, also where the browser does not let us', async () => {
    show(seeing(house))
    await open('10')
    answers({ outcome: 'done', token: 'T', url: 'https://guild.test/join?invite=T', expiresAt: 5 })
    await press('[data-action=invite]')
    expect(find<HTMLInputElement>('.invite input').value).toBe('https://guild.test/join?invite=T')
    expect(find('.invite [role=status]').textContent).toContain('Copy it from here')
    const writeText = vi.fn(() => Promise.resolve())
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
    await press('[data-action=invite]')
    expect(writeText).toHaveBeenCalledWith('https://guild.test/join?invite=T')
    expect(find('.invite [role=status]').textContent).toContain('Copied.')
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('forgets its link when all are revoked', async () => {
    show(seeing(house))
    await open('10')
    answers({ outcome: 'done', token: 'T', url: 'https://guild.test/join?invite=T', expiresAt: 5 })
    await press('[data-action=invite]')
    answers({ outcome: 'done' })
    await press('[data-action=revoke]')
    expect(asked.mock.lastCall).toEqual(['invites.revoke', { channelId: '10' }])
    expect(place.querySelector('.invite input')).toBeNull()
    expect(find('.invite [role=status]').textContent).toContain('No link leads into this room')
  })

  it('gives no link while it is locked', async () => {
    show(seeing(guild('1', { ...mine, locked: true })))
    await open('10')
    expect(place.querySelector('[data-action=invite]')).toBeNull()
    expect(find('.open-room').textContent).toContain('nobody comes in by a link')
    expect(find('[data-action=revoke]')).toBeTruthy()
  })

  it('says that nobody uses it, until somebody does', () => {
    const ending = new Date(2026, 10, 23, 12, 3, 9).getTime()
    show(seeing(guild('1', { ...mine, deletesAt: ending })))
    expect(find('[data-channel-id="10"] .idle').textContent).toContain('removed at 12:03:09')
    show(seeing(house))
    expect(place.querySelector('.idle')).toBeNull()
  })
})

describe('the page of a room', () => {
  it('tells the server and the address that one is on it', async () => {
    show(seeing(house))
    await open('12')
    expect([viewing.mock.lastCall, leave.mock.calls.length]).toEqual([['12'], 0])
    expect(onRoom.mock.lastCall).toEqual(['12'])
    await open('12')
    expect([viewing.mock.calls.length, leave.mock.calls.length]).toEqual([1, 1])
    expect(onRoom.mock.lastCall).toEqual([null])
  })

  it('is open at first if the address says so, until somebody else signs in', async () => {
    show(signedOut, null, '12')
    show(seeing(house), null, '12')
    expect(find('[data-channel-id="12"]').dataset['open']).toBe('true')
    await open('10')
    show({ ...seeing(house), user: { ...ana, id: '8' } }, null, '12')
    expect(find('[data-channel-id="12"]').dataset['open']).toBe('true')
  })

  it('leads to Discord whoever is not in voice', async () => {
    show(seeing(house))
    await open('12')
    answers({ outcome: 'waiting', until: 5, discordUrl: 'https://discord.test/12' })
    await press('[data-action=go]')
    expect(asked.mock.calls).toEqual([['voice.connect', { channelId: '12' }]])
    expect(find('[data-action=open-discord]').getAttribute('href')).toBe('https://discord.test/12')
  })
})

describe('the page of an invite', () => {
  it('signs in first', () => {
    show(signedOut, 'T')
    expect(find('[data-notice=invitation] [data-action=sign-in]').getAttribute('href')).toBe('/auth/login?invite=T')
    expect(place.querySelectorAll('[data-action=sign-in]')).toHaveLength(1)
  })

  it('comes in by a click, never by itself', async () => {
    show(seeing(house), 'T')
    expect(asked).not.toHaveBeenCalled()
    answers({ outcome: 'done', channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    expect(asked.mock.calls).toEqual([['invites.join', { token: 'T' }]])
    expect(find('[data-notice=invitation]').textContent).toContain('You may come into Room 11')
    expect(find('[data-channel-id="11"]').dataset['open']).toBe('true')
  })

  it('says what is so now, and not what was so at the click', async () => {
    const status = () => find('[data-notice=invitation] [role=status]').textContent
    show(seeing(guild('1')), 'T')
    answers({ outcome: 'done', channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    expect(status()).toBe('One moment…')
    show(seeing(guild('1', { ...theirs, people: new Map([['7', { ...person('7'), channelId: '11' }]]) })), 'T')
    expect(status()).toBe('You are in Room 11.')
    show(seeing(house), 'T')
    expect(find('[data-notice=invitation] [data-action=open-discord]')).toBeTruthy()
    show(seeing(guild('1')), 'T')
    expect(status()).toContain('The room is no more')
  })

  it('leads to Discord whoever is not in voice', async () => {
    show(seeing(house), 'T')
    answers({ outcome: 'waiting', until: 5, channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    const link = find('[data-notice=invitation] [data-action=open-discord]')
    expect(link.getAttribute('href')).toBe('https://discord.test/11')
  })

  it.each([
    ['not_member', 1, 1],
    ['invite_expired', 0, 0],
  ])('says why not: %s', async (code, signIns, joins) => {
    show(seeing(house), 'T')
    refuses(code, 'A sentence of the server.')
    await press('[data-action=join]')
    expect(find('[role=alert]').textContent).toBe('A sentence of the server.')
    expect(place.querySelectorAll('[data-notice=invitation] [data-action=sign-in]')).toHaveLength(signIns)
    expect(place.querySelectorAll('[data-action=join]')).toHaveLength(joins)
  })
})
