/** What has happened since the page was opened, for its list of activity. */

import type { Guildhall, Stop } from '@guildhall/client'
import { roomIn } from '@guildhall/client'

export type NewsKind = 'came' | 'left' | 'moved' | 'changed' | 'roomOpened' | 'roomChanged' | 'roomClosed'

export interface News {
  readonly id: number
  readonly kind: NewsKind
  /** Undefined: it is about the room. Null: nobody knows their name any more. */
  readonly person: string | null | undefined
  readonly room: string | undefined
  /** When the bot heard of it, Unix ms by the server's clock. */
  readonly at: number
  /** From there to this page, ms. */
  readonly latency: number
}

export interface NewsDesk {
  /** The newest first; the same list until there is more. */
  view(): readonly News[]
  subscribe(reader: () => void): Stop
}

/** As many as anybody reads. */
const KEPT = 100
/** A list that changes more often than this cannot be read. */
const EVERY_MS = 200

type Listened = Pick<Guildhall, 'view' | 'subscribe' | 'on' | 'now'>

/** Follows a client for as long as somebody reads. */
export const newsOf = (client: Listened, later: (run: () => void, ms: number) => void = setTimeout): NewsDesk => {
  const readers = new Set<() => void>()
  const names = new Map<string, string>()
  const rooms = new Map<string, string>()
  let stops: readonly Stop[] = []
  let kept: News[] = []
  let shown: readonly News[] = []
  let isAsked = false
  let count = 0

  const roomName = (channelId: string): string | undefined => {
    const name = roomIn(client.view().picture, channelId)?.name ?? rooms.get(channelId)
    if (name !== undefined) rooms.set(channelId, name)
    return name
  }
  const tell = (kind: NewsKind, at: number, channelId: string, person?: string | null) => {
    count += 1
    const latency = Math.max(0, client.now() - at)
    const [last] = kept
    // What left one room and came into another in the same moment went from the one to the other.
    const isMove = kind === 'came' && last?.kind === 'left' && last.person === person && last.at === at
    const one: News = { id: count, kind: isMove ? 'moved' : kind, person, room: roomName(channelId), at, latency }
    kept = [one, ...(isMove ? kept.slice(1) : kept.slice(0, KEPT - 1))]
    if (isAsked) return
    isAsked = true
    later(() => {
      isAsked = false
      shown = kept
      for (const reader of [...readers]) reader()
    }, EVERY_MS)
  }
  const nameOf = (userId: string): string | null => {
    const known = names.get(userId)
    if (known !== undefined) return known
    for (const guild of client.view().picture.values()) {
      for (const room of guild.rooms.values()) {
        const person = room.people.get(userId)
        if (person !== undefined) return person.displayName
      }
    }
    return null
  }
  const learn = () => {
    for (const guild of client.view().picture.values()) {
      for (const room of guild.rooms.values()) {
        rooms.set(room.channelId, room.name)
        for (const person of room.people.values()) names.set(person.userId, person.displayName)
      }
    }
  }
  const begin = (): readonly Stop[] => {
    let { status } = client.view()
    learn()
    return [
      // A whole picture comes with another reason, or after a time without one.
      client.subscribe(() => {
        const before = status
        ;({ status } = client.view())
        if (status !== before) learn()
      }),
      client.on('voice.joined', ({ ts, channelId, userId, displayName }) => {
        names.set(userId, displayName)
        tell('came', ts, channelId, displayName)
      }),
      client.on('voice.updated', ({ ts, channelId, userId, displayName }) => {
        names.set(userId, displayName)
        tell('changed', ts, channelId, displayName)
      }),
      client.on('voice.left', ({ ts, previousChannelId, userId }) => tell('left', ts, previousChannelId, nameOf(userId))),
      client.on('room.created', ({ ts, channelId }) => tell('roomOpened', ts, channelId)),
      client.on('room.updated', ({ ts, channelId }) => tell('roomChanged', ts, channelId)),
      client.on('room.deleted', ({ ts, channelId }) => tell('roomClosed', ts, channelId)),
    ]
  }
  return {
    view: () => shown,
    subscribe: (reader) => {
      if (readers.size === 0) stops = begin()
      readers.add(reader)
      return () => {
        readers.delete(reader)
        if (readers.size > 0) return
        for (const stop of stops) stop()
      }
    },
  }
}

/** How long half of the news took at most, ms; undefined: there is none. */
export const medianLatency = (news: readonly News[]): number | undefined => {
  const sorted = news.map(({ latency }) => latency).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
