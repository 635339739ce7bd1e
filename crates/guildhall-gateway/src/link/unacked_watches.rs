//! The watches of one attachment from its frame to their acknowledgement.

use std::{collections::VecDeque, future::pending};

use futures_util::{FutureExt, future::BoxFuture};
use guildhall_link::{frame::Ack, sender::WATCHES_IN_FLIGHT};
use guildhall_model::{GuildId, UserId};
use tokio::{select, sync::mpsc};

use crate::{inbox::WatchReply, log::Log, sequencer::Sequencer};

/// The watches of one attachment that are not acknowledged yet: at most [`WATCHES_IN_FLIGHT`],
/// which the machine sees to.
pub(super) struct UnackedWatches {
    sequencer: Sequencer,
    log: Log,
    /// Not in the sequencer's inbox yet, in order of arrival.
    waiting: VecDeque<QueuedWatch>,
    /// The one that waits for room in the inbox. One by one, so that none passes another.
    entering: Option<BoxFuture<'static, Option<Ack>>>,
    /// What the sequencer answers, in its order.
    answers: mpsc::Receiver<Ack>,
    /// There is room for the answers to all of them.
    to: mpsc::Sender<Ack>,
}

struct QueuedWatch {
    request_id: u64,
    user_id: UserId,
    guild_ids: Vec<GuildId>,
}

impl UnackedWatches {
    pub(super) fn new(sequencer: Sequencer, log: Log) -> Self {
        let (to, answers) = mpsc::channel(WATCHES_IN_FLIGHT);
        Self {
            sequencer,
            log,
            waiting: VecDeque::new(),
            entering: None,
            answers,
            to,
        }
    }

    /// One more, behind all others.
    pub(super) fn ask(&mut self, request_id: u64, user_id: UserId, guild_ids: Vec<GuildId>) {
        self.waiting.push_back(QueuedWatch {
            request_id,
            user_id,
            guild_ids,
        });
    }

    /// Waits for the next that is answered, for ever if there is none. May be dropped and called
    /// again.
    pub(super) async fn next(&mut self) -> Ack {
        loop {
            if self.entering.is_none()
                && let Some(asked) = self.waiting.pop_front()
            {
                self.entering = Some(self.enter(asked).boxed());
            }
            let entering = async {
                match &mut self.entering {
                    Some(entering) => entering.await,
                    None => pending().await,
                }
            };
            select! {
                biased;
                refused = entering => {
                    self.entering = None;
                    if let Some(refused) = refused {
                        return refused;
                    }
                }
                Some(answer) = self.answers.recv() => return answer,
            }
        }
    }

    /// Returns when the sequencer has it. An answer: there is no sequencer any more.
    fn enter(&self, asked: QueuedWatch) -> impl Future<Output = Option<Ack>> + Send + use<> {
        let QueuedWatch {
            request_id,
            user_id,
            guild_ids,
        } = asked;
        let (sequencer, log) = (self.sequencer.clone(), self.log.clone());
        let to = self.to.clone();
        async move {
            let reply = WatchReply { request_id, to };
            let taken = sequencer.watch(user_id, guild_ids.clone(), reply).await;
            taken.err().map(|_stopped| Ack {
                request_id,
                at: log.head(),
                failed: guild_ids,
            })
        }
    }
}
