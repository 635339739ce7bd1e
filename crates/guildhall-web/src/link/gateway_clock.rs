//! Whether the gateway's clock and ours agree, by the `Date` of the answer that opens the link. A gateway
//! says by its own from when on sessions may have begun that it knows nothing against, and a session says
//! by ours when it began.

use std::time::Duration;

use guildhall_model::UnixMs;
use http::HeaderMap;
use metrics::gauge;
use tracing::warn;

use crate::http::date_of;

/// From here on it is said: half of what every such time has of room.
const NOTABLE: Duration = Duration::from_secs(30);

/// A link is open.
pub(super) fn compare(headers: &HeaderMap, now: UnixMs) {
    let Some(theirs) = date_of(headers) else {
        return;
    };
    let apart = Duration::from_millis(now.abs_diff(theirs));
    gauge!("guildhall_clock_apart_from_gateway_seconds").set(apart.as_secs_f64());
    if apart >= NOTABLE {
        warn!(
            "[Gateway Client] The gateway's clock is {} s {} this machine's: set both right (NTP). A minute \
             apart, sessions that were ended may be good again where the gateway's file begins anew",
            apart.as_secs(),
            if theirs < now { "behind" } else { "ahead of" }
        );
    }
}
