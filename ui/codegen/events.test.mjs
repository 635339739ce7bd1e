import { expect, test } from 'vitest'

import { eventsModule } from './events.mjs'

const documentWith = thing => ({
  components: {
    schemas: {
      StreamEvent: { oneOf: [{ $ref: '#/components/schemas/ThingEvent' }] },
      ThingEvent: {
        properties: {
          event: { enum: ['thing.came'] },
          data: {
            allOf: [
              { $ref: '#/components/schemas/Stamp' },
              { type: 'object', properties: { thing }, required: ['thing'] },
            ],
          },
        },
        'x-event': { lane: 'log', family: null },
      },
      Stamp: { properties: { ts: { type: 'integer', format: 'int64' } }, required: ['ts'] },
      Id: { type: 'string', description: 'An id.' },
      Me: { type: 'object', properties: {} },
      Unused: { type: 'string' },
    },
  },
})

const written = thing => eventsModule(documentWith(thing), ['Me'])

test('an event is its name, its facts and the schema of its data', () => {
  const module = written({ $ref: '#/components/schemas/Id', description: 'Which.' })
  const squeezed = module.replaceAll(/\s/g, '')
  expect(squeezed).toContain(
    '"data":{"properties":{"thing":{"$ref":"Id"},"ts":{"type":"integer"}},' +
      '"required":["ts","thing"],"type":"object"},"family":null,"lane":"log"',
  )
  expect(squeezed).toContain(
    'schemas:Schemas={"Id":{"type":"string"},"Me":{"properties":{},"type":"object"}}',
  )
})

test('what the page cannot read is an error', () => {
  expect(() => written({ oneOf: [] })).toThrow('`oneOf`')
})

test('a schema that is nowhere is an error', () => {
  expect(() => written({ $ref: '#/components/schemas/Gone' })).toThrow('Gone')
})
