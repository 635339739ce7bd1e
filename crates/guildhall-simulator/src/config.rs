//! Settings of a simulator, as data.

use std::{
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

/// Every interval by its name, as command lines and documentation have it.
mod intervals;

pub use intervals::{INTERVALS, Interval, NoInterval};

pub use crate::{tls::TlsFiles, world::PrivilegedIntents};

/// Everything that can be set. The defaults are Discord's own figures where
/// Discord has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The same seed makes the same world, ids and tokens.
    pub seed: u64,
    /// What is made while it runs has ids by the seed, too, the same after the same history,
    /// and not by the clock as Discord's have: for tests that compare what was said byte by
    /// byte. Nobody can read from such an id when something was made.
    pub fixed_ids: bool,
    /// With what `https` and `wss` are served; without, everything is plain.
    pub tls: Option<TlsFiles>,
    /// Origin as browsers reach it, such as `http://localhost:4000`; it is the
    /// issuer named in OAuth2 answers. `None` means `http://` (with TLS `https://`) and
    /// the bound address.
    pub public_url: Option<String>,
    /// What HELLO asks for.
    pub heartbeat_interval: Duration,
    /// How long after a missed heartbeat the connection is closed: with 4000 and a
    /// session that may be resumed, or with 4009 where there is no session.
    pub heartbeat_grace: Duration,
    /// How long a client that was told to reconnect, by op 7 or op 9, may stay.
    pub reconnect_grace: Duration,
    /// A client that takes no byte for this long is torn off. Its session may be
    /// resumed as long as the replay reaches.
    pub write_limit: Duration,
    /// How long a client that is closed may take to echo the close.
    pub close_limit: Duration,
    /// How long a session without a connection can be resumed.
    pub resume_window: Duration,
    /// The pause between READY and the first GUILD_CREATE, and between guilds.
    pub guild_create_delay: Duration,
    /// How long a shard's identify slot is taken by an IDENTIFY; another one in
    /// the same slot gets op 9 until then.
    pub identify_interval: Duration,
    /// How many identify slots there are; a shard has that of its number modulo this.
    /// At least 1.
    pub max_concurrency: u32,
    /// How many sessions may be started within `session_start_window`. One more ends
    /// every session and replaces the bot token, as Discord does.
    pub session_starts: u32,
    /// How long a started session counts.
    pub session_start_window: Duration,
    /// The shard count that `GET /gateway/bot` recommends.
    pub shards: u32,
    /// A shard with more guilds than this is refused with 4011.
    pub guilds_per_shard: usize,
    /// How many payloads a connection may send within `send_window`; one more is
    /// answered with 4008.
    pub sends_per_window: u32,
    /// How long a sent payload counts, heartbeats included.
    pub send_window: Duration,
    /// How long after a guild's whole list of members was asked for it may not be
    /// asked for again; who does gets RATE_LIMITED.
    pub member_list_interval: Duration,
    /// How long one second of an invite's `max_age` is.
    pub invite_second: Duration,
    /// How long a bot may take to answer an interaction at all.
    pub interaction_answer: Duration,
    /// How long an interaction's token is good for what follows its first answer.
    pub interaction_token: Duration,
    /// How long `enforce_nonce` keeps a message from being said twice.
    pub nonce_memory: Duration,
    /// How long what a login grants lasts.
    pub grants: GrantLifetimes,
    /// How long after its first try a webhook event is told again; each further pause is twice
    /// as long.
    pub webhook_retry: Duration,
    /// How long after its first try a webhook event is no longer told.
    pub webhook_give_up: Duration,
    /// How many dispatches a session keeps for replay. A connection that falls
    /// further behind is closed with 4000, and its session can no longer be resumed.
    pub replay_events: usize,
    /// How many bytes of dispatches it keeps at most; the newest one is kept whatever
    /// its length.
    pub replay_bytes: usize,
    /// The switches of the developer portal; `/sim/application` turns them too.
    pub privileged_intents: PrivilegedIntents,
    /// How REST is limited.
    pub rate_limits: RateLimits,
    /// How long the head of a request may take to come.
    pub head_limit: Duration,
    /// How long its body may take; then the answer is 408.
    pub body_limit: Duration,
    /// How long a stopping simulator waits for answers under way.
    pub stop_limit: Duration,
    /// What happens by itself.
    pub scenario: Scenario,
    /// How much time passes between two turns of a scenario, on average.
    pub scenario_pace: Duration,
}

