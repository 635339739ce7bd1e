/** A stream as it comes over the wire, with the moment of each byte: what a proxy holds back or cuts shows here. */

import { request } from 'node:http'

import { until } from '../process.mjs'

export class Stream {
  #request
  #pending = ''
  #began = false
  frames = []
  cursor
  /** When it was closed, if it was. */
  closedAt
  lastByteAt

  /** The status of what is answered, beside the stream, if it is one. */
  static async open(url, cookie, cursor) {
    const stream = new Stream()
    stream.cursor = cursor
    const headers = {
      cookie,
      accept: 'text/event-stream',
      // As browsers do: a proxy that packs streams holds them back.
      'accept-encoding': 'gzip, deflate, br',
      ...(cursor !== undefined && { 'last-event-id': cursor }),
    }
    const answer = await new Promise((done, failed) => {
      stream.#request = request(url, { headers, agent: false }, done).on('error', failed).end()
    })
    stream.#request.on('error', () => undefined)
    answer.setEncoding('utf8')
    answer.on('data', (text) => stream.#read(text))
    answer.on('error', () => undefined)
    answer.on('close', () => (stream.closedAt = performance.now()))
    return { status: answer.statusCode, stream }
  }

  /** One that is a stream, past its first frame; that must be the one with this name. */
  static async begin(url, cookie, first, cursor) {
    const { status, stream } = await Stream.open(url, cookie, cursor)
    if (status !== 200) throw new Error(`${url}: ${status}`)
    await until(`${url} begins`, () => stream.frames[0])
    const [{ event }] = stream.frames
    if (event !== first) throw new Error(`${url} begins with ${event}, and not with ${first}`)
    return stream
  }

  #read(text) {
    this.lastByteAt = performance.now()
    const frames = (this.#pending + text).split('\n\n')
    this.#pending = frames.pop()
    for (const frame of frames) {
      const field = (name) => frame.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      this.cursor = field('id') ?? this.cursor
      this.frames.push({ event: field('event'), data: JSON.parse(field('data') ?? 'null') })
    }
  }

  get isOpen() {
    return this.closedAt === undefined
  }

  /** How often it was told that somebody came into a room. */
  joins(userId, channelId) {
    const is = ({ event, data }) => event === 'voice.joined' && data.userId === userId && data.channelId === channelId
    return this.frames.filter(is).length
  }

  close() {
    this.#request.destroy()
  }
}
