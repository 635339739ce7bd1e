//! A guild as a whole, for one viewer: the picture in a snapshot, and that it comes, goes or is
//! looked up anew.

use bytes::Bytes;
use guildhall_model::{GuildId, json};
use serde::Serialize;

use super::{
    Visible,
    rooms::{Access, Sight},
    selector::Narrow,
};
use crate::replica::GuildLog;

/// What a stream's browser has of a guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    Nothing,
    /// What it had before `guild.unavailable`, at most.
    Unavailable,
    /// All that the viewer sees.
    Everything,
}

/// A guild as a whole comes, goes or is looked up anew, for one viewer.
#[derive(Debug)]
pub(crate) enum GuildNews {
    /// `guild.available`, with what the viewer sees of it now.
    Available(GuildPicture),
    /// `guild.unavailable`: nothing more of it until one of the others comes.
    Unavailable,
    /// `guild.removed`.
    Removed,
}

/// What has to be told to somebody who was told so much and is now this to a guild, and what they
/// have been told then. `log`: the guild as it is now, of which its picture is drawn.
pub(crate) fn guild_news(
    told: Told,
    access: &Access,
    id: GuildId,
    log: Option<&GuildLog>,
    narrow: &Narrow,
) -> (Told, Option<Visible<GuildNews>>) {
    match (told, access) {
        (Told::Nothing | Told::Unavailable, Access::Member(sight)) => {
            match log.and_then(|log| picture(id, log, sight, narrow)) {
                Some(Visible(picture)) => {
                    let news = GuildNews::Available(picture);
                    (Told::Everything, Some(Visible(news)))
                }
                None => (told, None),
            }
        }
        (Told::Everything, Access::Unknown) => {
            (Told::Unavailable, Some(Visible(GuildNews::Unavailable)))
        }
        (Told::Everything | Told::Unavailable, Access::Stranger | Access::Absent) => {
            (Told::Nothing, Some(Visible(GuildNews::Removed)))
        }
        (Told::Everything, Access::Member(_))
        | (Told::Unavailable, Access::Unknown)
        | (Told::Nothing, Access::Unknown | Access::Stranger | Access::Absent) => (told, None),
    }
}

/// One guild as a viewer sees it, ready to be joined into a snapshot.
#[derive(Debug)]
pub(crate) struct GuildPicture {
    /// `"id":…,"name":…,"icon":…,"available":…`, an open JSON object.
    pub(crate) head: Vec<u8>,
    /// The rooms in it, each a JSON object.
    pub(crate) rooms: Vec<Bytes>,
}

/// Draws what a viewer sees of a guild: rooms in Discord's order, narrowed by channel, never by
/// event family. `None`: no such guild.
pub(crate) fn picture(
    id: GuildId,
    log: &GuildLog,
    sight: &Sight,
    narrow: &Narrow,
) -> Option<Visible<GuildPicture>> {
    let guild = log.guild()?;
    let mut head = json::to_vec(&GuildHead {
        id,
        name: &guild.info.name,
        icon: guild.info.icon.as_deref(),
        available: guild.available,
    });
    head.pop();
    let rooms = sight
        .rooms
        .iter()
        .filter(|room| narrow.asks_for_room(**room));
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
    Some(Visible(GuildPicture {
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
