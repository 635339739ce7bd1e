//! All sessions, the identify budget, and detached ones.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use super::{
    close::CloseCode,
    order::Order,
    payload::{Identify, Resume},
    query::GatewayQuery,
    session::{Attachment, Behind, Dispatch, Identity, ReplayLimits, Session, Shard},
};
use crate::{
    config::Config,
    snowflake::Snowflake,
    world::{Appears, Event, Intents, World, current_user, event_text, unavailable},
};

/// `large_threshold` of an IDENTIFY that names none, and the least and the most
/// that count.
const LARGE_THRESHOLD: (usize, usize, usize) = (50, 50, 250);
/// More sessions than any test or bot runs; a start beyond is refused with op 9.
const MOST_SESSIONS: usize = 1024;

/// A connection that asks for a session.
pub(crate) struct ConnectionHandle {
    pub(crate) number: u64,
    pub(crate) orders: mpsc::Sender<Order>,
    /// `ws://` URL of the resume path as this client reaches it.
    pub(crate) resume_url: String,
    pub(crate) query: GatewayQuery,
}

/// A session that was granted.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) session_id: String,
    /// Where the connection's cursor begins.
    pub(crate) cursor: u64,
    pub(crate) wake: Arc<Notify>,
    /// Whether long payloads are to be compressed.
    pub(crate) compress: bool,
}

/// Why a session was not granted.
#[derive(Debug)]
pub(crate) enum Denied {
    /// Op 9 with `false`: the client may identify on this connection.
    Invalid,
    Close(CloseCode),
}

/// Figures of `GET /gateway/bot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartLimit {
    pub(crate) total: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
    pub(crate) max_concurrency: u32,
    /// How many shards are recommended.
    pub(crate) shards: u32,
}

/// Every session that is attached or may be resumed.
pub(crate) struct Sessions {
    all: HashMap<String, Session>,
    config: Config,
    started: u32,
    budget_began: Option<Instant>,
    /// By identify slot; at most `max_concurrency` of them.
    last_identify: HashMap<u64, Instant>,
    /// When each guild's member list was asked for last.
    member_lists: HashMap<Snowflake, Instant>,
    /// Sessions that ended, until the bot has left the voice channels it was in for them.
    ended: Vec<EndedSession>,
}

/// What is left of a session to be cleared up.
struct EndedSession {
    shard: Shard,
    voices: BTreeSet<Snowflake>,
}

