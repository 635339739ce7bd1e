//! The gateway is asked to watch whoever is here, before anything is sent for them and again as
//! long as they stay (design, "Who may see what").
//!
//! Only guilds that the replica has are asked for: of others there is nothing to be shown, and
//! what somebody invented must not travel.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_link::frame::Ack;
use guildhall_model::{GuildId, UserId};
use parking_lot::Mutex;
use tokio::{
    select,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    fanout::{Arrived, Fanout, GoodFor, Noted, Viewer},
    link::{Link, Unavailable},
};

/// How long anybody waits for the gateway and for the replica to come where it says.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer is good for so long; whoever stays is asked about again. Less where the gateway could
/// not find out.
const GOOD_FOR: GoodFor = GoodFor {
    known: Duration::from_mins(1),
    failed: Duration::from_secs(15),
};

/// The gateway is another, or has forgotten us: no answer is good.
const GOOD_NO_MORE: GoodFor = GoodFor {
    known: Duration::ZERO,
    failed: Duration::ZERO,
};

/// How often we look who is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Questions under way at once, beside those of requests, of which each person has one. The link
/// takes more; the rest wait their turn here. As many as fill two calls to Discord of a hundred
/// people each while a third is gathered.
const QUESTIONS_AT_ONCE: usize = 256;

/// Guilds in one question: as many as Discord lets a person be in.
const GUILDS_PER_QUESTION: usize = 200;

/// Between two log lines about answers that were dropped.
const SAY_DROPPED_EVERY: Duration = Duration::from_mins(1);

/// Asks the gateway about viewers, once for each person and instance.
#[derive(Clone, Debug)]
pub(crate) struct Watches {
    link: Link,
    fanout: Fanout,
    dropped_said: Arc<Mutex<Option<Instant>>>,
}

impl Watches {
    pub(crate) fn new(link: Link, fanout: Fanout) -> Self {
        Self {
            link,
            fanout,
            dropped_said: Arc::default(),
        }
    }

    /// Returns when the replica knows this person's rights in those of these guilds that it has,
    /// except where [`Viewer::doubtful`] says so then.
    pub(crate) async fn prove(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), Unavailable> {
        let asking = timeout(PATIENCE, self.ask_for_request(viewer, guilds));
        asking.await.unwrap_or(Err(Unavailable))
    }

    /// Asks again about whoever has a stream open, and about them in each guild that comes, until
    /// stopped.
    pub(crate) async fn keep(self, stop: CancellationToken) {
        let mut keeper = Keeper::new(self);
        // What is under way then is not waited for.
        let _stopped = stop.run_until_cancelled(keeper.run()).await;
    }

    /// Requests of one person wait for each other, so that however many they are, they take one
    /// place at the gateway, and what one was answered the next need not ask.
    async fn ask_for_request(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), Unavailable> {
        let mut progress = self.fanout.replica().progress();
        let ready = progress.wait_for(|progress| progress.position.is_some());
        ready.await.map_err(|_| Unavailable)?;
        let _turn = viewer.asking.lock().await;
        let due = {
            let held = self.fanout.replica().read();
            let epoch = held.position().ok_or(Unavailable)?.epoch;
            let here = guilds.iter().copied().filter(|id| held.has(*id));
            let here: Vec<GuildId> = here.collect();
            viewer.due(epoch, &here, GOOD_FOR, Instant::now())
        };
        self.ask(viewer, &due).await
    }

    async fn ask(&self, viewer: &Viewer, guilds: &[GuildId]) -> Result<(), Unavailable> {
        for guilds in guilds.chunks(GUILDS_PER_QUESTION) {
            let ack = self.link.watch(viewer.id(), guilds.to_vec()).await?;
            self.fanout.replica().reached(ack.at).await;
            let noted = self.note(viewer, guilds, &ack)?;
            if noted.dropped > 0 {
                self.say_dropped(viewer.id(), noted.dropped);
            }
        }
        Ok(())
    }

    /// Notes an answer while the replica stands still, so that it is exact up to where streams
    /// were shown less.
    fn note(&self, viewer: &Viewer, guilds: &[GuildId], ack: &Ack) -> Result<Noted, Unavailable> {
        let held = self.fanout.replica().read();
        let now_at = held.position().filter(|at| at.comparable(ack.at));
        let now_at = now_at.ok_or(Unavailable)?;
        Ok(viewer.prove(now_at, guilds, &ack.failed, Instant::now()))
    }

