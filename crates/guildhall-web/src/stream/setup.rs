//! What a stream is made of.

use std::sync::Arc;

use guildhall_model::{ChannelId, Cursor, GuildId, UnixMs, event::ByeReason};
use guildhall_ports::Clock;
use tokio::time::Instant;

use super::{limit::Permit, open_streams::ListedStream};
use crate::{
    auth::{LoginHeads, SessionEnd},
    fanout::{Fanout, SettledReader, StreamRegistration, WantedGuilds},
    visible::Selector,
};

/// What a stream is started with.
pub(crate) struct StreamSetup {
    pub(crate) fanout: Fanout,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registration: StreamRegistration,
    /// Given back with `bye`, or when the body is dropped.
    pub(crate) permit: Option<Permit>,
    /// Let go of with it.
    pub(crate) listed: Option<ListedStream>,
    /// What it is about: guilds that are there, and those that may come.
    pub(crate) guilds: WantedGuilds,
    pub(crate) selector: Selector,
    /// The one room of an overlay: the stream ends once its viewer is known not to see it.
    pub(crate) only_room: Option<(GuildId, ChannelId)>,
    pub(crate) cursor: Option<Cursor>,
    /// Where the logs stood at login, as the session noted it.
    pub(crate) heads: LoginHeads,
    /// Cancelled when the session is ended before its time.
    pub(crate) session_end: SessionEnd,
    /// When it is over by itself; `None`: never.
    pub(crate) session_expires: Option<UnixMs>,
    /// Which commands of the session are done.
    pub(crate) settled: SettledReader,
    pub(crate) timing: Timing,
}

/// A stream's times and chances, drawn by who opens it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// When the first checkpoint is due; later ones every [`CHECKPOINT_EVERY`](super::body::CHECKPOINT_EVERY).
    pub(crate) first_checkpoint: Instant,
    /// When it ends, and why.
    pub(crate) ends: (Instant, ByeReason),
    /// 0 to 1, spreads reconnects.
    pub(crate) chance: f64,
}
