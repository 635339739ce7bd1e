/** Pictures, and a client that shows what a test says. A person's room is set by what they are put into. */

import type { Guild, GuildEventName, Guildhall, Payload, Person, Picture, Room, Status, User } from '@guildhall/client'
import { vi } from 'vitest'

import type { Navigation } from './address'
import type { Connection, Shown } from './shown'

export const person = (userId: string, more: Partial<Person> = {}): Person => ({
  channelId: '0',
  userId,
  username: `user-${userId}`,
  displayName: `User ${userId}`,
  avatar: null,
  avatarUrl: `http://cdn.test/${userId}.png`,
  bot: false,
  since: 1,
  mute: false,
  deaf: false,
  selfMute: false,
  selfDeaf: false,
  streaming: false,
  video: false,
  suppressed: false,
  ...more,
})

export const room = (channelId: string, ...people: readonly Person[]): Room => ({
  channelId,
  name: `Room ${channelId}`,
  kind: 'voice',
  position: Number(channelId),
  userLimit: 0,
  people: new Map(people.map((one) => [one.userId, { ...one, channelId }])),
})

export const guild = (id: string, ...rooms: readonly Room[]): Guild => ({
  id,
  name: `Guild ${id}`,
  icon: null,
  available: true,
  rooms: new Map(rooms.map((one) => [one.channelId, one])),
})

export const allWell: Status = { discord: 'live', link: 'up', since: 1 }
export const ana: User = { id: '7', username: 'ana', displayName: 'Ana', avatarUrl: 'https://cdn.test/7.png' }

export const connected = (state: Connection['state'], obstacle: Connection['obstacle'] = null): Connection => ({
  state,
  obstacle,
  tried: obstacle !== null,
})

export const quiet: Shown = {
  connection: connected('live'),
  user: ana,
  picture: new Map(),
  server: allWell,
  began: { how: 'snapshot', snapshots: 1 },
}

export const seeing = (...guilds: readonly Guild[]): Shown => ({
  ...quiet,
  picture: new Map(guilds.map((one) => [one.id, one])) satisfies Picture,
})

export const nothingYet: Shown = { ...quiet, connection: connected('connecting'), picture: null, server: undefined, began: null }
export const signedOut: Shown = { ...nothingYet, connection: connected('signed-out'), user: null }

/** As much of a client as the page's own components call. `tell` says that an event came, `knows` what the picture is. */
export const testClient = () => {
  const leave = vi.fn<() => void>()
  const listeners = new Map<string, Set<(data: unknown) => void>>()
  let picture: Picture = new Map()
  return {
    view: () => ({ picture, status: { phase: 'live' } }),
    subscribe: () => () => undefined,
    now: () => 1_000,
    on: (name: string, listener: (data: unknown) => void) => {
      const hearing = listeners.get(name) ?? new Set()
      listeners.set(name, hearing.add(listener))
      return () => void hearing.delete(listener)
    },
    knows: (...guilds: readonly Guild[]) => {
      picture = new Map(guilds.map((one) => [one.id, one]))
    },
    tell: <Name extends GuildEventName>(name: Name, data: Payload<Name>) => {
      for (const listener of listeners.get(name) ?? []) listener(data)
    },
    run: vi.fn<(name: string, input: unknown) => Promise<unknown>>(),
    viewing: vi.fn<(channelId: string) => () => void>(() => leave),
    leave,
    signOut: vi.fn<(options?: { readonly everywhere?: boolean }) => Promise<boolean>>(() => Promise.resolve(true)),
  }
}

export const asClient = (client: ReturnType<typeof testClient>): Guildhall => client as unknown as Guildhall

/** Where the page is, without a browser's history. */
export const testNavigation = (room: string | null = null) => {
  const readers = new Set<() => void>()
  let now = room
  const open = vi.fn<(channelId: string | null) => void>((channelId) => {
    now = channelId
    for (const reader of [...readers]) reader()
  })
  return {
    room: () => now,
    open,
    subscribe: (reader: () => void) => {
      readers.add(reader)
      return () => void readers.delete(reader)
    },
  } satisfies Navigation
}

/** jsdom has no dialogs and no popovers; what they look like is tried in a browser. */
export const withDialogs = (): void => {
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function () {
    this.open = false
  }
}
