//! The application's Ed25519 key pair.

use std::fmt::Write;

use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::snowflake::SeededRng;

/// The same for the same seed.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    pub(crate) fn from_seed(seed: u64) -> Self {
        // Apart from the world's draws, so that ids stay what they are.
        let mut rng = SeededRng::from_seed(seed ^ 0x77_6562_686f_6f6b);
        let mut bytes = Vec::with_capacity(32);
        for _ in 0..4 {
            bytes.extend(rng.next_u64().to_be_bytes());
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(&bytes);
        Self(pair.expect("every 32 bytes are a seed of Ed25519"))
    }

    /// The public half, as the developer portal shows it.
    pub(crate) fn public_hex(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// Signs what is said at a time, as the headers have it.
    pub(super) fn sign(&self, timestamp: &str, body: &str) -> String {
        let signed = [timestamp.as_bytes(), body.as_bytes()].concat();
        hex(self.0.sign(&signed).as_ref())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
