//! Wall-clock time, as an argument: only a clock reads the system's.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use guildhall_model::UnixMs;

/// Tells the time. For deadlines use tokio's monotonic clock, which tests can pause.
pub trait Clock: Debug + Send + Sync {
    /// Milliseconds since the Unix epoch. May jump either way, as system clocks do.
    fn now(&self) -> UnixMs;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the system's clock"
    )]
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, millis)
    }
}

/// A duration as what is added to a time: in whole milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> UnixMs {
    UnixMs::try_from(duration.as_millis()).unwrap_or(UnixMs::MAX)
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: UnixMs) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Moves it to `now`.
    pub fn set(&self, now: UnixMs) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMs {
        self.0.load(Ordering::Relaxed)
    }
}
