/** A stream by `fetch`: for Bearer tokens, Node, and wherever there is no `EventSource`. */

import { sseReader } from './sse.js'
import { BROKEN, type End, type OpenStream, once } from './transport.js'

export type Fetch = (url: URL, init: RequestInit) => Promise<Response>

export const byFetch =
  (ask: Fetch): OpenStream =>
  (url, outer) => {
    const { listener, signal, close } = once(outer)
    const read = async () => {
      const answer = await ask(url, { headers: { accept: 'text/event-stream' }, signal })
      if (answer.status !== 200) return listener.end(await refusalOf(answer))
      const type = answer.headers.get('content-type')
      // A proxy's page of a login or an error is no stream, whatever its status.
      if (!type?.startsWith('text/event-stream') || answer.body === null) return listener.end(BROKEN)
      const body = answer.body.getReader()
      const framesOf = sseReader()
      const text = new TextDecoder()
      while (!signal.aborted) {
        const { done, value } = await body.read()
        if (done) break
        for (const frame of framesOf(text.decode(value, { stream: true }))) listener.frame(frame)
      }
      listener.end(BROKEN)
    }
    read().catch(() => listener.end(BROKEN))
    return close
  }

/** A 404 is the server's only in its own words: a proxy that is being set up has others. */
export const refusalOf = async (answer: Response): Promise<End> => {
  if (answer.status !== 404) return answer.status
  const body = (await answer.json().catch(() => null)) as { readonly error?: { readonly code?: unknown } } | null
  return body?.error?.code === 'not_found' ? 404 : BROKEN
}
