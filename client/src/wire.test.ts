import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { read, type Reading, type Schema } from './schema.testing.js'
import { type Frame, framesOf } from './sse.testing.js'
import { after, emptyPicture, type Picture, replaced } from './store/picture.js'
import { eventNames, type GuildEvent, type StreamEvent, travelOf } from './wire.js'

const at = (path: string) => new URL(`../../${path}`, import.meta.url)
const folder = at('fixtures/transcripts/')
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.sse'))
const framesIn = (name: string) => framesOf(readFileSync(new URL(name, folder), 'utf8'))

interface EventSchema {
  readonly properties: { readonly event: { readonly enum: readonly [string] }; readonly data: Schema }
}

const REFERENCE = '#/components/schemas/'
const document = JSON.parse(readFileSync(at('docs/openapi.json'), 'utf8'))
const components: Readonly<Record<string, Schema>> = document.components.schemas
const schemas = Object.fromEntries(Object.entries(components).map(([name, schema]) => [REFERENCE + name, schema]))
const streamEvents = document.components.schemas.StreamEvent.oneOf as readonly { readonly $ref: string }[]
const events = new Map(
  streamEvents.map(({ $ref }) => {
    const { event, data } = (schemas[$ref] as EventSchema).properties
    return [event.enum[0], data]
  }),
)

/** What an example sends that no server does as yet: the client passes over it. */
const ofLaterServers = ['room.updated.managed', 'room.updated.ownerId', 'room.updated.locked']

/** Nothing unknown, nothing missing, nothing more than the schema names. */
const strictly = ({ event, data }: Frame): StreamEvent => {
  const schema = events.get(event)
  if (schema === undefined) throw new Error(`there is no event ${event}`)
  const reading: Reading = { schemas, extra: [] }
  const payload = read(schema, JSON.parse(data), event, reading)
  const extra = reading.extra.filter((path) => !ofLaterServers.includes(path))
  expect(extra, `fields of ${event} that its schema does not know`).toEqual([])
  return { name: event, data: payload } as StreamEvent
}

const shown = (picture: Picture, event: StreamEvent): Picture => {
  if (event.name === 'snapshot') return replaced(picture, event.data.guilds)
  return travelOf(event.name) === 'control' ? picture : after(picture, event as GuildEvent)
}

describe('recorded streams', () => {
  it('are there', () => {
    expect(transcripts).not.toEqual([])
  })

  it.each(transcripts)('%s is what the OpenAPI document says, to the last field', (name) => {
    expect(framesIn(name).map(strictly)).not.toEqual([])
  })

  it.each(transcripts)('%s begins with what a stream begins with', (name) => {
    const [first] = framesIn(name).map(strictly)
    expect(['snapshot', 'resumed', 'bye']).toContain(first?.name)
  })

  it.each(transcripts)('%s never shows a person in two rooms', (name) => {
    let picture = emptyPicture
    for (const event of framesIn(name).map(strictly)) {
      picture = shown(picture, event)
      for (const guild of picture.values()) {
        const everybody = [...guild.rooms.values()].flatMap((room) => [...room.people.keys()])
        expect(everybody).toHaveLength(new Set(everybody).size)
      }
    }
  })

  it('show every event there is', () => {
    const seen = new Set(transcripts.flatMap(framesIn).map((frame) => frame.event))
    expect([...seen].sort()).toEqual([...eventNames].sort())
  })
})
