/**
 * The live connection as a table: what each event does in each state. `STATES.md`
 * is the same table for people; a test compares the two, cell by cell.
 *
 * Nothing here waits, opens or tells: `connection.ts` carries the effects out.
 */

export type State =
  /** Nobody asks. The picture and the cursor are kept. */
  | 'idle'
  /** Nothing is known yet; it is being asked for, now or again soon. */
  | 'connecting'
  /** What is known is what is. */
  | 'live'
  /** Something is known; what came after it is being asked for. */
  | 'catching-up'
  /** Something is known and nothing comes; it is tried again soon. */
  | 'stale'
  /** The browser has no network; it is tried seldom, and at once when there is one. */
  | 'offline'
  /** The session is over. Nothing of it is kept. */
  | 'signed-out'
  /** For good: closed by the app, or by an answer that no repetition cures. */
  | 'ended'

export type Event =
  /** Somebody asks. */
  | 'started'
  /** Nobody asks any more, or nobody looks. */
  | 'released'
  /** The app has done with it. */
  | 'closed'
  | 'snapshot'
  | 'resumed'
  /** All that the resumed stream had to repeat has come. */
  | 'caught-up'
  /** The stream broke, or was not to be had. */
  | 'lost'
  /** The server ended the stream and said when to come back. */
  | 'bye'
  /** This person has too many streams. */
  | 'crowded'
  /** The session is over, and the app can vouch for its user. */
  | 'challenged'
  /** The session is over. */
  | 'unauthorized'
  /** The question is wrong and stays so. */
  | 'rejected'
  /** What is asked for is not there for this viewer. */
  | 'missing'
  /** The wait is over. */
  | 'due'
  /** Nothing came for so long that the stream must be dead. */
  | 'silent'
  | 'offline'
  | 'online'
  /** Something else is asked for than the open stream is about. */
  | 'asked'
  /** Somebody else is signed in now. */
  | 'account'

export type Effect =
  /** Begins an attempt at the cursor; what was open is closed. */
  | 'open'
  /** The same, with a session that the app vouches for anew. */
  | 'vouch'
  /** Closes whatever is open, and waits for nothing. */
  | 'shut'
  /** Shuts, and waits: longer with each failure in a row, and never all at once. */
  | 'later'
  /** Shuts, and waits as long as the server said. */
  | 'as-told'
  /** Shuts, and waits for minutes. */
  | 'much-later'
  /** Shuts, and tries now and then although there is no network. */
  | 'seldom'
  /** No failures in a row. */
  | 'settle'
  /** Drops the picture and the cursor. */
  | 'forget'
  /** Less patience with silence, once. */
  | 'doubt'

/** Where it goes: `trying` is `catching-up` where something is known, else `connecting`. */
type Cell = readonly [State | 'trying', ...Effect[]]

const over: Cell = ['signed-out', 'shut', 'forget']
const wrong: Cell = ['ended', 'shut']
const idle: Cell = ['idle', 'shut']
const another: Cell = ['connecting', 'forget', 'open']
const gone: Cell = ['connecting', 'forget', 'later']
const away: Cell = ['offline', 'seldom']
const later: Cell = ['stale', 'later']

type Row = Readonly<Partial<Record<Event, Cell>>>

/** Wherever something goes on. */
const going: Row = {
  released: idle,
  closed: wrong,
  unauthorized: over,
  account: another,
}
/** Where there is an attempt or a stream. */
const open: Row = {
  ...going,
  rejected: wrong,
  missing: gone,
}
/** The same with a picture. */
const known: Row = {
  ...open,
  lost: later,
  bye: ['stale', 'as-told'],
  crowded: ['stale', 'much-later'],
  challenged: ['catching-up', 'vouch'],
  asked: ['catching-up', 'open'],
}

/** A cell that is not here changes nothing. */
export const table: Readonly<Record<State, Row>> = {
  idle: {
    started: ['trying', 'open'],
    closed: wrong,
    unauthorized: over,
    account: ['idle', 'forget'],
  },
  connecting: {
    ...open,
    snapshot: ['live', 'settle'],
    // There was no cursor to honour.
    resumed: gone,
    lost: ['connecting', 'later'],
    bye: ['connecting', 'as-told'],
    crowded: ['connecting', 'much-later'],
    challenged: ['connecting', 'vouch'],
    due: ['connecting', 'open'],
    silent: ['connecting', 'later'],
    offline: away,
    online: ['connecting', 'open'],
    asked: ['connecting', 'open'],
  },
  live: {
    ...known,
    silent: ['catching-up', 'open'],
    // A server on this machine needs no network: the stream itself tells.
    offline: ['live', 'doubt'],
    online: ['live', 'doubt'],
  },
  'catching-up': {
    ...known,
    snapshot: ['live', 'settle'],
    resumed: ['catching-up', 'settle'],
    'caught-up': ['live'],
    silent: later,
    offline: away,
    online: ['catching-up', 'open'],
  },
  stale: {
    ...going,
    due: ['catching-up', 'open'],
    offline: away,
    online: ['catching-up', 'open'],
  },
  offline: {
    ...going,
    due: ['trying', 'open'],
    online: ['trying', 'open'],
  },
  'signed-out': {
    started: ['connecting', 'open'],
    closed: wrong,
    account: ['connecting', 'open'],
  },
  ended: {
    unauthorized: ['ended', 'forget'],
    account: ['ended', 'forget'],
  },
}

export interface Place {
  readonly state: State
  /** Whether there is a picture. */
  readonly known: boolean
}

export interface Step extends Place {
  readonly effects: readonly Effect[]
}

/** What `event` does at `place`. */
export const step = ({ state, known }: Place, event: Event, rules = table): Step => {
  const [target, ...effects] = rules[state][event] ?? [state]
  const knows = !effects.includes('forget') && (known || (event === 'snapshot' && target === 'live'))
  return { state: target !== 'trying' ? target : knows ? 'catching-up' : 'connecting', known: knows, effects }
}
