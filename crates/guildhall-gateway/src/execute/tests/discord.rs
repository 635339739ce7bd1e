//! A false Discord: one guild, the routes that commands call, and reactions by script. Whatever it
//! does is in the world at once, which the sequencer's stand-in answers from.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use guildhall_http::tls;
use guildhall_model::{
    Change, Event, Guild, LogId, Permissions, Position,
    command::{Before, Judgement, judge},
    guild::{GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::timeout_at};

use super::*;
use crate::{
    ShardId,
    config::tests::NAMES,
    discord_rest::{DiscordRest, RestBudget},
    inbox::{About, Answered, Expectation, Input, Question, QuestionAnswer},
    log::{Log, Retention, tests::write},
    sequencer::Sequencer,
};

/// How the next request is met.
#[derive(Clone, Debug)]
pub(super) enum Reaction {
    /// Done or not, it is answered so.
    Answer {
        done: bool,
        status: u16,
        body: Value,
        retry_after: Option<f64>,
    },
    /// Done or not, it is never answered.
    Hang { done: bool },
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

struct DiscordState {
    guild: Guild,
    /// Where it is told.
    log: Log,
    /// Whether the sequencer hears of it.
    live: bool,
    script: VecDeque<Reaction>,
    /// What each request changed, in order.
    done: Vec<String>,
    requests: usize,
    /// What the sequencer was asked.
    questions: usize,
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
            script: VecDeque::new(),
            done: Vec::new(),
            requests: 0,
            questions: 0,
        }));
        let changed = watch::Sender::new(0);
        let (sequencer, inbox) = Sequencer::new();
        let mut tasks = JoinSet::new();
        let discord = (Arc::clone(&state), changed.clone());
        let routes = Router::new()
            .route("/api/v10/{*path}", any(answer))
            .with_state(discord);
        tasks.spawn(async move {
            axum::serve(listener, routes).await.expect("served");
        });
        tasks.spawn(stand_in(inbox, Arc::clone(&state), changed.clone()));
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

    /// The next requests are met so, one after the other.
    pub(super) fn react(&self, reactions: impl IntoIterator<Item = Reaction>) {
        self.state.lock().script.extend(reactions);
    }

    /// No fault waits any more.
    pub(super) fn heal(&self) {
        self.state.lock().script.clear();
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

    pub(super) fn done(&self) -> Vec<String> {
        self.state.lock().done.clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.state.lock().requests
    }

    /// Waits until so many requests have come in all.
    pub(super) async fn has_got(&self, requests: usize) {
        let mut changed = self.changed.subscribe();
        let got = changed.wait_for(|_| self.requests() >= requests);
        timeout(PATIENCE, got)
            .await
            .expect("in time")
            .expect("open");
    }
}

impl FalseDiscord {
    /// Waits until the sequencer has been asked so many questions in all.
    pub(super) async fn was_asked(&self, questions: usize) {
        let mut changed = self.changed.subscribe();
        let asked = changed.wait_for(|_| self.state.lock().questions >= questions);
        timeout(PATIENCE, asked)
            .await
            .expect("in time")
            .expect("open");
    }
}

type Discord = (Arc<Mutex<DiscordState>>, watch::Sender<u64>);

async fn answer(
    State((state, changed)): State<Discord>,
    method: Method,
    Path(path): Path<String>,
    body: Bytes,
) -> Response {
    let reaction = {
        let mut state = state.lock();
        state.requests += 1;
        let reaction = state.script.pop_front();
        let done = match &reaction {
            None => true,
            Some(Reaction::Answer { done, .. } | Reaction::Hang { done }) => *done,
        };
        if method == Method::GET {
            let answer = state.read(&path);
            drop(state);
            changed.send_modify(|seq| *seq += 1);
            return answer;
        }
        if done {
            let before = state.guild.clone();
            state.apply(&path, &body);
            state.tell_since(&before);
        }
        reaction
    };
    changed.send_modify(|seq| *seq += 1);
    match reaction {
        None => (StatusCode::OK, "{}").into_response(),
        Some(Reaction::Hang { .. }) => std::future::pending().await,
        Some(Reaction::Answer {
            status,
            body,
            retry_after,
            ..
        }) => {
            let status = StatusCode::from_u16(status).expect("a status");
            let mut response = (status, body.to_string()).into_response();
            if let Some(seconds) = retry_after {
                let headers = response.headers_mut();
                let seconds = seconds.to_string().parse().expect("a number");
                headers.insert("retry-after", seconds);
                headers.insert("x-ratelimit-bucket", "renames".parse().expect("a name"));
            }
            response
        }
    }
}

impl DiscordState {
    fn change(&mut self, change: impl FnOnce(&mut Guild)) {
        let before = self.guild.clone();
        change(&mut self.guild);
        self.tell_since(&before);
    }

    /// Writes what has become different to the log.
    fn tell_since(&self, before: &Guild) {
        let room_of =
            |guild: &Guild, user: UserId| guild.voice.get(&user).map(|there| there.channel_id);
        let mut changes = Vec::new();
        for user_id in [OWNER, ANNA, BEN] {
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
            if before.rooms[id] != *room {
                changes.push(Change::RoomUpdated(room.info.clone()));
            }
        }
        let events = changes.into_iter().map(|change| Event {
            guild_id: GUILD,
            ts: 1,
            synthetic: false,
            change,
        });
        let events: Vec<Event> = events.collect();
        if !events.is_empty() {
            write(&self.log, self.log.head(), events).expect("the only writer");
        }
    }

