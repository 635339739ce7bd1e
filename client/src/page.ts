/** What a browser says of a page: hidden, asleep, in the page cache, without network. */

import type { Stop } from './store/store.js'

export interface PageListener {
  /** Somebody looks again, or the page woke up. */
  shown(): void
  /** Nobody has looked for long, or the page went into the cache: hold on to nothing. */
  gone(): void
  offline(): void
  online(): void
}

export type After = (ms: number, run: () => void) => Stop

/** A page that was hidden for this long holds no stream. */
export const HIDDEN_MS = 300_000

/** The parts of a browser's window that are listened to. */
export interface PageWindow {
  addEventListener(name: string, listener: (event: { readonly persisted?: boolean }) => void): void
  removeEventListener(name: string, listener: (event: { readonly persisted?: boolean }) => void): void
  readonly document: {
    readonly visibilityState: string
    addEventListener(name: string, listener: () => void): void
    removeEventListener(name: string, listener: () => void): void
  }
}

export const watchPage = (window: PageWindow, after: After, listener: PageListener): Stop => {
  const { document } = window
  let forget: Stop | undefined
  const seen = () => {
    forget?.()
    forget = undefined
    if (document.visibilityState === 'hidden') forget = after(HIDDEN_MS, () => listener.gone())
    else listener.shown()
  }
  const windowEvents = {
    // A page in the cache runs no more: whatever it holds, it holds until somebody comes back.
    pagehide: () => listener.gone(),
    pageshow: ({ persisted }: { readonly persisted?: boolean }) => {
      if (persisted === true) seen()
    },
    offline: () => listener.offline(),
    online: () => listener.online(),
  }
  for (const [name, hear] of Object.entries(windowEvents)) window.addEventListener(name, hear)
  document.addEventListener('visibilitychange', seen)
  document.addEventListener('resume', seen)
  if (document.visibilityState === 'hidden') seen()
  return () => {
    forget?.()
    for (const [name, hear] of Object.entries(windowEvents)) window.removeEventListener(name, hear)
    document.removeEventListener('visibilitychange', seen)
    document.removeEventListener('resume', seen)
  }
}
