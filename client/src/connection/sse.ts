import type { Frame } from './transport.js'

/** Reads server-sent events from text that comes in pieces of any size: gives the frames that each piece completes. */
export const sseReader = (): ((piece: string) => readonly Frame[]) => {
  let [rest, name] = ['', '']
  let data: string[] = []
  let id: string | undefined
  return (piece) => {
    const frames: Frame[] = []
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*):? ?([^]*)/.exec(line) ?? []
      if (field === 'event') name = value
      if (field === 'data') data.push(value)
      if (field === 'id' && !value.includes('\0')) id = value
      if (line !== '') continue
      if (data.length > 0) frames.push({ name: name || 'message', data: data.join('\n'), id })
      ;[name, data, id] = ['', [], undefined]
    }
    return frames
  }
}
