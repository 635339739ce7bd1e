//! Faults that wait for the next connection, and orders for present ones.

use super::CloseCode;

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
}

/// Orders that wait to be read, per connection. Nobody gives this many by hand;
/// one more is refused.
pub(crate) const ORDERS_WAITING: usize = 16;

/// Faults of connections that do not exist yet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    resume_refusals: u32,
    hello_reconnects: u32,
}

impl Faults {
    /// The next `times` upgrades of the resume path are answered with 503; 0 heals.
    pub(crate) fn refuse_resumes(&mut self, times: u32) {
        self.resume_refusals = times;
    }

    /// The next `times` connections get op 7 in place of HELLO; 0 heals.
    pub(crate) fn reconnect_instead_of_hello(&mut self, times: u32) {
        self.hello_reconnects = times;
    }

    /// Whether this connection is sent away before HELLO.
    pub(crate) fn hello_is_reconnect(&mut self) -> bool {
        let sent_away = self.hello_reconnects > 0;
        self.hello_reconnects = self.hello_reconnects.saturating_sub(1);
        sent_away
    }

    /// Whether this upgrade of the resume path is to be refused.
    pub(crate) fn resume_is_refused(&mut self) -> bool {
        let refused = self.resume_refusals > 0;
        self.resume_refusals = self.resume_refusals.saturating_sub(1);
        refused
    }
}
