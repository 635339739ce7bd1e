//! The bench's two clocks: one shared by all processes of this machine, one
//! for time limits.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970, comparable with the stamps of other processes.
#[expect(
    clippy::disallowed_methods,
    reason = "latency is measured against the wall clock that stamps are written with"
)]
pub(crate) fn unix_micros() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench has time limits and measures time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
