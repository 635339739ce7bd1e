//! A false Discord: one guild, the routes that commands call, and reactions by script. Whatever it
//! does is in the world at once, which the sequencer's stand-in answers from.

/// What goes wrong with a request.
mod fault;
/// What it answers to requests.
mod routes;
/// The sequencer's stand-in.
mod stand_in;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use axum::{Router, body::Bytes, http::Method, routing::any};
use guildhall_http::tls;
use guildhall_model::{
    Change, Event, Guild, LogId, Permissions, Position, RoleId,
    guild::{
        Category, GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags,
    },
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use super::*;
use crate::{
    ShardId,
    config::tests::NAMES,
    discord_rest::{DiscordRest, RestBudget},
    log::{Log, Retention, tests::write},
    sequencer::{ManagedRooms, Sequencer},
};

pub(super) use fault::{Fault, faults};

/// The bot, in a guild that has it.
pub(super) const BOT: UserId = UserId(99);

/// How the next request that changes something is met.
#[derive(Clone, Debug)]
pub(super) enum Reaction {
    /// As Discord would.
    Pass,
    /// Done or not, it is answered so.
    Answer {
        done: bool,
        status: u16,
        body: Value,
        retry_after: Option<f64>,
    },
    /// Done or not, it is never answered.
    Hang { done: bool },
    /// It is never answered, and done at last, whoever has gone meanwhile.
    Late,
}

/// A handle on it.
#[derive(Clone)]
pub(super) struct FalseDiscord {
    origin: String,
    state: Arc<Mutex<DiscordState>>,
    changed: watch::Sender<u64>,
    worlds: GuildWorlds,
    _tasks: Arc<JoinSet<()>>,
}

struct LateRequest {
    method: Method,
    path: String,
    body: Bytes,
}

struct DiscordState {
    guild: Guild,
    /// Where it is told.
    log: Log,
    /// Whether the sequencer hears of it.
    live: bool,
    /// Of rooms, as the executor says.
    managed: ManagedRooms,
    /// Names of the roles that were made.
    role_names: BTreeMap<RoleId, String>,
    /// By room, what was written.
    messages: Vec<(ChannelId, String)>,
    /// Categories that hold as many channels as they may.
    full: BTreeSet<ChannelId>,
    last_id: u64,
    script: VecDeque<Reaction>,
    /// What is done at last.
    late: Vec<LateRequest>,
    /// So many requests that only read are refused.
    blind: usize,
    /// What each request changed, in order.
    done: Vec<String>,
    requests: usize,
    /// Those of them that change something, as they came.
    acts: Vec<String>,
    /// What the sequencer was asked.
    questions: usize,
    /// Of whom it was told what they are.
    told_members: Vec<UserId>,
}

impl FalseDiscord {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let retention = Retention {
            records_per_guild: 10_000,
            bytes: 64 << 20,
            bytes_per_guild: 64 << 20,
        };
        let log = crate::log::tests::log(Position::start(LogId(0), 1), retention);
        let state = Arc::new(Mutex::new(DiscordState {
            guild: guild(),
            log: log.clone(),
            live: true,
            managed: ManagedRooms::default(),
            role_names: BTreeMap::new(),
            messages: Vec::new(),
            full: BTreeSet::new(),
            last_id: 0,
            script: VecDeque::new(),
            late: Vec::new(),
            blind: 0,
            done: Vec::new(),
            requests: 0,
            acts: Vec::new(),
            questions: 0,
            told_members: Vec::new(),
        }));
        let changed = watch::Sender::new(0);
        let (sequencer, inbox) = Sequencer::new();
        let mut tasks = JoinSet::new();
        let discord = (Arc::clone(&state), changed.clone());
        let routes = Router::new()
            .route("/api/v10/{*path}", any(routes::answer))
            .with_state(discord);
        tasks.spawn(async move {
            axum::serve(listener, routes).await.expect("served");
        });
        tasks.spawn(stand_in::run(inbox, Arc::clone(&state), changed.clone()));
        Self {
            origin,
            state,
            changed,
            worlds: GuildWorlds::new([GuildWorld {
                shard: ShardId::ONLY,
                sequencer,
                log,
            }]),
            _tasks: Arc::new(tasks),
        }
    }

    pub(super) fn worlds(&self) -> GuildWorlds {
        self.worlds.clone()
    }

    pub(super) fn rest(&self) -> DiscordRest {
        // A second installation in this process is refused, which is fine.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        DiscordRest::new(
            self.origin.parse().expect("an origin"),
            &tls::client_config(None),
            &"a-token".parse().expect("a token"),
            RestBudget {
                look_ups: 1_000,
                commands: 1_000,
            },
            NAMES.root_certificates,
        )
        .expect("a client")
    }

    /// The next requests that change something are met so, one after the other.
    pub(super) fn react(&self, reactions: impl IntoIterator<Item = Reaction>) {
        self.state.lock().script.extend(reactions);
    }

    /// No fault waits any more.
    pub(super) fn heal(&self) {
        let state = &mut *self.state.lock();
        state.script.clear();
        state.blind = 0;
    }

    /// The next requests that only read are refused, so many of them.
    pub(super) fn shows_nothing(&self, times: usize) {
        self.state.lock().blind = times;
    }

    /// What came and was not done yet is done, in the order in which it came.
    pub(super) fn does_at_last(&self) {
        self.state.lock().does_at_last();
        self.changed.send_modify(|seq| *seq += 1);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Guild)) {
        self.state.lock().change(change);
        self.changed.send_modify(|seq| *seq += 1);
    }

    /// The sequencer's connection is there, or is being restored.
    pub(super) fn is_live(&self, live: bool) {
        self.state.lock().live = live;
        self.changed.send_modify(|seq| *seq += 1);
    }

    pub(super) fn puts(&self, user_id: UserId, room: ChannelId) {
        self.change(|guild| _ = guild.voice.insert(user_id, occupant(user_id, room)));
    }

    /// Somebody deletes a room by hand.
    pub(super) fn deletes(&self, room: ChannelId) {
        self.state.lock().deletes(room);
        self.changed.send_modify(|seq| *seq += 1);
    }

    /// Somebody makes a room by hand, with another id.
    pub(super) fn makes_by_hand(&self, room: Room) -> ChannelId {
        let mut state = self.state.lock();
        let channel_id = ChannelId(state.next_id());
        let mut room = room;
        room.info.channel_id = channel_id;
        state.change(|guild| _ = guild.rooms.insert(channel_id, room));
        drop(state);
        self.changed.send_modify(|seq| *seq += 1);
        channel_id
    }

    /// Where it is told.
    pub(super) fn log(&self) -> Log {
        self.state.lock().log.clone()
    }

    /// The sequencer begins anew, with what is kept of rooms.
    pub(super) fn begins_with(&self, managed: ManagedRooms) {
        let state = &mut *self.state.lock();
        state.managed = managed;
        for room in state.guild.rooms.values() {
            state.managed.recognise(GUILD, room);
        }
        state.change(|_| {});
    }

    /// Somebody deletes a role by hand.
    pub(super) fn deletes_role(&self, role_id: RoleId) {
        self.state.lock().deletes_role(role_id);
        self.changed.send_modify(|seq| *seq += 1);
    }

    /// A category that holds as many channels as it may.
    pub(super) fn fills(&self, category: ChannelId) {
        self.state.lock().full.insert(category);
    }

    pub(super) fn guild(&self) -> Guild {
        self.state.lock().guild.clone()
    }

    pub(super) fn messages(&self) -> Vec<(ChannelId, String)> {
        self.state.lock().messages.clone()
    }

    /// The roles that were made and are there.
    pub(super) fn roles(&self) -> Vec<String> {
        self.state.lock().role_names.values().cloned().collect()
    }

    /// Of whom the sequencer was told what they are.
    pub(super) fn told_members(&self) -> Vec<UserId> {
        self.state.lock().told_members.clone()
    }

    pub(super) fn done(&self) -> Vec<String> {
        self.state.lock().done.clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.state.lock().requests
    }

    /// The requests that change something, as they came.
    pub(super) fn acts(&self) -> Vec<String> {
        self.state.lock().acts.clone()
    }

    /// Waits until so many requests have come in all.
    pub(super) async fn has_got(&self, requests: usize) {
        self.until(|state| state.requests >= requests).await;
    }

    /// Waits until so many of those that change something have come.
    pub(super) async fn has_got_acts(&self, acts: usize) {
        self.until(|state| state.acts.len() >= acts).await;
    }

    /// Waits until the sequencer has been asked so many questions in all.
    pub(super) async fn was_asked(&self, questions: usize) {
        self.until(|state| state.questions >= questions).await;
    }

    /// Until something has changed, or for so long.
    pub(super) async fn moves_on(&self, at_most: Duration) {
        let mut changed = self.changed.subscribe();
        let _whether = timeout(at_most, changed.changed()).await;
    }

    async fn until(&self, is_so: impl Fn(&DiscordState) -> bool) {
        let mut changed = self.changed.subscribe();
        let so = changed.wait_for(|_| is_so(&self.state.lock()));
        timeout(PATIENCE, so).await.expect("in time").expect("open");
    }
}

