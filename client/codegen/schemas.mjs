/** Each schema of the OpenAPI document as one of zod's, and which of them each call takes and gives. */

/** What a reference to a schema begins with. */
const COMPONENTS = '#/components/schemas/'
const CALLS = '/api/rpc/'

/** What is understood of a schema. Anything else would be promised and not checked. */
const UNDERSTOOD = new Set([
  'type', 'description', 'required', 'properties', 'additionalProperties', 'propertyNames', 'enum', 'items', 'allOf',
  'oneOf', 'discriminator', '$ref', 'format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum',
  'minProperties', 'maxProperties', 'x-event',
])

/** The module's text: a schema stands behind those that it is made of. */
export const schemasModule = document => {
  const { schemas } = document.components
  const lines = inOrder(schemas).map(name => {
    const { description } = schemas[name]
    const caption = description === undefined ? '' : `/** ${description.replaceAll(/\s+/g, ' ')} */\n`
    return `${caption}export const ${name} = ${new Writer(schemas, isInput(name)).schema(schemas[name])}\n`
  })
  const calls = Object.entries(document.paths).filter(([path]) => path.startsWith(CALLS))
  const pairs = calls.map(([path, { post }]) => {
    const input = nameOf(post.requestBody.content['application/json'].schema)
    const answer = nameOf(post.responses['200'].content['application/json'].schema)
    return `  ${path.slice(CALLS.length)}: { input: ${input}, answer: ${answer} },\n`
  })
  return `\
// Written by \`cargo xtask codegen\` from docs/openapi.json: a change here is lost.

import * as k from '../zod/kinds.js'

${lines.join('\n')}
/** What each call takes, and what it gives where it is not refused. */
export const operations = {
${pairs.join('')}} as const
`
}

/** What is given to the server may have fields that are undefined: JSON leaves them out. */
const isInput = name => name.endsWith('Input')

const nameOf = ({ $ref }) => {
  if (!$ref?.startsWith(COMPONENTS)) throw new Error('every body has a name in the document')
  return $ref.slice(COMPONENTS.length)
}

/** The names, each behind those that it refers to. */
const inOrder = schemas => {
  const done = []
  const visit = (name, above) => {
    if (done.includes(name)) return
    if (above.includes(name)) throw new Error(`${name} is made of itself`)
    if (schemas[name] === undefined) throw new Error(`there is no schema ${name}`)
    for (const next of refsOf(schemas[name])) visit(next, [...above, name])
    done.push(name)
  }
  for (const name of Object.keys(schemas)) visit(name, [])
  return done
}

const refsOf = schema => {
  if (typeof schema !== 'object' || schema === null) return []
  const here = typeof schema.$ref === 'string' ? [nameOf(schema)] : []
  // A discriminator repeats what the choice itself names.
  return [...here, ...Object.entries(schema).flatMap(([key, value]) => (key === 'discriminator' ? [] : refsOf(value)))]
}

class Writer {
  constructor(schemas, undefinable) {
    this.schemas = schemas
    this.undefinable = undefinable
  }

  schema(schema) {
    for (const key of Object.keys(schema)) {
      if (!UNDERSTOOD.has(key)) throw new Error(`${key} of a schema is not understood`)
    }
    if (schema.$ref !== undefined) return nameOf(schema)
    if (schema.allOf !== undefined) return this.object(this.merged(schema))
    if (schema.oneOf !== undefined) return this.choice(schema)
    if (schema.enum !== undefined) return call('k.word', JSON.stringify(schema.enum))
    if (Array.isArray(schema.type)) {
      const [type, none, ...more] = schema.type
      if (none !== 'null' || more.length > 0) throw new Error(`${schema.type} is no type of ours`)
      return call('k.orNull', this.schema({ ...schema, type }))
    }
    switch (schema.type) {
      case 'string':
        return call('k.text', limits({ min: schema.minLength, max: schema.maxLength, pattern: schema.pattern }))
      case 'integer':
        return call('k.whole', limits({ min: schema.minimum, max: schema.maximum }))
      case 'boolean':
        return call('k.yesOrNo')
      case 'null':
        return call('k.none')
      case 'array':
        return call('k.list', this.schema(schema.items))
      case 'object':
        return this.object(schema)
      default:
        throw new Error(`${schema.type} is no type of ours`)
    }
  }

  choice({ oneOf, discriminator }) {
    if (discriminator !== undefined) {
      const members = oneOf.map(one => this.schema(one)).join(', ')
      return call('k.oneOf', JSON.stringify(discriminator.propertyName), `[${members}]`)
    }
    const [some, none, ...more] = oneOf
    if (none?.type !== 'null' || more.length > 0) throw new Error('a choice without a discriminator is between something and null')
    return call('k.orNull', this.schema(some))
  }

  /** What is all of several objects is one object. */
  merged(schema) {
    if (schema.$ref !== undefined) return this.merged(this.schemas[nameOf(schema)])
    if (schema.allOf === undefined) {
      if (schema.type !== 'object' || schema.additionalProperties !== undefined) {
        throw new Error('only open objects can be taken together')
      }
      return schema
    }
    const parts = schema.allOf.map(part => this.merged(part))
    const names = parts.flatMap(({ properties = {} }) => Object.keys(properties))
    if (new Set(names).size !== names.length) throw new Error('a field is in two objects that are taken together')
    return {
      type: 'object',
      properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
      required: parts.flatMap(({ required = [] }) => required),
    }
  }

  object({ properties = {}, required = [], additionalProperties, minProperties, maxProperties }) {
    if (typeof additionalProperties === 'object') {
      if (Object.keys(properties).length > 0) throw new Error('an object has fields or entries')
      return call('k.entries', this.schema(additionalProperties))
    }
    const optional = this.undefinable ? 'k.maybe' : 'k.ifThere'
    const fields = Object.entries(properties).map(([name, schema]) => {
      const written = this.schema(schema)
      return `  ${name}: ${required.includes(name) ? written : call(optional, written)},\n`
    })
    const body = fields.length === 0 ? '{}' : `{\n${fields.join('')}}`
    if (additionalProperties !== false) return call('k.open', body)
    if (minProperties === undefined && maxProperties === undefined) return call('k.closed', body)
    return call('k.counted', body, limits({ min: minProperties, max: maxProperties }))
  }
}

/** Whoever bundles one schema gets no other: a bundler must know that to make one does nothing else. */
const call = (name, ...given) => `/*@__PURE__*/ ${name}(${given.filter(text => text !== '').join(', ')})`

const limits = given => {
  const parts = Object.entries(given).filter(([, value]) => value !== undefined)
  const written = parts.map(([name, value]) =>
    name === 'pattern' ? `pattern: ${JSON.stringify(value)}` : `${name}: ${value}`,
  )
  return written.length === 0 ? '' : `{ ${written.join(', ')} }`
}
