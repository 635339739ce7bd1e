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

/** A listener that hears nothing once it is closed or was told of the end. */
export const once = (listener: Listener, release: () => void): { listener: Listener; close: Close } => {
  let open = true
  const close = () => {
    if (!open) return
    open = false
    release()
  }
  return {
    close,
    listener: {
      frame: (frame) => {
        if (open) listener.frame(frame)
      },
      end: (end) => {
        if (!open) return
        close()
        listener.end(end)
      },
    },
  }
}
