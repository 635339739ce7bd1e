/** What the page shows of its client: the same news, and in the page's words how it is connected. */

import type { Guildhall, LiveStatus, Payload, Picture, Status, Stop, User, View } from '@guildhall/client'

export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'signed-out' | 'ended'

/** What keeps the stream from going on, if it is known and does not pass in a moment. */
export type Obstacle = 'no-answer' | 'no-network' | 'unavailable' | 'too-many-streams'

export interface Connection {
  readonly state: ConnectionState
  readonly obstacle: Obstacle | null
  /** An attempt was made since it was last live. */
  readonly tried: boolean
}

/** How the newest stream began, as far as the client's reasons tell it. */
export interface Began {
  readonly how: 'snapshot' | 'resumed'
  /** Whole pictures that came since the page was opened. */
  readonly snapshots: number
}

export interface Shown {
  readonly connection: Connection
  /** Null until the first stream began. */
  readonly began: Began | null
  readonly user: User | null
  /** Null until something is known. */
  readonly picture: Picture | null
  readonly server: Status | undefined
}

/** It, as `useSyncExternalStore` reads it. */
export interface Showing {
  view(): Shown
  subscribe(reader: () => void): Stop
}

/**
 * Follows a client from now on. Readers hear of it by `beforePaint`: many events become one
 * rendering, and a page that nobody sees renders nothing.
 */
export const showing = (
  client: Pick<Guildhall, 'view' | 'subscribe'>,
  beforePaint: (run: () => void) => void,
): Showing => {
  const readers = new Set<() => void>()
  let before = client.view()
  let shown: Shown = { ...shownOf(before), connection: connectionAfter(fresh, before.status), began: null }
  let isAsked = false
  client.subscribe(() => {
    const view = client.view()
    const connection = connectionAfter(shown.connection, view.status)
    const began = beganAfter(shown, before.status, view.status, connection)
    ;[before, shown] = [view, { ...shownOf(view), connection, began }]
    if (isAsked) return
    isAsked = true
    beforePaint(() => {
      isAsked = false
      for (const reader of [...readers]) reader()
    })
  })
  return {
    view: () => shown,
    subscribe: (reader) => {
      readers.add(reader)
      return () => void readers.delete(reader)
    },
  }
}

const fresh: Connection = { state: 'connecting', obstacle: null, tried: false }

const shownOf = ({ picture, status, server, user }: View): Omit<Shown, 'connection' | 'began'> => ({
  user,
  picture: status.complete ? picture : null,
  server,
})

/** Reasons of a stream that goes on, also while it is asked for once more. */
const calm: Readonly<Record<Payload<'snapshot'>['reason'] | 'resumed', true>> = {
  resumed: true,
  no_cursor: true,
  epoch_changed: true,
  cursor_expired: true,
  authz_changed: true,
  slow_consumer: true,
}

export const connectionAfter = (before: Connection, status: LiveStatus): Connection => {
  const state = stateOf(status)
  if (state !== 'reconnecting') return { state, obstacle: obstacleOf(status, true), tried: false }
  const isTrying = status.phase === 'catching-up'
  const obstacle = isTrying && before.obstacle !== null ? before.obstacle : obstacleOf(status, before.tried && !isTrying)
  return { state, obstacle, tried: before.tried || isTrying }
}

const stateOf = ({ phase, reason, complete }: LiveStatus): ConnectionState => {
  if (phase === 'signed-out' || phase === 'ended') return phase
  if (!complete) return 'connecting'
  // The stream goes on; it is what is behind the server that does not.
  if (phase === 'live' || reason === 'discord_down' || reason === 'link_down') return 'live'
  return phase === 'catching-up' && Object.hasOwn(calm, reason) ? 'live' : 'reconnecting'
}

const obstacleOf = ({ phase, reason }: LiveStatus, tried: boolean): Obstacle | null => {
  if (phase === 'offline') return 'no-network'
  if (reason === 'unavailable') return reason
  if (reason === 'too_many_streams') return 'too-many-streams'
  return tried && (reason === 'broken' || reason === 'silent') ? 'no-answer' : null
}

const beganAfter = (
  { connection: before, began }: Shown,
  last: LiveStatus,
  status: LiveStatus,
  { state }: Connection,
): Began | null => {
  const snapshots = began?.snapshots ?? 0
  if (state !== 'live') return began
  if (!last.complete) return { how: 'snapshot', snapshots: snapshots + 1 }
  const wasAway = before.state !== 'live' || last.phase === 'catching-up'
  if (!wasAway) return began
  // While Discord is away, that is the reason which is told: then what was known was gone on from.
  const isWhole = status.phase === 'live' && status.reason !== 'resumed'
  return isWhole ? { how: 'snapshot', snapshots: snapshots + 1 } : { how: 'resumed', snapshots }
}
