//! The time that the driver of a machine hands to it: tokio's, so that tests can pause it.

use std::{future::pending, time::Instant};

use tokio::time::sleep_until;

/// The time now.
#[must_use]
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Waits until a machine's deadline; without one, for ever.
pub async fn sleep_to(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
