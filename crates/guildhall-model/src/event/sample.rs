//! One event more, for tests: what it takes to add one. Besides this file there is its kind of
//! change, that the table tells of it, and that the reducer takes it; link, filter, streams and
//! queries of the other crates are shown to follow from the row alone.

use serde::{Deserialize, Serialize};
use serde_json::from_str;

use super::{AudienceRule, Change, EventDefinition, EventPayload, EventTable, Family};
use crate::{ChannelId, UserId};

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
    |json| from_str(json).map(Change::RoomKnocked),
);

/// A table of it alone.
pub static ONE_MORE: EventTable = EventTable(&[&ROOM_KNOCKED]);
