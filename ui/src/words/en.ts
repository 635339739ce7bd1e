/** What the page's first view says, in English. The other languages have the same keys: the type is made of this one. */

import type { Obstacle } from '../shown'

const people = (count: number): string => (count === 1 ? '1 person' : `${count} people`)

export const en = {
  signIn: 'Sign in with Discord',

  // Header and account
  toContent: 'Skip to the rooms',
  account: (name: string) => `Account: ${name}`,
  signedInAs: (name: string) => `Signed in as ${name}`,
  language: 'Language',
  activity: 'Activity',

  // How fresh it is
  live: 'Live',
  connecting: 'Connecting…',
  reconnecting: 'Reconnecting…',
  maybeOld: 'What you see may be out of date.',
  refusedLine: 'The server refuses what this page asks for. Load it again.',
  linkDown: (time: string) => `The server lost its bot at ${time}. What you see may be out of date.`,
  resuming: (time: string) => `Discord has been reconnecting since ${time}. What was missed will appear.`,
  discordDown: (time: string) => `Discord has been out of reach since ${time}. What you see may be out of date.`,
  discordUnknown: 'Waiting for word from Discord…',
  obstacleLines: {
    'no-answer': 'The server does not answer. Trying again…',
    'no-network': 'There is no network. Trying again…',
    unavailable: 'The server is waiting for its bot. Trying again…',
    'too-many-streams': 'Too many pages are open at once. Trying again…',
  } satisfies Record<Obstacle, string> as Record<Obstacle, string>,
  obstacles: {
    'no-answer': ['The server does not answer', 'This page keeps trying and goes on by itself as soon as it does.'],
    'no-network': ['There is no network', 'This page goes on by itself as soon as there is.'],
    unavailable: [
      'The server cannot tell yet what you may see',
      'It is there, and waits for word from its bot. This page goes on by itself as soon as that comes.',
    ],
    'too-many-streams': [
      'Too many pages are open at once',
      'Close one that you do not need. This page keeps trying and goes on by itself as soon as there is room.',
    ],
  } satisfies Record<Obstacle, readonly [string, string]> as Record<Obstacle, readonly [string, string]>,
  refusedTitle: 'The server refuses what this page asks for',
  refusedText: 'It may be newer than this page.',
  reload: 'Load again',
  brokenTitle: 'This page has stumbled',
  brokenText: 'Something went wrong on this page. Nothing is lost: load it again.',
  loading: 'Loading the rooms…',

  // Sign-in outcomes
  denied: 'You did not let Discord sign you in here. You can try again whenever you like.',
  failed: 'Signing in did not work this time. Please try again.',
  notAdmitted: (why: string) => `You are signed in, but were not added to the server. ${why}`,
  notAdmittedOtherwise: 'You could not be let in just now.',

  // Lobby
  rooms: 'Voice rooms',
  noGuildTitle: 'No server to show',
  noGuildText: 'The bot shares no server with you. As soon as it does, its voice rooms appear here.',
  nobodyInVoice: 'Nobody in voice',
  inVoice: (count: number) => `${count} in voice`,
  outage: 'Discord has an outage of this server. This is how it was last seen.',
  noRoom: 'There is no voice room here that you may see.',
  withoutCategory: 'Rooms',
  nobodyHere: 'Nobody here',
  here: (count: number) => `${people(count)} here`,
  placesTaken: (count: number, limit: number) => `${count} of ${limit} places taken`,
  voiceRoom: 'Voice room',
  stage: 'Stage',
  locked: 'Locked',
  private: 'Private',
  yours: 'Yours',
  idle: (time: string) => `Nobody uses this room. It is removed at ${time}, unless somebody comes in or looks at it.`,
  simulated: 'This is a demo with a simulated Discord. Nothing moves until you move somebody.',
  simulatedOpen: 'Open the Discord side',

  // People
  you: 'You',
  unnamed: 'Without a name',
  bot: 'Bot',
  owner: 'Owner',
  audience: 'Audience',
  streaming: 'Streaming',
  camera: 'Camera on',
  muted: 'Muted',
  mutedByServer: 'Muted by the server',
  deafened: 'Deafened',
  deafenedByServer: 'Deafened by the server',
  since: (time: string) => `since ${time}`,

  newRoom: 'New room',
  close: 'Close',

  /** Why something was not done, by the server's code. English is the server's own language. */
  refusals: {} as Readonly<Record<string, string>>,
  /** Why an invite let nobody into its server. */
  admissions: {
    invite_invalid: 'The invite is not valid, or its room is gone.',
    invite_expired: "The invite's time is over.",
    invite_revoked: 'The invite was revoked.',
    no_seats_left: 'As many people as the invite is for have come.',
    room_locked: 'The room is locked; whoever owns it can open it.',
    blocked: 'Whoever owns the room keeps you out of it.',
    bot_forbidden: 'The bot may not add people there; whoever runs the server can change that.',
  } as Readonly<Record<string, string>>,
}

export type Words = typeof en
