/**
 * What is known, and who wants to hear of it. One call of the feed is one moment:
 * readers are told once, when all of it is in.
 */

import type { Change, Reason } from '../connection/change.js'
import type { State as Phase } from '../connection/machine.js'
import type { Query } from '../connection/query.js'
import type { GuildEvent, GuildEventName, Payload, Status, User } from '../wire.js'
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
  let offset = 0
  let view: View = {
    picture: emptyPicture,
    status: { phase: 'idle', since: 0, reason: 'not_started', complete: false },
    user: null,
  }
  const readers = new Set<() => void>()
  const listeners = new Map<string, Set<AnyListener>>()
  const settled = new Set<(keys: readonly string[]) => void>()

  const asks = (guildId: string): boolean => guilds?.includes(guildId) ?? true

  const feed = (changes: readonly Change[]): void => {
    const before = view
    const told: GuildEvent[] = []
    const keys: string[] = []
    for (const change of changes) {
      if (change.is === 'group') told.push(...change.events.filter((event) => asks(event.data.guildId)))
      if (change.is === 'settled') keys.push(...change.keys)
      take(change)
    }
    refresh()
    for (const { name, data } of told) tellAll(listeners.get(name), data)
    if (keys.length > 0) tellAll(settled, keys)
    if (view !== before) tellAll(readers, undefined)
  }

  const take = (change: Change): void => {
    switch (change.is) {
      case 'snapshot':
        return know(replaced(whole, change.guilds), change.cursor, true)
      case 'picture':
        return know(keepEqual(whole, change.picture), change.cursor, true)
      case 'group':
        return know(change.events.reduce(after, whole), change.cursor)
      case 'status':
        return show({ server: change.status })
      case 'phase':
        phase = change
        return
      case 'user':
        return show({ user: change.user })
      case 'clock':
        ;({ offset } = change)
        return
      case 'forgotten':
        show({ server: undefined, user: null })
        return know(emptyPicture, undefined, false)
    }
  }

  const know = (now: Picture, at: string | undefined, complete?: boolean): void => {
    ;[whole, cursor] = [now, at]
    show({ picture: new Map([...whole].filter(([id]) => asks(id))) }, complete)
  }

  const show = (change: Partial<Omit<View, 'status'>>, complete = view.status.complete): void => {
    view = keepEqual(view, { ...view, ...change, status: { ...view.status, complete } })
  }

  /** What the phase is called in public: a stream of old news is stale. */
  const refresh = (): void => {
    let { since, ...told } = phase
    let { phase: name, reason } = (phase = told)
    const { discord, link } = view.server ?? { discord: 'live' }
    if (name === 'live' && (link === 'down' || discord !== 'live')) {
      ;[name, reason] = ['stale', link === 'down' ? 'link_down' : 'discord_down']
    }
    const { status } = view
    since ??= name === status.phase ? status.since : now()
    view = keepEqual(view, { ...view, status: { ...status, phase: name, reason, since } })
  }

  const tellAll = <Heard>(hearing: ReadonlySet<(heard: Heard) => void> | undefined, heard: Heard): void => {
    for (const listener of [...(hearing ?? [])]) {
      try {
        listener(heard)
      } catch (error) {
        report(error)
      }
    }
  }

  return {
    view: () => view,
    subscribe: (reader) => added(readers, reader),
    on: (name, listener) => {
      const hearing = listeners.get(name) ?? new Set()
      listeners.set(name, hearing)
      return added(hearing, listener as AnyListener)
    },
    onSettled: (listener) => added(settled, listener),
    get cursor() {
      return cursor
    },
    get now() {
      return now() + offset
    },
    tell: (known, at) => [
      ...(known ?? (view.status.complete ? [{ is: 'picture', picture: whole, cursor } as const] : [])),
      // Undefined until the server has said something, there as here.
      { is: 'status', status: view.server as Status },
      { is: 'clock', offset, cursor: at },
      { ...phase, since: view.status.since },
    ],
    feed,
  }
}

const added = <Value>(set: Set<Value>, value: Value): Stop => {
  set.add(value)
  return () => void set.delete(value)
}
