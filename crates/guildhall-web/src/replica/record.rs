//! One event of the log as the web role keeps it: serialised once, with what the filter needs.

use guildhall_model::{Change, ChannelId, Envelope, Event, Guild, Position, UserId};

use super::ViewerId;
use crate::sse::{self, EncodedEvent};

/// One event at its position, and its bytes on every browser's stream.
#[derive(Debug)]
pub(crate) struct Record {
    /// The position just after the event.
    pub(crate) at: Position,
    /// The group it is of: what one cause did.
    pub(crate) group: GroupSpan,
    /// The event, for the reducer and for judging who saw what in the past.
    pub(crate) event: Event,
    /// For whom it may change what they see.
    pub(crate) affects: Affects,
    /// A room was created with people already in it, whom the event alone does not show.
    pub(crate) reveals_occupants: bool,
    frame: Option<EncodedEvent>,
}

/// Where a group of events stands in the log.
///
/// INVARIANT(whole-groups): a cursor that is given to a browser is the beginning of a group or its
/// end, never a place between two of its events, where the world never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupSpan {
    /// The position before the first event of it.
    pub(crate) begin: u64,
    /// The position of the last.
    pub(crate) end: u64,
}

impl GroupSpan {
    /// Of what was handed over as a group, whatever its events say. `None`: nothing was.
    pub(crate) fn of(group: &[Envelope]) -> Option<Self> {
        let (first, last) = (group.first()?, group.last()?);
        Some(Self {
            begin: first.at.seq.saturating_sub(1),
            end: last.at.seq,
        })
    }

    /// The end, as a position. `at`: any in the same epoch of the log.
    pub(crate) fn cursor(self, at: Position) -> Position {
        at.at(self.end)
    }
}

/// For whom an event may change what they see, and which of the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affects {
    /// For nobody.
    Nobody,
    /// For this person, in every room.
    Person(UserId),
    /// For this person, who moved, in the rooms that they left and came into.
    Move {
        who: UserId,
        from: Option<ChannelId>,
        to: Option<ChannelId>,
    },
    /// For anybody, in this room: its rights changed, or it came or went.
    Room(ChannelId),
    /// For anybody, in every room.
    Everybody,
}

impl Record {
    /// Seals an event of a group into its record. `before`: the guild as it was just before.
    pub(crate) fn new(envelope: Envelope, group: GroupSpan, before: Option<&Guild>) -> Self {
        let Envelope { at, event, .. } = envelope;
        let cursor = group.cursor(at);
        let frame = event
            .public()
            .map(|payload| sse::encode(event.change.name(), cursor, &payload));
        Self {
            at,
            group,
            affects: Affects::of(&event.change, before),
            reveals_occupants: reveals_occupants(&event.change, before),
            event,
            frame,
        }
    }

    /// A public event as all streams have it; its `id:` is the end of the group. `None`: internal.
    pub(crate) fn frame(&self) -> Option<&EncodedEvent> {
        self.frame.as_ref()
    }

    /// Where a browser can go on that has its group: what its `id:` says.
    pub(crate) fn cursor(&self) -> Position {
        self.group.cursor(self.at)
    }

    /// Whether it is the last of its group.
    pub(crate) fn ends_group(&self) -> bool {
        self.at.seq >= self.group.end
    }

    /// Whether it may change what this viewer sees.
    pub(crate) fn may_affect(&self, viewer: ViewerId) -> bool {
        match self.affects {
            Affects::Nobody => false,
            Affects::Person(who) | Affects::Move { who, .. } => viewer.is(who),
            Affects::Room(_) | Affects::Everybody => true,
        }
    }

    /// What it costs in memory, near enough for a bound: its bytes, and about as much again for
    /// the event they were made of.
    pub(crate) fn cost(&self) -> usize {
        const FIXED: usize = 256;
        FIXED + 2 * self.frame.as_ref().map_or(0, EncodedEvent::len)
    }
}

impl Affects {
    fn of(change: &Change, before: Option<&Guild>) -> Self {
        match change {
            Change::Rights { user_id, .. } => Self::Person(*user_id),
            Change::VoiceLeft {
                user_id,
                previous_channel_id,
            } => Self::Move {
                who: *user_id,
                from: Some(*previous_channel_id),
                to: None,
            },
            Change::VoiceJoined(occupant) => {
                let was = before.and_then(|guild| guild.voice.get(&occupant.user_id));
                Self::Move {
                    who: occupant.user_id,
                    from: was.map(|was| was.channel_id),
                    to: Some(occupant.channel_id),
                }
            }
            // Rooms that come and go carry their rights with them.
            Change::RoomCreated(room) => Self::Room(room.info.channel_id),
            Change::RoomDeleted { channel_id } | Change::RoomRights { channel_id, .. } => {
                Self::Room(*channel_id)
            }
            change if change.touches_rights() => Self::Everybody,
            _ => Self::Nobody,
        }
    }
}

fn reveals_occupants(change: &Change, before: Option<&Guild>) -> bool {
    let (Change::RoomCreated(room), Some(before)) = (change, before) else {
        return false;
    };
    before.occupants(room.info.channel_id).next().is_some()
}
