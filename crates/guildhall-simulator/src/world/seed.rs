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
    Channel, ChannelKind, ChannelSettings, Guild, Interactions, Overwrite, OverwriteKind,
    Permissions, Presence, PrivilegedIntents, Redirects, Registration, Role, Table, User, World,
};
use crate::snowflake::{IdSource, SeededRng, Snowflake};

/// What @everyone may do in a guild: see, talk, connect, speak, react, invite, and set
/// the status of a voice channel they are in, as in every new guild of Discord's.
pub(super) const EVERYONE: u64 = 0x0001_0001_8631_ce41;

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
    let mut ids = IdSource::new(SeededRng::from_seed(seed));
    let id = ids.draw(OffsetDateTime::UNIX_EPOCH);
    let bot_token = token_of(id, &mut ids.rng);
    let application = Registration {
        id,
        first_bot_token: bot_token.clone(),
        bot_token,
        client_secret: ids.rng.letters(32),
        privileged_intents: PrivilegedIntents::ALL,
        redirects: Redirects::default(),
        token_resets: 0,
        settings: serde_json::Map::new(),
        commands: Vec::new(),
    };
    let mut world = World {
        application,
        users: Table::default(),
        guilds: Table::default(),
        directs: Table::default(),
        interactions: Interactions::default(),
        ids,
        secrets: SeededRng::from_seed(seed ^ 0x0073_6563_7265_7473),
        voices: SeededRng::from_seed(seed ^ 0x766f_6963_6573),
        cause: None,
        now: OffsetDateTime::UNIX_EPOCH,
    };
    let people: Vec<_> = PEOPLE
        .iter()
        .map(|(username, name)| user(&mut world, username, Some(name)))
        .collect();
    let avatar = Some(world.rng().hex());
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
pub(super) fn token_of(id: Snowflake, rng: &mut SeededRng) -> String {
    format!(
        "{}.{}.{}",
        STANDARD_NO_PAD.encode(id.to_string()),
        rng.letters(6),
        rng.letters(38)
    )
}

fn game_night(world: &mut World, people: &[Snowflake]) {
    let mut guild = GuildBuilder::new(world, "The Gilded Griffin", people[FINN]);
    let keeper = guild.role("Keeper", 0x00c9_8a2b, 0);
    let master = guild.role("Game Master", 0x008e_5bd6, 0);
    let adventurer = guild.role("Adventurer", 0x003f_8f6b, 0);
    let bridge = guild.bot_role();
    for (place, user_id) in people[..=FINN].iter().enumerate() {
        let roles = match place {
            ROWAN => vec![adventurer],
            1 | 9 => vec![keeper, adventurer],
            3 => vec![master, adventurer],
            FINN => vec![keeper, master],
            7 | 10 => vec![],
            _ => vec![adventurer],
        };
        guild.member(*user_id, roles);
    }
    guild
        .guild
        .members
        .get_mut(people[8])
        .into_iter()
        .for_each(|dov| {
            dov.nick = Some("The Captain".to_owned());
        });
    guild.bot(bridge);
    let load = guild.load_user("Wren");

    let welcome = guild.category("Welcome", &[]);
    guild.channel(ChannelKind::Text, "front-desk", welcome, 0, &[]);
    guild.channel(ChannelKind::Text, "house-rules", welcome, 0, &[]);
    let floor = guild.category("The Hall", &[]);
    guild.channel(ChannelKind::Text, "game-night", floor, 0, &[]);
    guild.channel(ChannelKind::Text, "dice-tower", floor, 0, &[]);
    let hearth = guild.channel(ChannelKind::Voice, "The Hearth", floor, 0, &[]);
    let table_one = guild.channel(ChannelKind::Voice, "Table One", floor, 0, &[]);
    guild.channel(ChannelKind::Voice, "Table Two", floor, 6, &[]);
    guild.channel(ChannelKind::Voice, "Quiet Corner", floor, 4, &[]);
    let gate = guild.gate(&[keeper, bridge]);
    let upstairs = guild.category("Upstairs", &[]);
    guild.channel(ChannelKind::Text, "keepers-ledger", upstairs, 0, &gate);
    let chamber = guild.channel(ChannelKind::Voice, "Keepers' Chamber", upstairs, 0, &gate);
    guild.channel(ChannelKind::Stage, "The Balcony", upstairs, 0, &[]);
    let cellar_gate = guild.gate(&[master]);
    let below = guild.category("Below", &cellar_gate);
    guild.channel(ChannelKind::Voice, "The Cellar", below, 0, &cellar_gate);

    guild.connect(load, hearth);
    guild.connect(people[1], table_one);
    guild.connect(people[2], table_one);
    guild.connect(people[FINN], chamber);
    guild.build();
}

fn cartographers(world: &mut World, people: &[Snowflake]) {
    let mut guild = GuildBuilder::new(world, "Saturday Cartographers", people[12]);
    let surveyor = guild.role("Surveyor", 0x002f_7fb5, 0);
    let bridge = guild.bot_role();
    for user_id in [people[12], people[ROWAN], people[5], people[13], people[14]] {
        guild.member(user_id, vec![surveyor]);
    }
    guild.bot(bridge);
    let load = guild.load_user("Basil");
    let table = guild.category("Drawing Table", &[]);
    guild.channel(ChannelKind::Text, "field-notes", table, 0, &[]);
    let camp = guild.channel(ChannelKind::Voice, "Base Camp", table, 0, &[]);
    guild.channel(ChannelKind::Voice, "Map Room", table, 8, &[]);
    guild.connect(load, camp);
    guild.build();
}

fn study_hall(world: &mut World, people: &[Snowflake]) {
    let mut guild = GuildBuilder::new(world, "Night Shift Study Hall", people[15]);
    let bridge = guild.bot_role();
    for user_id in [people[15], people[16], people[17], people[7]] {
        guild.member(user_id, vec![]);
    }
    guild.bot(bridge);
    let load = guild.load_user("Faye");
    guild.channel(ChannelKind::Text, "timetable", None, 0, &[]);
    let silent = guild.channel(ChannelKind::Voice, "Silent Desks", None, 0, &[]);
    guild.channel(ChannelKind::Voice, "Tea Break", None, 0, &[]);
    guild.connect(load, silent);
    guild.connect(people[16], silent);
    guild.build();
}

fn user(world: &mut World, username: &str, name: Option<&str>) -> Snowflake {
    let id = world.new_id();
    let avatar = Some(world.rng().hex());
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
struct GuildBuilder<'a> {
    world: &'a mut World,
    guild: Guild,
}

impl<'a> GuildBuilder<'a> {
    fn new(world: &'a mut World, name: &str, owner_id: Snowflake) -> Self {
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

    /// Who is stamped when load is made; until then somebody like everybody else.
    fn load_user(&mut self, name: &str) -> Snowflake {
        let id = user(self.world, "metronome", Some(name));
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
            .union(Permissions::CONNECT)
            .union(Permissions::SPEAK);
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
                last_pin: None,
            },
        );
        id
    }

    fn connect(&mut self, user_id: Snowflake, channel_id: Snowflake) {
        let state = self.world.new_voice_state(user_id, channel_id);
        self.guild.voice_states.insert(user_id, state);
        self.world.comes_online(user_id);
    }

    fn build(self) {
        self.world.guilds.insert(self.guild.id, self.guild);
    }
}
