/** What a browser says of a page: hidden, asleep, in the page cache, without network. */

import type { Stop } from './store/store.js'

export interface PageListener {
  /** Somebody looks again, or the page woke up. */
  readonly shown: () => void
  /** Nobody has looked for long, or the page went into the cache: hold on to nothing. */
  readonly gone: () => void
  readonly offline: () => void
  readonly online: () => void
}

export type After = (ms: number, run: () => void) => Stop

/** A page that was hidden for this long holds no stream. */
export const HIDDEN_MS = 300_000

/** As much of what tells events as is used. */
interface Target {
  addEventListener(
    name: string,
    listener: (event: { readonly persisted?: boolean }) => void,
    options: { readonly signal: AbortSignal },
  ): void
}

/** The parts of a browser's window that are listened to. */
export interface PageWindow extends Target {
  readonly document: Target & { readonly visibilityState: string }
}

export const watchPage = (window: PageWindow, after: After, listener: PageListener): Stop => {
  const { document } = window
  const abort = new AbortController()
  let forget: Stop | undefined
  const seen = () => {
    forget?.()
    forget = undefined
    if (document.visibilityState === 'hidden') forget = after(HIDDEN_MS, listener.gone)
    else listener.shown()
  }
  const hear = (target: Target, name: string, run: (event: { readonly persisted?: boolean }) => void) =>
    target.addEventListener(name, run, abort)
  // A page in the cache runs no more: whatever it holds, it holds until somebody comes back.
  hear(window, 'pagehide', listener.gone)
  hear(window, 'pageshow', ({ persisted }) => {
    if (persisted) seen()
  })
  hear(window, 'offline', listener.offline)
  hear(window, 'online', listener.online)
  hear(document, 'visibilitychange', seen)
  hear(document, 'resume', seen)
  if (document.visibilityState === 'hidden') seen()
  return () => {
    forget?.()
    abort.abort()
  }
}
