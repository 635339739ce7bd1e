/**
 * A stream by `EventSource`, which sends cookies and nothing else of ours.
 *
 * It is closed by us on every error. Left alone it would give up for good at a
 * proxy's 502, without telling, and would come back with whatever cookie there is.
 */

import { eventNames } from '../wire.js'
import { BROKEN, type End, type OpenStream, once } from './transport.js'

/** As much of `EventSource` as is used. */
export interface EventSourceLike {
  onerror: ((event: Event) => unknown) | null
  addEventListener(name: string, listener: (message: MessageEvent<string>) => void): void
  close(): void
}

export interface EventSourceParts {
  readonly make: (url: URL) => EventSourceLike
  /** How the same request ends; `EventSource` does not tell it. */
  readonly probe: (url: URL, signal: AbortSignal) => Promise<End>
}

export const byEventSource =
  ({ make, probe }: EventSourceParts): OpenStream =>
  (url, outer) => {
    const source = make(url)
    const { listener, signal, close } = once(outer)
    signal.onabort = () => source.close()
    let spoke = false
    let last = ''
    for (const name of eventNames) {
      source.addEventListener(name, ({ data, lastEventId }) => {
        spoke = true
        // Every event is given the last `id:` there was: only a new one is its own.
        const id = lastEventId === last ? undefined : lastEventId
        last = lastEventId
        listener.frame({ name, data, id })
      })
    }
    source.onerror = () => {
      source.close()
      if (spoke) return listener.end(BROKEN)
      probe(url, signal).then(listener.end, () => listener.end(BROKEN))
    }
    return close
  }
