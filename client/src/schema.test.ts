import { describe, expect, it } from 'vitest'

import { Mismatch, read, type Schema } from './schema.testing.js'

const reading = (schemas: Readonly<Record<string, Schema>> = {}) => ({ schemas, extra: [] as string[] })

describe('a schema', () => {
  const person: Schema = {
    type: 'object',
    properties: { id: { $ref: 'Id' }, name: { type: ['string', 'null'] }, age: { type: 'integer', minimum: 0 } },
    required: ['id'],
  }
  const schemas: Readonly<Record<string, Schema>> = { Id: { type: 'string', pattern: '^\\d+$' } }

  it('takes what it names, notes what it does not, and changes nothing else', () => {
    const notes = reading(schemas)
    const sent: unknown = JSON.parse('{"id":"7","name":null,"age":9,"mood":1,"__proto__":{}}')
    expect(read(person, sent, 'p', notes)).toEqual({ id: '7', name: null, age: 9 })
    expect(notes.extra).toEqual(['p.mood', 'p.__proto__'])
  })

  it.each([
    ['a missing field', {}, 'p.id is missing'],
    ['a pattern', { id: 'x' }, 'p.id does not match ^\\d+$'],
    ['another type', { id: '7', name: 1 }, 'p.name is not string or null'],
    ['too little', { id: '7', age: -1 }, 'p.age is below 0'],
    ['a fraction', { id: '7', age: 1.5 }, 'p.age is not integer'],
    ['more than fits a double', { id: '7', age: 2 ** 60 }, 'p.age is not integer'],
    ['a list', [], 'p is not object'],
  ])('refuses %s and says where', (_what, sent, why) => {
    expect(() => read(person, sent, 'p', reading(schemas))).toThrow(new Mismatch(why))
  })

  it('reads lists and words', () => {
    const words: Schema = { type: 'array', items: { type: 'string', enum: ['up', 'down'] } }
    expect(read(words, ['up', 'down'], 'w', reading())).toEqual(['up', 'down'])
    expect(() => read(words, ['up', 'left'], 'w', reading())).toThrow('w[1] is not one of up, down')
  })

  it('in parts is one object', () => {
    const parts: Schema = { allOf: [{ $ref: 'Stamp' }, { type: 'object', properties: { id: { $ref: 'Id' } }, required: ['id'] }] }
    const notes = reading({ ...schemas, Stamp: { type: 'object', properties: { ts: { type: 'integer' } }, required: ['ts'] } })
    expect(read(parts, { ts: 1, id: '7', more: 1 }, 'p', notes)).toEqual({ ts: 1, id: '7' })
    expect(notes.extra).toEqual(['p.more'])
    expect(() => read(parts, { id: '7' }, 'p', notes)).toThrow(new Mismatch('p.ts is missing'))
  })

  it('with words that nobody reads here refuses everything', () => {
    expect(() => read({ oneOf: [] } as Schema, 1, 'n', reading())).toThrow('n has a schema with `oneOf`')
  })

  it('of a name that nobody knows refuses everything', () => {
    expect(() => read({ $ref: 'Nothing' }, 1, 'n', reading())).toThrow('n is of an unknown kind')
  })
})
