//! Waits for whatever happens in a log.

use std::{sync::Arc, time::Duration};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{Position, SealedEvent};
use guildhall_ports::ReadError;
use tokio::{select, sync::watch, time::sleep};
use tracing::warn;

use super::UpkeepShard;
use crate::{ShardId, log::Log};

/// So many events are read at once.
const EVENTS_PER_READ: usize = 256;
/// Before the next try, while the log does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// A place in a log.
pub(super) struct Follower {
    pub(super) shard: ShardId,
    log: Log,
    at: Position,
    head: watch::Receiver<Position>,
    status: watch::Receiver<DiscordStatus>,
}

/// What has happened there.
pub(super) enum Happened {
    /// In their order, each once.
    Events(Vec<Arc<SealedEvent>>),
    /// Events are gone that were not read.
    Missed,
    /// It is another session with Discord, or another word about it.
    StatusChanged {
        /// All guilds of the shard have come.
        complete: bool,
    },
    /// Nobody writes to it any more.
    Ended,
}

impl Follower {
    /// Goes on after this.
    pub(super) fn new(shard: UpkeepShard, at: Position) -> Self {
        let UpkeepShard { shard, log, status } = shard;
        Self {
            shard,
            head: log.follow(),
            log,
            at,
            status,
        }
    }

    /// The next thing, and the follower for what comes after it.
    pub(super) async fn next(mut self) -> (Self, Happened) {
        loop {
            // Before the read, so that what comes after it wakes us.
            self.head.mark_unchanged();
            match self.log.read(self.at, EVENTS_PER_READ).await {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.at = last.at;
                        return (self, Happened::Events(events));
                    }
                }
                Err(ReadError::Expired(at)) => {
                    warn!("[Gateway] Rooms are looked at anew: events after {at} have gone");
                    self.at = self.log.head();
                    return (self, Happened::Missed);
                }
                Err(ReadError::Unavailable(why)) => {
                    warn!("[Gateway] Rooms wait for the log: {why}");
                    sleep(RETRY).await;
                    continue;
                }
            }
            let (changed, is_status) = select! {
                biased;
                moved = self.head.changed() => (moved, false),
                changed = self.status.changed() => (changed, true),
            };
            if changed.is_err() {
                return (self, Happened::Ended);
            }
            if is_status {
                let complete = self.status.borrow_and_update().complete;
                return (self, Happened::StatusChanged { complete });
            }
        }
    }
}
