//! Rate-limited log lines: what may happen thousands of times a second is logged once a minute.

use std::time::Duration;

use metrics::Counter;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Between two lines about the same kind of thing.
const EVERY: Duration = Duration::from_mins(1);

/// When something was last said, and how often it has happened since.
#[derive(Debug, Default)]
pub struct LogThrottle {
    said: Option<Instant>,
    unsaid: u64,
}

impl LogThrottle {
    /// It happened again. Returns how often it did since it was last said, when it is to be said.
    pub fn happened(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said.is_some_and(|said| now - said < EVERY) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

/// Occurrences of one kind: each is counted in a metric, and said once a minute with their number.
pub struct Occurrences {
    counter: Counter,
    throttle: Mutex<LogThrottle>,
}

impl Occurrences {
    /// Counted in this metric, which is there from the start, for alerts.
    #[must_use]
    pub fn new(counter: Counter) -> Self {
        counter.increment(0);
        Self {
            counter,
            throttle: Mutex::default(),
        }
    }

    /// It happened again. Returns how often it did since it was last said, when it is to be said.
    pub fn happened(&self, now: Instant) -> Option<u64> {
        self.counter.increment(1);
        self.throttle.lock().happened(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_once_a_minute_with_their_number() {
        let (mut throttle, began) = (LogThrottle::default(), Instant::now());
        assert_eq!(throttle.happened(began), Some(1));
        for second in 1..60 {
            assert_eq!(throttle.happened(began + Duration::from_secs(second)), None);
        }
        assert_eq!(throttle.happened(began + EVERY), Some(60));
        assert_eq!(throttle.happened(began + EVERY), None);
    }
}
