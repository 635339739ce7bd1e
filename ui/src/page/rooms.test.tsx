// @vitest-environment jsdom
import { GuildhallError } from '@guildhall/client'
import { GuildhallProvider } from '@guildhall/client/react'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ana, asClient, guild, person, room, seeing, signedOut, testClient, testNavigation, withDialogs } from '../client.testing'
import type { Shown } from '../shown'
import { App } from './app'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
withDialogs()

const mine = { ...room('10'), managed: true, ownerId: '7', locked: false, hidden: true }
const theirs = { ...room('11', person('8')), managed: true, ownerId: '8', locked: true, hidden: false }
const house = guild('1', mine, theirs, room('12'))

const client = testClient()
const { run: asked, viewing, leave } = client
let navigation: ReturnType<typeof testNavigation>
let place: HTMLElement
let root: Root

/** Awaited: parts of the page are loaded when they are wanted. */
const show = async (shown: Shown, invite: string | null = null): Promise<void> => {
  const showing = { view: () => shown, subscribe: () => () => undefined }
  await act(async () =>
    root.render(
      <GuildhallProvider client={asClient(client)}>
        <App shown={showing} navigation={navigation} signInUrl="/auth/login?invite=T" invite={invite} />
      </GuildhallProvider>,
    ),
  )
  await act(() => vi.dynamicImportSettled())
}

const find = <Kind extends HTMLElement>(selector: string): Kind => {
  const found = place.querySelector<Kind>(selector)
  if (found === null) throw new Error(`nothing matches ${selector} in ${place.innerHTML}`)
  return found
}

const press = async (selector: string) => {
  await act(async () => find(selector).click())
  await act(() => vi.dynamicImportSettled())
}

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
const open = async (channelId: string | null) => {
  await act(async () => navigation.open(channelId))
  await act(() => vi.dynamicImportSettled())
}

