//! The batch that is being committed, at most one, and what is done after it: a future that may be
//! polled or left alone at any time.

use std::{future::pending, time::Duration};

use guildhall_model::GuildId;
use guildhall_ports::{
    JournalError,
    journal::{JournalFuture, ResumeState},
};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, sleep_until},
};

use super::{
    ReadinessReport,
    append::{STALLED_AFTER, SealedBatch},
    working_world::Effect,
};

/// The batch that is being committed, if any.
pub(super) struct Committing(Option<CommitInFlight>);

struct CommitInFlight {
    done: JournalFuture<Vec<GuildId>>,
    sealed: SealedBatch,
    after: AfterCommit,
    since: Instant,
    /// Whether it was logged that this takes long.
    logged: bool,
}

/// What goes with a batch, and is done once it is committed.
pub(super) struct AfterCommit {
    pub effects: Vec<Effect>,
    pub report: Option<ReadinessReport>,
    /// Who waits to hear how to go on with Discord.
    pub lost: Vec<oneshot::Sender<Option<ResumeState>>>,
    /// What they are told.
    pub resume: Option<ResumeState>,
    /// For the bytes of its dispatches: the inbox has them back then.
    pub permits: Option<OwnedSemaphorePermit>,
}

/// What came of waiting.
pub(super) enum CommitProgress {
    Finished(Box<FinishedCommit>),
    /// It takes long. Once for each commit.
    Stalled,
}

/// A commit that is answered, well or not.
pub(super) struct FinishedCommit {
    pub result: Result<Vec<GuildId>, JournalError>,
    pub sealed: SealedBatch,
    pub after: AfterCommit,
    pub took: Duration,
}

impl Committing {
    pub(super) fn idle() -> Self {
        Self(None)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Only when idle: a commit is never given up.
    pub(super) fn begin(
        &mut self,
        done: JournalFuture<Vec<GuildId>>,
        sealed: SealedBatch,
        after: AfterCommit,
    ) {
        debug_assert!(self.is_idle(), "batches are committed one by one");
        self.0 = Some(CommitInFlight {
            done,
            sealed,
            after,
            since: Instant::now(),
            logged: false,
        });
    }

    /// Waits for the commit, for ever if there is none. May be dropped and called again.
    pub(super) async fn progress(&mut self) -> CommitProgress {
        let Some(in_flight) = &mut self.0 else {
            return pending().await;
        };
        let stalled = async {
            if in_flight.logged {
                pending::<()>().await;
            } else {
                sleep_until(in_flight.since + STALLED_AFTER).await;
            }
        };
        let result = select! {
            biased;
            result = &mut in_flight.done => Some(result),
            () = stalled => None,
        };
        let Some(result) = result else {
            in_flight.logged = true;
            return CommitProgress::Stalled;
        };
        match self.0.take() {
            Some(CommitInFlight {
                sealed,
                after,
                since,
                ..
            }) => CommitProgress::Finished(Box::new(FinishedCommit {
                result,
                sealed,
                after,
                took: since.elapsed(),
            })),
            // Not so: it was there above.
            None => pending().await,
        }
    }
}
