//! Rooms that Guildhall made: Discord knows nothing of what is kept of them, so it is told to the
//! working world, which puts it into each event about such a room.

use guildhall_model::{
    Change, ChannelId, Event, GuildId, UnixMs,
    guild::{RoomInfo, RoomManagement},
};
use guildhall_ports::room_store::RoomNumber;

use super::WorkingWorld;
use crate::inbox::{GuildSeen, Making, RoomOccupancy, SeenRoom};

impl WorkingWorld {
    /// The task begins: what an earlier process put into the log may not be what is kept.
    pub(super) fn reconcile_managed(&mut self, wall: UnixMs) {
        for (guild_id, guild) in &self.world.guilds {
            for room in guild.rooms.values() {
                self.managed.recognise(*guild_id, room);
            }
        }
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

    /// Something else is kept of a room; `None`: Discord has deleted it.
    pub(super) fn manage(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        management: Option<RoomManagement>,
        wall: UnixMs,
    ) {
        let Some(management) = management else {
            let is_there = self.room_info(guild_id, channel_id).is_some();
            self.managed.deleted(guild_id, channel_id, is_there);
            return;
        };
        self.managed.manage(guild_id, channel_id, management);
        self.tell_managed(guild_id, channel_id, wall);
    }

    /// How far the making of a room is.
    pub(super) fn making(
        &mut self,
        guild_id: GuildId,
        number: RoomNumber,
        making: Making,
        wall: UnixMs,
    ) {
        let managed = &mut self.managed;
        let (wrong, made) = match making {
            Making::Asked(draft) => (managed.asked(guild_id, number, *draft), None),
            Making::Made(channel_id, management) => {
                let wrong = managed.made((guild_id, number), channel_id, management);
                (wrong, Some(channel_id))
            }
            Making::NotMade => (managed.not_made(guild_id, number), None),
        };
        for channel_id in wrong.into_iter().chain(made) {
            self.tell_managed(guild_id, channel_id, wall);
        }
    }

    /// Tells what is kept of a room, if the world says something else.
    fn tell_managed(&mut self, guild_id: GuildId, channel_id: ChannelId, wall: UnixMs) {
        let kept = self.managed.of(guild_id, channel_id);
        let info = self.room_info(guild_id, channel_id);
        let other = info.filter(|info| info.managed != kept).cloned();
        self.emit_now(guild_id, other.map(Change::RoomUpdated), wall);
    }

    fn room_info(&self, guild_id: GuildId, channel_id: ChannelId) -> Option<&RoomInfo> {
        let guild = self.world.guilds.get(&guild_id)?;
        Some(&guild.rooms.get(&channel_id)?.info)
    }

    /// A room will be deleted, or stays after all.
    pub(super) fn idle(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        deletes_at: Option<UnixMs>,
        wall: UnixMs,
    ) {
        let is_there = self.room_info(guild_id, channel_id).is_some();
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
