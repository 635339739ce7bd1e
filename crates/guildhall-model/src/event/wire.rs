//! The JSON of events. On the link `{"event": NAME, "payload": {"guildId", "ts", …}}` with
//! everything; to browsers the same payload without what is internal.

/// The link's form is read.
mod read;
/// Both forms are written.
mod write;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use serde_json::value::RawValue;

use super::{Change, Event};

pub use read::EventError;

/// The payload of a public event as browsers get it (`docs/protocol/sse.md`): no rights in it.
pub struct PublicPayload<'a>(&'a Event);

/// The payload of the link's form, with everything. Beside [`Change::name`] it is what
/// [`Event::from_wire`] reads.
pub struct WirePayload<'a>(&'a Event);

impl Event {
    /// The link's payload alone, for whoever keeps the name beside it.
    #[must_use]
    pub fn wire_payload(&self) -> WirePayload<'_> {
        WirePayload(self)
    }

    /// What a browser may be sent, if the event is public at all. Whether *this* browser may is
    /// the filter's business.
    #[must_use]
    pub fn public(&self) -> Option<PublicPayload<'_>> {
        (self.change.audience() != super::Audience::Nobody).then_some(PublicPayload(self))
    }
}

impl Change {
    /// The event's name on every wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::VoiceJoined(_) => "voice.joined",
            Self::VoiceLeft { .. } => "voice.left",
            Self::VoiceUpdated(_) => "voice.updated",
            Self::RoomCreated(_) => "room.created",
            Self::RoomUpdated(_) => "room.updated",
            Self::RoomDeleted { .. } => "room.deleted",
            Self::GuildAvailable(_) => "guild.available",
            Self::GuildUnavailable => "guild.unavailable",
            Self::GuildUpdated(_) => "guild.updated",
            Self::GuildRemoved => "guild.removed",
            Self::Gap { .. } => "gap",
            Self::VoicePending(_) => "voice.pending",
            Self::VoicePendingRemoved { .. } => "voice.pending_removed",
            Self::OwnerChanged { .. } => "owner.changed",
            Self::RoleSet(_) => "role.set",
            Self::RoleRemoved { .. } => "role.removed",
            Self::RoomRights { .. } => "room.rights",
            Self::CategorySet { .. } => "category.set",
            Self::CategoryRemoved { .. } => "category.removed",
            Self::Rights { .. } => "rights",
            Self::RightsReset => "rights.reset",
            Self::Unknown => "unknown",
        }
    }
}

/// The link's `data` of an event frame.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Event", 2)?;
        data.serialize_field("event", self.change.name())?;
        data.serialize_field("payload", &self.wire_payload())?;
        data.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            event: Cow<'a, str>,
            #[serde(borrow)]
            payload: &'a RawValue,
        }
        let data = Data::deserialize(deserializer)?;
        Self::from_wire(&data.event, data.payload.get()).map_err(de::Error::custom)
    }
}
