//! Secure randomness.

/// So many bytes of the thread's generator, which is seeded by the system and fit for secrets.
#[expect(
    clippy::disallowed_methods,
    reason = "the one file of the login that draws; what is drawn is secret, so no test names it"
)]
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    rand::random()
}
