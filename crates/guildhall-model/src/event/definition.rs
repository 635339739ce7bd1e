//! What the table of events says of each, and how the table is read.

use std::any;

use serde_json::Error;

use super::{
    Change, EventPayload, payload::LiveFacts, payload_reader::PayloadReader, schema::PublicSchema,
};

/// One event, defined once: all that link, journal, filter and document know of it.
#[derive(Debug)]
pub struct EventDefinition {
    /// Its name on every wire.
    pub name: &'static str,
    /// The type of what browsers get beside where and when.
    pub payload: PayloadType,
    /// How it travels.
    pub lane: Lane,
    /// The `?events=` that asks for it.
    pub family: Family,
    /// Whose rights judge it.
    pub audience: AudienceRule,
    /// Whether it can change what somebody may see, beyond the room or guild that it is about.
    pub touches_rights: bool,
}

/// What browsers get of an internal event: there is no value of it.
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(super) enum Internal {}

/// A payload's type.
#[derive(Clone, Copy, Debug)]
pub struct PayloadType {
    /// As Rust calls it.
    pub name: fn() -> &'static str,
    #[cfg(feature = "schema")]
    pub(super) schema: super::schema::PayloadSchema,
}

/// Reads the payload of the link's form.
pub type ReadChange = fn(&mut PayloadReader<'_>) -> Result<Change, Error>;

/// How an event travels.
#[derive(Clone, Copy, Debug)]
pub enum Lane {
    /// In the log, for what must not be missed: with a position, replayed, journaled. Here: how the
    /// payload of the link's form is read.
    Log(ReadChange),
    /// In no log, for what is worthless late: the latest word about each key counts. Here: how the
    /// payload is read.
    Live(fn(&str) -> Result<LiveFacts, Error>),
    /// A stream says it by itself, of what it knows: in no log and on no link.
    Stream,
}

/// What a browser's `?events=` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Always comes and cannot be asked for.
    Always,
    /// Who is in which room.
    Voice,
    /// Rooms that come, change and go.
    Room,
    /// In tests alone: [`super::sample`].
    #[cfg(any(test, feature = "arbitrary"))]
    Knock,
}

/// Families that a query asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FamilySet(u32);

/// Whose rights decide whether somebody may be shown an event, and when (`ARCHITECTURE.md`,
/// "Where decisions hide").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceRule {
    /// Those who see its room after the event.
    RoomAfter,
    /// Those who saw its room before the event: it left the room or ended it.
    RoomBefore,
    /// Every member of the guild after the event.
    GuildAfter,
    /// Every member of the guild before the event.
    GuildBefore,
    /// Whoever's stream it is: it is about the stream, and its payload says neither guild nor time.
    Viewer,
    /// Nobody: internal.
    Nobody,
}

/// Events by name. What reads one is handed it, so that a test can hand over another.
#[derive(Clone, Copy, Debug)]
pub struct EventTable(pub(super) &'static [&'static EventDefinition]);

impl EventDefinition {
    /// An event of the log for browsers. `read`: from the payload `P` of the link's form.
    pub(super) const fn log<P: EventPayload>(
        name: &'static str,
        family: Family,
        audience: AudienceRule,
        read: ReadChange,
    ) -> Self {
        Self {
            name,
            payload: PayloadType::of::<P::Public>(),
            lane: Lane::Log(read),
            family,
            audience,
            touches_rights: false,
        }
    }

    /// An event that a stream says by itself, with the payload `P`.
    pub(super) const fn of_stream<P: PublicSchema>(
        name: &'static str,
        family: Family,
        audience: AudienceRule,
    ) -> Self {
        Self {
            name,
            payload: PayloadType::of::<P>(),
            lane: Lane::Stream,
            family,
            audience,
            touches_rights: false,
        }
    }

    /// An event of the log that stays on this side of the filter.
    pub(super) const fn internal(name: &'static str, read: ReadChange) -> Self {
        Self {
            name,
            payload: PayloadType::of::<Internal>(),
            lane: Lane::Log(read),
            family: Family::Always,
            audience: AudienceRule::Nobody,
            touches_rights: false,
        }
    }

    /// The same event, which can change what somebody may see.
    pub(super) const fn touching_rights(self) -> Self {
        Self {
            touches_rights: true,
            ..self
        }
    }
}

impl PayloadType {
    pub(super) const fn of<P: PublicSchema>() -> Self {
        Self {
            name: any::type_name::<P>,
            #[cfg(feature = "schema")]
            schema: super::schema::PayloadSchema::of::<P>(),
        }
    }
}

impl EventTable {
    /// All of them, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = &'static EventDefinition> {
        self.0.iter().copied()
    }

    /// The event of this name, if this build knows it.
    #[must_use]
    pub fn find(self, name: &str) -> Option<&'static EventDefinition> {
        self.iter().find(|event| event.name == name)
    }

    /// The families that can be asked for, by their words, each once in the table's order.
    pub fn families(self) -> impl Iterator<Item = (&'static str, Family)> {
        let mut seen = FamilySet::default();
        self.iter().filter_map(move |event| {
            let name = event.family.name()?;
            let is_new = !seen.contains(event.family);
            seen = seen.with(event.family);
            is_new.then_some((name, event.family))
        })
    }

    /// All of its families.
    #[must_use]
    pub const fn all_families(self) -> FamilySet {
        let (mut all, mut next) = (FamilySet(0), 0);
        // A loop that constants may have.
        while next < self.0.len() {
            all = all.with(self.0[next].family);
            next += 1;
        }
        all
    }
}

impl Family {
    /// Its word in `?events=`. `None`: it cannot be asked for.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Always => None,
            Self::Voice => Some("voice"),
            Self::Room => Some("room"),
            #[cfg(any(test, feature = "arbitrary"))]
            Self::Knock => Some("knock"),
        }
    }
}

impl FamilySet {
    /// These and another.
    #[must_use]
    pub const fn with(self, family: Family) -> Self {
        match family {
            Family::Always => self,
            asked => Self(self.0 | 1 << asked as u32),
        }
    }

    /// Whether it is asked for, or comes without.
    #[must_use]
    pub const fn contains(self, family: Family) -> bool {
        matches!(family, Family::Always) || self.0 & (1 << family as u32) != 0
    }
}
