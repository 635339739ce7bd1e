//! The gateway's end of an attachment.
//!
//! ```text
//! Greeted ──subscribe──▶ Joining ──the logs' answers──▶ Replaying ──snapshot_end──▶ Following
//!    └───────────────────────── any end ─────────────────────────────▶ Ended
//! ```
//!
//! Nothing waits here in a queue for a slow web role: each log is read in batches, and its next
//! batch is asked for only when the driver has taken, that is written, the last one. So an
//! attachment costs its join (one base per guild, once) and then one batch of each log. The logs
//! take turns, and each is sent in its own order.

/// What goes in and what comes out.
mod exchange;
/// One log, and what waits for its events.
mod lane;
/// What is still to be sent of it.
mod queue;
/// Requests, until they are answered.
mod requests;
/// What was revoked.
mod revocations;
/// Tables of viewers, until they are whole.
mod viewers;
/// Whose turn it is.
mod turns;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Cursor, LogId, Position, SealedEvent,
    event::{LiveEvent, LiveKey},
};

use crate::{
    attachment::{Conversation, End, Remainder, SocketInput, Violation},
    frame::{Frame, ReplyBody, Tell},
};

pub use exchange::{Input, Output};
use lane::{LaneOutput, LogLane};
use queue::SendQueue;
use requests::Requests;
pub use requests::{LONGEST_DEADLINE, REQUESTS_UNDER_WAY};
pub use revocations::REVOCATIONS_PER_TELL;
use revocations::RevocationLane;
use turns::Turns;
pub use viewers::MOST_VIEWED_ROOMS;
use viewers::ViewerTableParts;

/// So many events are read from a log at once.
pub const EVENTS_PER_READ: usize = 256;
/// So long does `snapshot_end` wait for the guilds that Discord has still to send.
pub const COMPLETE_LIMIT: Duration = Duration::from_secs(10);

/// The gateway's end of one attachment.
#[derive(Debug)]
pub struct Sender {
    state: State,
    conversation: Conversation<Output>,
    /// In ascending order of log.
    lanes: Vec<LogLane>,
    turns: Turns,
    requests: Requests,
    revocations: RevocationLane,
    viewers: ViewerTableParts,
    /// The latest words of the live lane that were not sent yet: as many as there are keys.
    live: BTreeMap<LiveKey, Arc<LiveEvent>>,
}

#[derive(Debug)]
enum State {
    Greeted,
    Joining,
    Replaying {
        /// Until when the end waits for a complete world; `None`: it has waited.
        patience: Option<Instant>,
    },
    Following,
}

impl Sender {
    /// A web role with the right token is connected. `heads`: each log's head now. How Discord is
    /// behind a log is to be said by [`Input::StatusChanged`]; until then nothing is complete.
    #[must_use]
    pub fn new(heads: Cursor, now: Instant) -> Self {
        let lanes = heads.positions().iter().copied().map(LogLane::new);
        let lanes: Vec<LogLane> = lanes.collect();
        let mut conversation = Conversation::new(now);
        conversation.send(Frame::Hello { heads });
        Self {
            state: State::Greeted,
            conversation,
            turns: Turns::new(lanes.len()),
            lanes,
            requests: Requests::default(),
            revocations: RevocationLane::default(),
            viewers: ViewerTableParts::default(),
            live: BTreeMap::new(),
        }
    }

    /// Takes in what happened. After the end nothing matters any more.
    pub fn handle(&mut self, input: impl Into<Input>, now: Instant) {
        if self.conversation.has_ended() {
            return;
        }
        match input.into() {
            Input::Socket(input) => self.socket(input, now),
            Input::JoinedAfter { after, head } => self.joined(SendQueue::after(after), head, now),
            Input::JoinedBases {
                bases,
                backlog,
                head,
            } => self.joined(SendQueue::from_bases(bases, backlog, head), head, now),
            Input::EventsRead { log, events } => self.events_read(log, events),
            Input::LogExpired => self.conversation.end(End::Expired),
            Input::HeadMoved(head) => self.change_lane(head.log, |lane| lane.head = head),
            Input::LiveSaid(event) => _ = self.live.insert(event.key(), event),
            Input::StatusChanged { status, head } => {
                self.change_lane(head.log, |lane| lane.set_status(status, head));
            }
            Input::Watched {
                request_id,
                watched,
            } => self.answered(request_id, ReplyBody::Watched(watched)),
            Input::Commanded { request_id, result } => {
                self.answered(request_id, ReplyBody::Command(result));
            }
            Input::Admitted { request_id, result } => {
                self.answered(request_id, ReplyBody::Admitted(result));
            }
            Input::RevokedMoved(head) => self.revocations.moved(head),
            Input::RevokedRead {
                revocations,
                end,
                more,
            } => self.revoked_read(revocations, end, more),
            Input::Revoked { request_id, known } => {
                self.answered(request_id, ReplyBody::Revoked { known });
            }
        }
    }

