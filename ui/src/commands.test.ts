import { afterEach, describe, expect, it, vi } from 'vitest'

import { runAt } from './commands'

const run = runAt(new URL('https://guild.test/hall/'))

/** The next answer of the server; what was asked of it. */
const answers = (answer: Response | Error) => {
  const asked = vi.fn<typeof fetch>(() =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer),
  )
  vi.stubGlobal('fetch', asked)
  return asked
}

const room = { outcome: 'done', channelId: '10', discordUrl: 'https://discord.test/10' }

afterEach(() => vi.unstubAllGlobals())

describe('a command', () => {
  it('is a POST of JSON below the prefix, with a key of its own', async () => {
    const keys = []
    for (let times = 0; times < 2; times += 1) {
      const asked = answers(Response.json(room))
      await run('createRoom', { guildId: '1', name: 'Den' })
      const [url, request] = asked.mock.calls[0] ?? []
      expect(String(url)).toBe('https://guild.test/hall/api/rpc/createRoom')
      expect(request).toMatchObject({ method: 'POST', body: '{"guildId":"1","name":"Den"}' })
      const headers = new Headers(request?.headers)
      expect(headers.get('content-type')).toBe('application/json')
      keys.push(headers.get('idempotency-key'))
    }
    expect(keys[0]).toMatch(/^[!-~]{20,200}$/)
    expect(keys[0]).not.toBe(keys[1])
  })

  it('is answered, and fields we do not know do no harm', async () => {
    answers(Response.json({ ...room, colour: 'red' }))
    expect(await run('createRoom', { guildId: '1', name: 'Den' })).toEqual({ is: 'answered', answer: room })
  })

  it('is refused in the server\'s words', async () => {
    const error = { code: 'too_many_rooms', message: 'You have a room already.', missing: [] }
    answers(Response.json({ error }, { status: 409 }))
    expect(await run('createRoom', { guildId: '1', name: 'Den' })).toEqual({
      is: 'refused',
      code: 'too_many_rooms',
      message: 'You have a room already.',
    })
  })

  it.each([
    ['a proxy\'s page', new Response('<!doctype html>', { status: 502 })],
    ['another error', Response.json({ error: 'no' }, { status: 500 })],
    ['no error at all', Response.json(null, { status: 500 })],
    ['no network', new TypeError('fetch failed')],
    ['an answer without the room', Response.json({ outcome: 'done' })],
    ['an odd outcome', Response.json({ ...room, outcome: 'perhaps' })],
  ])('that is not answered is not known to be done: %s', async (_what, answer) => {
    answers(answer)
    expect(await run('createRoom', { guildId: '1', name: 'Den' })).toMatchObject({
      is: 'refused',
      code: 'no_answer',
    })
  })
})
