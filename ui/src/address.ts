/** What the page's own address says. */

/**
 * How a sign-in ended that did not do all it was asked for: `?login=` of the page it came back to.
 * After `not_admitted:CODE` somebody is signed in, and was not let into the guild of their invite.
 */
export type LoginOutcome = 'denied' | 'failed' | `not_admitted:${string}`

/** The outcome in a page's query, and the query without it, which is told once. */
export const loginOutcome = (search: string): { outcome: LoginOutcome | null; search: string } => {
  const query = new URLSearchParams(search)
  const said = query.get('login')
  if (said === null) return { outcome: null, search }
  query.delete('login')
  const rest = query.toString()
  return { outcome: outcomeOf(said), search: rest === '' ? '' : `?${rest}` }
}

const NOT_ADMITTED = 'not_admitted:'

const outcomeOf = (said: string): LoginOutcome => {
  if (said === 'denied') return 'denied'
  return said.startsWith(NOT_ADMITTED) ? `${NOT_ADMITTED}${said.slice(NOT_ADMITTED.length)}` : 'failed'
}

/** The token of the invite that this page was opened with: `join?invite=`. */
export const inviteOf = (path: string, search: string): string | null =>
  path.endsWith('/join') ? new URLSearchParams(search).get('invite') : null

/** The room that this page is asked to open: `?room=`. */
export const roomOf = (search: string): string | null => {
  const room = new URLSearchParams(search).get('room')
  return room !== null && /^\d{1,20}$/.test(room) ? room : null
}

/** Which room's page is open, kept in the address: a reload and a link lead to it, and so does the browser's Back. */
export interface Navigation {
  readonly room: () => string | null
  /** Null: the lobby. */
  readonly open: (channelId: string | null) => void
  readonly subscribe: (reader: () => void) => () => void
}

export const navigationOf = (page: Pick<Window, 'location' | 'history' | 'addEventListener' | 'scrollTo'>): Navigation => {
  const readers = new Set<() => void>()
  const tell = () => {
    for (const reader of [...readers]) reader()
  }
  page.addEventListener('popstate', tell)
  return {
    room: () => roomOf(page.location.search),
    open: (channelId) => {
      const url = new URL(page.location.href)
      if (channelId === null) url.searchParams.delete('room')
      else url.searchParams.set('room', channelId)
      if (url.href === page.location.href) return
      page.history.pushState(null, '', url)
      page.scrollTo(0, 0)
      tell()
    },
    subscribe: (reader) => {
      readers.add(reader)
      return () => void readers.delete(reader)
    },
  }
}
