//! The live lane: for what is worthless late. Its events have no position, are in no journal and are
//! not replayed. What counts is the latest word about each key; so whoever is behind is told that
//! one, and whoever comes is told all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Error, value::RawValue};

use super::{EventDefinition, payload::LiveFacts};
use crate::{ChannelId, GuildId, UserId};

/// What a later word takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LiveKey {
    /// Where.
    pub guild_id: GuildId,
    /// The event's name.
    pub event: &'static str,
    /// Whom it is about.
    pub subject: UserId,
}

/// The latest word about something.
#[derive(Clone, Debug)]
pub struct LiveEvent {
    definition: &'static EventDefinition,
    guild_id: GuildId,
    facts: LiveFacts,
}

impl LiveEvent {
    pub(super) fn new(
        definition: &'static EventDefinition,
        guild_id: GuildId,
        facts: LiveFacts,
    ) -> Self {
        Self {
            definition,
            guild_id,
            facts,
        }
    }

    /// Which event of the table it is.
    #[must_use]
    pub fn definition(&self) -> &'static EventDefinition {
        self.definition
    }

    /// What a later word takes the place of.
    #[must_use]
    pub fn key(&self) -> LiveKey {
        LiveKey {
            guild_id: self.guild_id,
            event: self.definition.name,
            subject: self.facts.subject,
        }
    }

    /// The room that it is about.
    #[must_use]
    pub fn room(&self) -> Option<ChannelId> {
        self.facts.room
    }

    /// The payload for link and browser, as one line of JSON.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.facts.payload
    }
}

impl PartialEq for LiveEvent {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key() && self.facts == other.facts
    }
}

/// The link's `data` of a live frame.
impl Serialize for LiveEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = |json: &str| -> Result<Box<RawValue>, Error> { serde_json::from_str(json) };
        let payload = raw(self.payload()).map_err(serde::ser::Error::custom)?;
        let mut data = serializer.serialize_struct("LiveEvent", 2)?;
        data.serialize_field("event", self.definition.name)?;
        data.serialize_field("payload", &payload)?;
        data.end()
    }
}

/// The latest word about each key, each with a number of its own that rises: so a reader who keeps
/// the number of the last word it was told misses no key and costs no queue.
#[derive(Debug, Default)]
pub struct LiveTable {
    words: BTreeMap<LiveKey, (u64, Arc<LiveEvent>)>,
    /// By guild and number.
    order: BTreeSet<(GuildId, u64, LiveKey)>,
    last: u64,
}

impl LiveTable {
    /// The number of the last word. They begin at 1 and are not given out again.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Takes a word in, in place of the one before about the same.
    pub fn set(&mut self, event: Arc<LiveEvent>) {
        let key = event.key();
        self.last += 1;
        self.order.insert((key.guild_id, self.last, key));
        let before = self.words.insert(key, (self.last, event));
        if let Some((number, _)) = before {
            self.order.remove(&(key.guild_id, number, key));
        }
    }

    /// A guild's words after one number and up to another, in order.
    pub fn between(
        &self,
        guild_id: GuildId,
        after: u64,
        upto: u64,
    ) -> impl Iterator<Item = &Arc<LiveEvent>> {
        let after = after.saturating_add(1);
        let first = LiveKey {
            guild_id: GuildId(0),
            event: "",
            subject: UserId(0),
        };
        self.order
            .range((guild_id, after, first)..)
            .take_while(move |(guild, number, _)| *guild == guild_id && *number <= upto)
            .filter_map(|(_, _, key)| Some(&self.words.get(key)?.1))
    }

    /// Forgets a guild's words.
    pub fn forget(&mut self, guild_id: GuildId) {
        self.words.retain(|key, _| key.guild_id != guild_id);
        self.order.retain(|(guild, ..)| *guild != guild_id);
    }

    /// Forgets all words, because the whole is about to be told anew.
    pub fn clear(&mut self) {
        self.words.clear();
        self.order.clear();
    }
}
