//! What a present connection is told to do, by a fault or by another connection.

use std::time::Duration;

use super::close::CloseCode;

/// Orders that wait to be read, per connection. Nobody gives this many by hand;
/// one more is refused.
pub(crate) const ORDERS_WAITING: usize = 16;

/// What a present connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Tear the connection without a close frame.
    Drop,
    Close(CloseCode),
    /// Op 7.
    Reconnect,
    /// Op 9; the session ends here unless it is said to be resumable.
    InvalidSession {
        resumable: bool,
    },
    /// Op 1.
    AskHeartbeat,
    /// Heartbeats go unanswered until the client reconnects.
    StopAcknowledging,
    /// Whatever is written from now on is lost on the way.
    Silence,
    /// Half of the next frame arrives, and nothing after it.
    HalfFrame,
    /// So many bytes at a time, with a pause after each.
    Slow {
        bytes: usize,
        pause: Duration,
    },
    /// Bytes flow and heartbeats are answered again.
    Heal,
}
