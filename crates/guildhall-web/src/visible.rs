//! Who may see it. Only this folder makes a [`Visible`], and only what is visible is written to a
//! browser. What a room's visibility is, the model decides; here that is applied to records, guilds
//! and control events.

/// What a stream says about itself: the closed list of what needs no look at rights.
mod control;
/// What a viewer is in a guild.
mod access;
/// What of it a query asks for.
mod selector;
/// What a stream is sent at one place of a log.
mod log_frame;
/// What somebody is told of whom a record shows other rooms.
mod room_changes;
/// A guild as a whole: its snapshot, and that it comes or goes.
mod guild;
/// What a question about a room or a person is answered.
mod answer;
/// What a command is answered.
mod command_answer;

use std::sync::Arc;

use guildhall_model::{
    VisibleRooms,
    event::{Audience, AudienceRule, LiveEvent, StatusPayload},
    json,
};
use serde::Serialize;

use crate::replica::Record;

pub(crate) use access::{Access, view};
pub(crate) use answer::{
    GuildMembership, RoomExistence, RoomMembers, RoomOfUser, membership, room_exists, room_members,
    room_of,
};
pub(crate) use command_answer::{
    CommandAnswer, CommandOutcome, CommandSubject, CreatedInvite, CreatedOverlayLink, CreatedRoom,
    JoinedRoom,
};
pub(crate) use control::ControlEvent;
pub(crate) use guild::{
    GuildAvailability, GuildSnapshot, GuildView, availability_change, guild_snapshot,
};
pub(crate) use log_frame::{HeldFrame, LogFrame};
pub(crate) use room_changes::{ViewDifference, rooms_to_tell, show_with_rooms, view_difference};
pub(crate) use selector::Selector;

/// Something that the viewer at hand may see. Only this folder can make one.
#[derive(Clone, Debug)]
pub(crate) struct Visible<T>(T);

impl<T> Visible<T> {
    /// What is visible.
    pub(crate) fn get(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> Visible<T> {
    /// The same as JSON.
    pub(crate) fn into_json(self) -> Visible<Vec<u8>> {
        Visible(json::to_vec(&self.0))
    }
}

impl Visible<Vec<u8>> {
    /// To be written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Visible<ControlEvent> {
    /// A control event may be seen by every viewer.
    pub(crate) fn control(event: ControlEvent) -> Self {
        Self(event)
    }
}

impl Visible<StatusPayload> {
    /// So may the status, which is part of snapshots, too.
    pub(crate) fn status(status: StatusPayload) -> Self {
        Self(status)
    }
}

/// Shows a record to a viewer who saw `before` in its guild and sees `after` now. Which of the two
/// counts, the event says: [`Audience`]. `None`, in their place, is no member.
pub(crate) fn show(
    record: &Arc<Record>,
    before: Option<&VisibleRooms>,
    after: Option<&VisibleRooms>,
    selector: &Selector,
) -> Option<Visible<LogFrame>> {
    let sees = match record.event.change.audience() {
        Audience::Room(room) => after.is_some_and(|rooms| rooms.contains(room)),
        Audience::RoomBefore(room) => before.is_some_and(|rooms| rooms.contains(room)),
        Audience::Guild => after.is_some(),
        Audience::GuildBefore => before.is_some(),
        Audience::Nobody => false,
    };
    (sees && selector.asks_for(record)).then(|| Visible(LogFrame::Record(Arc::clone(record))))
}

/// Shows a word of the live lane to a viewer who sees `now`. There is no before: what is said counts
/// at the moment in which it is read.
pub(crate) fn show_live(
    event: &Arc<LiveEvent>,
    now: Option<&VisibleRooms>,
    selector: &Selector,
) -> Option<Visible<Arc<LiveEvent>>> {
    let (rooms, definition) = (now?, event.definition());
    let sees = match definition.audience {
        AudienceRule::RoomAfter => event.room().is_some_and(|room| rooms.contains(room)),
        AudienceRule::GuildAfter => true,
        AudienceRule::RoomBefore
        | AudienceRule::GuildBefore
        | AudienceRule::Viewer
        | AudienceRule::Nobody => false,
    };
    let asked = selector.asks_for_event(definition.family, event.room());
    (sees && asked).then(|| Visible(Arc::clone(event)))
}
