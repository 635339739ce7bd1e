/**
 * What is known, and who wants to hear of it. One call of the feed is one moment:
 * readers are told once, when all of it is in.
 */

import type { Change, Reason } from '../connection/change.js'
import type { State as Phase } from '../connection/machine.js'
import type { Query } from '../connection/query.js'
import type { GuildEventName, Payload, Status, User } from '../wire.js'
import { keepEqual } from './equal.js'
import { after, emptyPicture, type Picture, replaced } from './picture.js'

/** How fresh all this is. */
export interface LiveStatus {
  readonly phase: Phase
  /** Since when it is so, Unix ms. 0 before anything was asked for: a server and the browser render the same then. */
  readonly since: number
  readonly reason: Reason
  /** Whether anything is known: only where it is true does an empty room mean that nobody is there. */
  readonly complete: boolean
}

/** Everything there is to show. Immutable: a change makes a new one. */
export interface View {
  readonly picture: Picture
  readonly status: LiveStatus
  /** What the server last said of Discord and of its own link to it. */
  readonly server?: Status | undefined
  /** Who is signed in, where that was told. */
  readonly user: User | null
}

export type Listener<Name extends GuildEventName> = (payload: Payload<Name>) => void
export type Stop = () => void

type Told<Is extends Change['is']> = Extract<Change, { readonly is: Is }>
type AnyListener = (payload: unknown) => void
/** What is heard besides events: which commands are done, in the order of events, and that the view is another one. */
type Heard = GuildEventName | 'settled' | 'view'

export interface StoreOptions {
  readonly now: () => number
  readonly query?: Query
  /** Hears of what a listener threw: the others are told all the same. */
  readonly report: (error: unknown) => void
}

export interface Store {
  readonly view: () => View
  readonly subscribe: (reader: () => void) => Stop
  /** Hears each event of this name once, in order; never what a snapshot brings. */
  on<Name extends GuildEventName>(name: Name, listener: Listener<Name>): Stop
  /** Hears the keys of commands that are done, behind what they did. */
  readonly onSettled: (listener: (keys: readonly string[]) => void) => Stop
  /** Up to where it was told. */
  readonly cursor: string | undefined
  /** The server's time, as far as it was told. */
  readonly now: number
  /** What another store is to be told so that it shows the same: what has changed since it knew, or all. */
  readonly tell: (known: readonly Change[] | undefined, cursor: string | undefined) => readonly Change[]
  /** Takes in what came as one moment. */
  readonly feed: (changes: readonly Change[]) => void
}

export const storeOf = (options: StoreOptions): Store => {
  const { now, report } = options
  const guilds = options.query?.guilds
  let phase: Told<'phase'> = { is: 'phase', phase: 'idle', reason: 'not_started' }
  let cursor: string | undefined
  /** All that the stream is about, which may be more than is asked for here. */
  let whole = emptyPicture
  let complete = false
  let server: Status | undefined
  let user: User | null = null
  let offset = 0
  let view: View = {
    picture: emptyPicture,
    status: { phase: 'idle', since: 0, reason: 'not_started', complete },
    server,
    user,
  }
  const listeners = new Map<Heard, Set<AnyListener>>()

  const asks = (guildId: string): boolean => guilds?.includes(guildId) ?? true

  const feed = (changes: readonly Change[]): void => {
    const before = view
    const told: { readonly name: Heard; readonly data: unknown }[] = []
    for (const change of changes) {
      if (change.is === 'group') told.push(...change.events.filter((event) => asks(event.data.guildId)))
      if (change.is === 'settled') told.push({ name: change.is, data: change.keys })
      take(change)
    }
    show()
    const shown = view
    for (const { name, data } of told) tellAll(name, data)
    // Whoever closes the client, or has it told something else, has had all readers told of it.
    if (shown !== before) tellAll('view', undefined, () => view === shown)
  }

  const take = (change: Change): void => {
    switch (change.is) {
      case 'snapshot':
        ;[whole, cursor, complete] = [replaced(whole, change.guilds), change.cursor, true]
        return
      case 'picture':
        ;[whole, cursor, complete] = [keepEqual(whole, change.picture), change.cursor, true]
        return
      case 'group':
        ;[whole, cursor] = [change.events.reduce(after, whole), change.cursor]
        return
      case 'status':
        server = change.status
        return
      case 'phase':
        phase = change
        return
      case 'user':
        ;({ user } = change)
        return
      case 'clock':
        ;({ offset } = change)
        return
      case 'forgotten':
        ;[whole, cursor, complete, server, user] = [emptyPicture, undefined, false, undefined, null]
    }
  }

  const show = (): void => {
    let { since, ...told } = phase
    let { phase: name, reason } = (phase = told)
    // What the phase is called in public: a stream of old news is stale.
    const { discord, link } = server ?? { discord: 'live' }
    if (name === 'live' && (link === 'down' || discord !== 'live')) {
      ;[name, reason] = ['stale', link === 'down' ? 'link_down' : 'discord_down']
    }
    since ??= name === view.status.phase ? view.status.since : now()
    const picture = new Map([...whole].filter(([id]) => asks(id)))
    // No deeper than whole guilds, which were kept where the event was put in.
    view = keepEqual(view, { picture, status: { phase: name, since, reason, complete }, server, user }, 2)
  }

  const tellAll = (name: Heard, heard: unknown, isSo = () => true): void => {
    for (const listener of [...(listeners.get(name) ?? [])]) {
      try {
        if (isSo()) listener(heard)
      } catch (error) {
        report(error)
      }
    }
  }

  const on = (name: Heard, listener: unknown): Stop => {
    const hearing = listeners.get(name) ?? new Set()
    listeners.set(name, hearing.add(listener as AnyListener))
    return () => void hearing.delete(listener as AnyListener)
  }

  return {
    view: () => view,
    subscribe: (reader) => on('view', reader),
    on,
    onSettled: (listener) => on('settled', listener),
    get cursor() {
      return cursor
    },
    get now() {
      return now() + offset
    },
    tell: (known, at) => [
      ...(known ?? (complete ? [{ is: 'picture', picture: whole, cursor } as const] : [])),
      // Undefined until the server has said something, there as here.
      { is: 'status', status: server as Status },
      { is: 'clock', offset, cursor: at },
      { ...phase, since: view.status.since },
    ],
    feed,
  }
}
