/**
 * One stream for all tabs of a browser: carries out what `machine.ts` decides, with a lock that one
 * tab has, and a channel on which it tells the others what its connection tells.
 */

import type { Change, Feed } from '../connection/change.js'
import { type Connection, connectionOf, type ConnectionOptions, NEVER } from '../connection/connection.js'
import type { State } from '../connection/machine.js'
import { covers, type Query, sameQuery, union } from '../connection/query.js'
import type { Stop, Store } from '../store/store.js'
import type { User } from '../wire.js'
import { type Role, roles, type ShareEffect, type ShareEvent } from './machine.js'

/** As much of the Web Locks as is used. */
export interface Locks {
  request(
    name: string,
    options: { readonly signal: AbortSignal } | { readonly steal: true },
    hold: () => Promise<void> | undefined,
  ): Promise<unknown>
}

/** As much of a `BroadcastChannel` as is used. */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** How tabs find each other. */
export interface Tabs {
  readonly locks: Locks
  readonly channel: (name: string) => Channel
  /** What no other tab has. */
  readonly id: string
}

export interface ShareOptions extends Omit<ConnectionOptions, 'feed' | 'gate' | 'query'> {
  readonly store: Store
  /** What this tab asks for now. Its guilds stay the same. */
  readonly query: () => Query
  /** Tabs whose names are the same share; people never do. Left out: a stream for this tab alone. */
  readonly name?: string | undefined
  readonly tabs?: Tabs | undefined
}

/** The connection as a tab has it: its own, or another tab's. */
export interface Share {
  readonly connection: Connection
  start(): void
  release(): void
  close(): void
  /** The query is another one. */
  ask(): void
}

/** Groups that were told, behind what they were told after. */
type Log = readonly { readonly cursor: string | undefined }[]

interface Message {
  readonly is: 'hello' | 'left' | 'lead' | 'told' | 'split'
  readonly from: string
  /** The newest leader that the tab knows of, itself included. */
  readonly term: number
  /** Left out: for all. */
  readonly to?: string
  /** What the tab asks for; of what is told, what the picture is of. */
  readonly query: Query
  /** Up to where that tab had told, or was told; of an answer, what was asked for. */
  readonly cursor: string | undefined
  /** Of a question for the picture, or for what has changed in it: until it is answered. */
  waits?: boolean
  /** Beats since the tab was heard. */
  missed: number
  readonly changes?: readonly Change[]
  /** With an answer: what whoever leads next may be asked for. */
  readonly log?: Log
}

const BEAT_MS = 3_000
const BEATS_MISSED = 3
/**
 * Whoever follows answers each word of leading: after so many without an answer nobody does, and telling costs as
 * much as showing. One that was too slow is astray, and asks for what it missed.
 */
const HEEDED = 2
/** As many groups can be told again to a tab that has missed them. */
const GROUPS_KEPT = 256

