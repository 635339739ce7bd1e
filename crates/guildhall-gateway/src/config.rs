//! Settings as data. Only the binary reads the environment.

use std::{
    collections::BTreeSet, io, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration,
};

use guildhall_http::{HttpOrigin, RotatedSecret, Secret, WsUrl};
use guildhall_model::{GuildId, LogId};
use guildhall_ports::{
    Clock, CommandJournal, EventBus, EventStore, GatewayRegistry, Journals, RevocationStore,
    RoomStore,
};
use rustls::ClientConfig;

use crate::rooms::RoomSettings;

/// Everything the gateway role needs to know. Made into a role by [`Config::build`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where web roles dial. Port 0: any free port.
    pub listen: SocketAddr,
    /// The bot's token, without `Bot ` before it.
    pub bot_token: Secret,
    /// The guilds to bridge; `None`: all of the bot's. Others are ignored altogether.
    pub guilds: Option<BTreeSet<GuildId>>,
    /// The shards of the bot's that this process holds: each has a session with Discord and a log
    /// of its own. At least one, at most 128, all of the same count.
    pub shards: Vec<ShardId>,
    /// What to ask of Discord beyond guilds and voice states.
    pub intents: Intents,
    /// Tokens a web role may present.
    pub link_tokens: RotatedSecret,
    /// Discord's origin, such as `https://discord.com`; `/api/v10` derives from it.
    pub discord_url: HttpOrigin,
    /// Origin of Discord's pictures.
    pub cdn_url: HttpOrigin,
    /// The Gateway's address; `None`: what `/gateway/bot` answers.
    pub discord_gateway_url: Option<WsUrl>,
    /// How TLS is spoken to Discord.
    pub tls: Arc<ClientConfig>,
    /// Events retained per guild and window.
    pub log_window: NonZeroUsize,
    /// How rooms are made, and how long they live.
    pub rooms: RoomSettings,
    /// Bounds and intervals; tests shrink them.
    pub limits: Limits,
    /// What the operator calls the settings that sentences name.
    pub names: GatewaySettingNames,
}

/// What the operator calls those settings that a log line, a line of `/readyz` or an error names.
#[derive(Clone, Copy, Debug)]
pub struct GatewaySettingNames {
    /// [`Config::bot_token`].
    pub bot_token: &'static str,
    /// [`Config::guilds`].
    pub guilds: &'static str,
    /// [`Config::intents`].
    pub intents: &'static str,
    /// [`Config::link_tokens`].
    pub link_tokens: &'static str,
    /// [`Config::discord_url`].
    pub discord_url: &'static str,
    /// [`Config::discord_gateway_url`].
    pub discord_gateway_url: &'static str,
    /// The further roots that [`Config::tls`] trusts.
    pub root_certificates: &'static str,
    /// Where the journal is.
    pub data_dir: &'static str,
}

impl Config {
    /// Whether the address that the operator gave for Discord's Gateway, or else for its API, is
    /// one with TLS.
    pub(crate) fn is_discord_behind_tls(&self) -> bool {
        match &self.discord_gateway_url {
            Some(url) => url.scheme() == "wss",
            None => self.discord_url.scheme() == "https",
        }
    }
}

/// What the role asks of the outside.
#[derive(Clone, Debug)]
pub struct GatewayPorts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What survives the process, a journal for each log.
    pub journals: Arc<dyn Journals>,
    /// What of commands survives the process.
    pub commands: Arc<dyn CommandJournal>,
    /// What of the rooms that it makes survives the process.
    pub rooms: Arc<dyn RoomStore>,
    /// Which sessions are over, told to every web role.
    pub revocations: Arc<dyn RevocationStore>,
    /// What carries the logs to those who follow them.
    pub bus: Arc<dyn EventBus>,
    /// What keeps events for later, beside the road.
    pub history: Arc<dyn EventStore>,
    /// Where web roles learn of this gateway.
    pub registry: Arc<dyn GatewayRegistry>,
}

/// One of the parts into which Discord divides a bot's guilds (its documentation, "Gateway",
/// "Sharding").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// Which, from 0.
    pub number: u16,
    /// Of how many.
    pub count: u16,
}

impl ShardId {
    /// The one of a bot that is not divided.
    pub const ONLY: Self = Self {
        number: 0,
        count: 1,
    };

    /// All there are of so many.
    pub fn all(count: u16) -> impl Iterator<Item = Self> {
        (0..count).map(move |number| Self { number, count })
    }

    /// Whether events of a guild come to this shard.
    #[must_use]
    pub fn has(self, guild_id: GuildId) -> bool {
        (guild_id.0 >> 22) % u64::from(self.count.max(1)) == u64::from(self.number)
    }

    /// The log that its events go to.
    #[must_use]
    pub fn log(self) -> LogId {
        LogId(self.number)
    }

    /// As Discord writes it.
    pub(crate) fn pair(self) -> [u32; 2] {
        [self.number.into(), self.count.into()]
    }
}

/// Intents beyond GUILDS and GUILD_VOICE_STATES, which are always asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intents {
    /// GUILD_MEMBERS, privileged: role changes and kicks are obeyed at once.
    pub members: bool,
    /// GUILD_MODERATION: bans and audit log entries are a hint to look again.
    pub moderation: bool,
}