beforeEach(() => {
  asked.mockReset()
  viewing.mockClear()
  leave.mockReset()
  navigation = testNavigation()
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
    await show(seeing(house))
    await press('[data-action=new-room]')
    await type('[data-dialog=new-room] [type=text]', 'Den')
    answers({ outcome: 'done', channelId: '10', discordUrl: 'https://discord.test/10' })
    await press('[data-action=create-room]')
    expect(asked.mock.calls).toEqual([['rooms.create', { guildId: '1', name: 'Den', limit: 4, private: true }]])
    expect(place.querySelector('[data-dialog=new-room]')).toBeNull()
    expect(find('[data-channel-id="10"]').dataset['open']).toBe('true')
    expect(viewing.mock.lastCall).toEqual(['10'])
  })

  it('is not made without a name, and a refusal is said and keeps what was typed', async () => {
    await show(seeing(house))
    await press('[data-action=new-room]')
    await press('[data-action=create-room]')
    expect(asked).not.toHaveBeenCalled()
    await type('[data-dialog=new-room] [type=text]', 'Den')
    await type('[data-dialog=new-room] [type=number]', '0')
    await press('[data-dialog=new-room] [type=checkbox]')
    refuses('too_many_rooms', 'You have a room already.')
    await press('[data-action=create-room]')
    expect(asked.mock.lastCall).toEqual(['rooms.create', { guildId: '1', name: 'Den', limit: 0, private: false }])
    expect(find('[role=alert]').textContent).toBe('You have a room already.')
    expect(find<HTMLInputElement>('[data-dialog=new-room] [type=text]').value).toBe('Den')
  })

  it('says before the click that there is one already', async () => {
    await show(seeing(house))
    await press('[data-action=new-room]')
    expect(find('[data-dialog=new-room] .hint').textContent).toContain('You have a room here already: Room 10')
  })

  it('has tools for its owner alone', async () => {
    await show(seeing(house))
    for (const [channelId, tools] of [
      ['10', ['go', 'invite', 'revoke', 'lock', 'hide', 'close']],
      ['11', ['go']],
      ['12', ['go']],
    ] as const) {
      await open(channelId)
      const shown = [...place.querySelectorAll<HTMLElement>('[data-open=true] button')]
      expect(shown.map((button) => button.dataset['action'])).toEqual(tools)
    }
  })

  it('is locked and shown by what it is now', async () => {
    await show(seeing(house))
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

  it.each([
    ['rename', 'Burrow', ['rooms.rename', { channelId: '10', name: 'Burrow' }]],
    ['status', 'Chess', ['rooms.setStatus', { channelId: '10', status: 'Chess' }]],
    ['limit', '9', ['rooms.setLimit', { channelId: '10', limit: 9 }]],
  ] as const)('has a field with what is so, and a button once it says something else: %s', async (action, text, call) => {
    await show(seeing(house))
    await open('10')
    expect(place.querySelector(`button[data-action=${action}]`)).toBeNull()
    await type(`[data-setting=${action}]`, text)
    answers({ outcome: 'queued', doneAt: new Date(2026, 10, 23, 12, 3).getTime() })
    await press(`button[data-action=${action}]`)
    expect(asked.mock.calls).toEqual([call])
    expect(find('.setting [role=status]').textContent).toContain('12:03')
  })

  it.each([
    ['kick', ['rooms.kick', { channelId: '10', userId: '8' }]],
    ['kick-once', ['rooms.kick', { channelId: '10', userId: '8', allowReturn: true }]],
    ['transfer', ['rooms.transfer', { channelId: '10', userId: '8' }]],
  ] as const)('has tools for everybody in it but oneself: %s', async (action, call) => {
    await show(seeing(guild('1', { ...mine, people: room('10', person('7'), person('8')).people })))
    await open('10')
    expect(place.querySelectorAll('[data-action=person-tools]')).toHaveLength(1)
    await press('[data-user-id="8"] [data-action=person-tools]')
    answers({ outcome: 'done' })
    await press(`[data-action=${action}]`)
    if (action === 'transfer') {
      expect(asked).not.toHaveBeenCalled()
      await press('[data-action=transfer-now]')
    }
    expect(asked.mock.calls).toEqual([call])
    expect(place.querySelector('[data-dialog=person-tools]')).toBeNull()
  })

  it('is closed by the second of two clicks, and not by a double-click', async () => {
    await show(seeing(house))
    await open('10')
    await press('[data-action=close]')
    await press('[data-action=keep]')
    await press('[data-action=close]')
    expect(find('.ask').textContent).toContain('It goes for everybody who is in it.')
    const second = new MouseEvent('click', { bubbles: true, detail: 2 })
    await act(async () => void find('[data-action=close-now]').dispatchEvent(second))
    expect(asked).not.toHaveBeenCalled()
    answers({ outcome: 'done' })
    await press('[data-action=close-now]')
    expect(asked.mock.calls).toEqual([['rooms.close', { channelId: '10' }]])
  })

  it('gives one link to copy and to photograph, also where the browser does not let us', async () => {
    await show(seeing(house))
    await open('10')
    answers({ outcome: 'done', token: 'T', url: 'https://guild.test/join?invite=T', expiresAt: 5 })
    await press('[data-action=invite]')
    expect(find<HTMLInputElement>('.invite input').value).toBe('https://guild.test/join?invite=T')
    expect(find('.invite [role=status]').textContent).toContain('Copy it from here')
    expect(find('.qr').getAttribute('aria-label')).toContain('QR code')
    const writeText = vi.fn(() => Promise.resolve())
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
    await press('[data-action=invite]')
    expect(writeText).toHaveBeenCalledWith('https://guild.test/join?invite=T')
    expect(find('.invite [role=status]').textContent).toContain('Copied.')
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('forgets its link when all are revoked', async () => {
    await show(seeing(house))
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
    await show(seeing(guild('1', { ...mine, locked: true })))
    await open('10')
    expect(place.querySelector('[data-action=invite]')).toBeNull()
    expect(find('.invite').textContent).toContain('nobody comes in by a link')
    expect(find('[data-action=revoke]')).toBeTruthy()
  })

  it('says that nobody uses it, until somebody does', async () => {
    const ending = new Date(2026, 10, 23, 12, 3, 9).getTime()
    await show(seeing(guild('1', { ...mine, deletesAt: ending })))
    expect(find('[data-channel-id="10"] .idle').textContent).toContain('removed at 12:03:09')
    await show(seeing(house))
    expect(place.querySelector('.idle')).toBeNull()
  })
})

describe('the page of a room', () => {
  it('tells the server and the address that one is on it', async () => {
    await show(seeing(house))
    await press('[data-channel-id="12"] .room-name')
    expect([viewing.mock.lastCall, leave.mock.calls.length]).toEqual([['12'], 0])
    expect(navigation.open.mock.lastCall).toEqual(['12'])
    await press('[data-action=back]')
    expect([viewing.mock.calls.length, leave.mock.calls.length]).toEqual([1, 1])
    expect(navigation.open.mock.lastCall).toEqual([null])
  })

  it('is open at first if the address says so', async () => {
    navigation = testNavigation('12')
    await show(signedOut)
    expect(place.querySelector('[data-open=true]')).toBeNull()
    await show(seeing(house))
    expect(find('[data-channel-id="12"]').dataset['open']).toBe('true')
    await show({ ...seeing(house), user: { ...ana, id: '8' } })
    expect(find('[data-channel-id="12"]').dataset['open']).toBe('true')
  })

  it('says that the room is gone when it is', async () => {
    await show(seeing(house))
    await open('12')
    await show(seeing(guild('1', mine)))
    await press('[data-notice=room-gone] [data-action=to-lobby]')
    expect(find('[data-channel-id="10"]').dataset['open']).toBeUndefined()
  })

  it('leads to Discord whoever is not in voice', async () => {
    await show(seeing(house))
    await open('12')
    expect(find('[data-action=join-in-discord]').getAttribute('href')).toBe('https://discord.com/channels/1/12')
    answers({ outcome: 'waiting', until: 5, discordUrl: 'https://discord.test/12' })
    await press('[data-action=go]')
    expect(asked.mock.calls).toEqual([['voice.connect', { channelId: '12' }]])
    expect(find('[data-action=open-discord]').getAttribute('href')).toBe('https://discord.test/12')
  })

  it('offers first what takes one click', async () => {
    const ways = () => [...place.querySelectorAll<HTMLElement>('.door .buttons > *')].map(({ dataset, className }) => [dataset['action'], className])
    await show(seeing(guild('1', room('12', person('8')))))
    await open('12')
    expect(ways()).toEqual([
      ['join-in-discord', 'button primary'],
      ['go', 'button'],
    ])
    await show(seeing(guild('1', room('12', person('8')), room('10', person('7')))))
    expect(ways()).toEqual([
      ['go', 'button primary'],
      ['join-in-discord', 'button'],
    ])
  })

  it('says why nobody comes in before they try', async () => {
    await show(seeing(guild('1', { ...room('12', person('8')), userLimit: 1 }, theirs)))
    await open('12')
    expect(find('.door').textContent).toContain('The room is full.')
    expect(place.querySelector('[data-action=go]')).toBeNull()
    await open('11')
    expect(find('.door').textContent).toContain('The room is locked')
    expect(place.querySelector('.door .primary')).toBeNull()
  })

  it('lets whoever is there leave, and take it over once its owner is gone', async () => {
    await show(seeing(guild('1', { ...theirs, people: room('11', person('7')).people })))
    await open('11')
    expect(find('.door').textContent).toContain('After five minutes')
    answers({ outcome: 'done' })
    await press('[data-action=claim]')
    answers({ outcome: 'done' })
    await press('[data-action=leave]')
    expect(asked.mock.calls).toEqual([
      ['rooms.claim', { channelId: '11' }],
      ['voice.disconnect', { guildId: '1' }],
    ])
  })
})

describe('the page of an invite', () => {
  it('signs in first', async () => {
    await show(signedOut, 'T')
    expect(find('[data-notice=invitation] [data-action=sign-in]').getAttribute('href')).toBe('/auth/login?invite=T')
    expect(place.querySelectorAll('[data-action=sign-in]')).toHaveLength(1)
  })

  it('comes in by a click, never by itself', async () => {
    await show(seeing(house), 'T')
    expect(asked).not.toHaveBeenCalled()
    answers({ outcome: 'done', channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    expect(asked.mock.calls).toEqual([['invites.join', { token: 'T' }]])
    expect(find('[data-notice=invitation]').textContent).toContain('You may come into Room 11')
    expect(find('[data-channel-id="11"]').dataset['open']).toBe('true')
  })

  it('says what is so now, and not what was so at the click', async () => {
    const status = () => find('[data-notice=invitation] [role=status]').textContent
    await show(seeing(guild('1')), 'T')
    answers({ outcome: 'done', channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    expect(status()).toBe('One moment…')
    await show(seeing(guild('1', { ...theirs, people: new Map([['7', { ...person('7'), channelId: '11' }]]) })), 'T')
    expect(status()).toBe('You are in Room 11.')
    await show(seeing(house), 'T')
    expect(find('[data-notice=invitation] [data-action=open-discord]')).toBeTruthy()
    await show(seeing(guild('1')), 'T')
    expect(status()).toContain('The room is no more')
  })

  it('leads to Discord whoever is not in voice', async () => {
    await show(seeing(house), 'T')
    answers({ outcome: 'waiting', until: 5, channelId: '11', discordUrl: 'https://discord.test/11' })
    await press('[data-action=join]')
    const link = find('[data-notice=invitation] [data-action=open-discord]')
    expect(link.getAttribute('href')).toBe('https://discord.test/11')
  })

  it.each([
    ['not_member', 1, 1],
    ['invite_expired', 0, 0],
  ])('says why not: %s', async (code, signIns, joins) => {
    await show(seeing(house), 'T')
    refuses(code, 'A sentence of the server.')
    await press('[data-action=join]')
    expect(find('[role=alert]').textContent).toBe('A sentence of the server.')
    expect(place.querySelectorAll('[data-notice=invitation] [data-action=sign-in]')).toHaveLength(signIns)
    expect(place.querySelectorAll('[data-action=join]')).toHaveLength(joins)
  })
})
