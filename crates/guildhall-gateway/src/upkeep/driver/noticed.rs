//! What one event means to rooms and lobbies.

use guildhall_http::driver_time::now;
use guildhall_model::{Change, ChannelId, Guild, GuildId, RoleId, UserId, guild::RoomInfo};
use guildhall_ports::room_store::RoomPhase;

use super::Driver;
use crate::upkeep::{
    idle_clocks::{IdleInput, OpenRoom},
    lobbies::{Guest, LobbyInput},
    unseen_names::is_lobby,
};

impl Driver {
    pub(super) fn notice(&mut self, guild_id: GuildId, change: &Change) {
        self.note_lobbies(guild_id, change);
        match change {
            Change::VoiceJoined(occupant) => {
                if occupant.bot && self.lobby_guilds.contains_key(&occupant.channel_id) {
                    self.bots.insert(occupant.user_id);
                }
                self.moved(guild_id, occupant.channel_id, occupant.user_id, true);
            }
            Change::VoiceLeft {
                previous_channel_id,
                user_id,
            } => self.moved(guild_id, *previous_channel_id, *user_id, false),
            // Discord's answer to whoever made it may have come before.
            Change::RoomCreated(room) if self.is_ours(room.info.channel_id) => {
                self.looks.ask(guild_id);
            }
            Change::RoomRights { channel_id, .. } if self.is_ours(*channel_id) => {
                self.looks.ask(guild_id);
            }
            Change::RoomDeleted { channel_id } => self.room_went(*channel_id),
            Change::RoleRemoved { role_id } => self.role_went(guild_id, *role_id),
            Change::GuildUnavailable | Change::GuildAvailable(_) => self.lose_guild(guild_id),
            Change::Gap { .. } | Change::GuildRemoved => {
                self.lose_guild(guild_id);
                self.repair_all(guild_id);
            }
            _ => {}
        }
    }

    /// Where lobbies are, and what else the settings name.
    pub(super) fn note_lobbies(&mut self, guild_id: GuildId, change: &Change) {
        self.names.notice(change);
        match change {
            Change::RoomCreated(room) => self.note_lobby(guild_id, &room.info),
            Change::GuildAvailable(Some(guild)) => self.guild_came(guild_id, guild),
            _ => {}
        }
    }

    pub(super) fn guild_came(&mut self, guild_id: GuildId, guild: &Guild) {
        self.names.guild_came(guild);
        for room in guild.rooms.values() {
            self.note_lobby(guild_id, &room.info);
        }
        let lobbies = &self.lobby_guilds;
        let there = guild.voice.values();
        let bots = there.filter(|it| it.bot && lobbies.contains_key(&it.channel_id));
        self.bots.extend(bots.map(|it| it.user_id));
    }

    pub(super) fn look_at_lobbies(&mut self) {
        for guild_id in self.lobby_guilds.values().copied().flatten() {
            self.looks.ask(guild_id);
        }
    }

    fn note_lobby(&mut self, guild_id: GuildId, room: &RoomInfo) {
        if !is_lobby(room) {
            return;
        }
        if let Some(of) = self.lobby_guilds.get_mut(&room.channel_id) {
            *of = Some(guild_id);
            self.looks.ask(guild_id);
        }
    }

    fn moved(&mut self, guild_id: GuildId, channel_id: ChannelId, user_id: UserId, came: bool) {
        if self
            .lobby_guilds
            .get(&channel_id)
            .is_some_and(Option::is_some)
        {
            if !self.bots.contains(&user_id) {
                let guest = Guest {
                    guild_id,
                    lobby: channel_id,
                    user_id,
                };
                let input = if came {
                    LobbyInput::Joined(guest, self.room_owned(guild_id, user_id))
                } else {
                    LobbyInput::WentAway(guest)
                };
                self.lobbies.handle(input, now());
            } else if !came {
                self.bots.remove(&user_id);
            }
        } else if self.is_ours(channel_id) {
            self.clocks.handle(IdleInput::Disturbed(channel_id), now());
            self.looks.ask(guild_id);
        }
    }

    /// Nothing is known of its rooms for the moment.
    fn lose_guild(&mut self, guild_id: GuildId) {
        let rooms = self.clocks.rooms();
        let rooms = rooms.filter(|room| room.guild_id == guild_id);
        let rooms: Vec<OpenRoom> = rooms.copied().collect();
        for room in rooms {
            self.unseen(guild_id, room.channel_id);
        }
        if self.lobby_guilds.values().any(|of| *of == Some(guild_id)) {
            self.looks.ask(guild_id);
        }
    }

    /// What Discord was like in between nobody knows.
    fn repair_all(&self, guild_id: GuildId) {
        let rooms = self.context.rooms.rooms();
        for room in rooms.iter().filter(|room| room.guild_id == guild_id) {
            self.executor.repair(room.number);
        }
    }

    /// A role is not there. If it let people into a room of ours, its owner has to be let in anew.
    fn role_went(&self, guild_id: GuildId, role_id: RoleId) {
        let rooms = self.context.rooms.rooms();
        let rooms = rooms.iter().filter(|room| {
            let is_open = matches!(room.phase, RoomPhase::Open { .. });
            is_open && room.guild_id == guild_id && room.role_id == Some(role_id)
        });
        for room in rooms {
            self.executor.repair(room.number);
        }
    }

    fn is_ours(&self, channel_id: ChannelId) -> bool {
        let room = self.context.rooms.by_channel(channel_id);
        room.is_some_and(|room| matches!(room.phase, RoomPhase::Open { .. }))
    }
}