    /// The next thing to do. Ask until there is none; it may be asked in rounds, with inputs
    /// between them, and nothing is prepared ahead.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.conversation.poll_output() {
                return Some(output);
            }
            if self.conversation.has_ended() || self.conversation.is_opening() {
                return None;
            }
            if let Some(output) = self.revocations.read_on() {
                return Some(output);
            }
            // Whoever is shown something was let in by what is known of revocations.
            if !self.revocations.is_whole {
                return None;
            }
            let Some(index) = self.turns.next() else {
                return self.due_live();
            };
            match self.lanes[index].next() {
                Some(LaneOutput::Do(output)) => return Some(output),
                Some(LaneOutput::Released { request_id }) => {
                    if let Some(reply) = self.requests.released(request_id) {
                        return Some(Output::Send(reply));
                    }
                }
                None => {
                    self.turns.rest(index);
                    if let Some(output) = self.drained(index) {
                        return Some(output);
                    }
                }
            }
        }
    }

    /// When to call [`Sender::handle`] with [`SocketInput::TimePassed`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let patience = match &self.state {
            State::Replaying { patience } => *patience,
            State::Greeted | State::Joining | State::Following => None,
        };
        let own = [patience, self.requests.deadline()];
        let common = self.conversation.deadline()?;
        Some(own.into_iter().flatten().fold(common, Instant::min))
    }

    fn socket(&mut self, input: SocketInput, now: Instant) {
        let is_time = matches!(input, SocketInput::TimePassed);
        match self.conversation.handle(input, now) {
            Remainder::Frame(frame) => self.frame_came(frame, now),
            Remainder::Pinged if !self.conversation.is_opening() => {
                let at = self.cursor(|lane| lane.head);
                self.conversation.send(Frame::Heads { at });
            }
            // Nothing is lost with it: a request without an answer is asked again.
            Remainder::Undecodable(_) | Remainder::Pinged | Remainder::Nothing => {}
        }
        if is_time && !self.conversation.has_ended() {
            self.give_up_overdue(now);
            self.lose_patience(now);
        }
    }

    fn frame_came(&mut self, frame: Frame, now: Instant) {
        match (frame, &self.state) {
            (Frame::Subscribe { after }, State::Greeted) => {
                self.conversation.opened();
                self.state = State::Joining;
                for lane in &self.lanes {
                    let log = lane.head.log;
                    let after = after.as_ref().and_then(|after| after.in_log(log));
                    self.conversation.push(Output::Join { log, after });
                }
            }
            (
                Frame::Request(request),
                State::Joining | State::Replaying { .. } | State::Following,
            ) => {
                self.request_came(request, now);
            }
            (
                Frame::Tell(Tell::Viewers { table, more }),
                State::Joining | State::Replaying { .. } | State::Following,
            ) => match self.viewers.take(table, more) {
                Ok(Some(table)) => self.conversation.push(Output::Viewers(table)),
                Ok(None) => {}
                Err(_) => self.conversation.violated(Violation::Oversized),
            },
            _ => self.conversation.violated(Violation::Unexpected),
        }
    }

    fn joined(&mut self, queue: SendQueue, head: Position, now: Instant) {
        if !matches!(self.state, State::Joining) {
            return;
        }
        self.change_lane(head.log, |lane| lane.join(queue, head));
        if self.lanes.iter().all(LogLane::is_joined) {
            let patience = Some(now + COMPLETE_LIMIT);
            self.state = State::Replaying { patience };
        }
    }

    fn events_read(&mut self, log: LogId, events: Vec<Arc<SealedEvent>>) {
        self.change_lane(log, |lane| {
            let Some(queue) = lane.queue() else { return };
            queue.reading = false;
            match events.last() {
                Some(last) => {
                    let end = last.at;
                    queue.read(events, end);
                }
                // The head was not the log's after all; wait until it says so again.
                None => lane.head = queue.sent,
            }
        });
    }

    fn lose_patience(&mut self, now: Instant) {
        if let State::Replaying { patience } = &mut self.state
            && patience.is_some_and(|until| now >= until)
        {
            *patience = None;
            (0..self.lanes.len()).for_each(|index| self.turns.wake(index));
        }
    }

    /// A log has nothing more to send of what was read: what is due now, in this order, so that
    /// neither the end of the replay nor the live lane waits for a log that goes on and on.
    fn drained(&mut self, index: usize) -> Option<Output> {
        let output = self
            .due_end()
            .or_else(|| self.due_live())
            .inspect(|_| self.turns.wake(index));
        output.or_else(|| self.lanes[index].read_on())
    }

    /// The end of the replay, when every log is sent up to where it was joined.
    fn due_end(&mut self) -> Option<Output> {
        let State::Replaying { patience } = self.state else {
            return None;
        };
        let complete = |lane: &LogLane| lane.is_complete() || patience.is_none();
        let is_due = |lane: &LogLane| lane.is_at_target() && complete(lane);
        if !self.lanes.iter().all(is_due) {
            return None;
        }
        self.state = State::Following;
        let at = self.cursor(LogLane::whole);
        for lane in &mut self.lanes {
            lane.follow();
            self.conversation.send(lane.status());
        }
        self.conversation.send(Frame::SnapshotEnd { at });
        self.conversation.poll_output()
    }

    /// Nothing of the live lane is said before the world that it is about is there.
    fn due_live(&mut self) -> Option<Output> {
        let following = matches!(self.state, State::Following);
        let (_, event) = following.then(|| self.live.pop_first())??;
        Some(Output::Send(Frame::Live(event)))
    }

    fn change_lane(&mut self, log: LogId, change: impl FnOnce(&mut LogLane)) {
        if let Some(index) = self.index_of(log) {
            change(&mut self.lanes[index]);
            self.turns.wake(index);
        }
    }

    fn index_of(&self, log: LogId) -> Option<usize> {
        let found = self.lanes.binary_search_by_key(&log, |lane| lane.head.log);
        found.ok()
    }

    fn cursor(&self, position: impl Fn(&LogLane) -> Position) -> Cursor {
        let positions = self.lanes.iter().map(position);
        Cursor::new(positions).expect("one for each of the heads, which are a cursor")
    }
}

#[cfg(test)]
mod tests;
