/**
 * What is known, and who wants to hear of it. One call of the feed is one moment:
 * readers are told once, when all of it is in.
 */

import type { Change, Reason } from '../connection/change.js'
import type { State as Phase } from '../connection/machine.js'
import type { Query } from '../connection/query.js'
import type { GuildEvent, GuildEventName, Payload, User } from '../wire.js'
import { keepEqual } from './equal.js'
import { after, emptyPicture, type Picture, replaced } from './picture.js'

/** How fresh all this is. */
export interface LiveStatus {
  readonly phase: Phase
  /** Since when it is so, Unix ms. */
  readonly since: number
  readonly reason: Reason
  /** Whether anything is known: only where it is true does an empty room mean that nobody is there. */
  readonly complete: boolean
}

/** Everything there is to show. Immutable: a change makes a new one. */
export interface View {
  readonly picture: Picture
  readonly status: LiveStatus
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

export class Store {
  #view: View
  #phase: Told<'phase'> = { is: 'phase', phase: 'idle', reason: 'not_started' }
  #server: Told<'status'> | undefined
  #cursor: string | undefined
  /** All that the stream is about, which may be more than is asked for here. */
  #whole = emptyPicture
  #offset = 0
  readonly #readers = new Set<() => void>()
  readonly #listeners = new Map<string, Set<AnyListener>>()
  readonly #settled = new Set<(keys: readonly string[]) => void>()
  readonly #options: StoreOptions

  constructor(options: StoreOptions) {
    this.#options = options
    const status = { phase: 'idle', since: options.now(), reason: 'not_started', complete: false } as const
    this.#view = { picture: emptyPicture, status, user: null }
  }

  readonly view = (): View => this.#view

  readonly subscribe = (reader: () => void): Stop => {
    this.#readers.add(reader)
    return () => void this.#readers.delete(reader)
  }

  /** Hears each event of this name once, in order; never what a snapshot brings. */
  on<Name extends GuildEventName>(name: Name, listener: Listener<Name>): Stop {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener as AnyListener))
    return () => void listeners.delete(listener as AnyListener)
  }

  /** Hears the keys of commands that are done, behind what they did. */
  onSettled(listener: (keys: readonly string[]) => void): Stop {
    this.#settled.add(listener)
    return () => void this.#settled.delete(listener)
  }

  get cursor(): string | undefined {
    return this.#cursor
  }

  /** What another store is to be told so that it shows the same; its cursor is the last of a change. */
  tell(known: readonly Change[] | undefined, cursor: string | undefined): readonly Change[] {
    const { complete, since } = this.#view.status
    return [
      ...(known ?? (complete ? [{ is: 'picture', picture: this.#whole, cursor: this.#cursor } as const] : [])),
      ...(this.#server ? [this.#server] : []),
      { is: 'clock', offset: this.#offset, cursor },
      { ...this.#phase, since },
    ]
  }

  /** The server's time, as far as it was told. */
  get now(): number {
    return this.#options.now() + this.#offset
  }

  /** Takes in what came as one moment. */
  readonly feed = (changes: readonly Change[]): void => {
    const before = this.#view
    const told: GuildEvent[] = []
    const keys: string[] = []
    for (const change of changes) {
      if (change.is === 'group') told.push(...change.events.filter((event) => this.#asks(event.data.guildId)))
      if (change.is === 'settled') keys.push(...change.keys)
      this.#take(change)
    }
    this.#refresh()
    for (const { name, data } of told) this.#tell(this.#listeners.get(name), data)
    if (keys.length > 0) this.#tell(this.#settled, keys)
    if (this.#view !== before) this.#tell(this.#readers, undefined)
  }

  #take(change: Change): void {
    switch (change.is) {
      case 'snapshot':
        return this.#now(replaced(this.#whole, change.guilds), change.cursor, true)
      case 'picture':
        return this.#now(keepEqual(this.#whole, change.picture), change.cursor, true)
      case 'group':
        return this.#now(change.events.reduce(after, this.#whole), change.cursor)
      case 'status':
        this.#server = change
        return
      case 'phase':
        this.#phase = change
        return
      case 'user':
        return this.#show({ user: change.user })
      case 'clock':
        this.#offset = change.offset
        return
      case 'forgotten':
        this.#server = undefined
        this.#show({ user: null })
        return this.#now(emptyPicture, undefined, false)
    }
  }

  #asks(guildId: string): boolean {
    return this.#options.query?.guilds?.includes(guildId) ?? true
  }

  #now(whole: Picture, cursor: string | undefined, complete?: boolean): void {
    ;[this.#whole, this.#cursor] = [whole, cursor]
    const mine = new Map([...whole].filter(([id]) => this.#asks(id)))
    this.#show({ picture: mine }, complete)
  }

  #show(change: Partial<Omit<View, 'status'>>, complete = this.#view.status.complete): void {
    const { status } = this.#view
    this.#view = keepEqual(this.#view, { ...this.#view, ...change, status: { ...status, complete } })
  }

  /** What the phase is called in public: a stream of old news is stale. */
  #refresh(): void {
    let { since, ...told } = this.#phase
    let { phase, reason } = (this.#phase = told)
    const { discord, link } = this.#server?.status ?? { discord: 'live' }
    if (phase === 'live' && (link === 'down' || discord !== 'live')) {
      ;[phase, reason] = ['stale', link === 'down' ? 'link_down' : 'discord_down']
    }
    const { status } = this.#view
    since ??= phase === status.phase ? status.since : this.#options.now()
    this.#view = keepEqual(this.#view, { ...this.#view, status: { ...status, phase, reason, since } })
  }

  #tell<Heard>(listeners: ReadonlySet<(heard: Heard) => void> | undefined, heard: Heard): void {
    for (const listener of [...(listeners ?? [])]) {
      try {
        listener(heard)
      } catch (error) {
        this.#options.report(error)
      }
    }
  }
}

