//! The world as it stands before anybody acts: the same for the same seed.
//!
//! Three guilds with the bot in each. In the first, a game night, the first
//! member is a person who sees the first two voice channels; the load user sits
//! in the first of them; the Keepers' Chamber is gated by a role that the first
//! member lacks; the Cellar is hidden from the bot. The first member is also in
//! the second guild, but not in the third.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use time::OffsetDateTime;

use super::{
    Channel, ChannelKind, ChannelSettings, Guild, Overwrite, OverwriteKind, Permissions, Presence,
    PrivilegedIntents, Registration, Role, Table, User, World,
};
use crate::snowflake::{Chance, Snowflake};

/// What @everyone may do in a guild: see, talk, connect, speak, react, invite.
pub(super) const EVERYONE: u64 = 0x0001_8631_ce41;

/// What the bot's own role may do: see, talk, connect, manage channels and roles,
/// move people, read the audit log.
pub(super) const BRIDGE: u64 = EVERYONE | 1 << 4 | 1 << 7 | 1 << 24 | 1 << 28;

/// Everybody, the first member of the first guild first.
const PEOPLE: [(&str, &str); 18] = [
    ("rowan.ash", "Rowan"),
    ("juniper.vale", "Juniper"),
    ("tobias_k", "Tobias"),
    ("mirelle", "Mirelle"),
    ("odd.harald", "Harald the Odd"),
    ("sanna", "Sanna"),
    ("bramblewick", "Bramblewick"),
    ("yuki.tan", "Yuki"),
    ("captain_dov", "Captain Dov"),
    ("priya.r", "Priya"),
    ("lesedi", "Lesedi"),
    ("old.finn", "Old Finn"),
    ("ines.maps", "Inês"),
    ("quill", "Quill"),
    ("theodolite", "Theo"),
    ("nightowl.mo", "Mo"),
    ("stella.k", "Stella"),
    ("paperlantern", "Lan"),
];
const ROWAN: usize = 0;
const FINN: usize = 11;

pub(super) fn build(seed: u64) -> World {
    let mut chance = Chance::from_seed(seed);
    let mut last_id = 0;
    let id = chance.snowflake(&mut last_id);
    let bot_token = token_of(id, &mut chance);
    let application = Registration {
        id,
        first_bot_token: bot_token.clone(),
        bot_token,
        client_secret: chance.letters(32),
        privileged_intents: PrivilegedIntents::ALL,
        token_resets: 0,
    };
    let mut world = World {
        application,
        users: Table::default(),
        guilds: Table::default(),
        chance,
        secrets: Chance::from_seed(seed ^ 0x0073_6563_7265_7473),
        voices: Chance::from_seed(seed ^ 0x766f_6963_6573),
        last_id,
        cause: None,
        now: OffsetDateTime::UNIX_EPOCH,
    };
    let people: Vec<_> = PEOPLE
        .iter()
        .map(|(username, name)| user(&mut world, username, Some(name)))
        .collect();
    let avatar = Some(world.chance().hex());
    world.users.insert(
        id,
        User {
            id,
            username: "Doorkeeper".to_owned(),
            global_name: None,
            avatar,
            bot: true,
            presence: Presence::default(),
        },
    );
    game_night(&mut world, &people);
    cartographers(&mut world, &people);
    study_hall(&mut world, &people);
    world
}

/// A bot token in Discord's shape: base64 of the id, and two more parts.
pub(super) fn token_of(id: Snowflake, chance: &mut Chance) -> String {
    format!(
        "{}.{}.{}",
        STANDARD_NO_PAD.encode(id.to_string()),
        chance.letters(6),
        chance.letters(38)
    )
}

