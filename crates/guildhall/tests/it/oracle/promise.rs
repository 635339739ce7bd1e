//! By when a change is to be obeyed, and what excuses a delay: a fault on the road, or a machine that
//! had no time for anybody.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::oracle::rig::Told;

/// What is told is obeyed within this.
pub(crate) const SOON_ENOUGH: Duration = Duration::from_secs(1);
/// What bans and the audit log tell.
const HINTED: Duration = Duration::from_secs(2);
/// What nobody tells is found out within this.
pub(crate) const LOOKED_UP: Duration = Duration::from_mins(1);
/// How often it is seen whether the machine has time.
const TICK: Duration = Duration::from_millis(20);

/// On its way a change waits for its turn in so many processes.
const TURNS: u32 = 5;

/// What delayed whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excuses {
    /// From when to when no connection to Discord was whole.
    troubles: Vec<(Instant, Instant)>,
    /// At these moments the machine was so late.
    lags: Vec<(Instant, Duration)>,
}

/// Writes down how late the machine is, until it is dropped.
pub(crate) async fn watch_machine(lags: Arc<Mutex<Vec<(Instant, Duration)>>>) {
    loop {
        let due = Instant::now() + TICK;
        sleep_until(due).await;
        let now = Instant::now();
        let late = now - due;
        if late > TICK / 2 {
            lags.lock().push((now, late));
        }
    }
}

impl Excuses {
    pub(crate) fn new(troubles: Vec<(Instant, Instant)>, lags: Vec<(Instant, Duration)>) -> Self {
        Self { troubles, lags }
    }

    /// The same for one guild: of one that is out when trouble ends, nothing is told until it is there
    /// again. `outages`: from when to when it was out.
    pub(crate) fn of_guild(&self, outages: &[(Instant, Instant)]) -> Self {
        let troubles = self.troubles.iter().map(|(began, ended)| {
            let out = outages
                .iter()
                .find(|(out, there)| out <= ended && there > ended);
            (*began, out.map_or(*ended, |(_, there)| *there))
        });
        Self {
            troubles: troubles.collect(),
            lags: self.lags.clone(),
        }
    }

    /// Whether something was wrong with the road to Discord in this time.
    pub(crate) fn trouble(&self, from: Instant, to: Instant) -> bool {
        self.troubles
            .iter()
            .any(|(began, ended)| *began <= to && *ended >= from)
    }

    /// How long it took from a change to its effect, without the time of trouble.
    pub(crate) fn wait(&self, change: Instant, effect: Instant) -> Duration {
        effect.saturating_duration_since(self.since(change, effect))
    }

    /// What of that no excuse is left for.
    pub(crate) fn delay(&self, change: Instant, effect: Instant) -> Duration {
        let since = self.since(change, effect);
        let within = |at: &Instant| *at + TICK >= since && *at <= effect + TICK;
        let lost = self.lags.iter().filter(|(at, _)| within(at));
        let lost: Duration = lost.map(|(_, late)| *late).sum();
        self.wait(change, effect).saturating_sub(lost * TURNS)
    }

    /// When a change could be told at the earliest.
    fn since(&self, change: Instant, effect: Instant) -> Instant {
        let troubles = self.troubles.iter();
        let touching = troubles.filter(|(began, ended)| *began <= effect && *ended >= change);
        touching.map(|(_, ended)| *ended).fold(change, Instant::max)
    }

    /// The latest moment that somebody could know nothing of at this time.
    pub(crate) fn known_before(&self, now: Instant, within: Duration) -> Instant {
        let mut known = now.checked_sub(within).unwrap_or(now);
        for (began, ended) in self.troubles.iter().rev() {
            if *began <= now && *ended >= known {
                known = known.min(began.checked_sub(within).unwrap_or(*began));
            }
        }
        let recent = self
            .lags
            .iter()
            .filter(|(at, _)| *at >= known && *at <= now + TICK);
        let lost = recent.map(|(_, late)| *late).sum::<Duration>() * TURNS;
        known.checked_sub(lost).unwrap_or(known)
    }
}

/// Within which time a change of what somebody is has its effect. `hinted`: bans or the audit log
/// told of it.
pub(crate) fn promised(told: Told, hinted: bool) -> Duration {
    match told {
        Told::Members => SOON_ENOUGH,
        Told::Moderation if hinted => HINTED,
        Told::Moderation | Told::Nothing => LOOKED_UP,
    }
}
