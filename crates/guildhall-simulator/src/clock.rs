//! The one place that reads a clock; everything else is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use tokio::time::Instant;

/// Monotonic time, for deadlines and windows. Follows tokio's paused time in tests.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Microseconds since 1970, for stamps and expiry headers.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn unix_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The calendar, for timeouts.
pub(crate) fn date() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_micros()) * 1000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
