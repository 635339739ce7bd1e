//! Two events more, for tests, one in each lane: what it takes to add one. Besides this file there is the kind of
//! change of the one in the log, that the table tells of it, and that the reducer takes it; link, filter, streams and
//! queries of the other crates are shown to follow from the row alone.

use serde::{Deserialize, Serialize};

use super::{
    AudienceRule, Change, EventDefinition, EventPayload, EventTable, Family, LiveEvent, LivePayload,
};
use crate::{ChannelId, GuildId, UserId};

/// Somebody knocks at a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Knock {
    /// At which.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
}

impl EventPayload for Knock {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

pub(super) static ROOM_KNOCKED: EventDefinition = EventDefinition::log::<Knock>(
    "room.knocked",
    Family::Knock,
    AudienceRule::RoomAfter,
    |json| json.read().map(Change::RoomKnocked),
);

/// A table of it alone.
pub static ONE_MORE: EventTable = EventTable(&[&ROOM_KNOCKED]);

/// An event of the live lane: somebody looks through a room's window.
pub static ROOM_PEEPED: EventDefinition =
    EventDefinition::live::<Peep>("room.peeped", Family::Knock, AudienceRule::RoomAfter);

/// A table of both.
pub static WITH_LIVE: EventTable = EventTable(&[&ROOM_KNOCKED, &ROOM_PEEPED]);

/// Who looks into which room, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peep {
    /// Into which.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// Until when, Unix ms.
    pub until: u64,
}

impl Peep {
    /// What is said of it.
    #[must_use]
    pub fn said(self, guild_id: GuildId) -> LiveEvent {
        LiveEvent::say(&ROOM_PEEPED, guild_id, self.until, &self)
    }
}

impl EventPayload for Peep {
    type Public = Self;

    fn public(&self) -> &Self {
        self
    }

    fn room(&self) -> Option<ChannelId> {
        Some(self.channel_id)
    }
}

impl LivePayload for Peep {
    fn subject(&self) -> UserId {
        self.user_id
    }
}
