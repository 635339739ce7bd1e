//! What a connection's session is made with.

use std::time::Duration;

use guildhall_http::Secret;
use serde_json::value::RawValue;

/// What a connection is made with.
#[derive(Debug)]
pub(in crate::shard) struct SessionConfig {
    pub token: Secret,
    /// Discord's bits.
    pub intents: u64,
    /// Its number, and of how many.
    pub shard: [u32; 2],
    /// How the bot is shown at first, as Discord's presence object.
    pub presence: Option<Box<RawValue>>,
    /// The session to go on with; `None`: a fresh one is asked for.
    pub resume: Option<ResumePoint>,
    /// From the start to HELLO.
    pub hello_time: Duration,
    /// How long a close may take when the process stops.
    pub stop_time: Duration,
}

/// A session of Discord's, and the last dispatch of it that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shard) struct ResumePoint {
    pub session_id: String,
    pub sequence: u64,
}
