import { describe, expect, it } from 'vitest'

import { eventsModule } from './events.mjs'

const event = (name, lane, data) => ({ properties: { event: { enum: [name] }, data }, 'x-event': { lane } })
const stamped = { allOf: [{ $ref: '#/components/schemas/Stamp' }, { type: 'object' }] }

describe('the module of events', () => {
  it('has each event of the document once, in the order of their names', () => {
    const schemas = {
      StreamEvent: { oneOf: [...['D', 'B', 'C', 'A'].map(name => ({ $ref: `#/components/schemas/${name}` }))] },
      A: event('a.came', 'log', stamped),
      B: event('b', 'stream', {}),
      C: event('c', 'stream', stamped),
      D: event('d', 'live', stamped),
      Stamp: { properties: { guildId: {} } },
    }
    expect(eventsModule({ components: { schemas } })).toContain(
      "{\n  'a.came': 'group',\n  'b': 'control',\n  'c': 'group',\n  'd': 'alone',\n} as const",
    )
  })

  it('is not made of a document that lacks an event', () => {
    const schemas = { StreamEvent: { oneOf: [{ $ref: '#/components/schemas/A' }] } }
    expect(() => eventsModule({ components: { schemas } })).toThrow('there is no schema A')
  })
})
