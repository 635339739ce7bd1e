//! What happened in a guild.
//!
//! A [`Change`] is either *public*, one of the events that browsers know (`docs/protocol/sse.md`),
//! or *internal*: what changes rights (roles, overwrites, memberships), and who waits for a room to
//! come, is in the log like everything else, and never leaves the web role.

/// What the table says of each event.
mod definition;
/// What events say beside where and when.
mod payload;
/// Where and when an event was, and its payload, in one walk over its JSON.
mod payload_reader;
/// What a payload's type says of itself.
mod schema;
/// The live lane: the latest word about each key.
mod live;
/// With its JSON, at its place.
mod sealed;
/// What a stream says by itself.
mod stream;
/// The table: each event once.
mod table;
/// What browsers get, as OpenAPI schemas.
#[cfg(feature = "schema")]
pub mod components;
/// One event more, for tests.
#[cfg(any(test, feature = "arbitrary"))]
pub mod sample;
/// Both JSON forms: the link's, which has everything, and the browser's.
mod wire;
/// Which records of a guild are kept and counted together.
mod window;

use serde::Serialize;

use crate::{
    ChannelId, GuildId, Position, RoleId, UnixMs, UserId,
    guild::{Category, Guild, GuildInfo, Membership, Occupant, Role, Room, RoomInfo, RoomRights},
};

pub use definition::{
    AudienceRule, EventDefinition, EventTable, Family, FamilySet, Lane, ReadChange,
};
pub use live::{LiveEvent, LiveKey, LiveTable};
pub use payload::{
    Bare, EventPayload, GuildShown, IdlePayload, Interval, LiveFacts, LivePayload, RoomGone,
    VoiceLeft,
};
pub use payload_reader::PayloadReader;
pub use schema::PublicSchema;
pub use sealed::SealedEvent;
pub use stream::{
    ByePayload, ByeReason, CheckpointPayload, Discord, GuildPicture, LinkState, ResumedPayload,
    RoomPicture, SnapshotPayload, SnapshotReason, StatePayload, StatusPayload,
};
pub use table::{
    BYE, CHECKPOINT, EVENTS, GUILD_AVAILABLE, GUILD_REMOVED, GUILD_UNAVAILABLE, RESUMED,
    ROOM_HIDDEN, ROOM_SHOWN, SNAPSHOT, STATUS,
};
pub use window::Window;
pub use wire::{EventError, PublicPayload, WirePayload};

use table::ChangeVisitor;

/// One thing that happened in one guild.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Where it happened.
    pub guild_id: GuildId,
    /// When the gateway received the dispatch (or found out, if `synthetic`).
    pub ts: UnixMs,
    /// Found by a reconciliation rather than told by Discord.
    pub synthetic: bool,
    /// What happened.
    pub change: Change,
}

/// An event at its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The place just after the event.
    pub at: Position,
    /// The next event of the log belongs to the same *group*: what one cause, such as one dispatch
    /// of Discord's, did to one guild. The world between two events of a group never was, so
    /// nobody is shown it, and no position inside a group is one to go on from.
    pub more: bool,
    /// What happened.
    pub event: Event,
}

