//! Faults that wait for the next connection, and orders for present ones.

use std::time::Duration;

use crate::gateway_ws::close::CloseCode;

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

/// What becomes of an upgrade of the resume path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResumeFault {
    /// 503
    Unavailable,
    /// The connection ends without an answer.
    Torn,
    /// No answer comes.
    Hanging,
}

/// Orders that wait to be read, per connection. Nobody gives this many by hand;
/// one more is refused.
pub(crate) const ORDERS_WAITING: usize = 16;

/// Faults of connections that do not exist yet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    resume: Option<(ResumeFault, u32)>,
    hello_reconnects: u32,
    /// How many dispatches, and how many times.
    rewind: (u64, u32),
}

impl Faults {
    /// The next `times` upgrades of the resume path meet this; 0 heals.
    pub(crate) fn fail_resumes(&mut self, fault: ResumeFault, times: u32) {
        self.resume = Some((fault, times));
    }

    /// The next `times` connections get op 7 in place of HELLO; 0 heals.
    pub(crate) fn reconnect_instead_of_hello(&mut self, times: u32) {
        self.hello_reconnects = times;
    }

    /// The next `times` replays begin so many dispatches too early.
    pub(crate) fn rewind_replays(&mut self, dispatches: u64, times: u32) {
        self.rewind = (dispatches, times);
    }

    /// By how many dispatches this replay begins too early.
    pub(crate) fn rewind(&mut self) -> u64 {
        let (dispatches, times) = self.rewind;
        self.rewind.1 = times.saturating_sub(1);
        if times > 0 { dispatches } else { 0 }
    }

    /// Whether this connection is sent away before HELLO.
    pub(crate) fn hello_is_reconnect(&mut self) -> bool {
        let sent_away = self.hello_reconnects > 0;
        self.hello_reconnects = self.hello_reconnects.saturating_sub(1);
        sent_away
    }

    /// What this upgrade of the resume path meets.
    pub(crate) fn meet_resume(&mut self) -> Option<ResumeFault> {
        let (fault, times) = self.resume.take().filter(|(_, times)| *times > 0)?;
        self.resume = Some((fault, times - 1));
        Some(fault)
    }
}
