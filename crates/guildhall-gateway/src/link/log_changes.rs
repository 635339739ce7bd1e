//! Waits for whatever changes about any of the logs, and is woken by that one alone.

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_link::{frame::DiscordStatus, sender::Input};
use guildhall_model::Position;
use tokio::{select, sync::watch};

use super::logs::{AttachedLog, AttachedLogs};
use crate::log::Log;

/// The logs of one attachment, each of which is waited for.
pub(super) struct LogChanges(FuturesUnordered<BoxFuture<'static, (Followed, Option<Input>)>>);

/// What is followed of one log.
pub(super) struct Followed {
    log: Log,
    head: watch::Receiver<Position>,
    status: watch::Receiver<DiscordStatus>,
}

impl LogChanges {
    /// Follows each from now on; how Discord is behind it is answered as it is now, in order of
    /// log.
    pub(super) fn follow(logs: &AttachedLogs) -> (Self, Vec<(Position, DiscordStatus)>) {
        let changes = Self(FuturesUnordered::new());
        let mut now = Vec::new();
        for attached in logs.iter() {
            let (followed, head, status) = Followed::begin(attached);
            now.push((head, status));
            changes.0.push(Box::pin(followed.changed()));
        }
        (changes, now)
    }

    /// The next change. `None`: whoever writes a log has stopped. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Input> {
        let (followed, input) = self.0.next().await?;
        self.0.push(Box::pin(followed.changed()));
        input
    }
}

impl Followed {
    fn begin(attached: &AttachedLog) -> (Self, Position, DiscordStatus) {
        let mut followed = Self {
            log: attached.log.clone(),
            head: attached.log.follow(),
            status: attached.status.clone(),
        };
        // Status before head, so that what led to the status is at or below the head.
        let status = followed.status.borrow_and_update().clone();
        let head = *followed.head.borrow_and_update();
        (followed, head, status)
    }

    async fn changed(mut self) -> (Self, Option<Input>) {
        let input = select! {
            biased;
            moved = self.head.changed() => {
                moved.ok().map(|()| Input::HeadMoved(*self.head.borrow_and_update()))
            }
            changed = self.status.changed() => {
                changed.ok().map(|()| Input::StatusChanged {
                    status: self.status.borrow_and_update().clone(),
                    head: self.log.head(),
                })
            }
        };
        (self, input)
    }
}
