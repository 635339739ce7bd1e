// Written by `cargo xtask codegen` from docs/openapi.json: a change here is lost.

import * as k from '../zod/kinds.js'

/** A Discord id: a string, since it does not fit a double. */
export const Snowflake = /*@__PURE__*/ k.text({ pattern: "^\\d{1,20}$" })

export const BlockFromRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  userId: Snowflake,
})

/** Why a stream ends. */
export const ByeReason = /*@__PURE__*/ k.word(["draining","max_age","session_expired","session_revoked","too_many_streams","unavailable"])

/** The payload of `bye`: the stream ends here. */
export const ByePayload = /*@__PURE__*/ k.open({
  reason: ByeReason,
  retryMs: /*@__PURE__*/ k.whole({ min: 0 }),
})

export const ByeEvent = /*@__PURE__*/ k.open({
  data: ByePayload,
  event: /*@__PURE__*/ k.word(["bye"]),
})

export const CheckRoomExistsInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
})

export const CheckUserInVoiceChannelInput = /*@__PURE__*/ k.closed({
  guildId: Snowflake,
  userId: /*@__PURE__*/ k.maybe(Snowflake),
})

/** The payload of `checkpoint`: a heartbeat, or word of commands. */
export const CheckpointPayload = /*@__PURE__*/ k.open({
  now: /*@__PURE__*/ k.whole({ min: 0 }),
  settled: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.list(/*@__PURE__*/ k.text())),
})

export const CheckpointEvent = /*@__PURE__*/ k.open({
  data: CheckpointPayload,
  event: /*@__PURE__*/ k.word(["checkpoint"]),
})

export const ClaimRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
})

export const CloseRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
})

/** How far, in a word. */
export const OutcomeWord = /*@__PURE__*/ k.word(["done","queued","waiting"])

/** How far a command is. */
export const CommandOutcome = /*@__PURE__*/ k.open({
  discordUrl: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  doneAt: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.whole({ min: 0 })),
  outcome: OutcomeWord,
  position: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  until: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.whole({ min: 0 })),
})

export const ConnectUserToVoiceChannelInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  userId: /*@__PURE__*/ k.maybe(Snowflake),
})

export const CreateInviteInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  expiresInSeconds: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.whole({ min: 1, max: 2592000 })),
  seats: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.whole({ min: 1, max: 10000 })),
  singleUse: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.yesOrNo()),
})

export const CreateOverlayLinkInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  expiresInSeconds: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.whole({ min: 1, max: 2592000 })),
})

export const CreateRoomInput = /*@__PURE__*/ k.closed({
  guildId: Snowflake,
  limit: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.whole({ min: 0, max: 99 })),
  name: /*@__PURE__*/ k.text({ min: 1, max: 100 }),
  parentId: /*@__PURE__*/ k.maybe(Snowflake),
  private: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.yesOrNo()),
})

/** An invite that was made. */
export const CreatedInvite = /*@__PURE__*/ k.open({
  expiresAt: /*@__PURE__*/ k.whole({ min: 0 }),
  outcome: OutcomeWord,
  token: /*@__PURE__*/ k.text(),
  url: /*@__PURE__*/ k.text(),
})

/** An overlay link that was made. */
export const CreatedOverlayLink = /*@__PURE__*/ k.open({
  expiresAt: /*@__PURE__*/ k.whole({ min: 0 }),
  id: /*@__PURE__*/ k.text(),
  outcome: OutcomeWord,
  token: /*@__PURE__*/ k.text(),
  url: /*@__PURE__*/ k.text(),
})

/** A room that was made. */
export const CreatedRoom = /*@__PURE__*/ k.open({
  channelId: Snowflake,
  discordUrl: /*@__PURE__*/ k.text(),
  outcome: OutcomeWord,
  position: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
})

export const DisconnectInput = /*@__PURE__*/ k.closed({
  guildId: Snowflake,
})

/** How the connection to Discord is. */
export const Discord = /*@__PURE__*/ k.word(["live","resuming","down","unknown"])

export const EnsureUserInGuildInput = /*@__PURE__*/ k.closed({
  guildId: Snowflake,
})

/** What went wrong. */
export const ErrorReport = /*@__PURE__*/ k.open({
  code: /*@__PURE__*/ k.text(),
  fields: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.entries(/*@__PURE__*/ k.text())),
  message: /*@__PURE__*/ k.text(),
  missing: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.list(/*@__PURE__*/ k.text())),
  retryAfter: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.whole({ min: 0 })),
  signInUrl: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
})