/// What happened, by kind. Names on the wire: [`Change::name`].
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `voice.joined`: somebody is in a room now. A move is `voice.left` then `voice.joined`.
    VoiceJoined(Occupant),
    /// `voice.left`.
    VoiceLeft {
        /// The room that was left. The new one, if any, is never named here.
        previous_channel_id: ChannelId,
        /// Who.
        user_id: UserId,
    },
    /// `voice.updated`: same person, same room; flags or names changed.
    VoiceUpdated(Occupant),
    /// `room.created`, with its rights, so that there is no moment when it has none.
    RoomCreated(Room),
    /// `room.updated`: what everybody may know changed. Rights: [`Change::RoomRights`].
    RoomUpdated(RoomInfo),
    /// `room.deleted`. Its people left before.
    RoomDeleted {
        /// The room.
        channel_id: ChannelId,
    },
    /// `room.idle`: nobody is in a room that Guildhall made, or somebody is again. The world is the
    /// same.
    RoomIdle {
        /// The room.
        channel_id: ChannelId,
        /// When it will be deleted; `None`: it stays after all.
        deletes_at: Option<UnixMs>,
    },
    /// `guild.available`. With the whole guild when it is new to the log; bare when a known guild
    /// came back, after the differences.
    GuildAvailable(Option<Box<Guild>>),
    /// `guild.unavailable`: an outage. Rooms and people are kept.
    GuildUnavailable,
    /// `guild.updated`: name or icon.
    GuildUpdated(GuildInfo),
    /// `guild.removed`: the bot is no longer in it.
    GuildRemoved,
    /// `gap`: an interval that state can't heal.
    Gap {
        /// Start of the interval.
        from: UnixMs,
        /// End of the interval.
        to: UnixMs,
    },

    /// `voice.pending`, internal: somebody's voice state names a channel that is not known as a
    /// room. A `voice.joined` or [`Change::VoicePendingRemoved`] ends it.
    VoicePending(Occupant),
    /// `voice.pending_removed`, internal: the channel or the person is gone before it was a room.
    VoicePendingRemoved {
        /// Who.
        user_id: UserId,
    },
    /// `owner.changed`, internal.
    OwnerChanged {
        /// The new owner, who may do everything.
        owner_id: UserId,
    },
    /// `role.set`, internal: a role is new or its permissions changed.
    RoleSet(Role),
    /// `role.removed`, internal.
    RoleRemoved {
        /// The role.
        role_id: RoleId,
    },
    /// `room.rights`, internal: overwrites, or whether the bot itself may view the channel.
    RoomRights {
        /// The room.
        channel_id: ChannelId,
        /// All of its rights.
        rights: RoomRights,
    },
    /// `category.set`, internal: a category is new, was renamed, or has other rights. The rooms in
    /// it that carry its name get a `room.updated` each.
    CategorySet {
        /// The category.
        channel_id: ChannelId,
        /// As it is now.
        category: Category,
    },
    /// `category.removed`, internal.
    CategoryRemoved {
        /// The category.
        channel_id: ChannelId,
    },
    /// `rights`, internal: what a watched user is in this guild. `None`: nobody asked for a day,
    /// forgotten.
    Rights {
        /// Who.
        user_id: UserId,
        /// As what, or `None` when forgotten.
        membership: Option<Membership>,
    },
    /// `rights.reset`, internal: what everybody is in this guild has to be asked anew, since nobody
    /// told us of changes for a while. Until their next `rights` nobody there was looked up.
    RightsReset,
    /// `room.knocked`, in tests alone: [`sample`].
    #[cfg(any(test, feature = "arbitrary"))]
    RoomKnocked(sample::Knock),
    /// An event of a newer gateway that this build does not know. It takes its place in the log
    /// and changes nothing.
    Unknown,
}

/// Whose rights decide whether somebody may be shown an event, and when (`ARCHITECTURE.md`,
/// "Where decisions hide").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Those who see this room after the event.
    Room(ChannelId),
    /// Those who saw this room before the event: it left the room or ended it.
    RoomBefore(ChannelId),
    /// Every member of the guild after the event.
    Guild,
    /// Every member of the guild before the event.
    GuildBefore,
    /// Nobody: internal.
    Nobody,
}

impl Change {
    /// Which event of the table this is.
    #[must_use]
    pub fn definition(&self) -> &'static EventDefinition {
        self.visit(Which).0
    }

    /// The event's name on every wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.definition().name
    }

    /// Who may be shown this.
    #[must_use]
    pub fn audience(&self) -> Audience {
        let (event, room) = self.visit(Which);
        match (event.audience, room) {
            (AudienceRule::RoomAfter, Some(room)) => Audience::Room(room),
            (AudienceRule::RoomBefore, Some(room)) => Audience::RoomBefore(room),
            (AudienceRule::GuildAfter, _) => Audience::Guild,
            (AudienceRule::GuildBefore, _) => Audience::GuildBefore,
            // What is about no room cannot be judged by one, and what only a stream says is in no
            // log: nobody rather than everybody.
            (
                AudienceRule::RoomAfter
                | AudienceRule::RoomBefore
                | AudienceRule::Viewer
                | AudienceRule::Nobody,
                _,
            ) => Audience::Nobody,
        }
    }

    /// The room a browser's `?channel=` filter matches: `channelId` or `previousChannelId`.
    #[must_use]
    pub fn channel(&self) -> Option<ChannelId> {
        match self.audience() {
            Audience::Room(channel) | Audience::RoomBefore(channel) => Some(channel),
            Audience::Guild | Audience::GuildBefore | Audience::Nobody => None,
        }
    }

    /// Whether it can change what somebody may see, beyond the room or guild that it is about.
    ///
    /// People moving count too: being connected to a room is a right to see it.
    #[must_use]
    pub fn touches_rights(&self) -> bool {
        // A known guild that is back has the rights that it had.
        self.definition().touches_rights && !matches!(self, Self::GuildAvailable(None))
    }
}

/// Which event of the table a change is, and the room that a public one is about.
struct Which;

impl ChangeVisitor for Which {
    type Output = (&'static EventDefinition, Option<ChannelId>);

    fn public<P: EventPayload>(self, event: &'static EventDefinition, payload: &P) -> Self::Output {
        (event, payload.room())
    }

    fn internal<P: Serialize>(self, event: &'static EventDefinition, _payload: &P) -> Self::Output {
        (event, None)
    }
}

#[cfg(test)]
mod tests;
