/**
 * What is known, and who wants to hear of it. One call of the feed is one moment:
 * readers are told once, when all of it is in.
 */

import type { Change, Reason } from '../connection/change.js'
import type { State as Phase } from '../connection/machine.js'
import { covers, type Query } from '../connection/query.js'
import type { GuildEvent, GuildEventName, GuildPicture, Payload, Status, User } from '../wire.js'
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

type AnyListener = (payload: unknown) => void

export interface StoreOptions {
  readonly now: () => number
  readonly query?: Query
  /** Hears of what a listener threw: the others are told all the same. */
  readonly report: (error: unknown) => void
}

export class Store {
  #view: View
  #phase: Phase = 'idle'
  #reason: Reason = 'not_started'
  #server: Status | undefined
  #cursor: string | undefined
  #offset = 0
  readonly #readers = new Set<() => void>()
  readonly #listeners = new Map<string, Set<AnyListener>>()
  readonly #settled = new Set<(keys: readonly string[]) => void>()
  readonly #options: StoreOptions

  constructor(options: StoreOptions) {
    this.#options = options
    const status = { phase: this.#phase, since: options.now(), reason: this.#reason, complete: false }
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
        this.#cursor = change.cursor
        return this.#show({ picture: replaced(this.#view.picture, this.#mine(change.guilds)) }, true)
      case 'group': {
        this.#cursor = change.cursor
        const mine = change.events.filter((event) => this.#asks(event.data.guildId))
        return this.#show({ picture: mine.reduce(after, this.#view.picture) })
      }
      case 'status':
        this.#server = change.status
        return
      case 'phase':
        ;[this.#phase, this.#reason] = [change.phase, change.reason]
        return
      case 'user':
        return this.#show({ user: change.user })
      case 'clock':
        this.#offset = change.offset
        return
      case 'forgotten':
        ;[this.#cursor, this.#server] = [undefined, undefined]
        return this.#show({ picture: emptyPicture, user: null }, false)
    }
  }

  #asks(guildId: string): boolean {
    return covers({ guilds: this.#options.query?.guilds, viewing: [] }, { guilds: [guildId], viewing: [] })
  }

  #mine(guilds: readonly GuildPicture[]): readonly GuildPicture[] {
    return guilds.filter((guild) => this.#asks(guild.id))
  }

  #show(change: Partial<Omit<View, 'status'>>, complete = this.#view.status.complete): void {
    const same = Object.entries(change).every(([name, value]) => this.#view[name as keyof View] === value)
    if (same && complete === this.#view.status.complete) return
    this.#view = { ...this.#view, ...change, status: { ...this.#view.status, complete } }
  }

  /** What the phase is called in public: a stream of old news is stale. */
  #refresh(): void {
    let [phase, reason] = [this.#phase, this.#reason]
    if (phase === 'live' && this.#server !== undefined) {
      const { discord, link } = this.#server
      if (link === 'down') [phase, reason] = ['stale', 'link_down']
      else if (discord !== 'live') [phase, reason] = ['stale', 'discord_down']
    }
    const { status } = this.#view
    if (phase === status.phase && reason === status.reason) return
    const since = phase === status.phase ? status.since : this.#options.now()
    this.#view = { ...this.#view, status: { ...status, phase, reason, since } }
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

