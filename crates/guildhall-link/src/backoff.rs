//! How long to wait before the next dial: long enough to spare a gateway that has just come
//! back, never so long that somebody has to restart a web role by hand.

use std::time::{Duration, Instant};

/// The longest wait after the 1st, 2nd, … failure in a row; the last one repeats for ever.
const CEILINGS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Exponential back-off with full jitter. It never gives up.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: usize,
}

impl Backoff {
    /// A dial failed or its connection ended: when to dial again.
    ///
    /// `jitter` is a number drawn anew each time, its whole range equally likely: it spreads web
    /// instances that lost the same gateway over the whole wait.
    pub fn failed(&mut self, now: Instant, jitter: u32) -> Instant {
        let ceiling = CEILINGS[self.failures.min(CEILINGS.len() - 1)];
        self.failures = self.failures.saturating_add(1);
        now + ceiling.mul_f64(f64::from(jitter) / (f64::from(u32::MAX) + 1.0))
    }

    /// A connection was of use: the next failure is the first again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn waits_double_up_to_sixteen_seconds_and_start_over_after_a_success() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let mut longest = || backoff.failed(now, u32::MAX) - now;
        for seconds in [1, 2, 4, 8, 16, 16, 16] {
            let wait = longest();
            let ceiling = Duration::from_secs(seconds);
            assert!(wait <= ceiling && wait > ceiling * 9 / 10, "{wait:?}");
        }
        backoff.succeeded();
        assert!(backoff.failed(now, u32::MAX) - now <= Duration::from_secs(1));
    }

    proptest! {
        #[test]
        #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
        fn full_jitter_uses_the_whole_wait_and_never_gives_up(
            jitters in prop::collection::vec(any::<u32>(), 1..100)
        ) {
            let now = Instant::now();
            let mut backoff = Backoff::default();
            for (index, jitter) in jitters.into_iter().enumerate() {
                let ceiling = CEILINGS[index.min(4)].as_secs_f64();
                let share = (backoff.failed(now, jitter) - now).as_secs_f64() / ceiling;
                prop_assert!((share - f64::from(jitter) / f64::from(u32::MAX)).abs() < 1e-6);
            }
        }
    }
}
