/**
 * Names and schemas of a stream's events as a TypeScript module, out of the OpenAPI document.
 *
 * The page reads payloads by these schemas, so whatever it could not read is an error here.
 */

/** Answers that the page reads, beside streams. */
const ANSWERS = ['Me', 'CommandOutcome', 'CreatedInvite', 'CreatedRoom', 'JoinedRoom']

/** The schema of any event of a stream. */
const ANY = 'StreamEvent'

/** What a reference to a schema begins with. */
const COMPONENTS = '#/components/schemas/'

/** What the page's reader knows of a schema. */
const AS_THEY_ARE = ['type', 'enum', 'pattern', 'minimum', 'required']

/** What means nothing to a reader. */
const SAID_TO_PEOPLE = ['description', 'format']

/** The module's text. */
export const eventsModule = (document, answers = ANSWERS) => {
  const components = document.components.schemas
  const schemas = {}

  const component = name => {
    const found = components[name]
    if (found === undefined) throw new Error(`there is no schema ${name}`)
    return found
  }

  /** A schema in the page's words. */
  const simplified = schema => {
    const name = referenceOf(schema)
    if (name !== undefined) {
      if (!(name in schemas)) {
        // Before it is read, for those that refer to themselves.
        schemas[name] = null
        schemas[name] = simplified(component(name))
      }
      return { $ref: name }
    }
    if ('allOf' in schema) return { type: 'object', ...whole(schema) }
    const result = {}
    for (const [key, value] of Object.entries(schema)) {
      if (AS_THEY_ARE.includes(key)) result[key] = value
      else if (key === 'items') result[key] = simplified(value)
      else if (key === 'properties') result[key] = each(value)
      else if (!SAID_TO_PEOPLE.includes(key)) {
        throw new Error(`the page cannot read \`${key}\` of ${JSON.stringify(schema)}`)
      }
    }
    return result
  }

  const each = properties =>
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, simplified(schema)]))

  /** An object that is written in parts, as one: its properties, and which have to be there. */
  const whole = schema => {
    const name = referenceOf(schema)
    if (name !== undefined) return whole(component(name))
    if (!('allOf' in schema)) {
      return { properties: each(schema.properties), required: schema.required ?? [] }
    }
    const parts = schema.allOf.map(whole)
    return {
      properties: Object.assign({}, ...parts.map(part => part.properties)),
      required: parts.flatMap(part => part.required),
    }
  }

  for (const answer of answers) simplified({ $ref: COMPONENTS + answer })
  const events = {}
  for (const event of component(ANY).oneOf) {
    const { properties, 'x-event': facts } = component(referenceOf(event))
    events[properties.event.enum[0]] = {
      lane: facts.lane,
      family: facts.family,
      data: simplified(properties.data),
    }
  }
  return `\
// Written by \`cargo xtask codegen\` from docs/openapi.json: a change here is lost.

import type { Schema, Schemas } from '../schema'

/** Every event of a stream: how it travels, which word of \`?events=\` asks for it, its data. */
export const events = ${text(events)} satisfies Record<string, Event>

interface Event {
  readonly lane: string
  readonly family: string | null
  readonly data: Schema
}

/** What \`$ref\` names. */
export const schemas: Schemas = ${text(schemas)}
`
}

const referenceOf = schema =>
  schema.$ref?.startsWith(COMPONENTS) ? schema.$ref.slice(COMPONENTS.length) : undefined

/** JSON with its keys in order: whoever writes the document may order them anew. */
const text = value => JSON.stringify(value, (_, inner) => (isObject(inner) ? sorted(inner) : inner), 2)

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

const sorted = object => Object.fromEntries(Object.keys(object).sort().map(key => [key, object[key]]))