/** Body of an error. */
export const ErrorBody = /*@__PURE__*/ k.open({
  error: ErrorReport,
})

/** Body of `POST /auth/exchange`. */
export const Exchange = /*@__PURE__*/ k.closed({
  token: /*@__PURE__*/ k.text(),
})

/** What every event about a guild begins with. */
export const Stamp = /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
})

/** An interval that state can't heal. */
export const Interval = /*@__PURE__*/ k.open({
  from: /*@__PURE__*/ k.whole({ min: 0 }),
  to: /*@__PURE__*/ k.whole({ min: 0 }),
})

export const GapEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  from: /*@__PURE__*/ k.whole({ min: 0 }),
  to: /*@__PURE__*/ k.whole({ min: 0 }),
}),
  event: /*@__PURE__*/ k.word(["gap"]),
})

export const GetVoiceChannelMembersInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
})

/** What kind of channel a room is. */
export const RoomKind = /*@__PURE__*/ k.word(["voice","stage"])

/** The public side of a room. */
export const RoomInfo = /*@__PURE__*/ k.open({
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  kind: RoomKind,
  locked: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  managed: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  name: /*@__PURE__*/ k.text(),
  ownerId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentName: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  position: /*@__PURE__*/ k.whole(),
  status: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  userLimit: /*@__PURE__*/ k.whole({ min: 0 }),
})

/** Flags of a Discord voice state. */
export const VoiceFlags = /*@__PURE__*/ k.open({
  deaf: /*@__PURE__*/ k.yesOrNo(),
  mute: /*@__PURE__*/ k.yesOrNo(),
  selfDeaf: /*@__PURE__*/ k.yesOrNo(),
  selfMute: /*@__PURE__*/ k.yesOrNo(),
  streaming: /*@__PURE__*/ k.yesOrNo(),
  suppressed: /*@__PURE__*/ k.yesOrNo(),
  video: /*@__PURE__*/ k.yesOrNo(),
})

/** Somebody in a room. */
export const Occupant = /*@__PURE__*/ k.open({
  deaf: /*@__PURE__*/ k.yesOrNo(),
  mute: /*@__PURE__*/ k.yesOrNo(),
  selfDeaf: /*@__PURE__*/ k.yesOrNo(),
  selfMute: /*@__PURE__*/ k.yesOrNo(),
  streaming: /*@__PURE__*/ k.yesOrNo(),
  suppressed: /*@__PURE__*/ k.yesOrNo(),
  video: /*@__PURE__*/ k.yesOrNo(),
  avatar: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  avatarUrl: /*@__PURE__*/ k.text(),
  bot: /*@__PURE__*/ k.yesOrNo(),
  channelId: Snowflake,
  displayName: /*@__PURE__*/ k.text(),
  since: /*@__PURE__*/ k.whole({ min: 0 }),
  userId: Snowflake,
  username: /*@__PURE__*/ k.text(),
})

/** A room with the people in it. */
export const RoomPicture = /*@__PURE__*/ k.open({
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  kind: RoomKind,
  locked: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  managed: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  name: /*@__PURE__*/ k.text(),
  ownerId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentName: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  position: /*@__PURE__*/ k.whole(),
  status: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  userLimit: /*@__PURE__*/ k.whole({ min: 0 }),
  members: /*@__PURE__*/ k.list(Occupant),
})

/** A guild as one viewer sees it. */
export const GuildPicture = /*@__PURE__*/ k.open({
  available: /*@__PURE__*/ k.yesOrNo(),
  icon: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  id: Snowflake,
  name: /*@__PURE__*/ k.text(),
  rooms: /*@__PURE__*/ k.list(RoomPicture),
})

/** A guild for browsers. Its picture differs from class to class: who adds it is the filter. */
export const GuildShown = /*@__PURE__*/ k.open({
  guild: /*@__PURE__*/ k.ifThere(GuildPicture),
})

export const GuildAvailableEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  guild: /*@__PURE__*/ k.ifThere(GuildPicture),
}),
  event: /*@__PURE__*/ k.word(["guild.available"]),
})

/** What a guild looks like from outside. */
export const GuildInfo = /*@__PURE__*/ k.open({
  icon: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  name: /*@__PURE__*/ k.text(),
})

/** Whether the asker is a member of a guild. */
export const GuildMembership = /*@__PURE__*/ k.open({
  member: /*@__PURE__*/ k.yesOrNo(),
})

