/**
 * How tabs share one stream, as a table: what each event does in each role. `STATES.md` has the
 * same table for people; a test compares the two, cell by cell. `share.ts` carries the effects out.
 */

export type Role =
  /** Nobody asks: no lock, no channel. */
  | 'off'
  /** In the queue for the lock; who leads, if anybody, has not answered yet. */
  | 'joining'
  /** Another tab has the stream; what it tells is taken in. */
  | 'following'
  /** Has the lock, and the stream for all. */
  | 'leading'
  /** A stream of its own, beside the others. */
  | 'alone'

export type ShareEvent =
  /** The connection has asked who is signed in, and would open a stream now. */
  | 'ready'
  /** Tabs cannot share here. */
  | 'barred'
  /** This tab has the lock. */
  | 'granted'
  /** Another tab has stolen the lock. */
  | 'stolen'
  /** The leader answers this tab's question. */
  | 'answered'
  /** The leader tells all what has changed. */
  | 'told'
  /** The leader that is followed lives, and has told no more than has come. */
  | 'beat'
  /** Another tab leads, or something that was told has not come. */
  | 'astray'
  /** Three beats are missing. */
  | 'silent'
  /** A tab says what it asks for, or goes. */
  | 'asked'
  /** This tab asks for something else. */
  | 'wanted'
  | 'due'
  /** What all ask for together is refused. */
  | 'refused'
  /** What this tab asks for is not to be had with the others. */
  | 'apart'
  /** Nobody asks any more, nobody looks, or nobody may: the session is over or is somebody else's. */
  | 'released'

export type ShareEffect =
  /** Opens the channel, queues for the lock. */
  | 'enter'
  /** Gives up lock, channel and clock. */
  | 'leave'
  /** Queues for the lock again. */
  | 'queue'
  /** Takes the lock from a tab that does not move. */
  | 'steal'
  /** Says what this tab asks for, and up to where it knows; in `joining` it is a question. */
  | 'hello'
  /** Says that this tab leads, and how fresh its picture is. */
  | 'lead'
  /** Answers the questions that can be answered by now. */
  | 'answer'
  /** Asks the server for what all tabs ask for. */
  | 'gather'
  /** The same for this tab alone. */
  | 'own'
  /** The same, and the picture with it. */
  | 'anew'
  /** Tells all that they cannot be asked for together, and asks for its own. */
  | 'split'
  /** Lets the connection that is ready open its stream. */
  | 'pass'
  /** Has the connection begin. */
  | 'start'
  /** Has it begin anew: who is signed in was asked long ago. */
  | 'afresh'
  /** Takes in what the leader says. */
  | 'take'

export type ShareCell = readonly [Role, ...ShareEffect[]]
export type ShareTable = Readonly<Record<Role, Readonly<Partial<Record<ShareEvent, ShareCell>>>>>

const granted: ShareCell = ['leading', 'lead', 'start', 'gather', 'pass']
/** Wherever there is a channel. */
const inside: ShareTable['off'] = {
  apart: ['alone', 'leave', 'anew', 'start', 'pass'],
  released: ['off', 'leave'],
}

/** A cell that is not here changes nothing. */
export const roles: ShareTable = {
  off: {
    ready: ['joining', 'enter', 'hello'],
    barred: ['alone', 'pass'],
    wanted: ['off', 'own'],
  },
  joining: {
    ...inside,
    ready: ['joining', 'hello'],
    barred: ['alone', 'leave', 'pass'],
    granted,
    answered: ['following', 'take'],
    astray: ['joining', 'hello'],
    silent: ['joining', 'steal', 'afresh'],
    wanted: ['joining', 'hello'],
  },
  following: {
    ...inside,
    granted,
    told: ['following', 'take'],
    beat: ['following', 'take', 'hello'],
    astray: ['joining', 'afresh'],
    silent: ['following', 'steal'],
    wanted: ['following', 'hello'],
  },
  leading: {
    ...inside,
    ready: ['leading', 'gather', 'pass'],
    stolen: ['joining', 'queue', 'afresh'],
    asked: ['leading', 'gather', 'answer'],
    wanted: ['leading', 'gather'],
    due: ['leading', 'gather', 'lead'],
    refused: ['leading', 'split'],
  },
  alone: {
    ready: ['alone', 'pass'],
    barred: ['alone', 'pass'],
    wanted: ['alone', 'own'],
    released: ['off'],
  },
}
