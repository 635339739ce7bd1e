//! A record after which a viewer sees other rooms of a guild: what of it the record tells by itself,
//! and what they are told around it.

use std::sync::Arc;

use guildhall_model::{Change, ChannelId, VisibleRooms};

use super::{LogFrame, Selector, Visible, show};
use crate::replica::{Record, RoomTransitions, RoomsToTell};

/// How what somebody sees of a guild differs after a record, beyond what the record tells by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewDifference {
    /// In nothing.
    Nothing,
    /// They are a member before and after, and see other rooms.
    Rooms,
    /// They became a member or are one no more, or the guild is told anew.
    Guild,
}

/// How what a viewer sees differs by a record. `None`, in place of the rooms, is no member.
pub(crate) fn view_difference(
    record: &Record,
    before: Option<&VisibleRooms>,
    after: Option<&VisibleRooms>,
    selector: &Selector,
) -> ViewDifference {
    let (before, after) = match (before, after) {
        (None, None) => return ViewDifference::Nothing,
        (Some(before), Some(after)) => (before, after),
        _ => return ViewDifference::Guild,
    };
    if tells_guild_anew(record) {
        return ViewDifference::Guild;
    }
    let same = before == after
        || (appeared(record, before, after, selector).next().is_none()
            && vanished(record, before, after, selector).next().is_none());
    if same {
        ViewDifference::Nothing
    } else {
        ViewDifference::Rooms
    }
}

/// Adds the rooms that a member may have to be told of around a record, whatever they ask for.
pub(crate) fn rooms_to_tell(
    record: &Record,
    before: &VisibleRooms,
    after: &VisibleRooms,
    tell: &mut RoomsToTell,
) {
    if !tells_guild_anew(record) {
        tell.shown.extend(after.difference(before));
        tell.hidden.extend(before.difference(after));
    }
}

/// Shows a record to a member who sees other rooms after it than before: the rooms that appear, the
/// record, the rooms that vanish. `transitions`: those of the record. `None`: what it takes is not
/// there, so they need a snapshot.
pub(crate) fn show_with_rooms(
    record: &Arc<Record>,
    transitions: Option<&RoomTransitions>,
    before: &VisibleRooms,
    after: &VisibleRooms,
    selector: &Selector,
) -> Option<Vec<Visible<LogFrame>>> {
    let mut frames = Vec::new();
    for room in appeared(record, before, after, selector) {
        let shown = transitions?.shown(room)?;
        frames.push(Visible(LogFrame::Room(Arc::clone(shown))));
    }
    frames.extend(show(record, Some(before), Some(after), selector));
    for room in vanished(record, before, after, selector) {
        let hidden = transitions?.hidden(room)?;
        frames.push(Visible(LogFrame::Room(Arc::clone(hidden))));
    }
    Some(frames)
}

fn tells_guild_anew(record: &Record) -> bool {
    matches!(record.event.change, Change::GuildAvailable(Some(_)))
}

/// The rooms that a record makes a member see without showing them itself: where nothing is asked
/// about rooms, it shows none.
fn appeared<'a>(
    record: &Record,
    before: &'a VisibleRooms,
    after: &'a VisibleRooms,
    selector: &'a Selector,
) -> impl Iterator<Item = ChannelId> + 'a {
    // Of a room with people in it, it would not tell the people.
    let shows = match &record.event.change {
        Change::RoomCreated(room) if !record.reveals_occupants && selector.asks_for(record) => {
            Some(room.info.channel_id)
        }
        _ => None,
    };
    let rooms = after.difference(before);
    rooms.filter(move |room| Some(*room) != shows && selector.asks_for_room(*room))
}

/// The rooms that a record takes from a member without saying so itself.
fn vanished<'a>(
    record: &Record,
    before: &'a VisibleRooms,
    after: &'a VisibleRooms,
    selector: &'a Selector,
) -> impl Iterator<Item = ChannelId> + 'a {
    let ends = match record.event.change {
        Change::RoomDeleted { channel_id } if selector.asks_for(record) => Some(channel_id),
        _ => None,
    };
    let rooms = before.difference(after);
    rooms.filter(move |room| Some(*room) != ends && selector.asks_for_room(*room))
}