export const GuildRemovedEvent = /*@__PURE__*/ k.open({
  data: Stamp,
  event: /*@__PURE__*/ k.word(["guild.removed"]),
})

export const GuildUnavailableEvent = /*@__PURE__*/ k.open({
  data: Stamp,
  event: /*@__PURE__*/ k.word(["guild.unavailable"]),
})

export const GuildUpdatedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  icon: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  name: /*@__PURE__*/ k.text(),
}),
  event: /*@__PURE__*/ k.word(["guild.updated"]),
})

export const HideRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.yesOrNo(),
})

/** Nobody is in a room that Guildhall made, and it goes, unless somebody comes. */
export const IdlePayload = /*@__PURE__*/ k.open({
  channelId: Snowflake,
  deletesAt: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.whole({ min: 0 })),
})

export const JoinRoomInput = /*@__PURE__*/ k.closed({
  token: /*@__PURE__*/ k.text({ min: 110, max: 110, pattern: "^[A-Za-z0-9_-]+$" }),
})

/** A room that somebody comes into by an invite. */
export const JoinedRoom = /*@__PURE__*/ k.open({
  channelId: Snowflake,
  discordUrl: /*@__PURE__*/ k.text(),
  doneAt: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.whole({ min: 0 })),
  outcome: OutcomeWord,
  position: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  until: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.whole({ min: 0 })),
})

export const KickFromRoomInput = /*@__PURE__*/ k.closed({
  allowReturn: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.yesOrNo()),
  channelId: Snowflake,
  userId: Snowflake,
})

/** Whether the link to the gateway is there. */
export const LinkState = /*@__PURE__*/ k.word(["up","down"])

export const LockRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  locked: /*@__PURE__*/ k.yesOrNo(),
})

/** A Discord user as shown to themselves. */
export const Profile = /*@__PURE__*/ k.open({
  avatarUrl: /*@__PURE__*/ k.text(),
  displayName: /*@__PURE__*/ k.text(),
  id: Snowflake,
  username: /*@__PURE__*/ k.text(),
})

/** Body of `GET /api/me`. */
export const Me = /*@__PURE__*/ k.open({
  discordUrl: /*@__PURE__*/ k.text(),
  expiresAt: /*@__PURE__*/ k.whole({ min: 0 }),
  guilds: /*@__PURE__*/ k.list(Snowflake),
  user: Profile,
})

/** Body of `POST /auth/refresh`. */
export const Refreshed = /*@__PURE__*/ k.open({
  expiresAt: /*@__PURE__*/ k.whole({ min: 0 }),
})

export const RenameRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  name: /*@__PURE__*/ k.text({ min: 1, max: 100 }),
})

/** How fresh all this is: the payload of `status`, and part of `snapshot` and `resumed`. */
export const StatusPayload = /*@__PURE__*/ k.open({
  discord: Discord,
  guildIds: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.list(Snowflake)),
  link: LinkState,
  since: /*@__PURE__*/ k.whole({ min: 0 }),
})

/** The payload of `resumed`: the cursor was honoured. */
export const ResumedPayload = /*@__PURE__*/ k.open({
  replayed: /*@__PURE__*/ k.whole({ min: 0 }),
  status: StatusPayload,
})

export const ResumedEvent = /*@__PURE__*/ k.open({
  data: ResumedPayload,
  event: /*@__PURE__*/ k.word(["resumed"]),
})

export const RevokeInviteInput = /*@__PURE__*/ k.counted({
  channelId: /*@__PURE__*/ k.maybe(Snowflake),
  token: /*@__PURE__*/ k.maybe(/*@__PURE__*/ k.text({ min: 110, max: 110, pattern: "^[A-Za-z0-9_-]+$" })),
}, { min: 1, max: 1 })

export const RevokeOverlayLinkInput = /*@__PURE__*/ k.closed({
  id: /*@__PURE__*/ k.text({ min: 1, max: 500, pattern: "^[A-Za-z0-9_-]+$" }),
})

export const RoomCreatedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  kind: RoomKind,
  locked: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  managed: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  name: /*@__PURE__*/ k.text(),
  ownerId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentName: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  position: /*@__PURE__*/ k.whole(),
  status: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  userLimit: /*@__PURE__*/ k.whole({ min: 0 }),
}),
  event: /*@__PURE__*/ k.word(["room.created"]),
})

/** A room is gone. */
export const RoomGone = /*@__PURE__*/ k.open({
  channelId: Snowflake,
})

