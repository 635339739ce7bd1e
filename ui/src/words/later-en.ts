/** What is said beyond the first view, in English: it comes with what says it. */

/** Who, what they do, where, and the rest of it: the names stand out and keep their own direction. */
type Sentence = readonly [who: string, does: string, where: string, rest?: string]

export const laterEn = {
  // Account
  signOut: 'Sign out',
  signOutEverywhere: 'Sign out everywhere',
  signOutEverywhereHint: 'Ends your sessions in all browsers.',
  signingOut: 'Signing out…',
  notSignedOut: 'You are not signed out yet. Try again.',

  // Landing
  landingTitle: 'Who is in voice right now?',
  landingText: 'The voice rooms of your Discord servers, live. See who is there, make a room of your own, send one link.',
  signInReads: 'Only your name and your list of servers are read. You see here what you may see in Discord.',
  landingSample: 'An evening, for example',
  landingPoints: [
    ['Live', 'Whoever comes, moves or leaves does so here in the same moment.'],
    ['Yours', 'A room for tonight: name it, lock it, hand it on. It goes when nobody needs it.'],
    ['By one link', 'Friends sign in and are in the room. Nobody searches for the right channel.'],
  ],

  // Create a room
  newRoomIn: (guild: string) => `New room in ${guild}`,
  name: 'Name',
  nameHint: 'A name, not only blanks',
  limit: 'Places',
  limitHint: '0: no limit',
  privateChoice: 'Private',
  privateHint: 'Only people with your link see it and come in.',
  create: 'Create the room',
  creating: 'Creating…',
  cancel: 'Cancel',
  haveRoom: (name: string) => `You have a room here already: ${name}. Close it if a second one is refused.`,

  // Room page
  peopleHere: 'People',
  roomGoneTitle: 'This room is not here',
  roomGoneText: 'It was closed, or it is not open to you any more.',
  toLobby: 'To the rooms',
  joinInDiscord: 'Join in Discord',
  openInDiscord: 'Open in Discord',
  moveMe: 'Move me here',
  movingYou: 'Moving you…',
  leaveVoice: 'Leave',
  youAreHere: 'You are here.',
  isFull: 'The room is full.',
  isLocked: 'The room is locked: nobody new comes in.',
  waitingForVoice: 'You are in no voice channel yet. Join one, and you are moved here.',
  ownerGone: 'Whoever owns this room is not in it. After five minutes somebody who is here may take it over.',
  claim: 'Take the room over',

  // Owner's tools
  manage: 'Your room',
  rename: 'Rename',
  save: 'Save',
  saving: 'Saving…',
  queued: (time: string) => `Discord makes this wait: it is done at about ${time}.`,
  status: 'Status',
  statusHint: 'What goes on here; up to 500 characters.',
  lock: 'Lock',
  unlock: 'Unlock',
  lockHint: 'Nobody new comes in.',
  unlockHint: 'Invited people may come in again.',
  hide: 'Make private',
  show: 'Make public',
  hideHint: 'Only people who were let in see it.',
  showHint: 'Everybody who may see the category sees it.',
  closeRoom: 'Close the room',
  closeAsk: 'Close the room? It goes for everybody who is in it.',
  closeNow: 'Close it',
  keep: 'Keep it',
  personTools: (name: string) => `Tools for ${name}`,
  kick: 'Take out',
  kickHint: 'May not come back.',
  kickOnce: 'Take out once',
  kickOnceHint: 'May come back.',
  transfer: 'Make owner',
  transferHint: 'The room is theirs from then on.',
  transferAsk: (name: string) => `Hand the room over to ${name}? You cannot take it back.`,
  transferNow: 'Hand it over',

  // Invites
  invite: 'Invite people',
  inviteText: 'Whoever has this link may come in, for a day.',
  inviteLink: 'Invite link',
  makingLink: 'Making a link…',
  copy: 'Copy the link',
  copied: 'Copied.',
  copyByHand: 'Copy it from here.',
  qr: 'QR code of the invite link',
  revoke: 'Revoke all links',
  revoked: 'No link leads into this room any more.',
  lockedNoLink: 'While the room is locked, nobody comes in by a link.',

  // By invite
  invitedTitle: 'You are invited to a voice room',
  invitedText: 'Sign in with Discord to come in.',
  invitedReads:
    'Your name and your list of servers are read. If you are not on this server yet, Discord may ask whether you may be added to it.',
  join: 'Join the room',
  joining: 'Joining…',
  mayComeIn: (room: string) => `You may come into ${room}.`,
  theRoom: 'the room',
  youAreIn: (room: string) => `You are in ${room}.`,
  oneMoment: 'One moment…',
  inviteRoomGone: 'The room is no more, or no longer open to you.',
  inviteNotWhole: 'This link is not whole. Open it again as you were sent it, or ask for it anew.',
  signInByInvite: 'Sign in by this invite',

  // Out of voice
  droppedTitle: (room: string | null) => `You are out of ${room ?? 'the room'}`,
  droppedText: 'You left, you were taken out, or your connection broke. Nothing brings you back by itself.',
  movedText: (room: string) => `You were moved to ${room}.`,
  rejoin: 'Rejoin in Discord',
  stayOut: 'Stay out',

  // Activity
  activityEmpty: 'Nothing has happened since this page was opened.',
  activityLatency: 'How long the news took to come here from the bot',
  activityPace: (median: string) => `Half of the news took at most ${median} from the bot to this page.`,
  // A room is null when nobody knows its name: a language may need another form of the word in each sentence.
  came: (person: string, room: string | null): Sentence => [person, ' came into ', room ?? 'a room'],
  left: (person: string, room: string | null): Sentence => [person, ' left ', room ?? 'a room'],
  moved: (person: string, room: string | null): Sentence => [person, ' went to ', room ?? 'a room'],
  changed: (person: string, room: string | null): Sentence => [person, ' is seen or heard differently in ', room ?? 'a room'],
  roomOpened: (room: string | null): Sentence => ['', '', room ?? 'A room', ' opened'],
  roomChanged: (room: string | null): Sentence => ['', '', room ?? 'A room', ' changed'],
  roomClosed: (room: string | null): Sentence => ['', '', room ?? 'A room', ' is gone'],
  somebody: 'Somebody',
  ms: (count: string) => `${count} ms`,
}

export type LaterWords = typeof laterEn
