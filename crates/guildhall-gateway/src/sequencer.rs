//! The one task that owns the working world. Dispatches, look-ups, watches and changes of the
//! connection happen to it in the order in which they arrived, and leave it in batches: while one
//! is committed the next gathers.

/// The task: what comes in, what is done with it, and when.
mod driver;
/// Road 3: seal and append. Nothing is seen outside before this.
mod append;
/// The batch that is being committed.
mod committing;
/// How we stand with Discord, as events make it.
mod availability;
/// What each input does to the world: no IO.
mod working;

use std::{collections::BTreeSet, sync::Arc};

use guildhall_model::{GuildId, Position, UserId};
use guildhall_ports::JournalError;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    inbox::{Inbox, Input, Lost, Stopped, WatchReply, WatchRequest},
    log::Fenced,
};
use working::Refusal;

pub(crate) use append::Outlook;
pub(crate) use driver::{Setup, run};
pub(crate) use working::Restored;

/// Watches that may wait in the inbox: they leave nearly all of it to dispatches. Full: who
/// watches waits.
const WATCHES_IN_INBOX: usize = 256;

/// A handle on the sequencer.
#[derive(Clone, Debug)]
pub(crate) struct Sequencer {
    inbox: Inbox,
    watch_permits: Arc<Semaphore>,
    outrun: watch::Sender<Option<Position>>,
}

/// What others may look at: how things stand, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Why there is no connection, and after how many tries.
    pub lost: Option<Lost>,
    /// Guilds of the settings that READY did not name.
    pub missing: BTreeSet<GuildId>,
    /// Guilds of which a dispatch could not be read since the last fresh picture.
    pub stale: BTreeSet<GuildId>,
}

/// Why the sequencer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SequencerExit {
    /// As asked, with everything committed.
    Stopped,
    /// Somebody else wrote to the log.
    Fenced,
    /// The journal did not take a batch. What was committed before it is good.
    Unkept(JournalError),
    /// Positions beyond the head were given before: the journal is an older one, brought back. A
    /// new epoch has begun in it, for the next start.
    Outrun,
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

impl From<Fenced> for SequencerExit {
    fn from(_: Fenced) -> Self {
        Self::Fenced
    }
}

impl From<Refusal> for SequencerExit {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AnotherBot { kept, is } => Self::AnotherBot { kept, is },
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
            outrun: watch::Sender::new(None),
        };
        (sequencer, inputs)
    }

    /// Where [`Sequencer::outrun`] is heard.
    pub(crate) fn heard_outrun(&self) -> watch::Receiver<Option<Position>> {
        self.outrun.subscribe()
    }

    /// The inbox, for the shard.
    pub(crate) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Somebody was told of a position beyond the head. That was proof when it was seen, so it
    /// waits in no line: the head may pass the position meanwhile.
    pub(crate) fn outrun(&self, position: Position) {
        self.outrun.send_replace(Some(position));
    }

    /// This user is here: his rights in these guilds are to be in the log, and kept fresh for a
    /// while. Returns when the sequencer has it, so whoever asks one after the other keeps an order.
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
