//! One log of an attachment: where it stands, what of it is sent, and what waits for that.

use std::collections::BTreeSet;

use guildhall_model::Position;

use super::{Output, queue::SendQueue};
use crate::frame::{Discord, DiscordStatus, Frame, LogStatus};

/// One log.
#[derive(Debug)]
pub(super) struct LogLane {
    pub(super) head: Position,
    /// How Discord is behind it, and where the log stood when that was said.
    status: LogStatus,
    status_is_due: bool,
    /// `None`: the log was not joined yet.
    queue: Option<SendQueue>,
    /// `snapshot_end` comes when the log is sent up to here; `None`: it was sent.
    target: Option<Position>,
    /// Answers that wait for their events: the number of the event, and that of the request.
    answers: BTreeSet<(u64, u64)>,
}

/// What a log has to be done next.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are events, and each would be an allocation more"
)]
#[derive(Debug)]
pub(super) enum LaneOutput {
    /// The driver is to do this.
    Do(Output),
    /// The events that an answer waited for in this log are sent.
    Released { request_id: u64 },
}

impl LogLane {
    /// How Discord is behind it is not known yet.
    pub(super) fn new(head: Position) -> Self {
        let status = DiscordStatus {
            discord: Discord::Unknown,
            since: 0,
            guild_ids: Vec::new(),
            complete: false,
        };
        Self {
            head,
            status: LogStatus { at: head, status },
            status_is_due: false,
            queue: None,
            target: Some(head),
            answers: BTreeSet::new(),
        }
    }

    /// `head`: as the join found it. That the log has grown since may have been said before.
    pub(super) fn join(&mut self, queue: SendQueue, head: Position) {
        self.head = self.head.max(head);
        self.target = Some(self.head);
        self.queue = Some(queue);
    }

    pub(super) fn is_joined(&self) -> bool {
        self.queue.is_some()
    }

    pub(super) fn queue(&mut self) -> Option<&mut SendQueue> {
        self.queue.as_mut()
    }

    /// The status changed. Behind the replay it is sent behind what led to it; the replay goes on
    /// up to there and ends with it.
    pub(super) fn set_status(&mut self, status: DiscordStatus, head: Position) {
        self.head = head;
        self.status = LogStatus { at: head, status };
        match &mut self.target {
            Some(target) => *target = head,
            None => self.status_is_due = true,
        }
    }

    /// `snapshot_end` is sent, and the status before it.
    pub(super) fn follow(&mut self) {
        self.target = None;
        self.status_is_due = false;
    }

    pub(super) fn status(&self) -> Frame {
        Frame::Status(self.status.clone())
    }

    /// Up to where it is sent, not counting half a group.
    pub(super) fn whole(&self) -> Position {
        let nothing = self.head.at(0);
        self.queue.as_ref().map_or(nothing, |queue| queue.whole)
    }

    /// Whether all of it is sent that there was at the join, or at the last change of the status.
    pub(super) fn is_at_target(&self) -> bool {
        let target = self.target.unwrap_or(self.head);
        self.is_joined() && self.whole().seq >= target.seq
    }

    /// Whether every guild that Discord announced there has come.
    pub(super) fn is_complete(&self) -> bool {
        self.status.status.complete
    }

    /// An answer waits for this number.
    pub(super) fn await_event(&mut self, seq: u64, request_id: u64) {
        self.answers.insert((seq, request_id));
    }

    /// The next thing of what there is; `None`: all of it is sent, or the log was not joined.
    pub(super) fn next(&mut self) -> Option<LaneOutput> {
        if let Some(due) = self.due() {
            return Some(due);
        }
        match self.queue.as_mut()?.next() {
            Some(output) => Some(LaneOutput::Do(output)),
            // Where the queue ends may be above its last event.
            None => self.due(),
        }
    }

    /// The next batch, if there is more in the log than what was sent.
    pub(super) fn read_on(&mut self) -> Option<Output> {
        let queue = self.queue.as_mut()?;
        if queue.reading || queue.sent.seq >= self.head.seq {
            return None;
        }
        queue.reading = true;
        Some(Output::Read(queue.sent))
    }

    /// What waited for events that are sent.
    fn due(&mut self) -> Option<LaneOutput> {
        let queue = self.queue.as_ref()?;
        let (sent, whole) = (queue.sent, queue.whole);
        if let Some((seq, request_id)) = self.answers.first().copied()
            && seq <= sent.seq
        {
            self.answers.pop_first();
            return Some(LaneOutput::Released { request_id });
        }
        if self.status_is_due && whole.seq >= self.status.at.seq {
            self.status_is_due = false;
            return Some(LaneOutput::Do(Output::Send(self.status())));
        }
        None
    }
}
