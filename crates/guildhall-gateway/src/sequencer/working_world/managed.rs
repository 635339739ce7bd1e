//! Rooms that Guildhall made: Discord knows nothing of what is kept of them, so it is told to the
//! working world, which puts it into each event about such a room.

use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Event, GuildId, UnixMs, World,
    guild::{RoomInfo, RoomManagement},
};

use super::WorkingWorld;
use crate::ShardId;
use crate::inbox::{GuildSeen, RoomOccupancy, SeenRoom};

/// What is kept of the rooms that Guildhall made, those included that have not come yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ManagedRooms(BTreeMap<(GuildId, ChannelId), RoomManagement>);

impl FromIterator<(GuildId, ChannelId, RoomManagement)> for ManagedRooms {
    fn from_iter<T: IntoIterator<Item = (GuildId, ChannelId, RoomManagement)>>(rooms: T) -> Self {
        let rooms = rooms.into_iter();
        Self(
            rooms
                .map(|(guild_id, channel_id, management)| ((guild_id, channel_id), management))
                .collect(),
        )
    }
}

impl ManagedRooms {
    /// Those in a shard's guilds.
    pub(crate) fn of_shard(&self, shard: ShardId) -> Self {
        let rooms = self.0.iter();
        let own = rooms.filter(|((guild_id, _), _)| shard.has(*guild_id));
        Self(own.map(|(key, management)| (*key, *management)).collect())
    }

    fn of(&self, guild_id: GuildId, channel_id: ChannelId) -> Option<RoomManagement> {
        self.0.get(&(guild_id, channel_id)).copied()
    }

    /// INVARIANT(managed): whatever is told of a room says of it what is kept here, and nothing
    /// else.
    pub(super) fn stamp(&self, event: &mut Event) {
        let guild_id = event.guild_id;
        match &mut event.change {
            Change::RoomCreated(room) => self.stamp_room(guild_id, &mut room.info),
            Change::RoomUpdated(info) => self.stamp_room(guild_id, info),
            Change::GuildAvailable(Some(guild)) => {
                for room in guild.rooms.values_mut() {
                    self.stamp_room(guild_id, &mut room.info);
                }
            }
            _ => {}
        }
    }

    fn stamp_room(&self, guild_id: GuildId, info: &mut RoomInfo) {
        info.managed = self.of(guild_id, info.channel_id);
    }

    /// The rooms of a world of which something else is kept, as they are.
    fn differences(&self, world: &World) -> Vec<(GuildId, RoomInfo)> {
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

impl WorkingWorld {
    /// The task begins: what an earlier process put into the log may not be what is kept.
    pub(super) fn reconcile_managed(&mut self, wall: UnixMs) {
        let differences = self.managed.differences(&self.world).into_iter();
        let events: Vec<Event> = differences
            .map(|(guild_id, info)| Event {
                guild_id,
                ts: wall,
                synthetic: true,
                change: Change::RoomUpdated(info),
            })
            .collect();
        self.emit(events);
    }

    /// Something else is kept of a room.
    pub(super) fn manage(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        management: Option<RoomManagement>,
        wall: UnixMs,
    ) {
        let key = (guild_id, channel_id);
        match management {
            Some(management) => _ = self.managed.0.insert(key, management),
            None => _ = self.managed.0.remove(&key),
        }
        let guild = self.world.guilds.get(&guild_id);
        let info = guild.and_then(|guild| Some(guild.rooms.get(&channel_id)?.info.clone()));
        let change = info
            .filter(|info| info.managed != management)
            .map(Change::RoomUpdated);
        self.emit_now(guild_id, change, wall);
    }

    /// A room will be deleted, or stays after all.
    pub(super) fn idle(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        deletes_at: Option<UnixMs>,
        wall: UnixMs,
    ) {
        let guild = self.world.guilds.get(&guild_id);
        let is_there = guild.is_some_and(|guild| guild.rooms.contains_key(&channel_id));
        let idle = is_there.then_some(Change::RoomIdle {
            channel_id,
            deletes_at,
        });
        self.emit_now(guild_id, idle, wall);
    }

    fn emit_now(&mut self, guild_id: GuildId, change: Option<Change>, wall: UnixMs) {
        self.emit(change.map(|change| Event {
            guild_id,
            ts: wall,
            synthetic: false,
            change,
        }));
    }

    /// Who is in these rooms.
    pub(super) fn occupants_of(
        &self,
        guild_id: GuildId,
        channels: &[ChannelId],
    ) -> GuildSeen<RoomOccupancy> {
        let guild = self.world.guilds.get(&guild_id);
        let occupancy = |channel_id: &ChannelId| {
            let guild = guild?;
            let room = guild.rooms.get(channel_id);
            let people = guild.occupants(*channel_id).map(|there| there.user_id);
            Some(RoomOccupancy {
                channel_id: *channel_id,
                exists: room.is_some(),
                readable: room.is_some_and(|room| !room.rights.obfuscated),
                users: people.collect(),
            })
        };
        GuildSeen {
            live: self.is_seen_live(guild_id),
            rooms: channels.iter().filter_map(occupancy).collect(),
        }
    }

    /// Which rooms there are.
    pub(super) fn rooms_of(&self, guild_id: GuildId) -> GuildSeen<SeenRoom> {
        let guild = self.world.guilds.get(&guild_id);
        let rooms = guild.into_iter().flat_map(|guild| guild.rooms.values());
        let seen = rooms.map(|room| SeenRoom {
            channel_id: room.info.channel_id,
            name: room.info.name.clone(),
            parent_id: room.info.parent_id,
            overwrites: room.rights.overwrites.clone(),
            obfuscated: room.rights.obfuscated,
        });
        GuildSeen {
            live: self.is_seen_live(guild_id),
            rooms: seen.collect(),
        }
    }

    fn is_seen_live(&self, guild_id: GuildId) -> bool {
        let guild = self.world.guilds.get(&guild_id);
        guild.is_some_and(|guild| guild.available) && self.is_guild_live(guild_id)
    }
}
