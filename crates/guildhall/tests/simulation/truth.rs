//! Whether a bridge's world is what the simulator knows to be true.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use guildhall_model::{
    ChannelId, Guild, GuildId, Permissions, RoleId, UserId, World,
    guild::{OverwriteTarget, Room, RoomRights},
};

use crate::simulator_state::{self, SimulatorState};

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The bridged guilds; `None`: all of the bot's.
    pub(crate) guilds: Option<BTreeSet<GuildId>>,
    /// Whose rights have just been looked up, everywhere.
    pub(crate) watched: BTreeSet<UserId>,
}

impl Scope {
    pub(crate) fn bridges(&self, guild_id: GuildId) -> bool {
        self.guilds
            .as_ref()
            .is_none_or(|guilds| guilds.contains(&guild_id))
    }
}

/// Every difference, in words. Nothing is told of what an outage hides.
pub(crate) fn differences(world: &World, state: &SimulatorState, scope: &Scope) -> Vec<String> {
    let mut found = Found(Vec::new());
    let there = state.bridged().filter(|guild| scope.bridges(guild.id));
    let truth: BTreeMap<GuildId, &simulator_state::Guild> =
        there.map(|guild| (guild.id, guild)).collect();
    found.equal("guilds", &keys(&world.guilds), &keys(&truth));
    for (guild_id, guild) in &truth {
        let Some(known) = world.guilds.get(guild_id) else {
            continue;
        };
        let before = found.0.len();
        found.equal("available", &known.available, &guild.available);
        if guild.available {
            found.guild(known, guild, state);
            // What the bot itself is, whoever is watched.
            for user_id in scope.watched.iter().chain([&state.application.id]) {
                let membership = known.memberships.get(user_id);
                let what = format!("membership of {user_id}");
                found.equal(&what, &membership, &Some(&guild.membership(*user_id)));
            }
        }
        for line in &mut found.0[before..] {
            line.insert_str(0, &format!("guild {guild_id}: "));
        }
    }
    found.0
}

struct Found(Vec<String>);

impl Found {
    fn equal<T: PartialEq + Debug>(&mut self, what: &str, is: &T, truth: &T) {
        if is != truth {
            self.0
                .push(format!("{what} is {is:?}, and in truth {truth:?}"));
        }
    }

    fn guild(&mut self, known: &Guild, guild: &simulator_state::Guild, state: &SimulatorState) {
        self.equal("name", &known.info.name, &guild.name);
        self.equal("icon", &known.info.icon, &guild.icon);
        self.equal("owner", &known.owner_id, &guild.owner_id);
        let roles = guild.roles.iter().map(|role| (role.id, role.permissions));
        let roles: BTreeMap<RoleId, Permissions> = roles.collect();
        self.equal("roles", &known.roles, &roles);
        let categories = self.categories(known, guild);
        let rooms: BTreeSet<ChannelId> = guild.rooms().map(|room| room.id).collect();
        self.equal("rooms", &keys(&known.rooms), &rooms);
        for channel in guild.rooms() {
            if let Some(room) = known.rooms.get(&channel.id) {
                self.room(room, channel, &categories);
            }
        }
        let voice_states = guild.voice_states.iter();
        let people: BTreeSet<UserId> = voice_states
            .map(|voice_state| voice_state.user_id)
            .collect();
        self.equal("people in rooms", &keys(&known.voice), &people);
        for voice_state in &guild.voice_states {
            if let Some(there) = known.voice.get(&voice_state.user_id) {
                let mut truth = state.occupant(guild, voice_state);
                truth.since = there.since;
                self.equal("somebody in a room", there, &truth);
            }
        }
    }

    /// Those of true names; of a hidden one any name may be known.
    fn categories(
        &mut self,
        known: &Guild,
        guild: &simulator_state::Guild,
    ) -> BTreeMap<ChannelId, String> {
        let all = guild.channels.iter().filter(|one| one.is_category());
        let ids: BTreeSet<ChannelId> = all.clone().map(|one| one.id).collect();
        for channel in all.filter(|one| one.bot_sees) {
            let name = known.categories.get(&channel.id).map(|one| &one.name);
            self.equal("category", &name, &Some(&channel.name));
            if let Some(category) = known.categories.get(&channel.id) {
                self.overwrites(&category.rights, channel);
            }
        }
        let ghosts: Vec<_> = known
            .categories
            .keys()
            .filter(|id| !ids.contains(id))
            .collect();
        self.equal("categories that are gone", &ghosts, &Vec::new());
        let names = known.categories.iter();
        names.map(|(id, one)| (*id, one.name.clone())).collect()
    }

    fn room(
        &mut self,
        room: &Room,
        channel: &simulator_state::Channel,
        categories: &BTreeMap<ChannelId, String>,
    ) {
        let Some(kind) = channel.room_kind() else {
            return;
        };
        self.equal("kind", &room.info.kind, &kind);
        let what = format!("hidden {}", channel.id);
        self.equal(&what, &room.rights.obfuscated, &!channel.bot_sees);
        if !channel.bot_sees {
            return;
        }
        self.equal("room", &room.info, &channel.info(kind, categories));
        self.overwrites(&room.rights, channel);
    }

    fn overwrites(&mut self, rights: &RoomRights, channel: &simulator_state::Channel) {
        let known = rights.overwrites.iter().map(|one| {
            let (kind, id) = match one.target {
                OverwriteTarget::Role(role_id) => (0, role_id.0),
                OverwriteTarget::Member(user_id) => (1, user_id.0),
            };
            (kind, id, one.allow.0, one.deny.0)
        });
        let truth = channel.permission_overwrites.iter();
        let truth = truth.map(|one| (one.kind, one.id.0, one.allow, one.deny));
        let known: BTreeSet<(u8, u64, u64, u64)> = known.collect();
        let what = format!("overwrites of {}", channel.id);
        self.equal(&what, &known, &truth.collect());
    }
}

fn keys<K: Ord + Copy, V>(map: &BTreeMap<K, V>) -> BTreeSet<K> {
    map.keys().copied().collect()
}
