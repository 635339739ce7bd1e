//! The gateway is asked to watch whoever is here, before anything is sent for them and again as
//! long as they stay (design, "Who may see what").

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use guildhall_model::GuildId;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    link::{Link, Unavailable},
    replica::{Replica, Viewer},
};

/// How long anybody waits for the gateway and for the replica to come where it says.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer is good for so long; whoever stays is asked about again.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// The same where the gateway could not find out.
const GOOD_FOR_FAILED: Duration = Duration::from_secs(15);

/// How often we look who is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Questions under way at once. The link takes more; the rest of them wait their turn here.
const QUESTIONS_AT_ONCE: usize = 64;

/// Asks the gateway about viewers, once for each person and instance.
#[derive(Clone, Debug)]
pub(crate) struct Watches {
    link: Link,
    replica: Replica,
}

impl Watches {
    pub(crate) fn new(link: Link, replica: Replica) -> Self {
        Self { link, replica }
    }

    /// Returns when the replica knows this person's rights in these guilds, except those that
    /// [`Viewer::unproven`] names then.
    pub(crate) async fn prove(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), Unavailable> {
        let asking = timeout(PATIENCE, self.ask(viewer, guilds, GOOD_FOR));
        asking.await.unwrap_or(Err(Unavailable))
    }

    /// Asks again about whoever has a stream open, until stopped.
    pub(crate) async fn keep(self, stop: CancellationToken) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut attached = 0;
        while stop.run_until_cancelled(look.tick()).await.is_some() {
            self.replica.sweep(Instant::now(), GOOD_FOR);
            let progress = *self.replica.progress().borrow();
            if !self.replica.standing().link_is_up() || progress.position.is_none() {
                continue;
            }
            // A gateway that we are newly attached to knows nobody of ours yet.
            let good_for = if progress.completed == attached {
                GOOD_FOR
            } else {
                Duration::ZERO
            };
            attached = progress.completed;
            let due = self.due(good_for);
            let asking = stream::iter(due).for_each_concurrent(QUESTIONS_AT_ONCE, |viewer| {
                let this = self.clone();
                async move { this.ask_again(&viewer, good_for).await }
            });
            stop.run_until_cancelled(asking).await;
        }
    }

    fn due(&self, good_for: Duration) -> Vec<Arc<Viewer>> {
        let now = Instant::now();
        let mut due = self.replica.present();
        due.retain(|viewer| !self.is_good(viewer, &[], good_for, now));
        due
    }

    async fn ask_again(&self, viewer: &Viewer, good_for: Duration) {
        let guilds: Vec<GuildId> = viewer.proof().asked.into_iter().collect();
        let asking = timeout(PATIENCE, self.ask(viewer, &guilds, good_for));
        if let Ok(Err(Unavailable)) | Err(_) = asking.await {
            metrics::counter!("guildhall_watch_failures_total").increment(1);
        }
    }

    async fn ask(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        good_for: Duration,
    ) -> Result<(), Unavailable> {
        let mut progress = self.replica.progress();
        let ready = progress.wait_for(|progress| progress.position.is_some());
        ready.await.map_err(|_| Unavailable)?;
        let _turn = viewer.asking.lock().await;
        if guilds.is_empty() || self.is_good(viewer, guilds, good_for, Instant::now()) {
            return Ok(());
        }
        let ack = self.link.watch(viewer.id(), guilds.to_vec()).await?;
        self.replica.reached(ack.at).await;
        viewer.prove(ack.at, guilds, &ack.failed, Instant::now());
        Ok(())
    }

    /// Whether what is known of a viewer's rights still is, and covers these guilds.
    fn is_good(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        good_for: Duration,
        now: Instant,
    ) -> bool {
        let proof = viewer.proof();
        let Some(since) = proof.since else {
            // Never asked, so there is nothing to ask again.
            return guilds.is_empty();
        };
        let good_for = if proof.failed.is_empty() {
            good_for
        } else {
            good_for.min(GOOD_FOR_FAILED)
        };
        let epoch = self.replica.position().map(|position| position.epoch);
        proof.epoch == epoch
            && guilds.iter().all(|id| proof.asked.contains(id))
            && now.duration_since(since) < good_for
    }
}
