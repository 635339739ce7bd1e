//! A guild as a whole, for one viewer: its part of a snapshot, and that it comes, goes or is
//! looked up again.

use bytes::Bytes;
use guildhall_model::{GuildId, VisibleRooms, json};
use serde::Serialize;

use super::{Visible, access::Access, selector::Selector};
use crate::replica::GuildLog;

/// What a stream's browser has of a guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuildView {
    /// Nothing.
    Nothing,
    /// What it had before `guild.unavailable`, at most.
    Unavailable,
    /// All that the viewer sees.
    Everything,
}

/// A guild as a whole comes, goes or is looked up again, for one viewer.
#[derive(Debug)]
pub(crate) enum GuildAvailability {
    /// `guild.available`, with what the viewer sees of it now.
    Available(GuildSnapshot),
    /// `guild.unavailable`: nothing more of it until one of the others comes.
    Unavailable,
    /// `guild.removed`.
    Removed,
}

/// What a browser with this view of a guild has to be told now that its viewer is this to it, and
/// the view it has then. `log`: the guild as it is now, of which its snapshot is made.
pub(crate) fn availability_change(
    view: GuildView,
    access: &Access,
    id: GuildId,
    log: Option<&GuildLog>,
    selector: &Selector,
) -> (GuildView, Option<Visible<GuildAvailability>>) {
    match (view, access) {
        (GuildView::Nothing | GuildView::Unavailable, Access::Member(rooms)) => {
            match log.and_then(|log| guild_snapshot(id, log, rooms, selector)) {
                Some(Visible(snapshot)) => {
                    let change = GuildAvailability::Available(snapshot);
                    (GuildView::Everything, Some(Visible(change)))
                }
                None => (view, None),
            }
        }
        (GuildView::Everything, Access::Unknown) => (
            GuildView::Unavailable,
            Some(Visible(GuildAvailability::Unavailable)),
        ),
        (GuildView::Everything | GuildView::Unavailable, Access::Stranger | Access::Absent) => (
            GuildView::Nothing,
            Some(Visible(GuildAvailability::Removed)),
        ),
        (GuildView::Everything, Access::Member(_))
        | (GuildView::Unavailable, Access::Unknown)
        | (GuildView::Nothing, Access::Unknown | Access::Stranger | Access::Absent) => (view, None),
    }
}

/// One guild as a viewer sees it, ready to be joined into a snapshot.
#[derive(Debug)]
pub(crate) struct GuildSnapshot {
    /// `"id":…,"name":…,"icon":…,"available":…`, an open JSON object.
    pub(crate) head: Vec<u8>,
    /// The rooms in it, each a JSON object.
    pub(crate) rooms: Vec<Bytes>,
}

/// What a viewer sees of a guild: rooms in Discord's order, narrowed by channel, never by
/// event family. `None`: no such guild.
pub(crate) fn guild_snapshot(
    id: GuildId,
    log: &GuildLog,
    rooms: &VisibleRooms,
    selector: &Selector,
) -> Option<Visible<GuildSnapshot>> {
    let guild = log.guild()?;
    let mut head = json::to_vec(&GuildHead {
        id,
        name: &guild.info.name,
        icon: guild.info.icon.as_deref(),
        available: guild.available,
    });
    head.pop();
    let rooms = rooms
        .ids()
        .iter()
        .filter(|room| selector.asks_for_room(**room));
    let mut order: Vec<_> = rooms
        .map(|room| {
            (
                guild.rooms.get(room).map(|known| known.info.position),
                *room,
            )
        })
        .collect();
    order.sort_unstable();
    let rooms = order
        .into_iter()
        .filter_map(|(_, room)| log.room_fragment(room));
    Some(Visible(GuildSnapshot {
        head,
        rooms: rooms.collect(),
    }))
}

#[derive(Serialize)]
struct GuildHead<'a> {
    id: GuildId,
    name: &'a str,
    icon: Option<&'a str>,
    available: bool,
}
