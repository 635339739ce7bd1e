//! How fast a run goes. Its pauses are no waiting for something: they draw the moments at which
//! something happens to the gateway.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::rng::Rng;

pub(crate) async fn pause(length: Duration) {
    if !length.is_zero() {
        sleep_until(Instant::now() + length).await;
    }
}

/// Between two things that happen: mostly next to nothing, at times long enough for all of it to
/// have arrived.
pub(crate) fn random_pause(rng: &mut Rng) -> Duration {
    let most = match rng.between(0, 9) {
        0..=3 => 0,
        4..=6 => 4,
        7 | 8 => 25,
        _ => 120,
    };
    random_millis(rng, most)
}

/// Up to so many milliseconds, in steps of a tenth of one.
pub(crate) fn random_millis(rng: &mut Rng, most: u64) -> Duration {
    Duration::from_micros(100 * rng.between(0, most * 10))
}
