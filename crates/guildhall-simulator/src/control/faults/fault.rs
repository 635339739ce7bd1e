//! What a fault is called, and what has to be said of it.

use serde::{Deserialize, Serialize};

use crate::snowflake::Snowflake;

/// One fault. Those of connections meet every attached session, or the one that
/// `sessionId` names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields,
    expecting = "internally tagged enum Body"
)]
pub(in crate::control) enum Fault {
    /// Tears the connection; no close frame.
    Drop { session_id: Option<String> },
    /// Closes with a code, 4000 unless it says otherwise.
    Close {
        session_id: Option<String>,
        code: Option<u16>,
    },
    /// Op 7; the connection stays until the client leaves.
    Reconnect { session_id: Option<String> },
    /// Op 9; a session that is not resumable ends.
    InvalidSession {
        session_id: Option<String>,
        #[serde(default)]
        resumable: bool,
    },
    /// Op 1 from the server.
    AskHeartbeat { session_id: Option<String> },
    /// Heartbeats go unanswered until the client reconnects.
    StopAcking { session_id: Option<String> },
    /// The next upgrades of the resume URL are answered with 503; 0 heals.
    #[serde(rename = "resume_503")]
    Resume503 {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next upgrades of the resume URL end without an answer; 0 heals.
    ResumeRefused {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next upgrades of the resume URL are never answered; 0 heals.
    ResumeHang {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next replays begin so many dispatches too early, with their old numbers.
    Rewind {
        #[serde(default = "once")]
        times: u32,
        dispatches: u32,
    },
    /// Nothing that is sent arrives any more, until the client reconnects.
    Silence { session_id: Option<String> },
    /// Half of the next frame arrives, and nothing after it.
    HalfFrame { session_id: Option<String> },
    /// Frames trickle: so many bytes, then a pause.
    Slow {
        session_id: Option<String>,
        bytes: u16,
        pause_ms: u16,
    },
    /// The next events are told twice.
    Duplicate {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next pairs of independent events are told the other way round; what
    /// finds no partner within this time is told as it is.
    Reorder {
        #[serde(default = "once")]
        times: u32,
        #[serde(default = "a_second")]
        within_ms: u32,
    },
    /// The next requests of a route, such as `POST /guilds/{guild_id}/roles`, or of
    /// any, wait so long. `skip`, here and below: so many pass before that.
    Latency {
        route: Option<String>,
        #[serde(default = "once")]
        times: u32,
        #[serde(default)]
        skip: u32,
        latency_ms: u32,
    },
    /// The next requests of a route are answered with this status: done all the same,
    /// or with `undone` not. With a `code` the body is Discord's, else there is none.
    Status {
        route: Option<String>,
        #[serde(default = "once")]
        times: u32,
        #[serde(default)]
        skip: u32,
        status: u16,
        code: Option<u32>,
        #[serde(default)]
        undone: bool,
    },
    /// The next requests of a route are done, or with `undone` not, and never answered.
    Hang {
        route: Option<String>,
        #[serde(default = "once")]
        times: u32,
        #[serde(default)]
        skip: u32,
        #[serde(default)]
        undone: bool,
    },
    /// The next requests of a route are done, or with `undone` not, and then their
    /// connection tears.
    Tear {
        route: Option<String>,
        #[serde(default = "once")]
        times: u32,
        #[serde(default)]
        skip: u32,
        #[serde(default)]
        undone: bool,
    },
    /// The next request of a route is refused with 429, and so is whatever comes there
    /// (with scope `global` or `edge` anywhere) until the time that it was told is over;
    /// then the next one, as often as `times` says.
    RateLimit {
        route: Option<String>,
        #[serde(default = "once")]
        times: u32,
        #[serde(default)]
        skip: u32,
        #[serde(default)]
        scope: LimitScope,
        retry_after_ms: u32,
    },
    /// A User-Agent that is not of Discord's form is blocked, or no more with `over`.
    UserAgent {
        #[serde(default)]
        over: bool,
    },
    /// Whatever of REST, resume URL and delivery still waits to go wrong does not, and
    /// connections that are slow, silent, cut in half or unanswered are well again.
    Heal {},
    /// The next connections get op 7 in place of HELLO; 0 heals.
    ReconnectHello {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next connections are sent plain text, although they ask for compression; 0 heals.
    NoCompression {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next connections that ask for zstd need a window of 2^`log` bytes; 0 heals.
    ZstdWindow {
        #[serde(default = "once")]
        times: u32,
        log: u8,
    },
    /// A guild goes out of service, or comes back with `over`.
    Outage {
        guild_id: Snowflake,
        #[serde(default)]
        over: bool,
    },
    /// Hides a channel from the bot, or shows it again with `over`.
    Obfuscate {
        channel_id: Snowflake,
        #[serde(default)]
        over: bool,
    },
}

/// Who refuses with 429.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::control) enum LimitScope {
    #[default]
    User,
    Global,
    Shared,
    /// Whoever stands before Discord: without JSON.
    Edge,
}

fn once() -> u32 {
    1
}

fn a_second() -> u32 {
    1000
}