fn game_night(world: &mut World, people: &[Snowflake]) {
    let mut hall = Hall::open(world, "The Gilded Griffin", people[FINN]);
    let keeper = hall.role("Keeper", 0x00c9_8a2b, 0);
    let master = hall.role("Game Master", 0x008e_5bd6, 0);
    let adventurer = hall.role("Adventurer", 0x003f_8f6b, 0);
    let bridge = hall.bot_role();
    for (place, user_id) in people[..=FINN].iter().enumerate() {
        let roles = match place {
            ROWAN => vec![adventurer],
            1 | 9 => vec![keeper, adventurer],
            3 => vec![master, adventurer],
            FINN => vec![keeper, master],
            7 | 10 => vec![],
            _ => vec![adventurer],
        };
        hall.member(*user_id, roles);
    }
    hall.guild
        .members
        .get_mut(people[8])
        .into_iter()
        .for_each(|dov| {
            dov.nick = Some("The Captain".to_owned());
        });
    hall.bot(bridge);
    let load = hall.load_user();

    let welcome = hall.category("Welcome", &[]);
    hall.channel(ChannelKind::Text, "front-desk", welcome, 0, &[]);
    hall.channel(ChannelKind::Text, "house-rules", welcome, 0, &[]);
    let floor = hall.category("The Hall", &[]);
    hall.channel(ChannelKind::Text, "game-night", floor, 0, &[]);
    hall.channel(ChannelKind::Text, "dice-tower", floor, 0, &[]);
    let hearth = hall.channel(ChannelKind::Voice, "The Hearth", floor, 0, &[]);
    let table_one = hall.channel(ChannelKind::Voice, "Table One", floor, 0, &[]);
    hall.channel(ChannelKind::Voice, "Table Two", floor, 6, &[]);
    hall.channel(ChannelKind::Voice, "Quiet Corner", floor, 4, &[]);
    let gate = hall.gate(&[keeper, bridge]);
    let upstairs = hall.category("Upstairs", &[]);
    hall.channel(ChannelKind::Text, "keepers-ledger", upstairs, 0, &gate);
    let chamber = hall.channel(ChannelKind::Voice, "Keepers' Chamber", upstairs, 0, &gate);
    hall.channel(ChannelKind::Stage, "The Balcony", upstairs, 0, &[]);
    let cellar_gate = hall.gate(&[master]);
    let below = hall.category("Below", &cellar_gate);
    hall.channel(ChannelKind::Voice, "The Cellar", below, 0, &cellar_gate);

    hall.connect(load, hearth);
    hall.connect(people[1], table_one);
    hall.connect(people[2], table_one);
    hall.connect(people[FINN], chamber);
    hall.close();
}

fn cartographers(world: &mut World, people: &[Snowflake]) {
    let mut hall = Hall::open(world, "Saturday Cartographers", people[12]);
    let surveyor = hall.role("Surveyor", 0x002f_7fb5, 0);
    let bridge = hall.bot_role();
    for user_id in [people[12], people[ROWAN], people[5], people[13], people[14]] {
        hall.member(user_id, vec![surveyor]);
    }
    hall.bot(bridge);
    let load = hall.load_user();
    let table = hall.category("Drawing Table", &[]);
    hall.channel(ChannelKind::Text, "field-notes", table, 0, &[]);
    let camp = hall.channel(ChannelKind::Voice, "Base Camp", table, 0, &[]);
    hall.channel(ChannelKind::Voice, "Map Room", table, 8, &[]);
    hall.connect(load, camp);
    hall.close();
}

fn study_hall(world: &mut World, people: &[Snowflake]) {
    let mut hall = Hall::open(world, "Night Shift Study Hall", people[15]);
    let bridge = hall.bot_role();
    for user_id in [people[15], people[16], people[17], people[7]] {
        hall.member(user_id, vec![]);
    }
    hall.bot(bridge);
    let load = hall.load_user();
    hall.channel(ChannelKind::Text, "timetable", None, 0, &[]);
    let silent = hall.channel(ChannelKind::Voice, "Silent Desks", None, 0, &[]);
    hall.channel(ChannelKind::Voice, "Tea Break", None, 0, &[]);
    hall.connect(load, silent);
    hall.connect(people[16], silent);
    hall.close();
}

