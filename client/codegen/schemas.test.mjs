import { describe, expect, it } from 'vitest'

import { schemasModule } from './schemas.mjs'

const made = schemas => schemasModule({ components: { schemas }, paths: {} })
const ref = name => ({ $ref: `#/components/schemas/${name}` })

describe('the module of schemas', () => {
  it('has each schema behind those that it is made of', () => {
    const text = made({ B: { type: 'array', items: ref('A') }, A: { type: 'boolean', description: 'Two\nlines.' } })
    expect(text).toContain('/** Two lines. */\nexport const A = /*@__PURE__*/ k.yesOrNo()\n\nexport const B = /*@__PURE__*/ k.list(A)\n')
  })

  it('is not made of what would be promised and not checked', () => {
    expect(() => made({ A: { type: 'array', items: { type: 'string' }, uniqueItems: true } })).toThrow('uniqueItems')
    expect(() => made({ A: { type: 'number' } })).toThrow('number')
    expect(() => made({ A: { oneOf: [{ type: 'string' }, { type: 'boolean' }] } })).toThrow('discriminator')
    expect(() => made({ A: { type: ['string', 'integer'] } })).toThrow('string,integer')
    const [open, closed] = [{ type: 'object' }, { type: 'object', additionalProperties: false }]
    expect(() => made({ A: { allOf: [open, closed] } })).toThrow('only open objects')
    const named = { ...open, properties: { id: { type: 'string' } } }
    expect(() => made({ A: { allOf: [named, named] } })).toThrow('a field is in two objects')
  })

  it('is not made of a document with a hole or a circle', () => {
    expect(() => made({ A: ref('B') })).toThrow('there is no schema B')
    expect(() => made({ A: { type: 'array', items: ref('B') }, B: ref('A') })).toThrow('made of itself')
  })
})
