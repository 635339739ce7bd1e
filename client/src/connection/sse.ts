import type { Frame } from './transport.js'

/** Reads server-sent events from text that comes in pieces of any size. */
export class SseReader {
  #rest = ''
  #name = ''
  #data: string[] = []
  #id: string | undefined

  /** The frames that this piece completes. */
  read(piece: string): readonly Frame[] {
    const frames: Frame[] = []
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*):? ?([^]*)/.exec(line) ?? []
      if (field === 'event') this.#name = value
      if (field === 'data') this.#data.push(value)
      if (field === 'id' && !value.includes('\0')) this.#id = value
      if (line !== '') continue
      if (this.#data.length > 0) frames.push({ name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id })
      ;[this.#name, this.#data, this.#id] = ['', [], undefined]
    }
    return frames
  }
}
