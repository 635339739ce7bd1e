import { afterEach, describe, expect, it, vi } from 'vitest'

import { endSession, inviteOf, loginOutcome, readMe, roomOf, signInUrl } from './session'

const root = new URL('https://guild.test/hall/')
const user = { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: 'https://cdn.test/7.png' }

/** The next answer of the server; what was asked of it. */
const answers = (answer: Response | Error) => {
  const asked = vi.fn<typeof fetch>(() =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer),
  )
  vi.stubGlobal('fetch', asked)
  return asked
}

afterEach(() => vi.unstubAllGlobals())

describe('who is signed in', () => {
  it('is asked below the prefix, and fields we do not know do no harm', async () => {
    const asked = answers(Response.json({ user: { ...user, locale: 'pt' }, guilds: [], expiresAt: 5 }))
    expect(await readMe(root)).toEqual({ is: 'signed-in', user })
    expect(String(asked.mock.calls[0]?.[0])).toBe('https://guild.test/hall/api/me')
  })

  it('is nobody at 401', async () => {
    answers(new Response(null, { status: 401 }))
    expect(await readMe(root)).toEqual({ is: 'signed-out' })
  })

  it.each([
    ['503', new Response(null, { status: 503 })],
    ['no network', new TypeError('fetch failed')],
    ['no JSON', new Response('<!doctype html>')],
    ['no user', Response.json({})],
  ])('is not known with %s', async (_what, answer) => {
    answers(answer)
    expect(await readMe(root)).toEqual({ is: 'unreachable' })
  })
})

describe('signing out', () => {
  it('is a POST of JSON', async () => {
    const asked = answers(new Response(null, { status: 204 }))
    expect(await endSession(root)).toBe(true)
    const [url, request] = asked.mock.calls[0] ?? []
    expect(String(url)).toBe('https://guild.test/hall/auth/logout')
    expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
  })

  it.each([new Response(null, { status: 403 }), new TypeError('fetch failed')])('can fail: %s', async (answer) => {
    answers(answer)
    expect(await endSession(root)).toBe(false)
  })
})

describe('signing in', () => {
  it('comes back to where it began, query and all', () => {
    expect(signInUrl(root, '/hall/?a=1&b=ü')).toBe(
      'https://guild.test/hall/auth/login?returnTo=%2Fhall%2F%3Fa%3D1%26b%3D%C3%BC',
    )
  })
})

describe('an invite', () => {
  it('is taken along to the sign-in', () => {
    expect(signInUrl(root, '/hall/join?invite=T', 'T')).toBe(
      'https://guild.test/hall/auth/login?returnTo=%2Fhall%2Fjoin%3Finvite%3DT&invite=T',
    )
  })

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