export const RoomDeletedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
}),
  event: /*@__PURE__*/ k.word(["room.deleted"]),
})

/** Whether there is such a room. */
export const RoomExistence = /*@__PURE__*/ k.open({
  exists: /*@__PURE__*/ k.yesOrNo(),
})

export const RoomHiddenEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
}),
  event: /*@__PURE__*/ k.word(["room.hidden"]),
})

export const RoomIdleEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
  deletesAt: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.whole({ min: 0 })),
}),
  event: /*@__PURE__*/ k.word(["room.idle"]),
})

/** Who is in a room. */
export const RoomMembers = /*@__PURE__*/ k.open({
  members: /*@__PURE__*/ k.list(Occupant),
})

/** In which room somebody is. */
export const RoomOfUser = /*@__PURE__*/ k.open({
  channelId: /*@__PURE__*/ k.orNull(Snowflake),
})

export const RoomShownEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  kind: RoomKind,
  locked: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  managed: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  name: /*@__PURE__*/ k.text(),
  ownerId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentName: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  position: /*@__PURE__*/ k.whole(),
  status: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  userLimit: /*@__PURE__*/ k.whole({ min: 0 }),
  members: /*@__PURE__*/ k.list(Occupant),
}),
  event: /*@__PURE__*/ k.word(["room.shown"]),
})

export const RoomUpdatedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: Snowflake,
  hidden: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  kind: RoomKind,
  locked: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  managed: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  name: /*@__PURE__*/ k.text(),
  ownerId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentId: /*@__PURE__*/ k.ifThere(Snowflake),
  parentName: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  position: /*@__PURE__*/ k.whole(),
  status: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.text()),
  userLimit: /*@__PURE__*/ k.whole({ min: 0 }),
}),
  event: /*@__PURE__*/ k.word(["room.updated"]),
})

export const SetRoomLimitInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  limit: /*@__PURE__*/ k.whole({ min: 0, max: 99 }),
})

export const SetRoomStatusInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  status: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text({ max: 500 })),
})

/** Body of `POST /auth/logout`, which may be left out. */
export const SignOut = /*@__PURE__*/ k.closed({
  everywhere: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
})

/** Why a snapshot replaces what a browser has. */
export const SnapshotReason = /*@__PURE__*/ k.word(["no_cursor","epoch_changed","cursor_expired","authz_changed","slow_consumer"])

/** The payload of `snapshot`: the whole picture. */
export const SnapshotPayload = /*@__PURE__*/ k.open({
  guilds: /*@__PURE__*/ k.list(GuildPicture),
  reason: SnapshotReason,
  status: StatusPayload,
})

export const SnapshotEvent = /*@__PURE__*/ k.open({
  data: SnapshotPayload,
  event: /*@__PURE__*/ k.word(["snapshot"]),
})

/** The answer of `/api/state`. */
export const StatePayload = /*@__PURE__*/ k.open({
  cursor: /*@__PURE__*/ k.text(),
  guilds: /*@__PURE__*/ k.list(GuildPicture),
  status: StatusPayload,
})

export const StatusEvent = /*@__PURE__*/ k.open({
  data: StatusPayload,
  event: /*@__PURE__*/ k.word(["status"]),
})

export const VoiceJoinedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  deaf: /*@__PURE__*/ k.yesOrNo(),
  mute: /*@__PURE__*/ k.yesOrNo(),
  selfDeaf: /*@__PURE__*/ k.yesOrNo(),
  selfMute: /*@__PURE__*/ k.yesOrNo(),
  streaming: /*@__PURE__*/ k.yesOrNo(),
  suppressed: /*@__PURE__*/ k.yesOrNo(),
  video: /*@__PURE__*/ k.yesOrNo(),
  avatar: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  avatarUrl: /*@__PURE__*/ k.text(),
  bot: /*@__PURE__*/ k.yesOrNo(),
  channelId: Snowflake,
  displayName: /*@__PURE__*/ k.text(),
  since: /*@__PURE__*/ k.whole({ min: 0 }),
  userId: Snowflake,
  username: /*@__PURE__*/ k.text(),
}),
  event: /*@__PURE__*/ k.word(["voice.joined"]),
})

/** Somebody left a room. */
export const VoiceLeft = /*@__PURE__*/ k.open({
  channelId: /*@__PURE__*/ k.none(),
  previousChannelId: Snowflake,
  userId: Snowflake,
})

