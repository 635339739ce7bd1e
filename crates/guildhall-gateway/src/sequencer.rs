//! The one task that owns the working world and puts all that happens in one order. Dispatches,
//! look-ups, watches and changes of the connection happen to it in the order in which they arrived,
//! and leave it in batches: while one is committed the next gathers.

/// The task: takes inputs, batches what they do, and sees each batch through its commit.
mod driver;
/// Hop 3: positions are given, a batch is committed, and only then appended to the log.
mod append;
/// The batch that is being committed, and what is done after it.
mod committing;
/// Whether Discord is live, and which guilds are not available.
mod availability;
/// What each input does to the working world: no IO.
mod working_world;

use std::{collections::BTreeSet, sync::Arc};

use guildhall_model::{GuildId, Position, UserId};
use guildhall_ports::{AppendError, Fenced, JournalError};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::inbox::{
    About, Answered, Inbox, Input, Lost, Question, Stopped, WatchReply, WatchRequest,
};
use working_world::Fatal;

pub(crate) use append::PublishedStatus;
pub(crate) use driver::{SequencerSetup, run};
#[cfg(test)]
pub(crate) use working_world::scene_of;
pub(crate) use working_world::{ManagedRooms, Restored};

/// Watches that may wait in the inbox: they leave nearly all of it to dispatches. Full: who
/// watches waits.
const WATCHES_IN_INBOX: usize = 256;

/// A handle on the sequencer's task.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    inbox: Inbox,
    watch_permits: Arc<Semaphore>,
    rollback: watch::Sender<Option<Position>>,
}

/// What `/readyz` says to operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadinessReport {
    /// Why there is no connection, and after how many tries.
    pub lost: Option<Lost>,
    /// Guilds of the settings that READY did not name.
    pub missing: BTreeSet<GuildId>,
    /// Guilds of which a dispatch could not be read since their last full snapshot.
    pub stale: BTreeSet<GuildId>,
}

/// Why the sequencer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SequencerExit {
    /// As asked, with everything committed.
    Stopped,
    /// Somebody else writes to the log.
    Fenced(Fenced),
    /// What carries the log to web roles did not take a batch.
    NotAppended(String),
    /// The journal did not take a batch. What was committed before it is good.
    NotCommitted(JournalError),
    /// Positions beyond the head were given before: the journal is an older one, restored. A new
    /// epoch has begun in it, for the next start.
    LogRolledBack,
    /// REST said 401.
    TokenRefused,
    /// The journal is of another bot than the one Discord says we are.
    AnotherBot {
        /// Whose the journal is.
        kept: UserId,
        /// Who we are.
        is: UserId,
    },
}

impl From<AppendError> for SequencerExit {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Fenced(fenced) => Self::Fenced(fenced),
            AppendError::Unavailable(why) => Self::NotAppended(why),
        }
    }
}

impl From<JournalError> for SequencerExit {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Fenced(fenced) => Self::Fenced(fenced),
            error => Self::NotCommitted(error),
        }
    }
}

impl From<Fatal> for SequencerExit {
    fn from(fatal: Fatal) -> Self {
        match fatal {
            Fatal::AnotherBot { kept, is } => Self::AnotherBot { kept, is },
        }
    }
}

impl Sequencer {
    /// A handle, and the other end of its inbox, which is [`run`]'s.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        let (inbox, inputs) = Inbox::new();
        let sequencer = Self {
            inbox,
            watch_permits: Arc::new(Semaphore::new(WATCHES_IN_INBOX)),
            rollback: watch::Sender::new(None),
        };
        (sequencer, inputs)
    }

    /// Where [`Sequencer::report_rollback`] arrives.
    pub(crate) fn subscribe_rollback(&self) -> watch::Receiver<Option<Position>> {
        self.rollback.subscribe()
    }

    /// The inbox, for the shard.
    pub(crate) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// A web role has seen a position beyond the head, so the log was rolled back. That was proof
    /// when it was seen, so it does not wait in the inbox: the head may pass the position meanwhile.
    pub(crate) fn report_rollback(&self, position: Position) {
        self.rollback.send_replace(Some(position));
    }

    /// Asks about a guild, behind everything that has happened so far. Answered once everything that
    /// the answer rests on is committed. `Err`: the gateway is stopping.
    pub(crate) async fn ask(&self, guild_id: GuildId, about: About) -> Result<Answered, Stopped> {
        let (reply, answer) = oneshot::channel();
        let question = Question {
            guild_id,
            about,
            reply,
        };
        self.inbox.send(Input::Ask(question)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// A web role watches this user: their rights in these guilds are to be in the log, and kept
    /// fresh for a while. Returns when it is in the inbox, so whoever asks one after the other keeps
    /// an order.
    /// Answered at once where that was so before, else when they were looked up; always within
    /// [`Limits::watch_answer`].
    pub(crate) async fn watch(
        &self,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
        reply: WatchReply,
    ) -> Result<(), Stopped> {
        let permit = Arc::clone(&self.watch_permits)
            .acquire_owned()
            .await
            .map_err(|_| Stopped)?;
        let watch = WatchRequest {
            user_id,
            guild_ids,
            reply,
            permit,
        };
        self.inbox.send(Input::Watch(watch)).await
    }
}
