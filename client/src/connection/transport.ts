/** What carries a stream: the browser's `EventSource`, or `fetch`. */

export interface Frame {
  readonly name: string
  /** One line of JSON. */
  readonly data: string
  /** The cursor behind it, where it has one of its own. */
  readonly id: string | undefined
}

/** How a stream, or the attempt at one, ended: the status of an answer that is no stream, or that it broke. */
export type End = number
export const BROKEN: End = 0

export interface Listener {
  frame(frame: Frame): void
  /** Comes once at most, and nothing behind it. */
  end(end: End): void
}

/** Closes the stream. Nothing is told after that. */
export type Close = () => void

export type OpenStream = (url: URL, listener: Listener) => Close

/** A listener that hears nothing once it is closed or was told of the end; `signal` is told of both. */
export const once = (listener: Listener): { listener: Listener; signal: AbortSignal; close: Close } => {
  const abort = new AbortController()
  const { signal } = abort
  const close = () => abort.abort()
  return {
    close,
    signal,
    listener: {
      frame: (frame) => {
        if (!signal.aborted) listener.frame(frame)
      },
      end: (end) => {
        if (signal.aborted) return
        close()
        listener.end(end)
      },
    },
  }
}
