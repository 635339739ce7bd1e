//! Keeps the gateway listed in the registry for as long as it runs, and never holds it up.

use std::{sync::Arc, time::Duration};

use guildhall_http::Occurrences;
use guildhall_ports::{GatewayRegistry, LinkAddress, Unavailable};
use metrics::counter;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Between two announcements: a registry may drop who was not announced again for a while, and one
/// that was begun anew knows nobody.
const EVERY: Duration = Duration::from_secs(30);

/// Before the next try, while the registry does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// How long an announcement may take before it counts as failed.
const ANNOUNCE_LIMIT: Duration = Duration::from_secs(10);

/// How long the withdrawal may hold up the end. Less than the time in which the process has to stop.
const WITHDRAW_LIMIT: Duration = Duration::from_secs(2);

/// The gateway's place in the registry.
pub(super) struct Announcement {
    registry: Arc<dyn GatewayRegistry>,
    address: LinkAddress,
    failures: Occurrences,
}

impl Announcement {
    pub(super) fn new(registry: Arc<dyn GatewayRegistry>, address: LinkAddress) -> Self {
        let failures = counter!("guildhall_gateway_announce_failures_total");
        Self {
            registry,
            address,
            failures: Occurrences::new(failures),
        }
    }

    /// Announces it again and again until `stop`, and withdraws it then.
    pub(super) async fn keep_until(&self, stop: &CancellationToken) {
        stop.run_until_cancelled(self.keep()).await;
        let withdrawing = self.registry.withdraw(self.address.clone());
        match timeout(WITHDRAW_LIMIT, withdrawing).await {
            Ok(Ok(())) => {}
            // Who is not told finds out by dialling.
            Ok(Err(Unavailable(why))) => debug!("[Gateway] Still listed after its end: {why}"),
            Err(_) => debug!("[Gateway] Still listed after its end: the registry does not answer"),
        }
    }

    async fn keep(&self) {
        loop {
            let announcing = self.registry.announce(self.address.clone());
            let failure = match timeout(ANNOUNCE_LIMIT, announcing).await {
                Ok(Ok(())) => None,
                Ok(Err(Unavailable(why))) => Some(why),
                Err(_) => {
                    let seconds = ANNOUNCE_LIMIT.as_secs();
                    Some(format!("the registry did not answer within {seconds} s"))
                }
            };
            let rest = failure.map_or(EVERY, |why| self.failed(&why));
            sleep(rest).await;
        }
    }

    /// Returns when to try again.
    fn failed(&self, why: &str) -> Duration {
        if let Some(times) = self.failures.happened(Instant::now()) {
            warn!(
                times,
                "[Gateway] Web roles are not told where this gateway is: {why}"
            );
        }
        RETRY
    }
}
