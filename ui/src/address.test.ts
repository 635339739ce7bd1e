import { describe, expect, it } from 'vitest'

import { inviteOf, loginOutcome, navigationOf, roomOf } from './address'

describe('an invite', () => {
  it.each([
    ['/hall/join', '?invite=T&a=1', 'T'],
    ['/join', '?invite=T', 'T'],
    ['/join', '', null],
    ['/', '?invite=T', null],
  ])('is read of %s%s', (path, search, invite) => {
    expect(inviteOf(path, search)).toBe(invite)
  })
})

describe('a room to open', () => {
  it.each([
    ['?room=10', '10'],
    ['?a=1&room=10', '10'],
    ['?room=', null],
    ['?room=%3Cscript%3E', null],
    ['', null],
  ])('is read of %s', (search, room) => {
    expect(roomOf(search)).toBe(room)
  })
})

describe('how a sign-in ended', () => {
  it.each([
    ['', null, ''],
    ['?a=1', null, '?a=1'],
    ['?login=denied', 'denied', ''],
    ['?a=1&login=denied&b=ü', 'denied', '?a=1&b=%C3%BC'],
    ['?login=denied&login=denied', 'denied', ''],
    ['?login=%3Cscript%3E', 'failed', ''],
    ['?invite=T&login=not_admitted%3Ainvite_expired', 'not_admitted:invite_expired', '?invite=T'],
  ] as const)('is read and taken out of %s', (search, outcome, rest) => {
    expect(loginOutcome(search)).toEqual({ outcome, search: rest })
  })
})

describe('going from room to room', () => {
  it('is in the address, so that the browser goes back, and is told once', () => {
    const page = new EventTarget() as EventTarget & Pick<Window, 'location' | 'history' | 'scrollTo'>
    const visited = [new URL('https://hall.test/hall/?a=1')]
    Object.defineProperty(page, 'location', { get: () => visited.at(-1) })
    Object.assign(page, { scrollTo: () => undefined, history: { pushState: (_: null, __: string, url: URL) => visited.push(url) } })
    const navigation = navigationOf(page as never)
    const told: (string | null)[] = []
    navigation.subscribe(() => told.push(navigation.room()))
    navigation.open('10')
    navigation.open('10')
    navigation.open('11')
    visited.pop()
    page.dispatchEvent(new Event('popstate'))
    navigation.open(null)
    expect(told).toEqual(['10', '11', '10', null])
    expect(visited.at(-1)?.href).toBe('https://hall.test/hall/?a=1')
  })
})
