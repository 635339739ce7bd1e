/** A strict reader of recorded streams, for tests: the browser's own parser forgives too much. */

export interface Frame {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** The frames of a raw SSE text. Throws at whatever the protocol page does not allow. */
export const framesOf = (stream: string): readonly Frame[] => {
  if (/[\r\0]/.test(stream)) throw new Error('a carriage return or NUL is in the stream')
  const frames: Frame[] = []
  for (const block of stream.split('\n\n')) {
    if (block.trim() === '') continue
    const fields = new Map<string, string>()
    const names: string[] = []
    for (const line of block.split('\n')) {
      if (line === '' || line.startsWith(':')) continue
      const [, name, value] = /^(event|data|id|retry): ?(.*)$/s.exec(line) ?? []
      if (name === undefined || value === undefined) throw new Error(`no SSE field: ${line}`)
      if (fields.has(name)) throw new Error(`field ${name} is there twice: ${block}`)
      fields.set(name, value)
      names.push(name)
    }
    if (names.slice(0, -1).includes('id')) throw new Error(`id is not the last field: ${block}`)
    const frame = frameOf(fields, block)
    if (frame !== null) frames.push(frame)
  }
  return frames
}

const frameOf = (fields: ReadonlyMap<string, string>, block: string): Frame | null => {
  const event = fields.get('event')
  const data = fields.get('data')
  const id = fields.get('id')
  const retry = fields.get('retry')
  if (retry !== undefined && !/^\d+$/.test(retry)) throw new Error(`retry is no number: ${block}`)
  if (id !== undefined && !/^[A-Za-z0-9._~-]{1,2000}$/.test(id)) throw new Error(`no cursor: ${id}`)
  if (event === undefined && data === undefined && id === undefined) return null
  if (event === undefined || data === undefined) throw new Error(`event or data is missing: ${block}`)
  return { event, data, id }
}
