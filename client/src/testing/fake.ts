import { groups, type Guildhall } from '../client.js'
import { aboutGuilds, type Answer, type CallName, type Input, questions } from '../commands/calls.js'
import type { CallOptions, Run, Settled } from '../commands/run.js'
import type { Change, Reason } from '../connection/change.js'
import type { State as Phase } from '../connection/machine.js'
import type { Guild, Person, Room } from '../store/picture.js'
import { personIn } from '../store/select.js'
import { type Stop, storeOf } from '../store/store.js'
import type { GuildEvent, GuildPicture, Payload, RoomPicture, Status, User } from '../wire.js'
import { person } from './pictures.js'

export interface FakeOptions {
  /** As in `createGuildhall`: this guild alone. */
  readonly guild?: string
  /** What is there at first. Left out: nothing is known, and the client is connecting. */
  readonly guilds?: readonly GuildPicture[]
  /** Who is signed in. */
  readonly user?: User
  /** The server's time; left out: it stands still. */
  readonly now?: () => number
}

type Given<Name extends CallName> = Answer<Name> | (Answer<Name> & Partial<Settled>)

/** What each command is answered with. A refusal is thrown, as a `ForbiddenError` or what else fits. */
export type Handlers = {
  readonly [Name in CallName]: (input: Input<Name>) => Given<Name> | Promise<Given<Name>>
}

export interface FakeGuildhall<NamesGuild extends boolean = boolean> {
  /** What the code under test is given. */
  readonly client: Guildhall<NamesGuild>
  /** Somebody comes into a room; who was in another one of its guild moves. */
  join(channelId: string, who: string | (Partial<Person> & Pick<Person, 'userId'>)): void
  /** Somebody goes from their room into this one: one change, as on a stream. */
  move(userId: string, channelId: string): void
  leave(userId: string): void
  /** Somebody mutes themselves, shares a screen, has another name … */
  update(userId: string, change: Partial<Omit<Person, 'userId' | 'channelId'>>): void
  createRoom(guildId: string, room: RoomPicture): void
  updateRoom(channelId: string, change: Partial<Omit<RoomPicture, 'channelId' | 'members'>>): void
  deleteRoom(channelId: string): void
  /** Any events, as one change. */
  tell(...events: readonly GuildEvent[]): void
  /** The whole picture anew, as after a reconnect: no listener hears of what is in it. */
  snapshot(guilds: readonly GuildPicture[]): void
  /** How the connection is: `phase('stale', 'broken')`. */
  phase(phase: Phase, reason: Reason): void
  /** What the server says of itself: `status({ discord: 'down' })`. */
  status(status: Partial<Status>): void
  signIn(user: User): void
  /** The session ends: nothing is known any more. */
  signOut(): void
  /** What a command is answered with from now on. It is settled at once, unless the answer says when. */
  answer<Name extends CallName>(name: Name, handler: Handlers[Name]): void
  /** The commands that were given, in order. */
  readonly asked: readonly { readonly name: CallName; readonly input: unknown; readonly key: string | undefined }[]
  /** How many read it: 0 when everything that was mounted is gone. */
  readonly readers: number
  /** The rooms on whose pages somebody is. */
  readonly viewing: readonly string[]
}

const allWell: Status = { discord: 'live', link: 'up', since: 1 }

