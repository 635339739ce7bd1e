//! How long a browser waits before it reconnects. Each wait is drawn from a range, so that browsers
//! that were cut off together do not come back together.

use guildhall_model::event::ByeReason;

/// After a connection that broke without a `bye`, in ms. `chance`: 0 to 1.
pub(crate) fn retry_ms(chance: f64) -> u64 {
    between(1_000, 2_000, chance)
}

/// After a `bye`, in ms. `chance`: 0 to 1.
pub(crate) fn retry_ms_after(reason: ByeReason, chance: f64) -> u64 {
    let (least, most) = match reason {
        ByeReason::MaxAge => (100, 1_000),
        ByeReason::Draining | ByeReason::SessionExpired | ByeReason::SessionRevoked => (500, 3_000),
        ByeReason::Unavailable => (2_000, 5_000),
        ByeReason::TooManyStreams => (15_000, 30_000),
    };
    between(least, most, chance)
}

fn between(least: u64, most: u64, chance: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few thousand milliseconds"
    )]
    let share = ((most - least) as f64 * chance.clamp(0.0, 1.0)) as u64;
    least + share
}
