/**
 * JSON Schema, as much of it as the OpenAPI document has of streams: what tests hold recordings
 * against. The client itself believes its server.
 *
 * A value that does not fit throws `Mismatch`. A field that the schema does not name is no error (a
 * newer server may send more), but its path is noted, so that a test can insist on there being none.
 */

export interface Schema {
  /** Where another one is, instead of all the rest. */
  readonly $ref?: string
  /** An object that is written in parts. */
  readonly allOf?: readonly Schema[]
  readonly type?: Kind | readonly Kind[]
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** By what `$ref` says. */
export type Schemas = Readonly<Record<string, Schema>>

/** What is read; `format` and what else is for people means nothing here. */
const KNOWN = ['$ref', 'allOf', 'type', 'enum', 'pattern', 'minimum', 'items', 'properties', 'required']
const SAID_TO_PEOPLE = ['description', 'format']

type Kind = 'null' | 'boolean' | 'integer' | 'string' | 'array' | 'object'

export class Mismatch extends Error {}

export interface Reading {
  /** What `$ref` names. */
  readonly schemas: Schemas
  /** Paths of the fields that were sent and are not in the schema. */
  readonly extra: string[]
}

/** The value, without what its schema does not name. */
export const read = (written: Schema, value: unknown, path: string, reading: Reading): unknown => {
  const schema = whole(written, path, reading.schemas)
  const kind = kindOf(value)
  const kinds = [schema.type].flat()
  if (!kinds.includes(kind)) throw new Mismatch(`${path} is not ${kinds.join(' or ')}`)
  if (typeof value === 'string') return readText(schema, value, path)
  if (typeof value === 'number') return readNumber(schema, value, path)
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? [] : value.map((item, index) => read(items, item, `${path}[${index}]`, reading))
  }
  return typeof value === 'object' && value !== null ? readFields(schema, value, path, reading) : value
}

/** A schema without references and parts. */
const whole = (schema: Schema, path: string, schemas: Schemas): Schema => {
  const strange = Object.keys(schema).find((key) => !KNOWN.includes(key) && !SAID_TO_PEOPLE.includes(key))
  if (strange !== undefined) throw new Mismatch(`${path} has a schema with \`${strange}\``)
  if (schema.$ref !== undefined) {
    const named = schemas[schema.$ref]
    if (named === undefined) throw new Mismatch(`${path} is of an unknown kind`)
    return whole(named, path, schemas)
  }
  if (schema.allOf === undefined) return schema
  const parts = schema.allOf.map((part) => whole(part, path, schemas))
  return {
    type: 'object',
    properties: Object.assign({}, ...parts.map((part) => part.properties)),
    required: parts.flatMap((part) => part.required ?? []),
  }
}

const kindOf = (value: unknown): Kind | undefined => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  // A number that is no integer, or too large to be one, is nothing of ours.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : undefined
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  return typeof value === 'object' ? 'object' : undefined
}

const patterns = new Map<string, RegExp>()

const patternOf = (text: string): RegExp => {
  const pattern = patterns.get(text) ?? new RegExp(text)
  patterns.set(text, pattern)
  return pattern
}

const readText = (schema: Schema, value: string, path: string): string => {
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    throw new Mismatch(`${path} is not one of ${schema.enum.join(', ')}`)
  }
  if (schema.pattern !== undefined && !patternOf(schema.pattern).test(value)) {
    throw new Mismatch(`${path} does not match ${schema.pattern}`)
  }
  return value
}

const readNumber = (schema: Schema, value: number, path: string): number => {
  if (schema.minimum !== undefined && value < schema.minimum) {
    throw new Mismatch(`${path} is below ${schema.minimum}`)
  }
  return value
}

const readFields = (schema: Schema, value: object, path: string, reading: Reading): unknown => {
  const properties = schema.properties ?? {}
  const fields: [string, unknown][] = []
  // Entries, not a plain object: a field called `__proto__` is only a field.
  for (const [name, field] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (known === undefined) reading.extra.push(`${path}.${name}`)
    else fields.push([name, read(known, field, `${path}.${name}`, reading)])
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) throw new Mismatch(`${path}.${name} is missing`)
  }
  return Object.fromEntries(fields)
}
