//! What is kept of the rooms that Guildhall made, and of those that are being made: each is known from
//! its first moment, and until it is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{
    Change, ChannelId, Event, GuildId, World,
    guild::{Room, RoomInfo, RoomManagement},
};
use guildhall_ports::room_store::RoomNumber;

use crate::{ShardId, rooms::RoomDraft};

/// What is kept of the rooms that Guildhall made, those included that have not come yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ManagedRooms {
    kept: BTreeMap<(GuildId, ChannelId), RoomManagement>,
    /// Those of them that Discord has deleted, and the world still has.
    deleted: BTreeSet<(GuildId, ChannelId)>,
    /// Those that Discord was asked for, or is about to be, and did not answer about.
    making: BTreeMap<(GuildId, RoomNumber), RoomBeingMade>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct RoomBeingMade {
    draft: RoomDraft,
    /// The first that came and was like it.
    came: Option<ChannelId>,
}

impl ManagedRooms {
    pub(crate) fn new(
        kept: impl IntoIterator<Item = (GuildId, ChannelId, RoomManagement)>,
        being_made: impl IntoIterator<Item = (GuildId, RoomNumber, RoomDraft)>,
    ) -> Self {
        let kept = kept.into_iter();
        let being_made = being_made.into_iter();
        Self {
            kept: kept
                .map(|(guild_id, channel_id, management)| ((guild_id, channel_id), management))
                .collect(),
            deleted: BTreeSet::new(),
            making: being_made
                .map(|(guild_id, number, draft)| {
                    let making = RoomBeingMade { draft, came: None };
                    ((guild_id, number), making)
                })
                .collect(),
        }
    }

    /// Those in a shard's guilds.
    pub(crate) fn of_shard(&self, shard: ShardId) -> Self {
        let mut own = self.clone();
        own.kept.retain(|(guild_id, _), _| shard.has(*guild_id));
        own.deleted.retain(|(guild_id, _)| shard.has(*guild_id));
        own.making.retain(|(guild_id, _), _| shard.has(*guild_id));
        own
    }

    pub(crate) fn of(&self, guild_id: GuildId, channel_id: ChannelId) -> Option<RoomManagement> {
        self.kept.get(&(guild_id, channel_id)).copied()
    }

    /// INVARIANT(managed): whatever is told of a room says of it what is kept here, and nothing
    /// else.
    pub(crate) fn stamp(&mut self, event: &mut Event) {
        let guild_id = event.guild_id;
        match &mut event.change {
            Change::RoomCreated(room) => {
                self.recognise(guild_id, room);
                self.stamp_room(guild_id, &mut room.info);
            }
            Change::RoomUpdated(info) => self.stamp_room(guild_id, info),
            Change::RoomDeleted { channel_id } => {
                self.gone(guild_id, |deleted| deleted == *channel_id);
            }
            Change::GuildAvailable(Some(guild)) => {
                self.gone(guild_id, |deleted| !guild.rooms.contains_key(&deleted));
                for room in guild.rooms.values_mut() {
                    self.recognise(guild_id, room);
                    self.stamp_room(guild_id, &mut room.info);
                }
            }
            Change::GuildRemoved => self.gone(guild_id, |_| true),
            _ => {}
        }
    }

    fn stamp_room(&self, guild_id: GuildId, info: &mut RoomInfo) {
        info.managed = self.of(guild_id, info.channel_id);
    }

    /// The first room that is like one that is being made is that one, until Discord says otherwise.
    pub(crate) fn recognise(&mut self, guild_id: GuildId, room: &Room) {
        let key = (guild_id, room.info.channel_id);
        if self.kept.contains_key(&key) {
            return;
        }
        let of_guild = (guild_id, RoomNumber(0))..=(guild_id, RoomNumber(u64::MAX));
        let making = self.making.range_mut(of_guild).map(|(_, making)| making);
        let mut awaited = making.filter(|making| making.came.is_none());
        if let Some(making) = awaited.find(|making| making.draft.is_room(room)) {
            making.came = Some(room.info.channel_id);
            self.kept.insert(key, making.draft.management);
        }
    }

    /// The world has heard that they are deleted.
    fn gone(&mut self, guild_id: GuildId, is_gone: impl Fn(ChannelId) -> bool) {
        let kept = &mut self.kept;
        self.deleted.retain(|key| {
            let gone = key.0 == guild_id && is_gone(key.1);
            if gone {
                kept.remove(key);
            }
            !gone
        });
    }

    /// Discord is about to be asked for a room. Answers with another that was taken for it before, and
    /// is none of ours: so do the next two.
    pub(crate) fn asked(
        &mut self,
        guild_id: GuildId,
        number: RoomNumber,
        draft: RoomDraft,
    ) -> Option<ChannelId> {
        let wrong = self.not_made(guild_id, number);
        let making = RoomBeingMade { draft, came: None };
        self.making.insert((guild_id, number), making);
        wrong
    }

    /// It has made it.
    pub(crate) fn made(
        &mut self,
        (guild_id, number): (GuildId, RoomNumber),
        channel_id: ChannelId,
        management: RoomManagement,
    ) -> Option<ChannelId> {
        let came = self.making.get(&(guild_id, number)).and_then(|it| it.came);
        // It may have been taken for another one that was asked for in the same words.
        for (key, other) in &mut self.making {
            if *key != (guild_id, number) && other.came == Some(channel_id) {
                other.came = None;
            }
        }
        let wrong = if came == Some(channel_id) {
            self.making.remove(&(guild_id, number));
            None
        } else {
            self.not_made(guild_id, number)
        };
        self.manage(guild_id, channel_id, management);
        wrong
    }

    /// It did not make it, or nobody will ever know.
    pub(crate) fn not_made(&mut self, guild_id: GuildId, number: RoomNumber) -> Option<ChannelId> {
        let came = self.making.remove(&(guild_id, number))?.came?;
        let key = (guild_id, came);
        let is_wrong = !self.deleted.contains(&key) && self.kept.remove(&key).is_some();
        is_wrong.then_some(came)
    }

    /// This is kept of a room.
    pub(crate) fn manage(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        management: RoomManagement,
    ) {
        self.deleted.remove(&(guild_id, channel_id));
        self.kept.insert((guild_id, channel_id), management);
    }

    /// Discord has deleted a room. `is_there`: the world still has it.
    pub(crate) fn deleted(&mut self, guild_id: GuildId, channel_id: ChannelId, is_there: bool) {
        let key = (guild_id, channel_id);
        if !is_there {
            self.kept.remove(&key);
        } else if self.kept.contains_key(&key) {
            self.deleted.insert(key);
        }
    }

    /// The rooms of a world of which something else is kept, as they are.
    pub(super) fn differences(&self, world: &World) -> Vec<(GuildId, RoomInfo)> {
        let guilds = world.guilds.iter();
        let rooms = guilds.flat_map(|(guild_id, guild)| {
            let rooms = guild.rooms.values();
            rooms.map(|room| (*guild_id, &room.info))
        });
        rooms
            .filter(|(guild_id, info)| info.managed != self.of(*guild_id, info.channel_id))
            .map(|(guild_id, info)| (guild_id, info.clone()))
            .collect()
    }
}
