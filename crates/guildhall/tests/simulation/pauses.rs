//! How fast a life goes. Its pauses are no waiting for something: they are the moments at which
//! something happens to the house, drawn by chance.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::chance::Chance;

pub(crate) async fn pause(length: Duration) {
    if !length.is_zero() {
        sleep_until(Instant::now() + length).await;
    }
}

/// Between two things that happen: mostly next to nothing, at times long enough for all of it to
/// have arrived.
pub(crate) fn breath(chance: &mut Chance) -> Duration {
    let most = match chance.between(0, 9) {
        0..=3 => 0,
        4..=6 => 4,
        7 | 8 => 25,
        _ => 120,
    };
    millis(chance, most)
}

/// Up to so many milliseconds, in steps of a tenth of one.
pub(crate) fn millis(chance: &mut Chance, most: u64) -> Duration {
    Duration::from_micros(100 * chance.between(0, most * 10))
}
