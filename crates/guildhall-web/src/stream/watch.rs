//! Has the gateway look up the rights of viewers: before anything is sent to them, and again as
//! long as they have a stream open.
//!
//! Only guilds that the replica has are asked for: of others there is nothing to be shown, and
//! ids that somebody invented must not reach the gateway.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_http::LogThrottle;
use guildhall_link::frame::Watched;
use guildhall_model::{GuildId, UserId};
use parking_lot::Mutex;
use tokio::{
    select,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    fanout::{ArrivedGuilds, Fanout, LookupChange, LookupTtl, Viewer},
    link::{GatewayUnavailable, Link},
    replica::ViewerId,
};

/// How long anybody waits for the gateway's answer, and for the replica to reach its position.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// An answer is good for so long; whoever stays is asked about again. Less where the gateway could
/// not find out.
const TTL: LookupTtl = LookupTtl {
    known: Duration::from_mins(1),
    failed: Duration::from_secs(15),
};

/// After an attachment to a gateway that knows none of our viewers: no answer is good.
const EXPIRED: LookupTtl = LookupTtl {
    known: Duration::ZERO,
    failed: Duration::ZERO,
};

/// How often due answers are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Refreshes in flight, beside the watches of requests, of which each person has one. The link
/// takes more; the rest wait their turn here. As many as fill two calls to Discord of a hundred
/// people each while a third is gathered.
const REFRESHES_IN_FLIGHT: usize = 256;

/// Guilds in one watch: as many as Discord lets a person be in.
const GUILDS_PER_WATCH: usize = 200;

/// Asks the gateway to look viewers up, once for each person and instance.
#[derive(Clone, Debug)]
pub(crate) struct WatchClient {
    link: Link,
    fanout: Fanout,
    dropped: Arc<Mutex<LogThrottle>>,
}

impl WatchClient {
    pub(crate) fn new(link: Link, fanout: Fanout) -> Self {
        Self {
            link,
            fanout,
            dropped: Arc::default(),
        }
    }

    /// Returns when the replica knows this person's rights in those of these guilds that it has,
    /// except where [`Viewer::unresolved`] says so then.
    pub(crate) async fn ensure_looked_up(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), GatewayUnavailable> {
        let asking = timeout(LOOKUP_LIMIT, self.ask_for_request(viewer, guilds));
        asking.await.unwrap_or(Err(GatewayUnavailable))
    }

    /// Asks again about whoever has a stream open, and about them in each guild that comes, until
    /// stopped.
    pub(crate) async fn refresh(self, stop: CancellationToken) {
        let mut refresher = WatchRefresher::new(self);
        // What is under way then is not waited for.
        let _stopped = stop.run_until_cancelled(refresher.run()).await;
    }

    /// Requests of one person wait for each other, so that however many they are, they take one
    /// slot at the gateway, and what one was answered the next need not ask.
    async fn ask_for_request(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), GatewayUnavailable> {
        let mut progress = self.fanout.replica().progress();
        let ready = progress.wait_for(|progress| progress.positions.is_some());
        ready.await.map_err(|_| GatewayUnavailable)?;
        let _one_at_a_time = viewer.lookup_lock.lock().await;
        let due = {
            let here = self.fanout.replica().read().located(guilds);
            viewer.due(&here, TTL, Instant::now())
        };
        self.ask(viewer, &due).await
    }

    /// Asks where nothing was answered since then. Whoever opened a stream just now asks as well,
    /// and is waited for.
    async fn ask_since(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        at: Instant,
    ) -> Result<(), GatewayUnavailable> {
        let _one_at_a_time = viewer.lookup_lock.lock().await;
        let due = {
            let here = self.fanout.replica().read().located(guilds);
            let ttl = LookupTtl {
                known: at.elapsed(),
                failed: at.elapsed(),
            };
            viewer.due(&here, ttl, Instant::now())
        };
        self.ask(viewer, &due).await
    }

    async fn ask(&self, viewer: &Viewer, guilds: &[GuildId]) -> Result<(), GatewayUnavailable> {
        let ViewerId::Person(user) = viewer.id() else {
            return Ok(());
        };
        for guilds in guilds.chunks(GUILDS_PER_WATCH) {
            let watched = self.link.watch(user, guilds.to_vec()).await?;
            self.fanout.replica().reached(&watched.at).await;
            let change = self.record(viewer, guilds, &watched)?;
            if change.dropped > 0 {
                self.log_dropped(user, change.dropped);
            }
        }
        Ok(())
    }

    /// Records an answer while the replica is locked, so that it is exact up to where streams
    /// were shown less. It counts only in the epochs that it was given in.
    fn record(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        watched: &Watched,
    ) -> Result<LookupChange, GatewayUnavailable> {
        let logs = self.fanout.replica().read();
        let mut guilds = logs.located(guilds);
        let asked = guilds.len();
        guilds.retain(|guild| {
            let answered = watched.at.in_log(guild.at.log);
            let in_epoch = answered.is_some_and(|answered| answered.comparable(guild.at));
            in_epoch || watched.failed.contains(&guild.id)
        });
        let change = viewer.record_lookup(&guilds, &watched.failed, Instant::now());
        if guilds.len() < asked {
            return Err(GatewayUnavailable);
        }
        Ok(change)
    }