fn user(world: &mut World, username: &str, name: Option<&str>) -> Snowflake {
    let id = world.new_id();
    let avatar = Some(world.chance().hex());
    world.users.insert(
        id,
        User {
            id,
            username: username.to_owned(),
            global_name: name.map(str::to_owned),
            avatar,
            bot: false,
            presence: Presence::default(),
        },
    );
    id
}

/// A guild under construction.
struct Hall<'a> {
    world: &'a mut World,
    guild: Guild,
}

impl<'a> Hall<'a> {
    fn open(world: &'a mut World, name: &str, owner_id: Snowflake) -> Self {
        let id = world.new_id();
        let guild = world.bare_guild(id, name, owner_id);
        Self { world, guild }
    }

    fn role(&mut self, name: &str, color: u32, permissions: u64) -> Snowflake {
        let id = self.world.new_id();
        self.guild.roles.insert(
            id,
            Role {
                id,
                name: name.to_owned(),
                color,
                position: u16::try_from(self.guild.roles.len()).unwrap_or(u16::MAX),
                permissions: Permissions(permissions),
                hoist: color != 0,
                mentionable: false,
                bot_id: None,
            },
        );
        id
    }

    fn bot_role(&mut self) -> Snowflake {
        let bot = self.world.bot_id();
        let id = self.role("Doorkeeper", 0, BRIDGE);
        if let Some(role) = self.guild.roles.get_mut(id) {
            role.bot_id = Some(bot);
        }
        id
    }

    fn member(&mut self, user_id: Snowflake, roles: Vec<Snowflake>) {
        let member = self.world.new_member(user_id, roles);
        self.guild.members.insert(user_id, member);
    }

    fn bot(&mut self, role: Snowflake) {
        self.member(self.world.bot_id(), vec![role]);
    }

    fn load_user(&mut self) -> Snowflake {
        let id = user(self.world, "metronome", None);
        self.member(id, vec![]);
        self.guild.load_user_id = Some(id);
        id
    }

    /// Overwrites that show and open a channel to some roles only.
    fn gate(&self, roles: &[Snowflake]) -> Vec<Overwrite> {
        let closed = Overwrite {
            id: self.guild.id,
            kind: OverwriteKind::Role,
            allow: Permissions::NONE,
            deny: Permissions::VIEW_CHANNEL,
        };
        let allow = Permissions::VIEW_CHANNEL
            .and(Permissions::CONNECT)
            .and(Permissions::SPEAK);
        let open = |id: &Snowflake| Overwrite {
            id: *id,
            kind: OverwriteKind::Role,
            allow,
            deny: Permissions::NONE,
        };
        std::iter::once(closed)
            .chain(roles.iter().map(open))
            .collect()
    }

    fn category(&mut self, name: &str, overwrites: &[Overwrite]) -> Snowflake {
        self.channel(ChannelKind::Category, name, None, 0, overwrites)
    }

    fn channel(
        &mut self,
        kind: ChannelKind,
        name: &str,
        parent_id: impl Into<Option<Snowflake>>,
        user_limit: u32,
        overwrites: &[Overwrite],
    ) -> Snowflake {
        let id = self.world.new_id();
        self.guild.channels.insert(
            id,
            Channel {
                id,
                kind,
                name: name.to_owned(),
                position: u16::try_from(self.guild.channels.len()).unwrap_or(u16::MAX),
                parent_id: parent_id.into(),
                user_limit,
                overwrites: overwrites.to_vec(),
                settings: ChannelSettings::default(),
                voice_status: None,
                voice_started: None,
                last_message_id: None,
            },
        );
        id
    }

    fn connect(&mut self, user_id: Snowflake, channel_id: Snowflake) {
        let state = self.world.new_voice_state(user_id, channel_id);
        self.guild.voice_states.insert(user_id, state);
        self.world.comes_online(user_id);
    }

    fn close(self) {
        self.world.guilds.insert(self.guild.id, self.guild);
    }
}