    fn apply(&mut self, path: &str, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["guilds", _, "members", user] => {
                let user_id = UserId(user.parse().expect("an id"));
                let to = body["channel_id"]
                    .as_str()
                    .map(|id| id.parse().expect("an id"));
                let was = match to.map(ChannelId) {
                    Some(room) => self.guild.voice.insert(user_id, occupant(user_id, room)),
                    None => self.guild.voice.remove(&user_id),
                };
                let was = was.map(|there| there.channel_id.0);
                let says = to.map_or("out".to_owned(), |room: u64| format!("in {room}"));
                self.did(was != to, format!("{user} {says}"));
            }
            ["channels", id] => {
                let id = ChannelId(id.parse().expect("an id"));
                let room = self.guild.rooms.get_mut(&id).expect("a room");
                if let Some(name) = body["name"].as_str() {
                    let was = std::mem::replace(&mut room.info.name, name.to_owned());
                    self.did(was != name, format!("{id} is {name}"));
                } else if let Some(limit) = body["user_limit"].as_u64() {
                    let limit = u32::try_from(limit).expect("small");
                    let was = std::mem::replace(&mut room.info.user_limit, limit);
                    self.did(was != limit, format!("{id} holds {limit}"));
                }
            }
            ["channels", id, "voice-status"] => {
                self.did(true, format!("{id} says {}", body["status"]));
            }
            _ => panic!("no such route: {path}"),
        }
    }

    /// What changes nothing is not counted: it may be asked for as often as one likes.
    fn did(&mut self, changed: bool, what: String) {
        if changed {
            self.done.push(what);
        }
    }

    fn read(&self, path: &str) -> Response {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["channels", id] => {
                let room = &self.guild.rooms[&ChannelId(id.parse().expect("an id"))].info;
                let body = json!({"id": id, "name": room.name, "user_limit": room.user_limit});
                body.to_string().into_response()
            }
            ["guilds", _, "members", user] => {
                let user_id = UserId(user.parse().expect("an id"));
                if self.guild.memberships.contains_key(&user_id) {
                    return json!({"roles": []}).to_string().into_response();
                }
                let body = json!({"code": 10_007, "message": "Unknown Member"});
                (StatusCode::NOT_FOUND, body.to_string()).into_response()
            }
            ["guilds", _, "voice-states", user] => {
                let there = self.guild.voice.get(&UserId(user.parse().expect("an id")));
                let Some(there) = there else {
                    let body = json!({"code": 10_065, "message": "Unknown Voice State"});
                    return (StatusCode::NOT_FOUND, body.to_string()).into_response();
                };
                let room = there.channel_id.to_string();
                json!({"channel_id": room}).to_string().into_response()
            }
            _ => panic!("no such route: {path}"),
        }
    }
}

/// Answers from the world as Discord has it.
async fn stand_in(
    mut inbox: mpsc::Receiver<Input>,
    state: Arc<Mutex<DiscordState>>,
    changed: watch::Sender<u64>,
) {
    let mut waiting = JoinSet::new();
    while let Some(input) = inbox.recv().await {
        let Input::Ask(question) = input else {
            continue;
        };
        waiting.spawn(answer_question(
            question,
            Arc::clone(&state),
            changed.clone(),
        ));
        while waiting.try_join_next().is_some() {}
    }
}

async fn answer_question(
    question: Question,
    state: Arc<Mutex<DiscordState>>,
    discord: watch::Sender<u64>,
) {
    let mut changed = discord.subscribe();
    let judged = |request: &CommandRequest| {
        let state = state.lock();
        if !state.live {
            let restored = "The connection to Discord is being restored.";
            return Err(CommandError::new(
                CommandErrorCode::GuildUnavailable,
                restored,
            ));
        }
        judge(GUILD, &state.guild, request.actor, &request.command, 0)
    };
    let at_once = match &question.about {
        About::Command(request) => Some(judged(request)),
        _ => None,
    };
    state.lock().questions += 1;
    discord.send_modify(|_| {});
    let answer = match question.about {
        About::Command(request) => {
            QuestionAnswer::Judged(at_once.unwrap_or_else(|| judged(&request)))
        }
        About::Before { request, until } => {
            let is_live = |_: &u64| state.lock().live;
            match timeout_at(until.into(), changed.wait_for(is_live)).await {
                Ok(_) => {
                    let guild = &state.lock().guild;
                    QuestionAnswer::Before(Before::of(&request.command, request.actor, guild))
                }
                Err(_) => QuestionAnswer::NotInTime,
            }
        }
        About::When { expectation, until } => {
            let is_so = |_: &u64| match &expectation {
                Expectation::Done(actor, command) => {
                    command.is_so(*actor, &state.lock().guild) == Some(true)
                }
                Expectation::Ready(request) => judged(request) != Ok(Judgement::NotInVoice),
                Expectation::RoomIs(room) => state.lock().guild.rooms.contains_key(room),
                Expectation::RoomGone(room) => !state.lock().guild.rooms.contains_key(room),
            };
            match timeout_at(until.into(), changed.wait_for(is_so)).await {
                Ok(_) => QuestionAnswer::So,
                Err(_) => QuestionAnswer::NotInTime,
            }
        }
        About::Manage { .. } | About::Idle { .. } | About::Occupants { .. } | About::Rooms => {
            unreachable!("no command here is about rooms of ours")
        }
    };
    let at = state.lock().log.head();
    // Who asked may be gone.
    let _gone = question.reply.send(Answered { answer, at });
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