impl Sessions {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            all: HashMap::new(),
            config: config.clone(),
            started: 0,
            budget_began: None,
            last_identify: HashMap::new(),
            member_lists: HashMap::new(),
            ended: Vec::new(),
        }
    }

    /// Hands events to every session, attached or detached.
    pub(crate) fn deliver(&mut self, world: &World, events: &[Event], now: Instant) {
        if events.is_empty() {
            return;
        }
        self.forget_expired(now);
        for session in self.all.values_mut() {
            for event in events {
                session.take(world, event);
            }
        }
    }

    /// IDENTIFY: a new session with READY as its first dispatch. One more than the
    /// budget allows ends every session and replaces the bot token.
    pub(crate) fn identify(
        &mut self,
        world: &mut World,
        identify: &Identify,
        connection: ConnectionHandle,
        now: Instant,
    ) -> Result<Granted, Denied> {
        let settled = check(world, identify)?;
        let Identity { intents, shard, .. } = settled;
        let guilds: Vec<_> = world
            .bot_guilds()
            .map(|guild| guild.id)
            .filter(|id| shard.receives(Some(*id)))
            .collect();
        if guilds.len() > self.config.guilds_per_shard {
            return Err(Denied::Close(CloseCode::SHARDING_REQUIRED));
        }
        self.forget_expired(now);
        let slot = shard.id % u64::from(self.config.max_concurrency.max(1));
        let too_soon = self
            .last_identify
            .get(&slot)
            .is_some_and(|last| now < *last + self.config.identify_interval);
        if too_soon || self.all.len() >= MOST_SESSIONS {
            return Err(Denied::Invalid);
        }
        if self.start_limit(now).remaining == 0 {
            self.end_all(CloseCode::AUTHENTICATION_FAILED);
            world.reset_bot_token();
            return Err(Denied::Close(CloseCode::AUTHENTICATION_FAILED));
        }
        self.last_identify.insert(slot, now);
        self.budget_began.get_or_insert(now);
        self.started += 1;

        let id = world.secret().hex();
        let attachment = Attachment::Attached {
            connection: connection.number,
            orders: connection.orders,
        };
        let limits = ReplayLimits {
            events: self.config.replay_events,
            bytes: self.config.replay_bytes,
        };
        let mut session = Session::new(id.clone(), settled, connection.query, attachment, limits);
        let bot = world
            .users
            .get(world.bot_id())
            .map(|user| current_user(world, user));
        let mut ready = json!({
            "v": connection.query.version,
            "user": bot,
            "guilds": guilds.iter().map(|id| unavailable(*id)).collect::<Vec<_>>(),
            "session_id": id,
            "session_type": "normal",
            "resume_gateway_url": connection.resume_url,
            "application": {"id": world.application.id, "flags": world.application.privileged_intents.application_flags()},
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "user_settings": {},
            "_trace": ["guildhall-simulator"],
        });
        if let Some(shard) = identify.shard {
            ready["shard"] = json!(shard);
        }
        session.push("READY", event_text(&ready));
        if intents.has(Intents::GUILDS) {
            session.pending = guilds.into();
        }
        let wake = session.wake.clone();
        self.all.insert(id.clone(), session);
        Ok(Granted {
            session_id: id,
            cursor: 0,
            wake,
            compress: settled.compress,
        })
    }

    /// RESUME: the session's dispatches after `seq`, then RESUMED. A connection
    /// that still held the session is dropped.
    pub(crate) fn resume(
        &mut self,
        world: &World,
        resume: &Resume,
        connection: ConnectionHandle,
        now: Instant,
    ) -> Result<Granted, Denied> {
        if !same_secret(&resume.token, &world.application.bot_token) {
            return Err(Denied::Close(CloseCode::AUTHENTICATION_FAILED));
        }
        self.forget_expired(now);
        let session = self
            .all
            .get_mut(&resume.session_id)
            .ok_or(Denied::Invalid)?;
        if session.query != connection.query {
            // Not the same version, encoding or compression: no resumption, and the
            // session waits for one that is right.
            return Err(Denied::Invalid);
        }
        if resume.seq > session.last_seq() {
            self.end(&resume.session_id);
            return Err(Denied::Close(CloseCode::INVALID_SEQ));
        }
        if !session.reaches(resume.seq) {
            self.end(&resume.session_id);
            return Err(Denied::Invalid);
        }
        if let Attachment::Attached { orders, .. } = &session.attachment {
            // Full or closed means that connection is going anyway.
            let _ = orders.try_send(Order::Drop);
        }
        session.attachment = Attachment::Attached {
            connection: connection.number,
            orders: connection.orders,
        };
        session.push_resumed();
        Ok(Granted {
            session_id: session.id.clone(),
            cursor: resume.seq,
            wake: session.wake.clone(),
            compress: session.compress,
        })
    }

    /// Begins a replay so many dispatches too early: none of them is READY, which
    /// belongs to the IDENTIFY, and none was dropped.
    pub(crate) fn rewound(&self, granted: Granted, dispatches: u64) -> Granted {
        let cursor = granted.cursor.saturating_sub(dispatches).max(1);
        let session = self.all.get(&granted.session_id);
        let earlier = cursor < granted.cursor && session.is_some_and(|one| one.reaches(cursor));
        Granted {
            cursor: if earlier { cursor } else { granted.cursor },
            ..granted
        }
    }

    /// What a connection has to send next.
    pub(crate) fn after(
        &self,
        session_id: &str,
        cursor: u64,
        limit: usize,
    ) -> Result<Vec<Dispatch>, Behind> {
        self.all.get(session_id).ok_or(Behind)?.after(cursor, limit)
    }

    /// Shows the next guild of READY; whether more are to come.
    pub(crate) fn show_next_guild(&mut self, world: &World, session_id: &str) -> bool {
        let Some(session) = self.all.get_mut(session_id) else {
            return false;
        };
        if let Some(guild_id) = session.pending.pop_front() {
            let event = match world.bot_guild(guild_id) {
                Some(guild) if guild.available => Event::guild_create(guild_id, Appears::Available),
                // In an outage GUILD_CREATE is the stub that READY had.
                Some(_) => Event::new(
                    "GUILD_CREATE",
                    Intents::GUILDS,
                    guild_id,
                    &unavailable(guild_id),
                ),
                None => Event::new(
                    "GUILD_DELETE",
                    Intents::GUILDS,
                    guild_id,
                    &json!({"id": guild_id}),
                ),
            };
            session.take(world, &event);
        }
        !session.pending.is_empty()
    }

    /// A connection ended; its session goes on without one or ends with it.
    pub(crate) fn connection_ended(
        &mut self,
        session_id: &str,
        connection: u64,
        keeps_session: bool,
        now: Instant,
    ) {
        let Some(session) = self.all.get_mut(session_id) else {
            return;
        };
        let holds = matches!(
            session.attachment,
            Attachment::Attached { connection: held, .. } if held == connection
        );
        if holds && keeps_session {
            session.attachment = Attachment::Detached { since: now };
        } else if holds {
            self.end(session_id);
        }
    }

    /// Ends a session for good.
    pub(crate) fn end(&mut self, session_id: &str) {
        if let Some(session) = self.all.remove(session_id) {
            self.ended.push(session.into());
        }
    }

    /// Ends every session at once.
    pub(crate) fn end_all(&mut self, code: CloseCode) {
        for (_, session) in self.all.drain() {
            if let Attachment::Attached { orders, .. } = &session.attachment
                && orders.try_send(Order::Close(code)).is_err()
            {
                // The connection then finds out by itself that its session is gone.
                session.wake.notify_one();
            }
            self.ended.push(session.into());
        }
    }

    /// The bot is in voice there by this session's word, and by no other's.
    pub(crate) fn joined_voice(&mut self, session_id: &str, guild_id: Snowflake) {
        for session in self.all.values_mut() {
            session.voices.remove(&guild_id);
        }
        if let Some(session) = self.all.get_mut(session_id) {
            session.voices.insert(guild_id);
        }
    }

    /// Guilds whose voice channels the bot leaves, because the session that joined them
    /// has ended, or the last one that heard of them.
    pub(crate) fn voices_to_leave(&mut self, world: &World) -> Vec<Snowflake> {
        let ended = std::mem::take(&mut self.ended);
        let leaves = |id| {
            let was_told = ended.iter().any(|one| one.shard.receives(Some(id)));
            let is_told = self.all.values().any(|one| one.shard.receives(Some(id)));
            ended.iter().any(|one| one.voices.contains(&id)) || (was_told && !is_told)
        };
        world
            .bot_guilds()
            .filter(|guild| guild.voice_states.contains(world.bot_id()))
            .map(|guild| guild.id)
            .filter(|id| leaves(*id))
            .collect()
    }

    /// Whether there is none, attached or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a session has ended since [`Self::voices_to_leave`] was asked.
    pub(crate) fn some_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Makes the budget of session starts whole again.
    pub(crate) fn restore_starts(&mut self) {
        self.budget_began = None;
        self.started = 0;
    }

    /// Whether a session hears of this guild of the bot's.
    pub(crate) fn receives(&self, world: &World, session_id: &str, guild_id: Snowflake) -> bool {
        let receives = |session: &Session| session.shard.receives(Some(guild_id));
        world.bot_guild(guild_id).is_some() && self.all.get(session_id).is_some_and(receives)
    }

    /// Tells one session something that concerns no other.
    pub(crate) fn push_to(&mut self, session_id: &str, name: &'static str, data: Arc<str>) {
        if let Some(session) = self.all.get_mut(session_id) {
            session.push(name, data);
        }
    }

    pub(crate) fn intents_of(&self, session_id: &str) -> Option<Intents> {
        self.all.get(session_id).map(|session| session.intents)
    }

    /// How long until a guild's member list may be asked for again.
    pub(crate) fn member_list_wait(&self, guild_id: Snowflake, now: Instant) -> Option<Duration> {
        let free_at = *self.member_lists.get(&guild_id)? + self.config.member_list_interval;
        (free_at > now).then(|| free_at - now)
    }

    /// A guild's member list was asked for.
    pub(crate) fn member_list_asked(&mut self, guild_id: Snowflake, now: Instant) {
        let interval = self.config.member_list_interval;
        self.member_lists.retain(|_, asked| now < *asked + interval);
        self.member_lists.insert(guild_id, now);
    }

    /// What is left of today's session starts.
    pub(crate) fn start_limit(&mut self, now: Instant) -> StartLimit {
        let over = self
            .budget_began
            .is_some_and(|began| now >= began + self.config.session_start_window);
        if over {
            self.restore_starts();
        }
        let starts = self.config.session_starts;
        StartLimit {
            total: starts,
            remaining: starts.saturating_sub(self.started),
            reset_after: self.budget_began.map_or(Duration::ZERO, |began| {
                (began + self.config.session_start_window).duration_since(now)
            }),
            max_concurrency: self.config.max_concurrency,
            shards: self.config.shards,
        }
    }

    /// Orders every attached connection, or that of one session; how many took it.
    pub(crate) fn order(&self, session_id: Option<&str>, order: Order) -> usize {
        self.all
            .values()
            .filter(|session| session_id.is_none_or(|id| id == session.id))
            .filter(|session| match &session.attachment {
                Attachment::Attached { orders, .. } => orders.try_send(order).is_ok(),
                Attachment::Detached { .. } => false,
            })
            .count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.all.values()
    }

    /// Ends what was not resumed in time; whether there was any.
    pub(crate) fn forget_expired(&mut self, now: Instant) -> bool {
        let window = self.config.resume_window;
        let expired = self.all.extract_if(|_, session| match session.attachment {
            Attachment::Attached { .. } => false,
            Attachment::Detached { since } => now >= since + window,
        });
        let before = self.ended.len();
        self.ended
            .extend(expired.map(|(_, session)| session.into()));
        self.ended.len() > before
    }
}

