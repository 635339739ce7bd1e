//! The JSON of events. On the link `{"event": NAME, "payload": {"guildId", "ts", …}}` with
//! everything; to browsers the same payload without what is internal.

/// The link's form is read.
mod read;
/// Events of the live lane are read and made.
mod live;
/// Both forms are written.
mod write;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use serde_json::value::RawValue;

use super::{AudienceRule, EVENTS, Event, EventTable};

pub use read::EventError;

/// The payload of a public event as browsers get it (`docs/protocol/sse.md`): no rights in it.
pub struct PublicPayload<'a>(&'a Event);

/// The payload of the link's form, with everything. Beside [`crate::Change::name`] it is what
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
        (self.change.definition().audience != AudienceRule::Nobody).then_some(PublicPayload(self))
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
        LinkForm::deserialize(deserializer)?.event(EVENTS)
    }
}

impl Event {
    /// Reads the link's form, by the events of a table.
    pub fn from_json_by(table: EventTable, json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<LinkForm<'_>>(json)?.event(table)
    }
}

/// Plain, so that the payload is read once its name is known.
#[derive(Deserialize)]
struct LinkForm<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl LinkForm<'_> {
    fn event<E: de::Error>(&self, table: EventTable) -> Result<Event, E> {
        let event = Event::from_wire_by(table, &self.event, self.payload.get());
        event.map_err(E::custom)
    }
}
