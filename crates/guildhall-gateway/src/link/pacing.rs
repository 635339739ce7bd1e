//! How often one attachment looks at logs that grow all the time: at thousands of commits a second
//! each look would send a few events, and what costs is the write, not the events.

use std::time::{Duration, Instant};

/// Looks in a row that nobody waits for.
const BURST: u32 = 16;
/// After them one look is due in each of these.
const EVERY: Duration = Duration::from_millis(1);

/// Looks are saved up while there are few.
#[derive(Debug)]
pub(super) struct Pacing {
    /// When there was none left to wait for, had none been used since.
    full_at: Instant,
}

impl Pacing {
    /// All are saved up.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Events were sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + EVERY;
    }

    /// When the next look is due; `None`: at once.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        let saved_up = EVERY * (BURST - 1);
        let due = self.full_at.checked_sub(saved_up)?;
        (due > now).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn whoever_sends_seldom_never_waits_and_others_send_once_a_millisecond() {
        let begin = Instant::now();
        let (mut pacing, mut now) = (Pacing::new(begin), begin);
        for _ in 0..1_000 {
            assert_eq!(pacing.next_look(now), None);
            pacing.sent(now);
            now += EVERY;
        }
        let mut at_once = 0;
        while pacing.next_look(now).is_none() {
            pacing.sent(now);
            at_once += 1;
        }
        assert!((BURST..=BURST + 1).contains(&at_once), "{at_once}");
        let busy_since = now;
        for _ in 0..1_000 {
            if let Some(due) = pacing.next_look(now) {
                assert!(due - now <= EVERY, "{:?}", due - now);
                now = due;
            }
            pacing.sent(now);
        }
        let took = now - busy_since;
        assert!(took >= EVERY * 990, "{took:?}");
        now += EVERY * BURST;
        assert_eq!(pacing.next_look(now), None, "saved up again");
    }
}