impl From<Session> for EndedSession {
    fn from(session: Session) -> Self {
        Self {
            shard: session.shard,
            voices: session.voices,
        }
    }
}

/// What an IDENTIFY settles, or why it cannot.
fn check(world: &World, identify: &Identify) -> Result<Identity, Denied> {
    if !same_secret(&identify.token, &world.application.bot_token) {
        return Err(Denied::Close(CloseCode::AUTHENTICATION_FAILED));
    }
    let shard = Shard::new(identify.shard).map_err(Denied::Close)?;
    let intents =
        Intents::from_bits(identify.intents).ok_or(Denied::Close(CloseCode::INVALID_INTENTS))?;
    if !intents.allowed(world.application.privileged_intents) {
        return Err(Denied::Close(CloseCode::DISALLOWED_INTENTS));
    }
    let (usual, least, most) = LARGE_THRESHOLD;
    Ok(Identity {
        intents,
        shard,
        large_threshold: identify.large_threshold.unwrap_or(usual).clamp(least, most),
        compress: identify.compress.unwrap_or_default(),
    })
}

/// Libraries send the token with or without the `Bot ` of the REST header; Discord takes both.
fn same_secret(given: &str, wanted: &str) -> bool {
    let given = given.strip_prefix("Bot ").unwrap_or(given);
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}
