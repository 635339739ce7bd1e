import { describe, expect, it } from 'vitest'

import { inviteOf, loginOutcome, roomOf } from './address'

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
