//! Rooms of ours, from their making to their end, and that nothing is left of what failed.

/// Each step with each fault.
mod faults;
/// Random ones, with kills.
mod histories;
/// What Discord does after whoever asked for it has gone.
mod late;
/// Invites and seats.
mod invites;
/// What the log tells of them.
mod told;
/// What people may do with a room.
mod uses;

use std::collections::BTreeSet;

use guildhall_model::{
    Guild, Permissions,
    command::{InviteToken, Made},
    guild::{Overwrite, OverwriteTarget},
};
use guildhall_ports::room_store::{RoomPhase, RoomRecord};

use super::{
    discord::{BOT, CATEGORIES, with_a_bot},
    *,
};
use crate::rooms::{Lobby, RoomMode};

/// A channel that makes rooms.
const LOBBY: ChannelId = OTHER_ROOM;

fn settings(mode: RoomMode) -> RoomSettings {
    RoomSettings {
        parents: CATEGORIES.to_vec(),
        mode,
        lobbies: vec![Lobby {
            channel: LOBBY,
            template: "{name}'s table".to_owned(),
            limit: 3,
            parent: None,
            idle: Duration::from_mins(1),
        }],
        page: Some("https://page.test".to_owned()),
        guilds_join: true,
        ..RoomSettings::default()
    }
}

impl House {
    async fn with_rooms(mode: RoomMode) -> Self {
        Self::with_rooms_and(mode, CALL).await
    }

    async fn with_rooms_and(mode: RoomMode, call_time: Duration) -> Self {
        let house = Self::open_with(settings(mode), call_time).await;
        house.discord.change(with_a_bot);
        house
    }

    /// A room of somebody's.
    async fn room_of(&self, owner: UserId, private: bool) -> ChannelId {
        let result = self.give(by(owner, "", create(private))).await;
        channel_of(&result)
    }

    async fn invite(&self, owner: UserId, room: ChannelId, seats: Option<u32>) -> InviteToken {
        let command = Command::CreateInvite {
            guild_id: GUILD,
            channel_id: room,
            seats,
            single_use: false,
            expires_in_seconds: 3_600,
        };
        let result = self.give(by(owner, "", command)).await;
        match result.expect("an invite").made {
            Some(Made::Invite { token, .. }) => token,
            made => panic!("{made:?}"),
        }
    }

    fn record(&self, room: ChannelId) -> RoomRecord {
        self.rooms.by_channel(room).expect("a room of ours")
    }

    /// What is at Discord and in no record, or the other way round.
    fn orphans(&self) -> Vec<String> {
        let (guild, rooms) = (self.discord.guild(), self.rooms.rooms());
        let mut found = Vec::new();
        let mut known: BTreeSet<ChannelId> = [ROOM, OTHER_ROOM].into();
        for room in &rooms {
            match room.phase {
                RoomPhase::Open { channel_id } => {
                    if room.unsettled || !guild.rooms.contains_key(&channel_id) {
                        found.push(format!("not as its record says: {room:?}"));
                    }
                    if !known.insert(channel_id) {
                        found.push(format!("two records of {channel_id}"));
                    }
                    found.extend(self.strangers_in(&guild, room, channel_id));
                }
                // Nothing is known of it at Discord, which is looked at below.
                RoomPhase::Closing { channel_id: None } if room.role_id.is_none() => {}
                _ => found.push(format!("neither there nor gone: {room:?}")),
            }
        }
        let strays = guild.rooms.keys().filter(|id| !known.contains(id));
        found.extend(strays.map(|id| format!("a channel that nobody knows: {id}")));
        let with_roles = rooms.iter().filter(|room| room.role_id.is_some()).count();
        if self.discord.roles().len() != with_roles {
            found.push(format!("roles: {:?}", self.discord.roles()));
        }
        let messages = self.discord.messages();
        let strays = messages.iter().filter(|(room, _)| !known.contains(room));
        found.extend(strays.map(|(room, _)| format!("a message in {room}")));
        let owners: Vec<UserId> = rooms
            .iter()
            .filter(|room| is_open(room))
            .map(|it| it.owner_id)
            .collect();
        if owners.iter().collect::<BTreeSet<_>>().len() < owners.len() {
            found.push(format!("more rooms than one may have: {owners:?}"));
        }
        found
    }

    /// Overwrites for people who are neither the owner nor let in by an invite nor kept out, and a
    /// world that says something else than the record.
    fn strangers_in(&self, guild: &Guild, record: &RoomRecord, id: ChannelId) -> Vec<String> {
        let Some(room) = guild.rooms.get(&id) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let invited = self.rooms.invited_into(record.number);
        for one in &room.rights.overwrites {
            if let OverwriteTarget::Member(user) = one.target
                && user != BOT
                && user != record.owner_id
                && user != ANNA
                && !invited.contains(&user)
                && !one.deny.contains(Permissions::CONNECT)
            {
                found.push(format!("{user} is let into {id} by nobody"));
            }
        }
        for user in invited {
            if record.role_id.is_none() && !lets_in(&room.rights.overwrites, user) {
                found.push(format!("{user} has a seat in {id} and is not let in"));
            }
        }
        if room.info.managed != Some(crate::rooms::management_of(record)) {
            found.push(format!("{id} is told to be {:?}", room.info.managed));
        }
        found
    }

    /// Waits until nothing is left that should not be.
    async fn settles(&self) -> Result<(), Vec<String>> {
        let until = now() + PATIENCE;
        loop {
            let found = self.orphans();
            if found.is_empty() {
                return Ok(());
            }
            if now() >= until {
                return Err(found);
            }
            self.discord.moves_on(Duration::from_millis(50)).await;
        }
    }
}

fn is_open(room: &RoomRecord) -> bool {
    matches!(room.phase, RoomPhase::Open { .. })
}

fn create(private: bool) -> Command {
    Command::CreateRoom {
        guild_id: GUILD,
        name: "Table".to_owned(),
        limit: 4,
        parent_id: None,
        private,
    }
}

fn lock(channel_id: ChannelId, locked: bool) -> Command {
    Command::LockRoom {
        guild_id: GUILD,
        channel_id,
        locked,
    }
}

fn close(channel_id: ChannelId) -> Command {
    Command::CloseRoom {
        guild_id: GUILD,
        channel_id,
    }
}

fn join(channel_id: ChannelId, token: InviteToken) -> Command {
    Command::JoinRoom {
        guild_id: GUILD,
        channel_id,
        token,
    }
}

fn channel_of(result: &CommandResult) -> ChannelId {
    match result.as_ref().expect("made").made {
        Some(Made::Room { channel_id }) => channel_id,
        ref made => panic!("{made:?}"),
    }
}

fn overwrite_of(house: &House, room: ChannelId, target: OverwriteTarget) -> Option<Overwrite> {
    let guild = house.discord.guild();
    let overwrites = &guild.rooms[&room].rights.overwrites;
    overwrites.iter().find(|one| one.target == target).copied()
}

fn lets_in(overwrites: &[Overwrite], user: UserId) -> bool {
    let named = OverwriteTarget::Member(user);
    let mut overwrites = overwrites.iter();
    overwrites.any(|one| one.target == named && one.allow.contains(Permissions::CONNECT))
}
