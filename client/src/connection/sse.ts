import type { Frame } from './transport.js'

/** Reads server-sent events from text that comes in pieces of any size. */
export class SseReader {
  #rest = ''
  #name = ''
  #data: string[] = []
  #id: string | undefined

  /** The frames that this piece completes. */
  read(piece: string): readonly Frame[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#line(line))
  }

  #line(line: string): readonly Frame[] {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return []
  }

  #dispatch(): readonly Frame[] {
    const frame = { name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id }
    const whole = this.#data.length > 0
    ;[this.#name, this.#data, this.#id] = ['', [], undefined]
    return whole ? [frame] : []
  }
}
