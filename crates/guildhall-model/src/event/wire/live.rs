//! Reads the link's form of an event of the live lane, and makes one.

use serde_json::{Error, from_str};

use super::{LinkForm, write::Stamped};
use crate::{
    GuildId, UnixMs,
    event::{
        AudienceRule, EventDefinition, EventTable, Family, Lane, LiveEvent, LivePayload,
        definition::PayloadType, payload::LiveFacts, payload_reader::Meta,
    },
};

impl LiveEvent {
    /// A word of this moment. `event`: an event of the live lane with payloads of this type.
    pub fn say<P: LivePayload>(
        event: &'static EventDefinition,
        guild_id: GuildId,
        ts: UnixMs,
        payload: &P,
    ) -> Self {
        let facts = LiveFacts::of(payload, &Stamped::told(guild_id, ts, payload));
        Self::new(event, guild_id, facts)
    }

    /// Reads the link's form, by the events of a table. `None`: it has none of this name in the
    /// live lane.
    pub fn from_json_by(table: EventTable, json: &str) -> Result<Option<Self>, Error> {
        let form: LinkForm<'_> = from_str(json)?;
        let Some(event) = table.find(&form.event) else {
            return Ok(None);
        };
        let Lane::Live(read) = event.lane else {
            return Ok(None);
        };
        let payload = form.payload.get();
        let meta: Meta = from_str(payload)?;
        Ok(Some(Self::new(event, meta.guild_id, read(payload)?)))
    }
}

impl EventDefinition {
    /// An event of the live lane, with the payload `P`.
    #[must_use]
    pub const fn live<P: LivePayload>(
        name: &'static str,
        family: Family,
        audience: AudienceRule,
    ) -> Self {
        Self {
            name,
            payload: PayloadType::of::<P>(),
            lane: Lane::Live(read::<P>),
            family,
            audience,
            touches_rights: false,
        }
    }
}

/// Reads a payload, and writes it again: what this build does not know goes no further.
fn read<P: LivePayload>(json: &str) -> Result<LiveFacts, Error> {
    let (meta, payload): (Meta, P) = (from_str(json)?, from_str(json)?);
    let stamped = Stamped::told(meta.guild_id, meta.ts, &payload);
    Ok(LiveFacts::of(&payload, &stamped))
}
