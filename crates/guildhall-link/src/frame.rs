//! Frames: JSON text messages `{type, id?, data, more?, requestId?, ts}` (docs/protocol/link.md).

/// Somebody who signs in by an invite.
mod admit;
/// Requests and their replies.
mod request;
/// What needs no answer.
mod tell;
/// The JSON.
mod wire;

use std::sync::Arc;

use guildhall_model::{Cursor, Envelope, Guild, GuildId, Position, UnixMs, event::LiveEvent};
use serde::{Deserialize, Serialize};

pub use admit::{AccessToken, AdmitDone, AdmitRequestBody, AdmitResult, Admitted, Newcomer};
pub use guildhall_model::event::Discord;
pub use request::{
    Refusal, RefusalCode, Reply, ReplyBody, Request, RequestBody, WatchRequestBody, Watched,
};
pub use tell::{InstanceId, InvalidInstanceId, Tell, ViewerTable};

/// The version of these shapes. Sides of different versions refuse each other.
pub const VERSION: u32 = 2;

/// One message of the link.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Gateway, first: which logs it has, and where each stands.
    Hello {
        /// One position for each log.
        heads: Cursor,
    },
    /// Web, once, after the hello: everything after these positions, please.
    Subscribe {
        /// Where the replica stands, in each log that it has something of; `None`: it has nothing.
        after: Option<Cursor>,
    },
    /// A `hello` or `subscribe` of another version of the protocol, of which nothing else is read.
    OtherVersion {
        /// Which of the two.
        opening: Opening,
        /// The version that its sender speaks.
        version: u32,
    },
    /// Gateway: one guild at its floor, which names the log. Only when the subscription could not
    /// go on after its position in that log; the first one of a log replaces everything that the
    /// replica has of it.
    Snapshot(Box<Base>),
    /// Gateway: what was sent since the hello is complete up to these positions. Sent once on
    /// every connection, with or without snapshots before it.
    SnapshotEnd {
        /// The last position sent in each log; never inside a group.
        at: Cursor,
    },
    /// Gateway: the next event of a log.
    Event(Envelope),
    /// Gateway: the latest word about something in the live lane. Behind `snapshot_end` all of
    /// them, then each that changes; one that a later one took the place of is left out.
    Live(Arc<LiveEvent>),
    /// Gateway: how Discord is behind one log, at every change and once before `snapshot_end`.
    Status(LogStatus),
    /// Gateway, every five seconds: where the logs stand, whatever was sent.
    Heads {
        /// One position for each log.
        at: Cursor,
    },
    /// Web: something is to be done, and the answer is waited for until a deadline.
    Request(Request),
    /// Gateway: the answer to a request.
    Reply(Reply),
    /// Either: something that needs no answer.
    Tell(Tell),
    /// Either: said once before the connection is closed.
    Error {
        /// A word for programs, such as `version` or `protocol`.
        code: String,
        /// A sentence for people. No secrets.
        message: String,
    },
    /// A type of a newer peer. Counted and ignored.
    Unknown,
}

/// The frames that name the version of the protocol: each side's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The gateway's.
    Hello,
    /// The web role's.
    Subscribe,
}

/// One guild's base: its world at its floor, the place before its first record still kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Base {
    /// The guild.
    pub guild_id: GuildId,
    /// Its floor.
    pub floor: Position,
    /// `None`: it was not there yet, or no more.
    pub guild: Option<Guild>,
}

/// How Discord is behind one log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStatus {
    /// Where in which log it was so. The events up to here were sent before.
    pub at: Position,
    /// How it is.
    #[serde(flatten)]
    pub status: DiscordStatus,
}

/// How the gateway stands with Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscordStatus {
    /// In a word.
    pub discord: Discord,
    /// Since when, Unix ms.
    pub since: UnixMs,
    /// Guilds that are not live although the connection is: in an outage, or still to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guild_ids: Vec<GuildId>,
    /// Every guild that READY named has come or is known to be in an outage: only now does the
    /// absence of a guild mean anything.
    pub complete: bool,
}

/// What the writer of one log answers to a watch of guilds of that log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The request.
    pub request_id: u64,
    /// The rights are in the log at or before this.
    pub at: Position,
    /// Guilds where the look-up failed.
    pub failed: Vec<GuildId>,
}

/// Why a message is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or not the envelope.
    #[error("not a frame: {0}")]
    Envelope(serde_json::Error),
    /// A known type whose data does not fit.
    #[error("bad {frame} frame: {reason}")]
    Data {
        /// The type.
        frame: &'static str,
        /// Why.
        reason: serde_json::Error,
    },
    /// A known type without the `id` or `requestId` it needs.
    #[error("{0} frame without its id")]
    NoId(&'static str),
}

impl Frame {
    /// The frame's `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Subscribe { .. } => "subscribe",
            Self::OtherVersion { opening, .. } => match opening {
                Opening::Hello => "hello",
                Opening::Subscribe => "subscribe",
            },
            Self::Snapshot(_) => "snapshot",
            Self::SnapshotEnd { .. } => "snapshot_end",
            Self::Event(_) => "event",
            Self::Live(_) => "live",
            Self::Status(_) => "status",
            Self::Heads { .. } => "heads",
            Self::Request(_) => "request",
            Self::Reply(_) => "reply",
            Self::Tell(_) => "tell",
            Self::Error { .. } => "error",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests;
