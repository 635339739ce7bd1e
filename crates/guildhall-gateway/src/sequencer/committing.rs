//! The batch that is being committed, at most one: a future that may be polled or left alone at
//! any time.

use std::{future::pending, time::Duration};

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
    Report,
    append::{STALLED_AFTER, Sealed},
    working::Act,
};

/// The batch that is being committed, if any.
pub(super) struct Committing(Option<UnderWay>);

struct UnderWay {
    done: JournalFuture<()>,
    sealed: Sealed,
    after: AfterCommit,
    since: Instant,
    /// Whether it was said that this takes long.
    said: bool,
}

/// What goes with a batch, and is done once it is committed.
pub(super) struct AfterCommit {
    pub acts: Vec<Act>,
    pub report: Option<Report>,
    /// Who waits to hear how to go on with Discord.
    pub lost: Vec<oneshot::Sender<Option<ResumeState>>>,
    /// What they are told.
    pub resume: Option<ResumeState>,
    /// For the bytes of its dispatches: the inbox has them back then.
    pub permits: Option<OwnedSemaphorePermit>,
}

/// What comes of waiting.
pub(super) enum Step {
    Committed(Box<Done>),
    /// It takes long. Said once.
    Stalled,
}

/// A commit is answered.
pub(super) struct Done {
    pub result: Result<(), JournalError>,
    pub sealed: Sealed,
    pub after: AfterCommit,
    pub took: Duration,
}

impl Committing {
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Only when idle: a commit is never given up.
    pub(super) fn begin(&mut self, done: JournalFuture<()>, sealed: Sealed, after: AfterCommit) {
        debug_assert!(self.is_idle(), "batches are committed one by one");
        self.0 = Some(UnderWay {
            done,
            sealed,
            after,
            since: Instant::now(),
            said: false,
        });
    }

    /// Waits for the commit, for ever if there is none. May be dropped and called again.
    pub(super) async fn step(&mut self) -> Step {
        let Some(under_way) = &mut self.0 else {
            return pending().await;
        };
        let stalled = async {
            if under_way.said {
                pending::<()>().await;
            } else {
                sleep_until(under_way.since + STALLED_AFTER).await;
            }
        };
        let result = select! {
            biased;
            result = &mut under_way.done => Some(result),
            () = stalled => None,
        };
        let Some(result) = result else {
            under_way.said = true;
            return Step::Stalled;
        };
        match self.0.take() {
            Some(UnderWay {
                sealed,
                after,
                since,
                ..
            }) => Step::Committed(Box::new(Done {
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