export const share = ({ store, query: own, name: prefix, tabs, ...options }: ShareOptions): Share => {
  const { after, now, random } = options.environment
  let role: Role = 'off'
  let user: User | undefined
  let name: string | undefined
  /** When the leader that is known began, ms; each one is later than those that it knew of. */
  let term = 0
  let pass: Stop | undefined
  let unlock: Stop = () => {}
  let quit = unlock
  let post = (_message: Partial<Message>): void => {}
  let heard: Message | undefined
  /** Beats since the leader was heard, or by the leader one that follows. */
  let missed = 0
  let phase: State = 'idle'
  /** What the picture is of: the stream stays as wide, or a picture comes with the wider one. */
  let about = own()
  let log: Log = [{ cursor: store.cursor }]
  const peers = new Map<string, Message>()

  const handle = (event: ShareEvent): void => {
    const [target, ...effects] = roles[role][event] ?? [role]
    options.log?.(`${role} × ${event} → ${target} ${effects}`)
    role = target
    for (const effect of effects) carryOut[effect]()
  }

  const lock = (steal?: true): void => {
    unlock()
    missed = 0
    const abort = new AbortController()
    const { signal } = abort
    let held = false
    unlock = () => abort.abort()
    const hold = () => {
      if (signal.aborted) return
      held = true
      term = Math.max(now(), term + 1)
      missed = 0
      handle('granted')
      return new Promise<void>((done) => {
        signal.onabort = () => done()
      })
    }
    ;(tabs as Tabs).locks.request(name as string, steal ? { steal } : { signal }, hold).catch(() => {
      if (!signal.aborted) handle(held ? 'stolen' : 'barred')
    })
  }

  const gather = (): void => {
    const asked = union([own(), ...[...peers.values()].map(({ query }) => query)])
    const anew = !covers(about, asked)
    if (anew) log = []
    connection.ask(anew ? asked : { ...about, viewing: asked.viewing }, anew)
  }

  const tell = (changes: readonly Change[], more: Partial<Message> = {}): void =>
    post({ is: 'told', query: about, changes, ...more })

  const answer = (): void => {
    for (const peer of peers.values()) {
      const at = log.findIndex(({ cursor }) => cursor === peer.cursor)
      // Who is ahead is found when this tab has come as far.
      const known = at >= 0 || phase === 'live' || !peer.cursor
      if (!peer.waits || !known || !covers(about, peer.query)) continue
      peer.waits = false
      const changes = store.tell(at < 0 ? undefined : (log.slice(at + 1) as Change[]), connection.cursor)
      tell(changes, { to: peer.from, cursor: peer.cursor, log })
    }
  }

  const hello = (): void => post({ is: 'hello', waits: role === 'joining' })

  const carryOut: Readonly<Record<ShareEffect, () => void>> = {
    enter: () => {
      const { channel: channelOf, id } = tabs as Tabs
      const channel = channelOf(name as string)
      channel.onmessage = ({ data }) => hear(data as Message)
      post = (message) => channel.postMessage({ from: id, term, missed: 0, query: own(), cursor: store.cursor, ...message })
      let wait: Stop
      const beat = () => {
        wait = after(BEAT_MS * (1 + random()), () => {
          beat()
          tick()
        })
      }
      beat()
      quit = () => {
        wait()
        channel.close()
      }
      lock()
    },
    leave: () => {
      post({ is: 'left' })
      unlock()
      quit()
      peers.clear()
    },
    queue: () => lock(),
    steal: () => lock(true),
    hello,
    lead: () => tell(store.tell([], connection.cursor), { is: 'lead' }),
    answer,
    gather,
    own: () => connection.ask(own()),
    anew: () => connection.ask(own(), true),
    split: () => {
      post({ is: 'split' })
      peers.clear()
      about = own()
      connection.ask(about, true)
    },
    pass: () => pass?.(),
    start: () => connection.start(),
    afresh: () => connection.again(),
    take: () => {
      if (!heard?.changes) return
      const { changes, query, log: told } = heard
      about = query
      connection.ask(query)
      connection.follow(changes)
      // What was told may have said that this tab has to do without the others.
      if (role === 'following') log = told ?? log
    },
  }

  const tick = (): void => {
    for (const [id, peer] of peers) {
      if ((peer.missed += 1) > BEATS_MISSED) peers.delete(id)
    }
    missed += 1
    if (role === 'leading') handle('due')
    else if (missed >= BEATS_MISSED) handle('silent')
  }

  const hear = (message: Message): void => {
    const { is, from, to, cursor, query } = heard = message
    if (is === 'hello' || is === 'left') {
      if (is === 'left') peers.delete(from)
      else peers.set(from, message)
      if (role === 'leading') missed = 0
      return handle('asked')
    }
    // One that was frozen may not know as yet that it leads no more.
    if (message.term < term) return
    const fits = cursor === store.cursor && message.term === term
    // One that was robbed and has not heard of it must not speak with the new one's number.
    if (role !== 'leading') term = message.term
    missed = 0
    if (is === 'lead') handle(fits ? 'beat' : 'astray')
    else if (is === 'split') {
      if (!sameQuery(union([query, own()]), query)) handle('apart')
    } else if (!to) {
      if (role === 'following') handle(fits ? 'told' : 'astray')
    } else if (to === tabs?.id && cursor === store.cursor) handle('answered')
  }

  const feed: Feed = (changes) => {
    const followed = role === 'following'
    let other = false
    for (const change of changes) {
      const { is } = change
      if (is === 'phase') ({ phase } = change)
      if (is === 'user') other = change.user.id !== user?.id
      if (is === 'forgotten') log = []
      if (is === 'snapshot' || is === 'picture') [about, log] = [connection.query, [{ cursor: change.cursor }]]
      // What has no cursor of its own cannot be told apart from what was before it.
      if (is === 'group') log = log.at(-1)?.cursor === change.cursor ? [] : [...log, change].slice(-GROUPS_KEPT)
    }
    if (other || phase === 'ended') handle('released')
    if (role === 'leading' && missed < HEEDED) tell(changes)
    if (phase === 'signed-out') handle('released')
    store.feed(changes)
    if (role === 'leading') answer()
    if (other && followed) connection.start()
    // Of all guilds one may be left out that is to be had by its name.
    if (!about.guilds && own().guilds && !store.view().picture.size) handle('apart')
  }

  const connection = connectionOf({
    ...options,
    query: about,
    feed,
    gate: (who, open) => {
      ;[user, pass] = [who, open]
      const mine = prefix && tabs && who && `${prefix} ${who.id}`
      if (mine !== name) handle('released')
      name = mine
      handle(mine ? 'ready' : 'barred')
    },
    openStream: (url, listener) => {
      const together = role === 'leading' && !sameQuery(connection.query, own())
      let spoke = false
      return options.openStream(url, {
        frame: (frame) => {
          const refused = together && !spoke && frame.name === 'bye' && frame.data.includes('"unavailable"')
          spoke = true
          if (refused) handle('refused')
          else listener.frame(frame)
        },
        end: (end) => {
          if (together && [404, ...NEVER].includes(end)) handle('refused')
          else listener.end(end)
        },
      })
    },
  })

  return {
    connection,
    start: () => {
      if (role !== 'following') connection.start()
    },
    release: () => {
      handle('released')
      connection.release()
    },
    close: () => {
      handle('released')
      connection.close()
    },
    ask: () => handle('wanted'),
  }
}