type Discord = (Arc<Mutex<DiscordState>>, watch::Sender<u64>);

impl DiscordState {
    fn change(&mut self, change: impl FnOnce(&mut Guild)) {
        let before = self.guild.clone();
        change(&mut self.guild);
        self.tell_since(&before);
    }

    /// Writes what has become different to the log.
    fn tell_since(&mut self, before: &Guild) {
        for (id, room) in &mut self.guild.rooms {
            if !before.rooms.contains_key(id) {
                self.managed.recognise(GUILD, room);
            }
            room.info.managed = self.managed.of(GUILD, *id);
        }
        let room_of =
            |guild: &Guild, user: UserId| guild.voice.get(&user).map(|there| there.channel_id);
        let mut changes = Vec::new();
        let people: BTreeSet<UserId> = before
            .voice
            .keys()
            .chain(self.guild.voice.keys())
            .copied()
            .collect();
        for user_id in people {
            let (was, is) = (room_of(before, user_id), room_of(&self.guild, user_id));
            if was == is {
                continue;
            }
            changes.extend(was.map(|previous_channel_id| Change::VoiceLeft {
                previous_channel_id,
                user_id,
            }));
            changes.extend(is.map(|room| Change::VoiceJoined(occupant(user_id, room))));
        }
        for (id, room) in &self.guild.rooms {
            match before.rooms.get(id) {
                None => changes.push(Change::RoomCreated(room.clone())),
                Some(was) if was != room => changes.push(Change::RoomUpdated(room.info.clone())),
                Some(_) => {}
            }
        }
        let gone = before
            .rooms
            .keys()
            .filter(|id| !self.guild.rooms.contains_key(id));
        changes.extend(gone.map(|channel_id| Change::RoomDeleted {
            channel_id: *channel_id,
        }));
        let events = changes.into_iter().map(|change| {
            let mut event = Event {
                guild_id: GUILD,
                ts: 1,
                synthetic: false,
                change,
            };
            self.managed.stamp(&mut event);
            event
        });
        let events: Vec<Event> = events.collect();
        if !events.is_empty() {
            write(&self.log, self.log.head(), events).expect("the only writer");
        }
    }
}

