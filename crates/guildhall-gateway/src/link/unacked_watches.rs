//! The watches of one attachment from their request to the answer.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    future::pending,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_link::{
    frame::{Ack, Watched},
    sender::{Input, REQUESTS_UNDER_WAY},
};
use guildhall_model::{GuildId, Position, UserId};
use tokio::{select, sync::mpsc};

use super::logs::AttachedLogs;
use crate::inbox::WatchReply;

/// The watches of one attachment that are not answered yet: at most [`REQUESTS_UNDER_WAY`], which
/// the machine sees to. One whose guilds are of several logs is asked of each, and answered when
/// all of them have.
pub(super) struct UnackedWatches {
    logs: AttachedLogs,
    /// For each log what is not in its sequencer's inbox yet, in order of arrival.
    waiting: Vec<VecDeque<QueuedWatch>>,
    /// Of each log at most one, which waits for room in the inbox: one by one, so that none passes
    /// another, and none of another log waits for it.
    entering: FuturesUnordered<BoxFuture<'static, Entered>>,
    gathering: HashMap<u64, Gathering>,
    /// What the sequencers answer, each in its order.
    answers: mpsc::Receiver<Ack>,
    /// There is room for the answers to all of them.
    to: mpsc::Sender<Ack>,
}

struct QueuedWatch {
    request_id: u64,
    user_id: UserId,
    guild_ids: Vec<GuildId>,
}

/// What went into the inbox of a log. An answer: there is no sequencer any more.
struct Entered {
    log: usize,
    refused: Option<Ack>,
}

/// What has been answered of a watch.
struct Gathering {
    /// Logs that have not answered.
    open: usize,
    at: Vec<Position>,
    failed: Vec<GuildId>,
}

impl UnackedWatches {
    pub(super) fn new(logs: AttachedLogs) -> Self {
        let count = logs.count();
        let (to, answers) = mpsc::channel(REQUESTS_UNDER_WAY * count);
        Self {
            waiting: (0..count).map(|_| VecDeque::new()).collect(),
            logs,
            entering: FuturesUnordered::new(),
            gathering: HashMap::new(),
            answers,
            to,
        }
    }

    /// One more, behind all others.
    pub(super) fn ask(&mut self, request_id: u64, user_id: UserId, guild_ids: Vec<GuildId>) {
        let parts = self.logs.split(guild_ids);
        let gathering = Gathering {
            open: parts.len(),
            at: Vec::new(),
            failed: Vec::new(),
        };
        self.gathering.insert(request_id, gathering);
        for (log, guild_ids) in parts {
            let was_idle = self.waiting[log].is_empty();
            self.waiting[log].push_back(QueuedWatch {
                request_id,
                user_id,
                guild_ids,
            });
            if was_idle {
                self.enter_next(log);
            }
        }
    }

    /// Waits for the next that is answered, for ever if there is none. May be dropped and called
    /// again.
    pub(super) async fn next(&mut self) -> Input {
        loop {
            let entering = async {
                match self.entering.next().await {
                    Some(entered) => entered,
                    None => pending().await,
                }
            };
            let answered = select! {
                biased;
                entered = entering => {
                    self.waiting[entered.log].pop_front();
                    self.enter_next(entered.log);
                    entered.refused
                }
                answered = self.answers.recv() => answered,
            };
            if let Some(input) = answered.and_then(|ack| self.gather(ack)) {
                return input;
            }
        }
    }

    /// The first that waits for a log goes to its sequencer; it is taken out when it is there.
    fn enter_next(&mut self, log: usize) {
        let Some(asked) = self.waiting[log].front_mut() else {
            return;
        };
        let (request_id, user_id) = (asked.request_id, asked.user_id);
        let guild_ids = std::mem::take(&mut asked.guild_ids);
        let attached = self.logs.at(log).clone();
        let to = self.to.clone();
        self.entering.push(Box::pin(async move {
            let reply = WatchReply { request_id, to };
            let asked = attached.sequencer.watch(user_id, guild_ids.clone(), reply);
            let refused = asked.await.err().map(|_stopped| Ack {
                request_id,
                at: attached.log.head(),
                failed: guild_ids,
            });
            Entered { log, refused }
        }));
    }

    /// A log has answered: with the last the watch is.
    fn gather(&mut self, ack: Ack) -> Option<Input> {
        let request_id = ack.request_id;
        let Entry::Occupied(mut gathering) = self.gathering.entry(request_id) else {
            return None;
        };
        let parts = gathering.get_mut();
        parts.open -= 1;
        parts.at.push(ack.at);
        parts.failed.extend(ack.failed);
        if parts.open > 0 {
            return None;
        }
        let Gathering { at, failed, .. } = gathering.remove();
        let at = AttachedLogs::cursor(at.into_iter());
        let watched = Watched { at, failed };
        Some(Input::Watched {
            request_id,
            watched,
        })
    }
}
