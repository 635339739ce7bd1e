//! One event of the log as the web role keeps it: serialised once, with what a filter needs.

use bytes::Bytes;
use guildhall_model::{Change, Envelope, Event, Guild, Position, UserId};

use crate::sse;

/// One event at its place, and its bytes on every browser's stream.
#[derive(Debug)]
pub(crate) struct Record {
    /// The place just after the event.
    pub(crate) at: Position,
    /// The next record of the guild is of the same group: what one cause did.
    pub(crate) more: bool,
    /// The event, for the reducer and for judging who saw what in the past.
    pub(crate) event: Event,
    /// Whose sight it may change.
    pub(crate) touches: Touches,
    /// Something appeared that the event alone does not show: a room that was created with
    /// people already in it.
    pub(crate) sudden: bool,
    frame: Option<Bytes>,
}

/// Whose sight an event may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touches {
    /// Nobody's.
    Nothing,
    /// This person's: their membership, or the room they are connected to.
    Person(UserId),
    /// Anybody's: roles, owner, a room's rights, a room that comes or goes.
    Everybody,
}

/// What a browser's `?events=` names. Everything else always comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// `voice.*`
    Voice,
    /// `room.*`
    Room,
    /// `guild.*` and `gap`
    Always,
}

impl Record {
    /// Seals an event into its record. `before`: the guild as it was just before.
    pub(crate) fn new(envelope: Envelope, before: Option<&Guild>) -> Self {
        let Envelope { at, more, event } = envelope;
        let frame = event
            .public()
            .map(|payload| sse::encode(event.change.name(), at, &payload));
        Self {
            at,
            more,
            touches: Touches::of(&event.change),
            sudden: sudden(&event.change, before),
            event,
            frame,
        }
    }

    /// The bytes of a public event, shared by all streams. `None`: internal.
    pub(crate) fn frame(&self) -> Option<&Bytes> {
        self.frame.as_ref()
    }

    /// Which `?events=` it belongs to.
    pub(crate) fn family(&self) -> Family {
        match self.event.change {
            Change::VoiceJoined(_) | Change::VoiceLeft { .. } | Change::VoiceUpdated(_) => {
                Family::Voice
            }
            Change::RoomCreated(_) | Change::RoomUpdated(_) | Change::RoomDeleted { .. } => {
                Family::Room
            }
            _ => Family::Always,
        }
    }

    /// Whether it may change what this viewer sees.
    pub(crate) fn touches_viewer(&self, viewer: UserId) -> bool {
        match self.touches {
            Touches::Nothing => false,
            Touches::Person(user) => user == viewer,
            Touches::Everybody => true,
        }
    }

    /// What it costs in memory, near enough for a bound: its bytes, and about as much again for
    /// the event they were made of.
    pub(crate) fn cost(&self) -> usize {
        const FIXED: usize = 256;
        FIXED + 2 * self.frame.as_ref().map_or(0, Bytes::len)
    }
}

impl Touches {
    pub(crate) fn of(change: &Change) -> Self {
        match change {
            Change::Rights { user_id, .. } | Change::VoiceLeft { user_id, .. } => {
                Self::Person(*user_id)
            }
            Change::VoiceJoined(occupant) => Self::Person(occupant.user_id),
            // Rooms that come and go carry their rights with them.
            Change::RoomCreated(_) | Change::RoomDeleted { .. } => Self::Everybody,
            change if change.touches_rights() => Self::Everybody,
            _ => Self::Nothing,
        }
    }
}

fn sudden(change: &Change, before: Option<&Guild>) -> bool {
    let (Change::RoomCreated(room), Some(before)) = (change, before) else {
        return false;
    };
    before.occupants(room.info.channel_id).next().is_some()
}