export const VoiceLeftEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  channelId: /*@__PURE__*/ k.none(),
  previousChannelId: Snowflake,
  userId: Snowflake,
}),
  event: /*@__PURE__*/ k.word(["voice.left"]),
})

export const VoiceUpdatedEvent = /*@__PURE__*/ k.open({
  data: /*@__PURE__*/ k.open({
  guildId: Snowflake,
  synthetic: /*@__PURE__*/ k.ifThere(/*@__PURE__*/ k.yesOrNo()),
  ts: /*@__PURE__*/ k.whole({ min: 0 }),
  deaf: /*@__PURE__*/ k.yesOrNo(),
  mute: /*@__PURE__*/ k.yesOrNo(),
  selfDeaf: /*@__PURE__*/ k.yesOrNo(),
  selfMute: /*@__PURE__*/ k.yesOrNo(),
  streaming: /*@__PURE__*/ k.yesOrNo(),
  suppressed: /*@__PURE__*/ k.yesOrNo(),
  video: /*@__PURE__*/ k.yesOrNo(),
  avatar: /*@__PURE__*/ k.orNull(/*@__PURE__*/ k.text()),
  avatarUrl: /*@__PURE__*/ k.text(),
  bot: /*@__PURE__*/ k.yesOrNo(),
  channelId: Snowflake,
  displayName: /*@__PURE__*/ k.text(),
  since: /*@__PURE__*/ k.whole({ min: 0 }),
  userId: Snowflake,
  username: /*@__PURE__*/ k.text(),
}),
  event: /*@__PURE__*/ k.word(["voice.updated"]),
})

/** One event of a stream: its `event:` and its `data:`. */
export const StreamEvent = /*@__PURE__*/ k.oneOf("event", [VoiceJoinedEvent, VoiceLeftEvent, VoiceUpdatedEvent, RoomCreatedEvent, RoomUpdatedEvent, RoomDeletedEvent, RoomShownEvent, RoomHiddenEvent, RoomIdleEvent, GuildAvailableEvent, GuildUnavailableEvent, GuildUpdatedEvent, GuildRemovedEvent, GapEvent, SnapshotEvent, ResumedEvent, StatusEvent, CheckpointEvent, ByeEvent])

export const TransferRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  userId: Snowflake,
})

export const UnblockFromRoomInput = /*@__PURE__*/ k.closed({
  channelId: Snowflake,
  userId: Snowflake,
})

/** What each call takes, and what it gives where it is not refused. */
export const operations = {
  blockFromRoom: { input: BlockFromRoomInput, answer: CommandOutcome },
  checkRoomExists: { input: CheckRoomExistsInput, answer: RoomExistence },
  checkUserInVoiceChannel: { input: CheckUserInVoiceChannelInput, answer: RoomOfUser },
  claimRoom: { input: ClaimRoomInput, answer: CommandOutcome },
  closeRoom: { input: CloseRoomInput, answer: CommandOutcome },
  connectUserToVoiceChannel: { input: ConnectUserToVoiceChannelInput, answer: CommandOutcome },
  createInvite: { input: CreateInviteInput, answer: CreatedInvite },
  createOverlayLink: { input: CreateOverlayLinkInput, answer: CreatedOverlayLink },
  createRoom: { input: CreateRoomInput, answer: CreatedRoom },
  disconnect: { input: DisconnectInput, answer: CommandOutcome },
  ensureUserInGuild: { input: EnsureUserInGuildInput, answer: GuildMembership },
  getVoiceChannelMembers: { input: GetVoiceChannelMembersInput, answer: RoomMembers },
  hideRoom: { input: HideRoomInput, answer: CommandOutcome },
  joinRoom: { input: JoinRoomInput, answer: JoinedRoom },
  kickFromRoom: { input: KickFromRoomInput, answer: CommandOutcome },
  lockRoom: { input: LockRoomInput, answer: CommandOutcome },
  renameRoom: { input: RenameRoomInput, answer: CommandOutcome },
  revokeInvite: { input: RevokeInviteInput, answer: CommandOutcome },
  revokeOverlayLink: { input: RevokeOverlayLinkInput, answer: CommandOutcome },
  setRoomLimit: { input: SetRoomLimitInput, answer: CommandOutcome },
  setRoomStatus: { input: SetRoomStatusInput, answer: CommandOutcome },
  transferRoom: { input: TransferRoomInput, answer: CommandOutcome },
  unblockFromRoom: { input: UnblockFromRoomInput, answer: CommandOutcome },
} as const
