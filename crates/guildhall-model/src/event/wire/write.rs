//! Writes an event's payload: everything for the link, or what browsers get of it.

use serde::{Serialize, Serializer, ser::Error};

use super::{PublicPayload, WirePayload};
use crate::{
    Event, GuildId, UnixMs,
    event::{EventDefinition, EventPayload, table::ChangeVisitor},
};

impl Serialize for WirePayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        event.change.visit(ForLink { event, serializer })
    }
}

impl Serialize for PublicPayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        event.change.visit(ForBrowser { event, serializer })
    }
}

struct ForLink<'a, S> {
    event: &'a Event,
    serializer: S,
}

struct ForBrowser<'a, S> {
    event: &'a Event,
    serializer: S,
}

impl<S: Serializer> ChangeVisitor for ForLink<'_, S> {
    type Output = Result<S::Ok, S::Error>;

    fn public<P: EventPayload>(self, _: &'static EventDefinition, payload: &P) -> Self::Output {
        Stamped::new(self.event, payload).serialize(self.serializer)
    }

    fn internal<P: Serialize>(self, _: &'static EventDefinition, payload: &P) -> Self::Output {
        Stamped::new(self.event, payload).serialize(self.serializer)
    }
}

impl<S: Serializer> ChangeVisitor for ForBrowser<'_, S> {
    type Output = Result<S::Ok, S::Error>;

    fn public<P: EventPayload>(self, _: &'static EventDefinition, payload: &P) -> Self::Output {
        Stamped::new(self.event, payload.public()).serialize(self.serializer)
    }

    fn internal<P: Serialize>(self, event: &'static EventDefinition, _: &P) -> Self::Output {
        let name = event.name;
        Err(S::Error::custom(format!("{name} has no public form")))
    }
}

/// Where and when, then the payload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stamped<'a, P> {
    guild_id: GuildId,
    ts: UnixMs,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    synthetic: bool,
    #[serde(flatten)]
    payload: &'a P,
}

impl<'a, P> Stamped<'a, P> {
    fn new(event: &Event, payload: &'a P) -> Self {
        Self {
            synthetic: event.synthetic,
            ..Self::told(event.guild_id, event.ts, payload)
        }
    }

    /// As Discord told it.
    pub(super) fn told(guild_id: GuildId, ts: UnixMs, payload: &'a P) -> Self {
        Self {
            guild_id,
            ts,
            synthetic: false,
            payload,
        }
    }
}
