import { useCallback, useEffect, useRef, useState } from 'react'

import {
  type CallName,
  type CallOptions,
  type Guild,
  type Guildhall,
  GuildhallError,
  type GuildEventName,
  type Input,
  type Listener,
  type LiveStatus,
  type Person,
  personIn,
  type Result,
  type Room,
  roomIn,
  roomsOf,
  type View,
} from '../index.js'
import { useGuildhall } from './provider.js'
import { useSelection } from './selection.js'

export interface VoiceQuery<Selected> {
  readonly guild: string
  /** Of this room alone. */
  readonly room?: string | undefined
  /** Of this person alone. */
  readonly user?: string | undefined
  readonly select?: ((people: readonly Person[]) => Selected) | undefined
  readonly equal?: ((a: Selected, b: Selected) => boolean) | undefined
}

const noPeople: readonly Person[] = []
const crowds = new WeakMap<object, readonly Person[]>()

/** The people of a room as a list; the same one until they change. */
const listOf = (people: ReadonlyMap<string, Person>): readonly Person[] => {
  const list = crowds.get(people) ?? [...people.values()]
  crowds.set(people, list)
  return list
}

const inGuild = new WeakMap<Guild, readonly Person[]>()

const everybodyIn = (guild: Guild): readonly Person[] => {
  const list = inGuild.get(guild) ?? roomsOf(guild).flatMap((room) => listOf(room.people))
  inGuild.set(guild, list)
  return list
}

const voiceOf = (view: View, guildId: string, room: string | undefined, user: string | undefined) => {
  if (!view.status.complete) return undefined
  const guild = view.picture.get(guildId)
  if (guild === undefined) return undefined
  if (user === undefined) return room === undefined ? everybodyIn(guild) : peopleOf(guild.rooms.get(room))
  const person = personIn(guild, user)
  return person === undefined || (room !== undefined && person.channelId !== room) ? noPeople : [person]
}

const peopleOf = (room: Room | undefined): readonly Person[] | undefined => (room === undefined ? undefined : listOf(room.people))

const sameList = (a: unknown, b: unknown): boolean =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => item === b[at]))

/**
 * Who is in voice in a guild, a room, or of one person. Undefined: not known, or not there for this
 * viewer; an empty list means that nobody is there.
 */
export const useVoice = <Selected = readonly Person[]>({
  guild,
  room,
  user,
  select,
  equal = sameList,
}: VoiceQuery<Selected>): Selected | undefined =>
  useSelection<Selected | undefined>(
    useGuildhall(),
    (view) => {
      const people = voiceOf(view, guild, room, user)
      return people === undefined || select === undefined ? (people as Selected | undefined) : select(people)
    },
    (a, b) => a === b || (a !== undefined && b !== undefined && equal(a, b)),
  )

/** A room, in whichever guild it is; undefined where it is not known, or not there for this viewer. */
export const useRoom = (channelId: string): Room | undefined =>
  useSelection(useGuildhall(), (view) => roomIn(view.picture, channelId))

/** The rooms of a guild, as Discord lists them; undefined where the guild is not known. */
export const useRooms = (guild: string): readonly Room[] | undefined =>
  useSelection(useGuildhall(), (view) => mapped(view.picture.get(guild), roomsOf))

/** Where somebody is now: `channelId` says in which room. Null: nowhere; undefined: not known. */
export const useMember = (guild: string, userId: string): Person | null | undefined =>
  useSelection(useGuildhall(), (view) => mapped(view.picture.get(guild), (known) => personIn(known, userId) ?? null))

const mapped = <From, To>(value: From | undefined, map: (value: From) => To): To | undefined =>
  value === undefined ? undefined : map(value)

/** How fresh all this is. */
export const useLiveStatus = (): LiveStatus => useSelection(useGuildhall(), (view) => view.status)

/** Calls `listener` for each event of this name, once and in order; never for what a snapshot brings. */
export const useGuildhallEvent = <Name extends GuildEventName>(name: Name, listener: Listener<Name>): void => {
  const client = useGuildhall()
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => client.on(name, (payload) => latest.current(payload)), [client, name])
}

const waits = new WeakMap<Guildhall, Promise<void>>()

/** Whoever suspended and was taken away cannot say so: nobody waits for longer than this without asking again. */
const WAITS_MS = 5_000

/** Something is known, or nothing will be until somebody signs in, or is let in where they are not. */
const isDecided = ({ status: { complete, phase, reason } }: View): boolean =>
  complete || phase === 'signed-out' || phase === 'ended' || reason === 'not_found'

/** Done when it is decided, or time to look again. Kept with the client: what suspends forgets everything. */
const decided = (client: Guildhall): Promise<void> => {
  const before = waits.get(client)
  if (before !== undefined) return before
  const promise = new Promise<void>((done) => {
    const end = () => {
      waits.delete(client)
      clearTimeout(timer)
      stop()
      done()
    }
    const timer = setTimeout(end, WAITS_MS)
    const stop = client.subscribe(() => {
      if (isDecided(client.view())) end()
    })
  })
  waits.set(client, promise)
  return promise
}

/**
 * `useVoice` that waits, by suspending, until something is known. Undefined: nobody is signed in, or it is
 * not there for this viewer. A server that has no `initial` renders the fallback.
 */
export const useSuspenseVoice = <Selected = readonly Person[]>(query: VoiceQuery<Selected>): Selected | undefined => {
  const client = useGuildhall()
  if (!isDecided(client.view())) {
    // A stream of a server's own would be of nobody, and never end.
    if (typeof window === 'undefined') throw new Error('useSuspenseVoice on a server needs `initial`: the browser renders it')
    // What every React since 18 waits for; its `use` is new in 19.
    throw decided(client)
  }
  return useVoice(query)
}

export interface Command<Name extends CallName> {
  /** Has it done; throws what it was refused with. The same function in every rendering. */
  readonly run: (input: Input<Name>, options?: CallOptions) => Promise<Result<Name>>
  readonly pending: boolean
  /** What the last run was refused with. */
  readonly error: GuildhallError | null
}

/** A command with what a button needs to know of it. Pending until the picture shows what it did. */
export const useCommand = <Name extends CallName>(name: Name): Command<Name> => {
  const client = useGuildhall()
  const [state, setState] = useState<{ readonly running: number; readonly error: GuildhallError | null }>({
    running: 0,
    error: null,
  })
  const run = useCallback(async (input: Input<Name>, options?: CallOptions): Promise<Result<Name>> => {
    const end = (error: GuildhallError | null) => setState(({ running }) => ({ running: running - 1, error }))
    setState(({ running }) => ({ running: running + 1, error: null }))
    try {
      const result = await client.run(name, input as never, options)
      const { settled } = result as { readonly settled?: Promise<void> }
      void (settled ?? Promise.resolve()).then(() => end(null))
      return result as Result<Name>
    } catch (error) {
      end(error instanceof GuildhallError ? error : null)
      throw error
    }
  }, [client, name])
  return { run, pending: state.running > 0, error: state.error }
}