export const createFake = ({ guild, guilds, user, now = () => 1 }: FakeOptions): FakeGuildhall<boolean> => {
  const query = { guilds: guild === undefined ? undefined : [guild], viewing: [] }
  // What a reader throws is the test's failure.
  const store = storeOf({ now, query, report: raise })
  const handlers = new Map<CallName, (input: never) => unknown>()
  const asked: { name: CallName; input: unknown; key: string | undefined }[] = []
  const viewing: string[] = []
  let readers = 0
  let said = allWell

  const feed = (...changes: readonly Change[]) => store.feed(changes)
  const live = (pictures: readonly GuildPicture[]) =>
    feed(
      { is: 'snapshot', guilds: pictures, cursor: undefined },
      { is: 'status', status: said },
      { is: 'phase', phase: 'live', reason: 'no_cursor' },
    )
  const tell = (...events: readonly GuildEvent[]) => feed({ is: 'group', events, cursor: undefined })
  const stamp = (known: Guild) => ({ guildId: known.id, ts: now() })
  const signOut = () => feed({ is: 'forgotten' }, { is: 'phase', phase: 'signed-out', reason: 'unauthorized' })

  const houseOf = (channelId: string): readonly [Guild, Room] => {
    for (const known of store.view().picture.values()) {
      const found = known.rooms.get(channelId)
      if (found !== undefined) return [known, found]
    }
    throw new Error(`there is no room ${channelId}`)
  }
  const whereIs = (userId: string): readonly [Guild, Person] => {
    for (const known of store.view().picture.values()) {
      const found = personIn(known, userId)
      if (found !== undefined) return [known, found]
    }
    throw new Error(`${userId} is in no room`)
  }
  const leaving = (known: Guild, { channelId, userId }: Person): GuildEvent => ({
    name: 'voice.left',
    data: { ...stamp(known), channelId: null, previousChannelId: channelId, userId },
  })

  if (user !== undefined) feed({ is: 'user', user })
  if (guilds === undefined) feed({ is: 'phase', phase: 'connecting', reason: 'not_started' })
  else live(guilds)

  const run = (async (name: CallName, input: object, { key }: CallOptions = {}) => {
    const { guildId = guild } = input as { readonly guildId?: string | undefined }
    const whole = aboutGuilds.includes(name) ? { ...input, guildId } : input
    asked.push({ name, input: whole, key })
    const handler = handlers.get(name)
    if (handler === undefined) throw new Error(`nobody answers ${name}: call answer('${name}', …) before`)
    const answer = (await handler(whole as never)) as object
    return questions.includes(name) ? answer : { settled: Promise.resolve(), ...answer }
  }) as unknown as Run<boolean>

  const reading = (stop: Stop): Stop => {
    readers += 1
    let over = false
    return () => {
      if (over) return
      over = true
      readers -= 1
      stop()
    }
  }

  const client: Guildhall<boolean> = {
    view: store.view,
    initial: store.view(),
    subscribe: (reader) => reading(store.subscribe(reader)),
    select: (select, reader, equal = Object.is) => {
      let before = select(store.view())
      return client.subscribe(() => {
        const selected = select(store.view())
        if (equal(before, selected)) return
        before = selected
        reader(selected)
      })
    },
    on: (name, listener) => reading(store.on(name, listener)),
    viewing: (channelId) => {
      viewing.push(channelId)
      return reading(() => void viewing.splice(viewing.indexOf(channelId), 1))
    },
    now,
    run,
    ...groups(run),
    signInUrl: (returnTo) => `https://guildhall.test/auth/login?${new URLSearchParams({ returnTo })}`,
    signOut: async () => {
      signOut()
      return true
    },
    refresh: async () => {},
    close: () => feed({ is: 'phase', phase: 'ended', reason: 'closed' }),
  }

  return {
    client,
    asked,
    get readers() {
      return readers
    },
    get viewing() {
      return [...viewing]
    },
    tell,
    snapshot: live,
    phase: (phase, reason) => feed({ is: 'phase', phase, reason }),
    status: (status) => {
      said = { ...said, ...status }
      feed({ is: 'status', status: said })
    },
    signIn: (who) => feed({ is: 'user', user: who }),
    signOut,
    answer: (name, handler) => void handlers.set(name, handler),
    join: (channelId, who) => {
      const [known] = houseOf(channelId)
      const { userId, ...more } = typeof who === 'string' ? { userId: who } : who
      const before = personIn(known, userId)
      const joined: Payload<'voice.joined'> = { ...stamp(known), ...person(userId, { since: now(), ...more }), channelId }
      tell(...(before === undefined ? [] : [leaving(known, before)]), { name: 'voice.joined', data: joined })
    },
    move: (userId, channelId) => {
      const [known, before] = whereIs(userId)
      const data = { ...stamp(known), ...before, since: now(), channelId: houseOf(channelId)[1].channelId }
      tell(leaving(known, before), { name: 'voice.joined', data })
    },
    leave: (userId) => tell(leaving(...whereIs(userId))),
    update: (userId, change) => {
      const [known, before] = whereIs(userId)
      tell({ name: 'voice.updated', data: { ...stamp(known), ...before, ...change } })
    },
    createRoom: (guildId, { members, ...info }) => {
      const known = store.view().picture.get(guildId)
      if (known === undefined) throw new Error(`there is no guild ${guildId}`)
      const came = members.map((one): GuildEvent => ({ name: 'voice.joined', data: { ...stamp(known), ...one } }))
      tell({ name: 'room.created', data: { ...stamp(known), ...info } }, ...came)
    },
    updateRoom: (channelId, change) => {
      const [known, { people: _people, deletesAt: _deletesAt, ...info }] = houseOf(channelId)
      tell({ name: 'room.updated', data: { ...stamp(known), ...info, ...change } })
    },
    deleteRoom: (channelId) => {
      const [known, { people }] = houseOf(channelId)
      const gone = [...people.values()].map((one) => leaving(known, one))
      tell(...gone, { name: 'room.deleted', data: { ...stamp(known), channelId } })
    },
  }
}

const raise = (error: unknown): never => {
  throw error
}
