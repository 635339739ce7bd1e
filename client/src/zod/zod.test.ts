import { readdirSync, readFileSync } from 'node:fs'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { calls } from '../commands/calls.js'
import { sseReader } from '../connection/sse.js'
import { document, isRight, nearly } from './document.testing.js'
import * as doors from './index.js'

const { inputs, answers, operations, ...schemas } = doors
type Schema = (typeof schemas)['Snowflake']
const all = Object.entries(schemas as unknown as Readonly<Record<string, Schema>>)

describe('the schemas', () => {
  it('are those of the document, each by its name', () => {
    expect(Object.keys(schemas).sort()).toEqual(Object.keys(document.components.schemas).sort())
  })

  it.each(all)('%s takes what the document takes, and nothing else', (name, schema) => {
    const right = isRight(name)
    const verdicts = [0, 0]
    fc.assert(
      fc.property(nearly(name), (value) => {
        const expected = right(value)
        verdicts[Number(expected)]! += 1
        expect([schema.safeParse(value).success, value]).toEqual([expected, value])
      }),
      { numRuns: 300 },
    )
    // Otherwise nothing was compared.
    expect(Math.min(...verdicts)).toBeGreaterThan(5)
  })

  it('give back what they took, without what is not in the document', () => {
    const status = { discord: 'live', link: 'up', since: 1 }
    const state = { cursor: 'c', guilds: [], status: { ...status, guildIds: ['1'] } }
    expect(schemas.StatePayload.parse({ ...state, later: 1 })).toEqual(state)
  })

  it('say what is wrong with a field', () => {
    const said = (value: unknown) => schemas.CreateRoomInput.safeParse(value).error?.issues.map(({ path, message }) => `${path}: ${message}`)
    expect(said({ guildId: '1', name: '' })).toEqual(['name: Has 1 to 100 characters'])
    expect(said({ guildId: 'x', name: 'a', limit: 100 })).toEqual(['guildId: Looks like ^\\d{1,20}$', 'limit: Is 0 to 99'])
    expect(schemas.RevokeInviteInput.safeParse({}).error?.issues[0]?.message).toBe('Has 1 of its fields')
  })

  it('take a field that is undefined where JSON leaves it out', () => {
    expect(inputs['rooms.create'].safeParse({ guildId: '1', name: 'a', limit: undefined }).success).toBe(true)
    expect(inputs['invites.revoke'].safeParse({ token: undefined, channelId: '1' }).success).toBe(true)
  })

  it('are there for each command', () => {
    for (const [name, operation] of Object.entries(calls)) {
      const { requestBody, responses } = document.paths[`/api/rpc/${operation}`]!.post!
      const nameOf = ({ $ref }: { readonly $ref?: string }) => $ref?.split('/').at(-1) as keyof typeof schemas
      expect(inputs[name as keyof typeof calls]).toBe(schemas[nameOf(requestBody.content['application/json'].schema)])
      expect(answers[name as keyof typeof calls]).toBe(schemas[nameOf(responses['200']!.content['application/json'].schema)])
    }
    expect(Object.keys(operations).sort()).toEqual(Object.values(calls).sort())
  })

  const folder = new URL('../../../fixtures/transcripts/', import.meta.url)
  it.each(readdirSync(folder))('take every event of the server\'s in %s', (file) => {
    const frames = sseReader()(readFileSync(new URL(file, folder), 'utf8'))
    expect(frames.length).toBeGreaterThan(2)
    for (const { name, data } of frames) {
      const event = { event: name, data: JSON.parse(data) as unknown }
      expect(schemas.StreamEvent.parse(event)).toEqual(event)
    }
  })
})