    fn say_dropped(&self, user: UserId, dropped: usize) {
        metrics::counter!("guildhall_viewer_guilds_dropped_total").increment(dropped as u64);
        let mut said = self.dropped_said.lock();
        let now = Instant::now();
        if said.is_none_or(|at| now.duration_since(at) >= SAY_DROPPED_EVERY) {
            *said = Some(now);
            warn!(
                viewer.id = %user,
                "[SSE] Somebody asks for more guilds than one person can be in; the oldest answers are dropped"
            );
        }
    }
}

/// What the keeper asks about one person.
struct Question {
    viewer: Arc<Viewer>,
    guilds: Vec<GuildId>,
    /// Asked before, and due again.
    again: bool,
}

/// Asks about those who are here without being asked. One question about a person being due again
/// is under way at a time, and none waits for another's answer.
struct Keeper {
    watches: Watches,
    waiting: VecDeque<Question>,
    under_way: FuturesUnordered<BoxFuture<'static, Option<UserId>>>,
    /// Those about whom a question is under way or waits that is asked again.
    asked_again: HashSet<UserId>,
    /// Attachments to the gateway whose gateway was asked about everybody.
    attached: u64,
}

impl Keeper {
    fn new(watches: Watches) -> Self {
        Self {
            watches,
            waiting: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            asked_again: HashSet::new(),
            attached: 0,
        }
    }

    async fn run(&mut self) {
        let fanout = self.watches.fanout.clone();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                _ = look.tick() => self.look(Instant::now()),
                // Whoever waits is asked about first, so the queue is no longer than all who are
                // here, twice.
                arrived = fanout.arrived(), if self.waiting.is_empty() => self.arrived(arrived),
                Some(again) = self.under_way.next() => {
                    if let Some(user) = again {
                        self.asked_again.remove(&user);
                    }
                }
            }
            while self.under_way.len() < QUESTIONS_AT_ONCE
                && let Some(question) = self.waiting.pop_front()
            {
                self.ask(question);
            }
        }
    }

    /// Who is due?
    fn look(&mut self, now: Instant) {
        let fanout = &self.watches.fanout;
        fanout.sweep(now, GOOD_FOR.known);
        let progress = *fanout.replica().progress().borrow();
        let Some(position) = progress.position else {
            return;
        };
        if !fanout.replica().standing().link_is_up() {
            return;
        }
        // A gateway that we are newly attached to knows nobody of ours yet.
        let good_for = if progress.completed == self.attached {
            GOOD_FOR
        } else {
            GOOD_NO_MORE
        };
        self.attached = progress.completed;
        for viewer in fanout.present() {
            if self.asked_again.contains(&viewer.id()) {
                continue;
            }
            let guilds = viewer.due_again(position.epoch, good_for, now);
            self.put(viewer, guilds, true);
        }
    }

    /// People who are here are looked up together in guilds that have just come; others when they
    /// come.
    fn arrived(&mut self, arrived: Arrived) {
        let fanout = self.watches.fanout.clone();
        let mut guilds = arrived.guilds;
        if arrived.replaced {
            self.attached = fanout.replica().progress().borrow().completed;
            guilds.extend(fanout.replica().read().guild_ids());
        }
        for viewer in fanout.present() {
            let wanted = viewer.wanted(&guilds);
            self.put(viewer, wanted, false);
        }
    }

    fn put(&mut self, viewer: Arc<Viewer>, mut guilds: Vec<GuildId>, again: bool) {
        {
            let held = self.watches.fanout.replica().read();
            guilds.retain(|id| held.has(*id));
        }
        if guilds.is_empty() {
            return;
        }
        if again {
            self.asked_again.insert(viewer.id());
        }
        self.waiting.push_back(Question {
            viewer,
            guilds,
            again,
        });
    }

    fn ask(&self, question: Question) {
        let watches = self.watches.clone();
        let Question {
            viewer,
            guilds,
            again,
        } = question;
        self.under_way.push(Box::pin(async move {
            let asking = timeout(PATIENCE, watches.ask(&viewer, &guilds));
            if let Ok(Err(Unavailable)) | Err(_) = asking.await {
                metrics::counter!("guildhall_watch_failures_total").increment(1);
                if let Some(at) = watches.fanout.replica().position() {
                    viewer.miss(at, &guilds, Instant::now());
                }
            }
            again.then(|| viewer.id())
        }));
    }
}
