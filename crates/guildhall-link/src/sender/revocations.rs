//! What was revoked, for the web role: all of it before anything else, then each that is new, ahead
//! of whatever waits.

use guildhall_model::Revocation;

use super::{Output, Sender};
use crate::frame::{Frame, Tell};

/// So many are read and sent at once: some 90 KiB.
pub const REVOCATIONS_PER_TELL: usize = 1_000;

/// How far the gateway's revocations are sent, by the numbers that it gives them.
#[derive(Debug, Default)]
pub(super) struct RevocationLane {
    head: u64,
    sent: u64,
    reading: bool,
    /// All that there was has been sent.
    pub(super) is_whole: bool,
}

impl RevocationLane {
    /// The next part, if there is something to be sent.
    pub(super) fn read_on(&mut self) -> Option<Output> {
        if self.reading || self.is_whole && self.sent >= self.head {
            return None;
        }
        self.reading = true;
        Some(Output::ReadRevoked(self.sent))
    }

    pub(super) fn moved(&mut self, head: u64) {
        self.head = self.head.max(head);
    }
}

impl Sender {
    pub(super) fn revoked_read(&mut self, revocations: Vec<Revocation>, end: u64, more: bool) {
        let lane = &mut self.revocations;
        if !std::mem::take(&mut lane.reading) {
            return;
        }
        lane.sent = end;
        // The head may have been ahead of what there is to say.
        if !more {
            lane.head = end;
        }
        let was_whole = lane.is_whole;
        lane.is_whole |= !more;
        if !was_whole || !revocations.is_empty() {
            let tell = Tell::Revoked { revocations, more };
            self.conversation.send(Frame::Tell(tell));
        }
    }
}
