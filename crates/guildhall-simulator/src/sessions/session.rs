//! Sessions: who gets which dispatch, and what is kept for replay.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::Write as _,
    sync::Arc,
};

use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

use super::{close::CloseCode, events, order::Order, query::GatewayQuery};
use crate::{
    snowflake::Snowflake,
    world::{Event, EventBody, Intents, World, event_text, guild_create},
};

/// The name of the dispatch that ends a replay. It belongs to one resumption: a
/// later replay leaves it out.
const RESUMED: &str = "RESUMED";

/// A run of dispatches that a client hears, over one connection or several.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) intents: Intents,
    pub(crate) shard: Shard,
    /// Above this many members a guild's offline ones are not shown.
    pub(crate) large_threshold: usize,
    /// Whether IDENTIFY asked for compressed payloads.
    pub(crate) compress: bool,
    /// What the URL asked for that the session began with.
    pub(crate) query: GatewayQuery,
    /// Guilds where the bot is in voice by this session's word.
    pub(crate) voices: BTreeSet<Snowflake>,
    pub(crate) attachment: Attachment,
    /// Told whenever there is something to send.
    pub(crate) wake: Arc<Notify>,
    /// Guilds of READY that GUILD_CREATE has not shown yet; nothing else is told of them.
    pub(crate) pending: VecDeque<Snowflake>,
    replay: VecDeque<Dispatch>,
    replay_bytes: usize,
    limits: ReplayLimits,
    last_seq: u64,
    /// The last dispatch that was dropped; a cursor below it has a gap.
    floor: u64,
}

/// What IDENTIFY settled for the whole session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) intents: Intents,
    pub(crate) shard: Shard,
    pub(crate) large_threshold: usize,
    pub(crate) compress: bool,
}

/// How much a session keeps for replay, whichever is reached first. The newest
/// dispatch is kept in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplayLimits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Whether a connection serves a session.
#[derive(Debug)]
pub(crate) enum Attachment {
    Attached {
        connection: u64,
        orders: mpsc::Sender<Order>,
    },
    Detached {
        since: Instant,
    },
}

/// One dispatch of a session.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) seq: u64,
    name: &'static str,
    body: Arc<str>,
}

/// What the cursor points at was dropped already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind;

impl Session {
    pub(crate) fn new(
        id: String,
        identity: Identity,
        query: GatewayQuery,
        attachment: Attachment,
        limits: ReplayLimits,
    ) -> Self {
        Self {
            id,
            intents: identity.intents,
            shard: identity.shard,
            large_threshold: identity.large_threshold,
            compress: identity.compress,
            query,
            voices: BTreeSet::new(),
            attachment,
            wake: Arc::new(Notify::new()),
            pending: VecDeque::new(),
            replay: VecDeque::new(),
            replay_bytes: 0,
            limits,
            last_seq: 0,
            floor: 0,
        }
    }

    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.attachment, Attachment::Attached { .. })
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Takes the event if it is for this session.
    pub(crate) fn take(&mut self, world: &World, event: &Event) {
        if !self.intents.has(event.needs) || !self.shard.receives(event.guild_id) {
            return;
        }
        if let Some(guild_id) = event.guild_id
            && self.pending.contains(&guild_id)
        {
            // READY named the guild and GUILD_CREATE will show it as it then is. That the
            // guild went out of service or away must be told; it is then pending no more.
            if event.name != "GUILD_DELETE" {
                return;
            }
            self.pending.retain(|id| *id != guild_id);
        }
        let body = match &event.body {
            EventBody::Shared(body) => body.clone(),
            EventBody::Message { whole, blank } => {
                if self.intents.has(Intents::MESSAGE_CONTENT) {
                    whole.clone()
                } else {
                    blank.clone()
                }
            }
            EventBody::GuildCreate(appears) => {
                match event.guild_id.and_then(|id| world.guilds.get(id)) {
                    Some(guild) => event_text(&guild_create(
                        guild,
                        &world.users,
                        world.bot_id(),
                        self.intents,
                        self.large_threshold,
                        *appears,
                    )),
                    None => return,
                }
            }
        };
        self.push(event.name, body);
    }

    /// Numbers a dispatch, keeps it, and wakes the connection.
    pub(crate) fn push(&mut self, name: &'static str, body: Arc<str>) {
        debug_assert!(events::is_known(name), "{name} is not in EVENTS");
        self.last_seq += 1;
        self.replay_bytes += body.len();
        self.replay.push_back(Dispatch {
            seq: self.last_seq,
            name,
            body,
        });
        while self.replay.len() > self.limits.events
            || (self.replay_bytes > self.limits.bytes && self.replay.len() > 1)
        {
            let Some(dropped) = self.replay.pop_front() else {
                break;
            };
            self.replay_bytes -= dropped.body.len();
            self.floor = dropped.seq;
        }
        self.wake.notify_one();
    }

    /// Ends a replay.
    pub(crate) fn push_resumed(&mut self) {
        self.replay.retain(|dispatch| dispatch.name != RESUMED);
        self.replay_bytes = self.replay.iter().map(|dispatch| dispatch.body.len()).sum();
        self.push(RESUMED, "{\"_trace\":[\"guildhall-simulator\"]}".into());
    }

    /// Whether everything after `seq` is still here.
    pub(crate) fn reaches(&self, seq: u64) -> bool {
        seq >= self.floor
    }

    /// The next dispatches after `cursor`, at most `limit`.
    pub(crate) fn after(&self, cursor: u64, limit: usize) -> Result<Vec<Dispatch>, Behind> {
        if !self.reaches(cursor) {
            return Err(Behind);
        }
        let begin = self
            .replay
            .partition_point(|dispatch| dispatch.seq <= cursor);
        Ok(self
            .replay
            .iter()
            .skip(begin)
            .take(limit)
            .cloned()
            .collect())
    }
}

impl Dispatch {
    /// The text frame: only the number is the session's own.
    pub(crate) fn frame(&self) -> String {
        let mut frame = String::with_capacity(self.body.len() + self.name.len() + 48);
        frame.push_str("{\"t\":\"");
        frame.push_str(self.name);
        // Writing to a String cannot fail.
        let _ = write!(frame, "\",\"s\":{},\"op\":0,\"d\":", self.seq);
        frame.push_str(&self.body);
        frame.push('}');
        frame
    }
}

/// Which guilds a session hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) id: u64,
    pub(crate) count: u64,
}

impl Shard {
    /// The shard of an IDENTIFY, or of one that names none.
    pub(crate) fn new(named: Option<[u64; 2]>) -> Result<Self, CloseCode> {
        let [id, count] = named.unwrap_or([0, 1]);
        if id < count {
            Ok(Self { id, count })
        } else {
            Err(CloseCode::INVALID_SHARD)
        }
    }

    /// Whether events of this guild are the shard's; those of none are shard 0's.
    pub(crate) fn receives(self, guild_id: Option<Snowflake>) -> bool {
        guild_id.map_or(0, |guild_id| (guild_id.get() >> 22) % self.count) == self.id
    }
}
