//! Who may see it. Only this folder makes a [`Visible`], and only what is visible is written to a
//! browser. What a room's visibility is, the model decides; here that is applied to records, guilds
//! and control events.

/// What a stream says about itself: the closed list of what needs no look at rights.
mod control;
/// What a viewer is in a guild, and the rooms they see.
mod rooms;
/// What of it a query asks for.
mod selector;
/// A guild as a whole: its picture, and that it comes or goes.
mod guild;

use std::sync::Arc;

use guildhall_model::{Change, event::Audience};

use crate::replica::{Record, StatusPayload};

pub(crate) use control::{ByeReason, ControlEvent, SnapshotReason};
pub(crate) use guild::{GuildNews, GuildPicture, Told, guild_news, picture};
pub(crate) use rooms::{Access, Sight};
pub(crate) use selector::Narrow;

/// Something that the viewer at hand may see. Only this file can make one.
#[derive(Clone, Debug)]
pub(crate) struct Visible<T>(T);

impl<T> Visible<T> {
    /// Looks at it.
    pub(crate) fn get(&self) -> &T {
        &self.0
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

/// Shows a record to a viewer who saw `before` of its guild and sees `after` now (design, "Which
/// rights judge a record"). `None`, as a sight, is no member.
pub(crate) fn show(
    record: &Arc<Record>,
    before: Option<&Sight>,
    after: Option<&Sight>,
    narrow: &Narrow,
) -> Option<Visible<Arc<Record>>> {
    let sees = match record.event.change.audience() {
        Audience::Room(room) => after.is_some_and(|sight| sight.rooms.contains(&room)),
        Audience::RoomBefore(room) => before.is_some_and(|sight| sight.rooms.contains(&room)),
        Audience::Guild => after.is_some(),
        Audience::GuildBefore => before.is_some(),
        Audience::Nobody => false,
    };
    (sees && narrow.asks_for(record)).then(|| Visible(Arc::clone(record)))
}

/// Whether what a viewer sees changed by this record in a way that the record itself does not
/// tell them, so that their picture has to be replaced.
pub(crate) fn picture_broke(
    record: &Record,
    before: Option<&Sight>,
    after: Option<&Sight>,
) -> bool {
    let (before, after) = match (before, after) {
        (None, None) => return false,
        (Some(before), Some(after)) => (&before.rooms, &after.rooms),
        _ => return true,
    };
    if matches!(record.event.change, Change::GuildAvailable(Some(_))) {
        return true;
    }
    let told = record.event.change.channel();
    let appeared = after.difference(before);
    let vanished = before.difference(after);
    let (mut appeared, mut vanished) = (appeared.peekable(), vanished.peekable());
    if appeared.peek().is_none() && vanished.peek().is_none() {
        return false;
    }
    match record.event.change {
        Change::RoomCreated(_) => {
            record.sudden || vanished.next().is_some() || appeared.any(|room| Some(*room) != told)
        }
        Change::RoomDeleted { .. } => {
            appeared.next().is_some() || vanished.any(|room| Some(*room) != told)
        }
        _ => true,
    }
}
