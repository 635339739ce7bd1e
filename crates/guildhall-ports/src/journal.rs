//! What the gateway has to know after its process is gone: the log, the world behind it, and
//! where to go on with Discord. Journal first, publish second (`ARCHITECTURE.md`, "Where decisions
//! hide").

/// What a journal keeps that its log does not need any more.
mod surplus;

use std::{collections::BTreeSet, fmt::Debug, pin::Pin, sync::Arc};

use guildhall_model::{
    Guild, GuildId, LogId, Position, SealedEvent, UnixMs, UserId, event::Window,
};
use serde::{Deserialize, Serialize};

use crate::fence::{Fence, Fenced};

pub use surplus::{Amount, Surplus};

/// Keeps the journals of several logs in one place, which has one owner.
///
/// Promises:
///
/// - **One owner.** While it is open nobody else can open it; when its process is gone, however it
///   went, somebody can at once. It is open until the last handle on it or on a journal is dropped.
/// - **Apart.** What is done to the journal of one log changes nothing of another's.
pub trait Journals: Debug + Send + Sync {
    /// What whoever opened it writes with, where no lease gives a fence: above every fence that was
    /// written with before it was opened, of whichever log.
    fn fence(&self) -> JournalFuture<Fence>;

    /// The journal of a log, for a writer with this fence.
    fn journal(&self, log: LogId, fence: Fence) -> Arc<dyn Journal>;
}

/// Keeps one log, and what goes with it, for one writer.
///
/// Promises:
///
/// - **All or nothing.** A [`Commit`] is there whole or not at all, whatever ends the process.
/// - **Durable.** When a commit is answered it is there after `kill -9` and after a power cut.
/// - **In order.** Commits take effect in the order in which they were called.
/// - **One writer.** A commit that does not go on from the head, with or without events, or whose
///   writer has a fence below the highest that was written with, is refused
///   ([`JournalError::Fenced`]) and changes nothing: no position is ever given twice, and what goes
///   with the world is of the same moment. A higher fence takes over with its first write.
/// - **It knows what it keeps.** Commits say which events the log needs no more; when too many of
///   these are kept the answer names the guilds whose bases would help ([`Surplus`]), and the next
///   commit brings them. It is never without an event above a floor that it was told.
/// - **Never guessed.** A journal that is damaged, newer than this build, or something else
///   altogether is refused and left as it is.
pub trait Journal: Debug + Send + Sync {
    /// Everything as of the last commit; `None`: nothing was ever begun.
    fn load(&self) -> JournalFuture<Option<JournalContents>>;

    /// Begins an epoch of the log: replaces whatever was there of it by these guilds, each at the
    /// start. Refused if the fence is stale ([`JournalError::Fenced`]), or if `start` is none, is
    /// another log's, or is of an epoch that is not later than the one that is there, whose positions
    /// would be given twice ([`JournalError::Failed`]).
    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()>;

    /// Adds a batch. Answered when it is durable, with the guilds whose bases the next commit is to
    /// bring.
    fn commit(&self, commit: Commit) -> JournalFuture<Vec<GuildId>>;
}

/// What a journal answers. It needs no polling to take effect: a commit that was called and not
/// awaited may be there or not, as in any crash.
pub type JournalFuture<T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send>>;

/// Why a journal does not do as it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open: try again when that one is gone.
    #[error("{0}")]
    InUse(String),
    /// It is damaged, of a newer build or of something else. One sentence that names the file and
    /// the cure; no retry helps.
    #[error("{0}")]
    Refused(String),
    /// Somebody else writes to the log, or the caller is not where it thinks: stop.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// The disk or the server behind it failed, or what was asked cannot be.
    #[error("{0}")]
    Failed(String),
}

/// An epoch of the log begins.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEpoch {
    /// The start of the epoch: `seq` is 0.
    pub start: Position,
    /// Guilds that are known already. All have their floor at the start.
    pub guilds: Vec<(GuildId, Guild)>,
    /// What goes with it.
    pub state: JournalState,
}

/// What belongs together: all of it is there after this, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The head that it goes on from: where the writer stands.
    pub after: Position,
    /// The next events of the log, contiguous after that. May be none.
    pub events: Vec<Arc<SealedEvent>>,
    /// What goes with the world after them. Replaces what was there.
    pub state: Arc<JournalState>,
    /// Floors that have risen: events up to them are needed no more, once their guild's base is
    /// written anew. They may be kept for as long as it pleases the journal.
    pub floors: Vec<Floor>,
    /// Guilds at their floor, mostly those that the answer before named: their events up to it go.
    /// Of events that were there before this commit: a base's floor is never above the head before
    /// it, and never goes back (refused, [`JournalError::Failed`]).
    pub bases: Vec<JournalBase>,
}

/// Events of a guild that its log needs no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Whose.
    pub guild_id: GuildId,
    /// Of which of its windows.
    pub window: Window,
    /// Number of the last of them.
    pub floor: u64,
}

/// A guild as it is at its floor. Its events above the floor are kept, those up to it are not.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalBase {
    /// Which.
    pub guild_id: GuildId,
    /// Number of the last event that is in the base; 0: none is.
    pub floor: u64,
    /// The guild there; `None`: it was not known or had been removed.
    pub guild: Option<Guild>,
}

/// What a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalContents {
    /// The last position that was given.
    pub head: Position,
    /// Every guild there is something of, ascending.
    pub bases: Vec<JournalBase>,
    /// Every event that is kept, ascending. Each is above its guild's floor, and from there on
    /// none of its guild's is missing. A guild without a base has its floor at 0.
    pub events: Vec<SealedEvent>,
    /// What goes with the world at the head.
    pub state: JournalState,
}

/// What the gateway knows beside the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JournalState {
    /// The bot all of this is of, once Discord said.
    pub bot: Option<UserId>,
    /// How to go on with Discord.
    pub resume: Option<ResumeState>,
    /// When Discord was last heard of.
    pub heard_at: Option<UnixMs>,
    /// Guilds that Discord named and that have not come yet.
    pub awaited: BTreeSet<GuildId>,
    /// Guilds in an outage, known to the world or not.
    pub outages: BTreeSet<GuildId>,
    /// Guilds of which something could not be read: only a fresh picture helps.
    pub stale: BTreeSet<GuildId>,
    /// When a fresh picture was last asked for.
    pub renewed_at: Option<UnixMs>,
    /// When to forget whoever was watched by an earlier process and by none since; `None`: there
    /// was nobody.
    pub forget_at: Option<UnixMs>,
}

/// Discord's session, and under which conditions it was begun: it fits the world only under the
/// same ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResumeState {
    /// Discord's name of the session.
    pub session_id: String,
    /// Number of the last dispatch that the world has in it.
    pub sequence: u64,
    /// Where Discord wants to be called to resume; `None`: at the usual address.
    pub url: Option<String>,
    /// What it was begun with.
    pub terms: Terms,
}

/// What decides which dispatches a session brings, and what the world makes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Number of the shard, and of how many.
    pub shard: [u32; 2],
    /// Discord's bits.
    pub intents: u64,
    /// The bridged guilds; `None`: all of the bot's.
    pub guilds: Option<BTreeSet<GuildId>>,
    /// [`guildhall_model::World::FORMAT`] of the build that wrote the world.
    pub world_format: u32,
}
