//! Ten thousand people in five hundred channels.

use super::{
    Appears, Channel, ChannelKind, ChannelSettings, Event, Overwrite, OverwriteKind, Permissions,
    Presence, Role, User, World, seed::BRIDGE, voice_start,
};
use crate::snowflake::Snowflake;

const NAME: &str = "The Great Concourse";
const MEMBERS: usize = 10_000;
const CATEGORIES: usize = 20;
/// With the categories, Discord's most.
const CHANNELS: usize = 500;
const ROLES: usize = 40;
/// One in so many is in a voice channel.
const TALKING: usize = 10;

const FIRST: [&str; 20] = [
    "Ada", "Bram", "Cleo", "Dara", "Emil", "Fenna", "Goro", "Hana", "Ivo", "Jun", "Kaya", "Leif",
    "Mara", "Nils", "Oona", "Pavel", "Rhea", "Sefa", "Tova", "Wim",
];
const LAST: [&str; 20] = [
    "Ashdown",
    "Birch",
    "Calder",
    "Dunmore",
    "Elmhurst",
    "Fairweather",
    "Greenwood",
    "Hollis",
    "Ironside",
    "Juniper",
    "Kestrel",
    "Larkin",
    "Moss",
    "Northgate",
    "Oakley",
    "Penrose",
    "Quarry",
    "Rowe",
    "Stirling",
    "Thorne",
];

impl World {
    /// Adds the big guild, with the bot in it, unless it stands already.
    pub(crate) fn add_big_guild(&mut self) -> Option<Event> {
        if self.guilds.iter().any(|guild| guild.name == NAME) {
            return None;
        }
        let (id, owner) = (self.new_id(), self.person(0));
        let mut guild = self.bare_guild(id, NAME, owner);
        let mut roles = Vec::new();
        for place in 0..ROLES {
            let is_bots = place + 1 == ROLES;
            let role_id = self.new_id();
            let role = Role {
                id: role_id,
                name: if is_bots {
                    "Doorkeeper".to_owned()
                } else {
                    format!("Guild of {}", LAST[place % LAST.len()])
                },
                color: 0,
                position: u16::try_from(place + 1).unwrap_or(u16::MAX),
                permissions: if is_bots {
                    Permissions(BRIDGE)
                } else {
                    Permissions::NONE
                },
                hoist: false,
                mentionable: false,
                bot_id: is_bots.then_some(self.bot_id()),
            };
            guild.roles.insert(role_id, role);
            roles.push(role_id);
        }
        let owner = self.new_member(owner, Vec::new());
        guild.members.insert(owner.user_id, owner);
        let bot = self.new_member(self.bot_id(), roles.last().copied().into_iter().collect());
        guild.members.insert(bot.user_id, bot);
        let load_user = self.metronome();
        guild.load_user_id = Some(load_user);
        let member = self.new_member(load_user, Vec::new());
        guild.members.insert(load_user, member);
        for number in 1..=MEMBERS - guild.members.len() {
            let user_id = self.person(number);
            let own = roles.get(number % (ROLES - 1)).copied();
            let member = self.new_member(user_id, own.into_iter().collect());
            guild.members.insert(user_id, member);
        }
        let rooms = self.rooms(&mut guild, &roles);
        let talking: Vec<_> = std::iter::once(load_user)
            .chain(
                guild
                    .members
                    .iter()
                    .map(|member| member.user_id)
                    .step_by(TALKING),
            )
            .filter(|id| *id != self.bot_id())
            .collect();
        for (place, user_id) in talking.into_iter().enumerate() {
            if let Some(room) = rooms.get(place % rooms.len().max(1)) {
                let state = self.new_voice_state(user_id, *room);
                guild.voice_states.insert(user_id, state);
                self.comes_online(user_id);
            }
        }
        voice_start::begin(&mut guild, self.now);
        self.guilds.insert(id, guild);
        Some(Event::guild_create(id, Appears::Joined))
    }

    /// The channels; answers with the voice channels everybody may enter.
    fn rooms(&mut self, guild: &mut super::Guild, roles: &[Snowflake]) -> Vec<Snowflake> {
        let (mut parents, mut rooms) = (Vec::new(), Vec::new());
        for place in 0..CHANNELS {
            let id = self.new_id();
            let (kind, name, parent_id) = if place < CATEGORIES {
                parents.push(id);
                (ChannelKind::Category, format!("Wing {}", place + 1), None)
            } else {
                let parent_id = parents.get(place % CATEGORIES).copied();
                if place.is_multiple_of(2) {
                    (ChannelKind::Voice, format!("Room {place}"), parent_id)
                } else {
                    (ChannelKind::Text, format!("notes-{place}"), parent_id)
                }
            };
            let gated = place >= CATEGORIES && place.is_multiple_of(5);
            if kind == ChannelKind::Voice && !gated {
                rooms.push(id);
            }
            let channel = Channel {
                id,
                kind,
                name,
                position: u16::try_from(place).unwrap_or(u16::MAX),
                parent_id,
                user_limit: 0,
                overwrites: if gated {
                    gate(guild.id, &[roles[place % (ROLES - 1)], roles[ROLES - 1]])
                } else {
                    Vec::new()
                },
                settings: ChannelSettings::default(),
                voice_status: None,
                voice_started: None,
                last_message_id: None,
                last_pin: None,
            };
            guild.channels.insert(id, channel);
        }
        rooms
    }

    fn person(&mut self, number: usize) -> Snowflake {
        let (first, last) = (
            FIRST[number % FIRST.len()],
            LAST[number / FIRST.len() % LAST.len()],
        );
        self.newcomer(
            format!("{}.{}{number}", first.to_lowercase(), last.to_lowercase()),
            Some(format!("{first} {last}")),
        )
    }

    fn metronome(&mut self) -> Snowflake {
        self.newcomer("metronome".to_owned(), None)
    }

    fn newcomer(&mut self, username: String, global_name: Option<String>) -> Snowflake {
        let id = self.new_id();
        let user = User {
            id,
            username,
            global_name,
            avatar: Some(self.rng().hex()),
            bot: false,
            presence: Presence::default(),
        };
        self.users.insert(id, user);
        id
    }
}

/// Closed to @everyone, open to these.
fn gate(everyone: Snowflake, roles: &[Snowflake]) -> Vec<Overwrite> {
    let overwrite = |id, allow, deny| Overwrite {
        id,
        kind: OverwriteKind::Role,
        allow,
        deny,
    };
    let rights = Permissions::VIEW_CHANNEL.union(Permissions::CONNECT);
    std::iter::once(overwrite(everyone, Permissions::NONE, rights))
        .chain(
            roles
                .iter()
                .map(|id| overwrite(*id, rights, Permissions::NONE)),
        )
        .collect()
}