    fn log_dropped(&self, user: UserId, dropped: usize) {
        metrics::counter!("guildhall_viewer_guilds_dropped_total").increment(dropped as u64);
        if self.dropped.lock().happened(Instant::now()).is_some() {
            warn!(
                viewer.id = %user,
                "[SSE] Somebody asks for more guilds than one person can be in; the oldest answers are dropped"
            );
        }
    }
}

/// Why the refresher asks about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefreshReason {
    /// An answer of before is due again.
    Due,
    /// A guild has come, then.
    Arrived(Instant),
}

/// What the refresher asks about one person.
struct RefreshRequest {
    viewer: Arc<Viewer>,
    guilds: Vec<GuildId>,
    reason: RefreshReason,
}

/// What woke the refresher.
enum Wakeup {
    /// It is time to look for answers that are due.
    Ticked,
    /// Guilds came.
    Arrived(ArrivedGuilds),
    /// A refresh is over, whichever way it went.
    Refreshed(ViewerId, RefreshReason),
}

/// Keeps the rights of those who have a stream open looked up. One refresh of a person being due
/// again is in flight at a time, and none waits for another's answer.
struct WatchRefresher {
    client: WatchClient,
    waiting: VecDeque<RefreshRequest>,
    under_way: FuturesUnordered<BoxFuture<'static, (ViewerId, RefreshReason)>>,
    /// Those for whom a refresh of what is due again is in flight or waits.
    asked_again: HashSet<ViewerId>,
    /// Attachments to the gateway whose gateway was asked about everybody.
    attached: u64,
}

impl WatchRefresher {
    fn new(client: WatchClient) -> Self {
        Self {
            client,
            waiting: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            asked_again: HashSet::new(),
            attached: 0,
        }
    }

    async fn run(&mut self) {
        let fanout = self.client.fanout.clone();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wakeup = select! {
                _ = tick.tick() => Wakeup::Ticked,
                // Whoever waits is asked about first, so the queue is no longer than all who are
                // here, twice.
                arrived = fanout.arrived(), if self.waiting.is_empty() => Wakeup::Arrived(arrived),
                Some((user, reason)) = self.under_way.next() => Wakeup::Refreshed(user, reason),
            };
            match wakeup {
                Wakeup::Ticked => self.ask_due(Instant::now()),
                Wakeup::Arrived(arrived) => self.ask_arrived(arrived),
                Wakeup::Refreshed(user, RefreshReason::Due) => _ = self.asked_again.remove(&user),
                Wakeup::Refreshed(_, RefreshReason::Arrived(_)) => {}
            }
            while self.under_way.len() < REFRESHES_IN_FLIGHT
                && let Some(request) = self.waiting.pop_front()
            {
                self.send(request);
            }
        }
    }

    /// Asks about those whose answers are due.
    fn ask_due(&mut self, now: Instant) {
        let fanout = &self.client.fanout;
        fanout.sweep(now, TTL.known);
        let progress = fanout.replica().progress().borrow().clone();
        let Some(positions) = progress.positions else {
            return;
        };
        if !fanout.replica().freshness().link_is_up() {
            return;
        }
        // A gateway that we are newly attached to knows none of our viewers yet.
        let ttl = if progress.completed == self.attached {
            TTL
        } else {
            EXPIRED
        };
        self.attached = progress.completed;
        for viewer in fanout.connected() {
            if self.asked_again.contains(&viewer.id()) {
                continue;
            }
            let guilds = viewer.due_for_refresh(&positions, ttl, now);
            self.enqueue(viewer, guilds, RefreshReason::Due);
        }
    }

    /// Asks about those who are here in guilds that have just come.
    fn ask_arrived(&mut self, arrived: ArrivedGuilds) {
        let fanout = self.client.fanout.clone();
        let reason = RefreshReason::Arrived(arrived.at.unwrap_or_else(Instant::now));
        let mut guilds = arrived.guilds;
        if arrived.replaced {
            self.attached = fanout.replica().progress().borrow().completed;
            guilds.extend(fanout.replica().read().guild_ids());
        }
        for viewer in fanout.connected() {
            let wanted = viewer.wanted(&guilds);
            self.enqueue(viewer, wanted, reason);
        }
    }

    fn enqueue(&mut self, viewer: Arc<Viewer>, mut guilds: Vec<GuildId>, reason: RefreshReason) {
        {
            let logs = self.client.fanout.replica().read();
            guilds.retain(|id| logs.contains(*id));
        }
        if guilds.is_empty() {
            return;
        }
        if reason == RefreshReason::Due {
            self.asked_again.insert(viewer.id());
        }
        self.waiting.push_back(RefreshRequest {
            viewer,
            guilds,
            reason,
        });
    }

    fn send(&self, request: RefreshRequest) {
        let client = self.client.clone();
        let RefreshRequest {
            viewer,
            guilds,
            reason,
        } = request;
        self.under_way.push(Box::pin(async move {
            let asking = timeout(LOOKUP_LIMIT, async {
                match reason {
                    RefreshReason::Due => client.ask(&viewer, &guilds).await,
                    RefreshReason::Arrived(at) => client.ask_since(&viewer, &guilds, at).await,
                }
            });
            if let Ok(Err(GatewayUnavailable)) | Err(_) = asking.await {
                metrics::counter!("guildhall_watch_failures_total").increment(1);
                let here = client.fanout.replica().read().located(&guilds);
                viewer.note_failure(&here, Instant::now());
            }
            (viewer.id(), reason)
        }));
    }
}
