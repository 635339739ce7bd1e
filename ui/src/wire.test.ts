import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { after, emptyPicture } from './picture'
import { framesOf, type Frame } from './sse.testing'
import { decode, eventNames, type StreamEvent } from './wire'

const folder = join(import.meta.dirname, '../../fixtures/transcripts')
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.sse'))
const framesIn = (name: string) => framesOf(readFileSync(join(folder, name), 'utf8'))

/** What an example sends that no server does as yet: the page passes over it. */
const ofLaterServers = ['room.updated.managed', 'room.updated.ownerId', 'room.updated.locked']

/** Nothing unknown, nothing missing, nothing more than the schema names. */
const strictly = ({ event, data }: Frame): StreamEvent => {
  const decoded = decode(event, data)
  if (decoded.is !== 'event') throw new Error(`${decoded.is}: ${event} ${data}`)
  const extra = decoded.extra.filter((path) => !ofLaterServers.includes(path))
  expect(extra, `fields of ${event} that its schema does not know`).toEqual([])
  return decoded.event
}

describe('recorded streams', () => {
  it('are there', () => {
    expect(transcripts).not.toEqual([])
  })

  it.each(transcripts)('%s is read to the last field', (name) => {
    const events = framesIn(name).map(strictly)
    expect(events).not.toEqual([])
  })

  it.each(transcripts)('%s begins with what a stream begins with', (name) => {
    const [first] = framesIn(name).map(strictly)
    expect(['snapshot', 'resumed', 'bye']).toContain(first?.name)
  })

  it.each(transcripts)('%s never shows a person in two rooms', (name) => {
    let picture = emptyPicture
    for (const event of framesIn(name).map(strictly)) {
      picture = after(picture, event)
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

describe('decode', () => {
  const left = { guildId: '1', ts: 5, channelId: null, previousChannelId: '2', userId: '3' }

  it('names the fields it does not know and ignores them', () => {
    const decoded = decode('voice.left', JSON.stringify({ ...left, mood: 'merry', toString: 1 }))
    expect(decoded).toEqual({
      is: 'event',
      event: { name: 'voice.left', data: left },
      extra: ['voice.left.mood', 'voice.left.toString'],
    })
  })

  it('notes unknown fields deep inside', () => {
    const status = { discord: 'live', link: 'up', since: 1 }
    const guilds = [{ id: '1', name: 'A', icon: null, available: true, rooms: [], banner: 'x' }]
    const decoded = decode('snapshot', JSON.stringify({ reason: 'no_cursor', status, guilds }))
    expect(decoded).toMatchObject({ is: 'event', extra: ['snapshot.guilds[0].banner'] })
  })

  it.each(['constructor', '__proto__', 'toString', 'voice.vanished', ''])('knows no event %j', (name) => {
    expect(decode(name, '{}')).toEqual({ is: 'unknown', name })
  })

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number as id', JSON.stringify({ ...left, userId: 3 })],
    ['an id with letters', JSON.stringify({ ...left, userId: '3x' })],
    ['a missing field', JSON.stringify({ guildId: '1', ts: 5, channelId: null, userId: '3' })],
    ['a channel where there is none', JSON.stringify({ ...left, channelId: '2' })],
    ['a time before 1970', JSON.stringify({ ...left, ts: -1 })],
    ['a prototype', '{"__proto__":{"guildId":"1"}}'],
    ['depth', '['.repeat(100_000)],
  ])('calls %s malformed', (_what, data) => {
    expect(decode('voice.left', data)).toMatchObject({ is: 'malformed', name: 'voice.left' })
  })

  it('never throws, whatever one byte of a good stream becomes', () => {
    for (const { event, data } of transcripts.flatMap(framesIn)) {
      for (let at = 0; at < data.length; at += 3) {
        for (const byte of ['', '0', '"', '{', ']', '\\', 'null']) {
          const decoded = decode(event, data.slice(0, at) + byte + data.slice(at + 1))
          expect(['event', 'malformed']).toContain(decoded.is)
        }
      }
    }
  })
})
