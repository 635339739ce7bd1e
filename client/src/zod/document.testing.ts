/** Values by the OpenAPI document, right and wrong, and a judge of them that is not ours. */

import { readFileSync } from 'node:fs'

import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'

/** As much of a schema as is needed to make values. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly allOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

interface Operation {
  readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
  readonly responses: Readonly<Record<string, { readonly content: { readonly 'application/json': { readonly schema: Schema } } }>>
}

const text = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')
export const document = JSON.parse(text) as {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, { readonly post?: Operation }>>
}

const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema(document, 'openapi')

/** What the document itself says of a value, by JSON Schema's own rules. */
export const isRight = (name: string): ((value: unknown) => boolean) => {
  const validate = ajv.compile({ $ref: `openapi#/components/schemas/${name}` })
  return (value) => validate(value) as boolean
}

const named = ($ref: string): Schema => {
  const schema = document.components.schemas[$ref.split('/').at(-1) ?? '']
  if (schema === undefined) throw new Error(`there is no ${$ref}`)
  return schema
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values that are right, but for how many fields an object may have. */
export const valueOf = (schema: Schema): fc.Arbitrary<unknown> => {
  if (schema.$ref !== undefined) return valueOf(named(schema.$ref))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map(valueOf))
  if (schema.allOf !== undefined) {
    return fc.tuple(...schema.allOf.map(valueOf)).map((parts) => Object.assign({}, ...(parts as object[])) as unknown)
  }
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type: string) => valueOf({ ...schema, type })))
  }
  switch (schema.type) {
    case 'string': {
      const { pattern, minLength = 0, maxLength = 30 } = schema
      if (pattern === undefined) return fc.string({ unit: 'grapheme-composite', minLength, maxLength })
      return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: 200 }).filter((made) => made !== '')
        .map((made) => made.repeat(Math.max(1, Math.ceil(minLength / made.length))).slice(0, Math.max(minLength, made.length)))
    }
    case 'integer':
      return fc.integer({ min: schema.minimum ?? Number.MIN_SAFE_INTEGER, max: schema.maximum ?? Number.MAX_SAFE_INTEGER })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 3 })
    case 'object': {
      if (isObject(schema.additionalProperties)) return fc.dictionary(fc.string(), valueOf(schema.additionalProperties))
      const fields = Object.entries(schema.properties ?? {}).map(([name, of]) => [name, valueOf(of)] as const)
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])], noNullPrototype: true })
    }
    default:
      throw new Error(`no values of ${JSON.stringify(schema)}`)
  }
}

/** What may stand in the place of something else. Integers are such as a double holds. */
const anything = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -1, 99, 100, 10_000, 10_001, 0.5, '', 'x', '0', '1'.repeat(20), '1'.repeat(21), '٣'),
  fc.constantFrom('😀'.repeat(100), '😀'.repeat(101), 'é'.repeat(500), 'é'.repeat(501), 'A'.repeat(109), 'A'.repeat(111)),
  fc.integer(),
  fc.string(),
  fc.constantFrom([], {}, [null], { event: 'bye' }, 'voice.joined', 'live', 'up', 'stage', 'done'),
)

interface Change {
  /** Chooses the place. */
  readonly at: number
  readonly how: 'replace' | 'remove' | 'add'
  readonly by: unknown
}

const changes = fc.array(
  fc.record({ at: fc.nat(), how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const), by: anything }),
  { maxLength: 2 },
)

/** Every place in a value, as what holds it and under which key. */
const placesIn = (value: unknown): (readonly [Record<string, unknown>, string])[] => {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.entries(holder).flatMap(([key, inner]) => [[holder, key] as const, ...placesIn(inner)])
}

const changed = (value: unknown, { at, how, by }: Change): unknown => {
  const copy = structuredClone(value)
  const places = placesIn(copy)
  const place = places[at % (places.length + 1)]
  if (place === undefined) return how === 'add' && isObject(copy) ? { ...copy, more: by } : how === 'replace' ? by : copy
  const [holder, key] = place
  if (how === 'replace') holder[key] = by
  else if (how === 'remove' && !Array.isArray(holder)) delete holder[key]
  else if (how === 'add' && isObject(holder[key])) holder[key]['more'] = by
  return copy
}

/** Values that are right, nearly right and wrong. */
export const nearly = (name: string): fc.Arbitrary<unknown> =>
  fc.tuple(valueOf(named(name)), changes).map(([value, all]) => all.reduce(changed, value))
