/**
 * `@guildhall/client/tanstack-db`: people and rooms as collections of TanStack DB.
 *
 * A collection follows the client's picture: each change of it is one transaction of just the rows that
 * differ. A snapshot after a reconnect is no exception: nothing is truncated, so no row is seen to go and
 * come back. The stream is open while a collection is synced.
 */

import { type Guild, type Guildhall, type Person, type Room, shallowEqual } from '../index.js'

export interface CollectionOptions {
  readonly client: Guildhall
  /** Of this guild alone; left out: of all that the client is about. */
  readonly guild?: string
}

/** Somebody in a room. A bot may be in rooms of several guilds: the key is guild and user. */
export type PersonRow = Person & { readonly guildId: string }
/** A room without its people: they are rows of their own, joined by `channelId`. */
export type RoomRow = Omit<Room, 'people'> & { readonly guildId: string }

/**
 * As much of TanStack DB's `CollectionConfig` as is given and used here. Its own types are not named: they
 * do not hold under `exactOptionalPropertyTypes`, and would keep this door from whoever has that.
 */
export interface GuildhallCollection<Row extends object> {
  readonly getKey: (row: Row) => string
  readonly sync: {
    readonly rowUpdateMode: 'full'
    readonly sync: (into: Transactions<Row>) => () => void
  }
}

type Message<Row> = { type: 'insert' | 'update'; value: Row } | { type: 'delete'; key: string }

export interface Transactions<Row extends object> {
  begin(): void
  write(message: Message<Row>): void
  commit(): unknown
  markReady(): void
}

/** The people in voice, by `GUILD/USER`: `createCollection(peopleCollectionOptions({ client }))`. */
export const peopleCollectionOptions = (options: CollectionOptions): GuildhallCollection<PersonRow> =>
  collectionOf(options, ({ guildId, userId }) => `${guildId}/${userId}`, ({ id, rooms }) =>
    [...rooms.values()].flatMap(({ people }) => [...people.values()].map((person) => ({ guildId: id, ...person }))),
  )

/** The rooms, by `channelId`: `createCollection(roomsCollectionOptions({ client }))`. */
export const roomsCollectionOptions = (options: CollectionOptions): GuildhallCollection<RoomRow> =>
  collectionOf(options, ({ channelId }) => channelId, ({ id, rooms }) =>
    [...rooms.values()].map(({ people: _people, ...room }) => ({ guildId: id, ...room })),
  )

const collectionOf = <Row extends object>(
  { client, guild }: CollectionOptions,
  getKey: (row: Row) => string,
  rowsIn: (guild: Guild) => readonly Row[],
): GuildhallCollection<Row> => {
  const sync = ({ begin, write, commit, markReady }: Transactions<Row>) => {
    // A row is looked at anew only where its guild changed.
    let guilds = new Map<Guild, readonly Row[]>()
    let rows = new Map<string, Row>()
    const follow = () => {
      const { picture, status } = client.view()
      const asked = [...picture.values()].filter(({ id }) => guild === undefined || id === guild)
      guilds = new Map(asked.map((one) => [one, guilds.get(one) ?? rowsIn(one)]))
      const now = new Map([...guilds.values()].flat().map((row) => [getKey(row), row]))
      const messages: Message<Row>[] = []
      for (const [key, value] of now) {
        const before = rows.get(key)
        if (before === undefined) messages.push({ type: 'insert', value })
        else if (shallowEqual(before, value)) now.set(key, before)
        else messages.push({ type: 'update', value })
      }
      for (const key of rows.keys()) if (!now.has(key)) messages.push({ type: 'delete', key })
      if (messages.length > 0) {
        begin()
        for (const message of messages) write(message)
        commit()
      }
      rows = now
      if (status.complete) markReady()
    }
    const stop = client.subscribe(follow)
    follow()
    return stop
  }
  return { getKey, sync: { sync, rowUpdateMode: 'full' } }
}