/// Everybody may enter, move and manage; two rooms and three people, of whom two are in voice.
fn guild() -> Guild {
    let member = || Membership::member(Vec::new());
    Guild {
        info: GuildInfo {
            name: "guild".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: OWNER,
        roles: [(GUILD.everyone(), Permissions::ALL)].into(),
        categories: BTreeMap::new(),
        rooms: [ROOM, OTHER_ROOM].map(|id| (id, room(id))).into(),
        voice: [ANNA, OWNER].map(|id| (id, occupant(id, ROOM))).into(),
        pending_voice: BTreeMap::new(),
        memberships: [OWNER, ANNA, BEN].map(|id| (id, member())).into(),
    }
}

/// What the bot has of roles, in a guild where people have none of that.
pub(super) const BOTS_ROLE: RoleId = RoleId(50);
/// Two categories.
pub(super) const CATEGORIES: [ChannelId; 2] = [ChannelId(20), ChannelId(21)];

/// People may enter and nothing else, and the bot may do what rooms take.
pub(super) fn with_a_bot(guild: &mut Guild) {
    let everybody = Permissions::VIEW_CHANNEL | Permissions::CONNECT | Permissions::SPEAK;
    let bots = everybody
        | Permissions::MANAGE_CHANNELS
        | Permissions::MANAGE_ROLES
        | Permissions::MOVE_MEMBERS
        | Permissions::SEND_MESSAGES;
    guild.roles.insert(GUILD.everyone(), everybody);
    guild.roles.insert(BOTS_ROLE, bots);
    let bot = Membership::member(vec![BOTS_ROLE]);
    guild.memberships.insert(BOT, bot);
    for category in CATEGORIES {
        guild.categories.insert(category, Category::default());
    }
}

fn room(channel_id: ChannelId) -> Room {
    Room {
        info: RoomInfo {
            channel_id,
            name: format!("room {channel_id}"),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights::default(),
    }
}

fn occupant(user_id: UserId, channel_id: ChannelId) -> Occupant {
    Occupant {
        channel_id,
        user_id,
        username: "somebody".to_owned(),
        display_name: "Somebody".to_owned(),
        avatar: None,
        avatar_url: String::new(),
        bot: false,
        since: 1,
        flags: VoiceFlags::default(),
    }
}
