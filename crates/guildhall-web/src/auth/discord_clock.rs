//! How far our clock is ahead of Discord's, by the `Date` of its answers to sign-ins: what Discord
//! signs says when it happened by its own clock, and sessions say when they began by ours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use guildhall_model::UnixMs;
use guildhall_ports::{Clock, millis};
use http::HeaderMap;
use metrics::gauge;
use tracing::warn;

use crate::http::date_of;

/// Less is the time that an answer takes, and what every time before which sessions are over has of
/// room in any case.
const NOTABLE: Duration = Duration::from_secs(30);

/// A handle on it.
#[derive(Clone, Debug)]
pub(super) struct DiscordClock {
    ours: Arc<dyn Clock>,
    /// In milliseconds, by the last answer; 0: it is not ahead, or by nothing notable.
    ahead: Arc<AtomicU64>,
}

impl DiscordClock {
    pub(super) fn new(ours: Arc<dyn Clock>) -> Self {
        Self {
            ours,
            ahead: Arc::default(),
        }
    }

    /// Discord has answered now.
    pub(super) fn answered(&self, headers: &HeaderMap) {
        let Some(theirs) = date_of(headers) else {
            return;
        };
        let apart = self.ours.now().saturating_sub(theirs);
        let ahead = if apart < millis(NOTABLE) { 0 } else { apart };
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        gauge!("guildhall_clock_ahead_of_discord_seconds")
            .set(Duration::from_millis(ahead).as_secs_f64());
        if before == 0 && ahead > 0 {
            warn!(
                "[Auth] This machine's clock is {} s ahead of Discord's: set it right (NTP)",
                ahead / 1000
            );
        }
    }

    /// What our clock said when Discord's said this, as far as is known; not later than now.
    pub(super) fn ours_at(&self, theirs: UnixMs) -> UnixMs {
        let ours = theirs.saturating_add(self.ahead.load(Ordering::Relaxed));
        ours.min(self.ours.now())
    }
}

#[cfg(test)]
mod tests {
    use guildhall_ports::ManualClock;
    use http::header;

    use super::*;

    /// What the header says.
    const THEIRS: UnixMs = 1_700_000_000_000;

    fn answered(clock: &DiscordClock, date: &'static str) {
        let date = http::HeaderValue::from_static(date);
        clock.answered(&HeaderMap::from_iter([(header::DATE, date)]));
    }

    #[test]
    fn a_clock_that_is_ahead_is_known_by_the_last_answer_and_one_that_is_not_changes_nothing() {
        let date = "Tue, 14 Nov 2023 22:13:20 GMT";
        for (apart, known) in [(0, 0), (29_999, 0), (30_000, 30_000), (600_000, 600_000)] {
            let ours = Arc::new(ManualClock::at(THEIRS + apart));
            let clock = DiscordClock::new(Arc::clone(&ours) as Arc<dyn Clock>);
            answered(&clock, date);
            answered(&clock, "yesterday");
            clock.answered(&HeaderMap::new());
            assert_eq!(clock.ours_at(THEIRS - 1_000), THEIRS - 1_000 + known);
            // What is said to happen in the future happens now.
            assert_eq!(clock.ours_at(u64::MAX), THEIRS + apart);
            ours.set(THEIRS);
            answered(&clock, date);
            assert_eq!(clock.ours_at(THEIRS - 1_000), THEIRS - 1_000, "set right");
        }
        let behind = DiscordClock::new(Arc::new(ManualClock::at(THEIRS - 600_000)));
        answered(&behind, date);
        assert_eq!(behind.ours_at(7), 7);
    }
}