impl Intents {
    /// Discord's bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        const GUILDS: u64 = 1;
        const GUILD_MEMBERS: u64 = 1 << 1;
        const GUILD_MODERATION: u64 = 1 << 2;
        const GUILD_VOICE_STATES: u64 = 1 << 7;
        let members = if self.members { GUILD_MEMBERS } else { 0 };
        let moderation = if self.moderation { GUILD_MODERATION } else { 0 };
        GUILDS | GUILD_VOICE_STATES | members | moderation
    }
}

/// Bounds and intervals that no operator needs to know. The defaults are the product's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// JSON bytes of a guild's retained events, in each window.
    pub guild_bytes: usize,
    /// Of all retained events of a log together. Beyond it the guild with the most gives first.
    pub log_bytes: usize,
    /// Of all logs of the process together; likewise.
    pub process_bytes: usize,
    /// Look-ups per second by Discord's REST interface: half of what it allows.
    pub requests_per_second: u16,
    /// The other half is always left to commands, which may also have what look-ups leave.
    pub command_requests_per_second: u16,
    /// Calls of Request Guild Members per minute and connection to Discord: half of what Discord
    /// takes of a connection in all, heartbeats allowed for. Each is for up to 100 users.
    pub member_calls: usize,
    /// A call whose answer is not complete after this is given up.
    pub member_answer: Duration,
    /// A user watched without a break this long has rights that are kept fresh.
    pub watch_break: Duration,
    /// Watched users are looked up again this often, as far as the budget goes.
    pub rights_refresh: Duration,
    /// So long after the last watch a user's rights are forgotten.
    pub rights_kept: Duration,
    /// A watch is answered within this, with what could not be looked up as failed.
    pub watch_answer: Duration,
    /// The longest wait before the second try to reach Discord; doubled for each further one.
    pub reconnect_first: Duration,
    /// The longest wait between two tries.
    pub reconnect_longest: Duration,
    /// From dialling to HELLO; after that it is no Gateway, or a dead one.
    pub hello: Duration,
    /// No two IDENTIFYs are nearer than this.
    pub identify_spacing: Duration,
    /// The most between a RESUME that Discord refused and the IDENTIFY after it; the least is a
    /// fifth of it.
    pub identify_after_refusal: Duration,
    /// IDENTIFYs a day that are never used: below this many left, we wait for the next day.
    pub identify_reserve: u32,
    /// How long a planned close may take.
    pub close: Duration,
    /// How long a peer may take for its HTTP request.
    pub request_head: Duration,
    /// Web roles attached at one time.
    pub attachments: usize,
    /// Connections of the link's listener that have not shown a token, at one time. For a further
    /// one the one that has been silent longest is closed.
    pub tokenless: usize,
    /// The same of one address; this machine's are not counted.
    pub tokenless_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guild_bytes: 16 << 20,
            log_bytes: 64 << 20,
            // Four logs of which each is full. A log of voice events alone has a hundredth of that.
            process_bytes: 256 << 20,
            requests_per_second: 25,
            command_requests_per_second: 25,
            member_calls: 56,
            member_answer: Duration::from_secs(2),
            watch_break: Duration::from_mins(5),
            // A minute is promised; the tick that notices and the look-up itself take their part.
            rights_refresh: Duration::from_secs(57),
            rights_kept: Duration::from_hours(24),
            watch_answer: Duration::from_millis(4_500),
            reconnect_first: Duration::from_millis(500),
            reconnect_longest: Duration::from_mins(1),
            hello: Duration::from_secs(20),
            // Discord's are five seconds apart where they arrive, and the network may bring two
            // nearer together than they were sent.
            identify_spacing: Duration::from_millis(5_250),
            // Discord's documentation, "Gateway": a random amount of time between 1 and 5 seconds.
            identify_after_refusal: Duration::from_secs(5),
            identify_reserve: 50,
            close: Duration::from_secs(3),
            // A web role says its request as soon as it is connected.
            request_head: Duration::from_secs(5),
            // One or two for each web process, while a new one takes over from an old one.
            attachments: 256,
            // A probe or two, and the web roles that happen to dial in the same millisecond.
            tokenless: 64,
            tokenless_per_address: 32,
        }
    }
}

/// Why the role can't be built.
#[derive(Debug, thiserror::Error)]
pub enum GatewayBuildError {
    /// Where web roles dial can't be listened on.
    #[error("{0}")]
    NotBound(io::Error),
    /// The client of Discord's API can't be made.
    #[error("{0}")]
    Tls(String),
    /// What a setting says can't be used: one sentence that names it and the cure.
    #[error("{0}")]
    Misconfigured(String),
    /// The machine refused something that no setting explains.
    #[error("{0}")]
    Failed(String),
}

/// Why the role ended unasked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayRunError {
    /// Discord refused a setting: one sentence that names it and the cure. Exit code 78.
    #[error("{0}")]
    Misconfigured(String),
    /// A task ended that should not have: better a restart than half a process.
    #[error("{0}")]
    Failed(String),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::GatewaySettingNames;

    pub(crate) const NAMES: GatewaySettingNames = GatewaySettingNames {
        bot_token: "THE_TOKEN",
        guilds: "THE_GUILDS",
        intents: "THE_INTENTS",
        link_tokens: "THE_LINK",
        discord_url: "THE_URL",
        discord_gateway_url: "THE_GATEWAY",
        root_certificates: "THE_ROOTS",
        data_dir: "THE_FOLDER",
    };
}
