//! Who may see it: the only place that makes a `Visible`, and only what is visible can be
//! written to a browser. What a room's visibility is, the model decides.

/// What a stream says about itself.
mod control;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use guildhall_model::{
    ChannelId, Guild, GuildId, UserId, ViewerClass, event::Audience, json, world::Membership,
};
use serde::Serialize;

use crate::replica::{Family, GuildLog, Record, StatusPayload};

pub(crate) use control::{ByeReason, ControlEvent, SnapshotReason};

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

/// What one class of viewers sees of a guild at one place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    class: ViewerClass,
    rooms: BTreeSet<ChannelId>,
}

impl Sight {
    /// What a class sees of the guild as it is.
    pub(crate) fn of(class: ViewerClass, guild: &Guild) -> Self {
        let rooms = guild.rooms.keys().copied();
        let rooms = rooms.filter(|room| class.sees(guild, *room)).collect();
        Self { class, rooms }
    }

    /// The class.
    pub(crate) fn class(&self) -> &ViewerClass {
        &self.class
    }
}

/// What a viewer is to a guild at one place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// There is no such guild: the bot is not in it, or it has not come yet.
    Absent,
    /// Not looked up, or being looked up anew. Nothing of the guild is shown until it is known.
    Unknown,
    /// Discord said: no member.
    Stranger,
    /// A member, who sees this.
    Member(Sight),
}

impl Access {
    /// What a user is to a guild as it is.
    pub(crate) fn of(guild: Option<&Guild>, id: GuildId, user: UserId) -> Self {
        let Some(guild) = guild else {
            return Self::Absent;
        };
        let class = ViewerClass::of(id, guild, user);
        match (guild.memberships.get(&user), class) {
            (Some(Membership::Stranger), _) => Self::Stranger,
            (Some(Membership::Member { .. }), Some(class)) => Self::Member(Sight::of(class, guild)),
            (None, _) | (_, None) => Self::Unknown,
        }
    }

    /// What they see.
    pub(crate) fn sight(&self) -> Option<&Sight> {
        match self {
            Self::Member(sight) => Some(sight),
            Self::Absent | Self::Unknown | Self::Stranger => None,
        }
    }
}

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

/// What of a class's sight a query asks for. `channels`: sorted; `None` is all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Narrow {
    pub(crate) channels: Option<Box<[ChannelId]>>,
    pub(crate) voice: bool,
    pub(crate) room: bool,
}

impl Narrow {
    /// Everything.
    pub(crate) const ALL: Self = Self {
        channels: None,
        voice: true,
        room: true,
    };

    fn asks_for_room(&self, channel: ChannelId) -> bool {
        let listed = |channels: &[ChannelId]| channels.binary_search(&channel).is_ok();
        self.channels.as_deref().is_none_or(listed)
    }

    fn asks_for(&self, record: &Record) -> bool {
        let family = match record.family() {
            Family::Voice => self.voice,
            Family::Room => self.room,
            Family::Always => true,
        };
        let channel = record.event.change.channel();
        family && channel.is_none_or(|channel| self.asks_for_room(channel))
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
    if matches!(
        record.event.change,
        guildhall_model::Change::GuildAvailable(Some(_))
    ) {
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
        guildhall_model::Change::RoomCreated(_) => {
            record.sudden || vanished.next().is_some() || appeared.any(|room| Some(*room) != told)
        }
        guildhall_model::Change::RoomDeleted { .. } => {
            appeared.next().is_some() || vanished.any(|room| Some(*room) != told)
        }
        _ => true,
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
