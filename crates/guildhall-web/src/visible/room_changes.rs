//! A record after which a viewer sees other rooms of a guild: what of it the record tells by itself,
//! and what they are told around it.

use std::sync::Arc;

use guildhall_model::{Change, ChannelId, VisibleRooms};

use super::{LogFrame, Selector, Visible, show};
use crate::replica::{Record, RoomTransitions, RoomsToTell, Untold};

/// How what somebody sees of a guild differs after a record, beyond what the record tells by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ViewDifference {
    /// In nothing.
    Nothing,
    /// They are a member before and after, and see other rooms.
    Rooms(RoomsAround),
    /// They became a member or are one no more, or the guild is told anew.
    Guild,
}

/// The rooms that a member is told of around a record, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomsAround {
    appear: Vec<ChannelId>,
    vanish: Vec<ChannelId>,
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
    if before == after {
        return ViewDifference::Nothing;
    }
    let mut rooms = RoomsAround::of(before, after);
    rooms.keep_asked_for(record, selector);
    if rooms.is_empty() {
        ViewDifference::Nothing
    } else {
        ViewDifference::Rooms(rooms)
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
        let rooms = RoomsAround::of(before, after);
        tell.shown.extend(rooms.appear);
        tell.hidden.extend(rooms.vanish);
    }
}

/// Shows a record to a member who sees other rooms after it than before: the rooms that appear, the
/// record, the rooms that vanish. `rooms`: those of [`view_difference`]; `transitions`: of the record.
pub(crate) fn show_with_rooms(
    record: &Arc<Record>,
    transitions: &RoomTransitions,
    rooms: &RoomsAround,
    [before, after]: [&VisibleRooms; 2],
    selector: &Selector,
) -> Result<Vec<Visible<LogFrame>>, Untold> {
    let mut frames = Vec::with_capacity(rooms.appear.len() + 1 + rooms.vanish.len());
    for room in &rooms.appear {
        let shown = transitions.shown(*room).ok_or(Untold::Missing)?;
        frames.push(Visible(LogFrame::Room(Arc::clone(shown))));
    }
    frames.extend(show(record, Some(before), Some(after), selector));
    for room in &rooms.vanish {
        let hidden = transitions.hidden(*room).ok_or(Untold::Missing)?;
        frames.push(Visible(LogFrame::Room(Arc::clone(hidden))));
    }
    Ok(frames)
}

fn tells_guild_anew(record: &Record) -> bool {
    matches!(record.event.change, Change::GuildAvailable(Some(_)))
}

impl RoomsAround {
    /// All by which what is seen differs.
    fn of(before: &VisibleRooms, after: &VisibleRooms) -> Self {
        Self {
            appear: after.difference(before).collect(),
            vanish: before.difference(after).collect(),
        }
    }

    /// Leaves those that are asked for and that the record does not tell of by itself: where nothing
    /// is asked about rooms, it tells of none.
    fn keep_asked_for(&mut self, record: &Record, selector: &Selector) {
        let is_told = selector.asks_for(record);
        let (shows, ends) = match &record.event.change {
            // Of a room with people in it, it would not tell the people.
            Change::RoomCreated(room) if is_told && !record.reveals_occupants => {
                (Some(room.info.channel_id), None)
            }
            Change::RoomDeleted { channel_id } if is_told => (None, Some(*channel_id)),
            _ => (None, None),
        };
        let is_left = |room: ChannelId, told: Option<ChannelId>| {
            Some(room) != told && selector.asks_for_room(room)
        };
        self.appear.retain(|room| is_left(*room, shows));
        self.vanish.retain(|room| is_left(*room, ends));
    }

    fn is_empty(&self) -> bool {
        self.appear.is_empty() && self.vanish.is_empty()
    }
}