/// What happens by itself. Each is the same for the same seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing, until somebody acts. Its name is `standing`.
    #[default]
    Static,
    /// People drift between rooms, mute, stream, talk and leave.
    Evening,
    /// A guild of 10,000 members and 500 channels stands beside the others.
    Big,
    /// Guilds go out of service and come back, connections tear, and the resume
    /// host is away for a while.
    Outage,
}

/// No scenario has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scenario: standing, evening, big or outage")]
pub struct UnknownScenario(String);

impl Scenario {
    /// All, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Static, Self::Evening, Self::Big, Self::Outage];

    /// As it is written on command lines and in `/sim/scenario`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "standing",
            Self::Evening => "evening",
            Self::Big => "big",
            Self::Outage => "outage",
        }
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == text)
            .ok_or_else(|| UnknownScenario(text.to_owned()))
    }
}

/// How long codes and tokens of OAuth2 are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantLifetimes {
    /// Of a code, from consent to its exchange.
    pub code: Duration,
    /// Of an access token; `expires_in` says it.
    pub access: Duration,
    /// Of a refresh token.
    pub refresh: Duration,
}

impl Default for GrantLifetimes {
    fn default() -> Self {
        Self {
            code: Duration::from_mins(1),
            access: Duration::from_hours(7 * 24),
            refresh: Duration::from_hours(30 * 24),
        }
    }
}

/// Figures of the REST limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests per `global_window` of one caller: the bot, a person's token, or
    /// the address of whoever proves neither.
    pub global_requests: u32,
    /// How long the window of the global limit lasts.
    pub global_window: Duration,
    /// Requests that one bucket (route and its guild) takes per window.
    pub bucket_requests: u32,
    /// How long a bucket's window lasts.
    pub bucket_window: Duration,
    /// How many 401, 403 and 429 an address may earn within `invalid_window` before
    /// it is shut out.
    pub invalid_requests: u32,
    /// How long such a mistake counts, from the first.
    pub invalid_window: Duration,
    /// How often a channel's name, and as often its topic, can be changed by REST
    /// within `rename_window`. At least 1.
    pub rename_requests: u32,
    /// How long such a change counts, from the first.
    pub rename_window: Duration,
    /// How many roles may be asked for in a guild within `role_window`, whatever becomes
    /// of them: the bucket of that route alone. At least 1.
    pub role_requests: u32,
    /// How long such a request counts, from the first.
    pub role_window: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4000)),
            seed: 1,
            fixed_ids: false,
            tls: None,
            public_url: None,
            heartbeat_interval: Duration::from_millis(41_250),
            heartbeat_grace: Duration::from_secs(20),
            reconnect_grace: Duration::from_secs(5),
            write_limit: Duration::from_secs(20),
            close_limit: Duration::from_secs(1),
            resume_window: Duration::from_mins(3),
            guild_create_delay: Duration::from_millis(5),
            identify_interval: Duration::from_secs(5),
            max_concurrency: 1,
            session_starts: 1000,
            session_start_window: Duration::from_hours(24),
            shards: 1,
            guilds_per_shard: 2500,
            sends_per_window: 120,
            send_window: Duration::from_mins(1),
            member_list_interval: Duration::from_secs(30),
            invite_second: Duration::from_secs(1),
            interaction_answer: Duration::from_secs(3),
            interaction_token: Duration::from_mins(15),
            nonce_memory: Duration::from_mins(5),
            grants: GrantLifetimes::default(),
            webhook_retry: Duration::from_secs(1),
            webhook_give_up: Duration::from_mins(10),
            replay_events: 65_536,
            replay_bytes: 64 * 1024 * 1024,
            privileged_intents: PrivilegedIntents::ALL,
            rate_limits: RateLimits::default(),
            head_limit: Duration::from_secs(10),
            body_limit: Duration::from_secs(10),
            stop_limit: Duration::from_secs(1),
            scenario: Scenario::Static,
            scenario_pace: Duration::from_millis(1500),
        }
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            global_requests: 50,
            global_window: Duration::from_secs(1),
            bucket_requests: 10,
            bucket_window: Duration::from_secs(1),
            invalid_requests: 10_000,
            invalid_window: Duration::from_mins(10),
            rename_requests: 2,
            rename_window: Duration::from_mins(10),
            role_requests: 250,
            role_window: Duration::from_hours(48),
        }
    }
}
