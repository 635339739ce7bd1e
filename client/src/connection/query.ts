/** What a stream is about. */
export interface Query {
  /** These guilds; undefined: all that the viewer is in. */
  readonly guilds?: readonly string[] | undefined
  /** The rooms on whose pages this person is: the server counts them as viewers. */
  readonly viewing: readonly string[]
}

/** As many guilds as one query may name. */
const GUILDS_AT_MOST = 100
const VIEWING_AT_MOST = 8

export const everything: Query = { viewing: [] }

/** One query that answers all of these. */
export const union = (queries: readonly Query[]): Query => {
  const guilds = queries.every((query) => query.guilds)
    ? distinct(queries.flatMap((query) => query.guilds ?? []))
    : undefined
  const viewing = distinct(queries.flatMap((query) => query.viewing)).slice(0, VIEWING_AT_MOST)
  return { guilds: guilds && guilds.length > GUILDS_AT_MOST ? undefined : guilds, viewing }
}

const distinct = (ids: readonly string[]): readonly string[] => [...new Set(ids)].sort()

/** Whether a picture for `wide` has all that `narrow` asks for. */
export const covers = (wide: Query, narrow: Query): boolean =>
  !wide.guilds || narrow.guilds?.every((guild) => wide.guilds?.includes(guild)) === true

export const sameQuery = (a: Query, b: Query): boolean => asSearch(a) === asSearch(b)

export const asSearch = ({ guilds = [], viewing }: Query, cursor?: string): string =>
  String(
    new URLSearchParams([
      ...guilds.map((guild) => ['guild', guild]),
      ...viewing.map((room) => ['viewing', room]),
      ...(cursor ? [['lastEventId', cursor]] : []),
    ]),
  )
