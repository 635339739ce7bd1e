use std::time::Duration;

use tokio::time::Instant;

/// In one [`WINDOW`]. Discord sends none; proxies in between send one now and then.
const MOST: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// Counts pings and pongs: each costs us an answer, and no heartbeat bounds them.
#[derive(Debug)]
pub(super) struct ControlFrames {
    since: Instant,
    count: u32,
}

impl ControlFrames {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            count: 0,
        }
    }

    /// One came. Whether that is still within bounds.
    pub(super) fn came(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        self.count <= MOST
    }
}
