import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'

import { settle } from '../environment.testing.js'
import { eventNames } from '../wire.js'
import { byEventSource, type EventSourceLike } from './event_source.js'
import { byFetch } from './fetch_stream.js'
import { sseReader } from './sse.js'
import { BROKEN, type End, type Frame } from './transport.js'

const url = new URL('https://app.test/api/stream?guild=1')

const hear = () => {
  const frames: Frame[] = []
  const ends: End[] = []
  return { frames, ends, frame: (frame: Frame) => frames.push(frame), end: (end: End) => ends.push(end) }
}

class Source extends EventTarget {
  onerror: (() => void) | null = null
  closed = false
  close() {
    this.closed = true
  }
  say(name: string, data: string, lastEventId: string) {
    this.dispatchEvent(new MessageEvent(name, { data, lastEventId }))
  }
}

const eventSource = (end: End | Promise<End> = BROKEN) => {
  const source = new Source()
  const heard = hear()
  const probe = vi.fn(async () => end)
  const open = byEventSource({ make: () => source as EventSourceLike, probe })
  return { source, heard, probe, close: open(url, heard) }
}

describe('a stream by EventSource', () => {
  it('gives each event the id of its own, and none that it only inherits', () => {
    const { source, heard } = eventSource()
    source.say('snapshot', '{}', 'c-1')
    source.say('voice.left', '{}', 'c-1')
    source.say('voice.joined', '{}', 'c-2')
    expect(heard.frames.map((frame) => frame.id)).toEqual(['c-1', undefined, 'c-2'])
  })

  it('hears every event there is', () => {
    const { source, heard } = eventSource()
    for (const name of eventNames) source.say(name, '{}', '')
    expect(heard.frames.map((frame) => frame.name)).toEqual(eventNames)
  })

  it('is closed by us at every error', () => {
    const { source, heard, probe } = eventSource()
    source.say('snapshot', '{}', 'c-1')
    source.onerror?.()
    expect(source.closed).toBe(true)
    expect(heard.ends).toEqual([BROKEN])
    expect(probe).not.toHaveBeenCalled()
  })

  it('asks for the status when it never began', async () => {
    const { source, heard } = eventSource(401)
    source.onerror?.()
    await settle()
    expect(heard.ends).toEqual([401])
  })

  it('is broken where that is not answered either', async () => {
    const { source, heard } = eventSource(Promise.reject(new TypeError('no network')))
    source.onerror?.()
    await settle()
    expect(heard.ends).toEqual([BROKEN])
  })

  it('tells nothing once it is closed, not even what was asked before', async () => {
    const { source, heard, close } = eventSource(401)
    source.onerror?.()
    close()
    source.say('snapshot', '{}', 'c-1')
    await settle()
    expect([heard.frames, heard.ends]).toEqual([[], []])
  })
})

const bodyOf = (text: string, ...cuts: readonly number[]): ReadableStream<Uint8Array> => {
  const bytes = new TextEncoder().encode(text)
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length]
  return new ReadableStream({
    start(controller) {
      edges.slice(1).forEach((end, at) => controller.enqueue(bytes.slice(edges[at], end)))
      controller.close()
    },
  })
}

const stream = (body: BodyInit, status = 200, type = 'text/event-stream; charset=utf-8') =>
  new Response(body, { status, headers: { 'content-type': type } })

describe('a stream by fetch', () => {
  const open = async (answer: Response | Error) => {
    const heard = hear()
    const ask = vi.fn(async (_url: URL, _init: RequestInit) => {
      if (answer instanceof Error) throw answer
      return answer
    })
    const close = byFetch(ask)(url, heard)
    await vi.waitFor(() => expect(heard.ends).toHaveLength(1))
    return { heard, close, ask }
  }

  it('hears what the server says, and then that it broke', async () => {
    const { heard } = await open(stream(bodyOf('retry: 5\nevent: bye\ndata: {"a":"ü"}\nid: c-1\n\n', 31)))
    expect(heard.frames).toEqual([{ name: 'bye', data: '{"a":"ü"}', id: 'c-1' }])
    expect(heard.ends).toEqual([BROKEN])
  })

  it.each<[string, Response | Error, End]>([
    ['a 401', stream('', 401), 401],
    ['not_found', Response.json({ error: { code: 'not_found' } }, { status: 404 }), 404],
    ['a proxy that knows no such place', new Response('<html>', { status: 404 }), BROKEN],
    ['a page', stream('<html>', 200, 'text/html'), BROKEN],
    ['no network', new TypeError('no'), BROKEN],
  ])('ends at %s', async (_what, answer, end) => {
    const { heard } = await open(answer)
    expect([heard.frames, heard.ends]).toEqual([[], [end]])
  })

  it('is given up when it is closed', async () => {
    const heard = hear()
    let signal: AbortSignal | undefined
    const close = byFetch(async (_url, init) => {
      signal = init.signal ?? undefined
      return stream(new ReadableStream())
    })(url, heard)
    await settle()
    close()
    expect(signal?.aborted).toBe(true)
    await settle()
    expect(heard.ends).toEqual([])
  })
})

describe('the reader of server-sent events', () => {
  const folder = new URL('../../../fixtures/transcripts/', import.meta.url)
  const transcripts = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))

  it('reads recorded streams alike, however they are cut, with any line ends', () => {
    for (const text of transcripts) {
      const whole = sseReader()(text)
      expect(whole.length).toBeGreaterThan(0)
      for (const frame of whole) expect(eventNames).toContain(frame.name)
      fc.assert(
        fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), fc.constantFrom('\n', '\r\n', '\r'), (cuts, end) => {
          const ended = text.replaceAll('\n', end)
          const edges = [0, ...cuts.sort((a, b) => a - b), ended.length]
          const framesOf = sseReader()
          const read = edges.slice(1).flatMap((edge, at) => framesOf(ended.slice(edges[at], edge)))
          // A lone CR at the very end may be half of a CRLF: it waits.
          expect(read).toEqual(end === '\r' ? whole.slice(0, read.length) : whole)
          expect(read.length).toBeGreaterThanOrEqual(whole.length - 1)
        }),
        { numRuns: 30 },
      )
    }
  })

  it('keeps what the standard says of lines and fields', () => {
    const read = sseReader()(': hello\nevent:a\ndata:1\ndata: 2\nid\n\nid: x\n\ndata\n\n')
    expect(read).toEqual([
      { name: 'a', data: '1\n2', id: '' },
      { name: 'message', data: '', id: undefined },
    ])
  })
})
