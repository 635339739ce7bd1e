//! The gateway's end of an attachment.
//!
//! ```text
//! Greeted ──subscribe──▶ Joining ──the log's answer──▶ Replaying ──snapshot_end──▶ Following
//!    └───────────────────────── any end ─────────────────────────────▶ Ended
//! ```
//!
//! Nothing waits here in a queue for a slow web role: the log is read in batches, and the next
//! batch is asked for only when the driver has taken, that is written, the last one. So an
//! attachment costs its join (one base per guild, once) and then one batch.

/// What is still to be sent.
mod queue;
/// Requests of rights, and their answers.
mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    GuildId, Position, SealedEvent, UserId,
    event::{LiveEvent, LiveKey},
};

use crate::{
    FrameError,
    attachment::{Beat, End, FIRST_FRAME_LIMIT, Heartbeat, Violation},
    frame::{Ack, Base, DiscordStatus, Frame, Hello, VERSION},
};

use queue::SendQueue;
pub use watch::WATCHES_IN_FLIGHT;

/// So many events are read from the log at once.
pub const EVENTS_PER_READ: usize = 256;
/// So long does `snapshot_end` wait for the guilds that Discord has still to send.
pub const COMPLETE_LIMIT: Duration = Duration::from_secs(10);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A text message came.
    FrameCame(Result<Frame, FrameError>),
    /// A ping or pong came.
    BeatCame,
    /// A binary message came.
    BinaryCame,
    /// A message came that is above the size limit.
    OversizedCame,
    /// The log was joined after the position of [`Output::Join`]: its next event is the next one.
    JoinedAfter {
        /// That position.
        after: Position,
        /// The log's head at that moment.
        head: Position,
    },
    /// The log was joined from the bases.
    JoinedBases {
        /// Each guild at its floor.
        bases: Vec<Base>,
        /// Every event after them, in log order.
        backlog: Vec<Arc<SealedEvent>>,
        /// The log's head at that moment.
        head: Position,
    },
    /// The answer to [`Output::Read`], in log order.
    EventsRead(Vec<Arc<SealedEvent>>),
    /// The other answer to [`Output::Read`]: what comes next is no longer there.
    LogExpired,
    /// The log has grown.
    HeadMoved(Position),
    /// A word of the live lane: at first all that there are, then each that changes. It takes the
    /// place of the one before about the same, if that was not sent yet.
    LiveSaid(Arc<LiveEvent>),
    /// Discord's status changed.
    StatusChanged {
        /// To this.
        status: DiscordStatus,
        /// The log's head, read *after* the status: what led to the status is at or below it.
        head: Position,
    },
    /// The answer to [`Output::Watch`]. It is sent behind the events up to its position.
    Watched(Ack),
    /// The deadline may have passed.
    TimePassed,
    /// A write took too long.
    WriteStalled,
    /// The other end closed, or the connection broke.
    ConnectionLost,
    /// This process stops.
    StopAsked,
}

/// What the driver is to do.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Send a frame.
    Send(Frame),
    /// Send the next event.
    Relay(Arc<SealedEvent>),
    /// Send a ping.
    Ping,
    /// Join the log and say how: [`Input::JoinedAfter`] or [`Input::JoinedBases`].
    Join(Option<Position>),
    /// Read at most [`EVENTS_PER_READ`] events after this position, and say
    /// [`Input::EventsRead`] or [`Input::LogExpired`].
    Read(Position),
    /// Have this user's rights put into the log, then say [`Input::Watched`]. Do not wait for it.
    Watch {
        /// To be repeated in the ack.
        request_id: u64,
        /// Who.
        user_id: UserId,
        /// Where.
        guild_ids: Vec<GuildId>,
    },
    /// The other end broke a rule: count it, and log the first of a kind.
    Report(Violation),
    /// The other end said an `error`: log it.
    PeerFailed {
        /// In a word.
        code: String,
        /// In a sentence.
        message: String,
    },
    /// The last output: close, with the end's code if it has one.
    End(End),
}

/// The gateway's end of one attachment.
#[derive(Debug)]
pub struct Sender {
    state: State,
    heartbeat: Heartbeat,
    head: Position,
    status: DiscordStatus,
    /// Watches that are not acknowledged yet, those in `acks` included.
    watches: usize,
    /// Answers ahead of what was sent.
    acks: VecDeque<Ack>,
    /// The latest words of the live lane that were not sent yet: as many as there are keys.
    live: BTreeMap<LiveKey, Arc<LiveEvent>>,
    // What an input led to at once: a few per input, and taken before the next one.
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum State {
    Greeted {
        until: Instant,
    },
    Joining,
    Replaying {
        queue: SendQueue,
        /// `snapshot_end` comes here or later.
        target: Position,
        /// Until when it waits for a complete world; `None`: it has waited.
        patience: Option<Instant>,
    },
    Following {
        queue: SendQueue,
        /// The status is to be sent, but not before this.
        status_due: Option<Position>,
    },
    Ended,
}

impl Sender {
    /// A web role with the right token is connected; the log's head and Discord's status now.
    #[must_use]
    pub fn new(head: Position, status: DiscordStatus, now: Instant) -> Self {
        let hello = Hello {
            version: VERSION,
            head,
        };
        Self {
            state: State::Greeted {
                until: now + FIRST_FRAME_LIMIT,
            },
            heartbeat: Heartbeat::new(now),
            head,
            status,
            watches: 0,
            acks: VecDeque::new(),
            live: BTreeMap::new(),
            outputs: VecDeque::from([Output::Send(Frame::Hello(hello))]),
        }
    }

    /// Takes in what happened. After the end nothing matters any more.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if matches!(self.state, State::Ended) {
            return;
        }
        match input {
            Input::FrameCame(frame) => {
                self.heartbeat.heard(now);
                self.frame_came(frame);
            }
            Input::BeatCame => self.heartbeat.heard(now),
            Input::BinaryCame => self.violated(Violation::Binary),
            Input::OversizedCame => self.violated(Violation::Oversized),
            Input::JoinedAfter { after, head } => self.joined(SendQueue::after(after), head, now),
            Input::JoinedBases {
                bases,
                backlog,
                head,
            } => self.joined(SendQueue::from_bases(bases, backlog, head), head, now),
            Input::EventsRead(events) => self.events_read(events),
            Input::LogExpired => self.end(End::Expired),
            Input::HeadMoved(head) => self.head = head,
            Input::LiveSaid(event) => _ = self.live.insert(event.key(), event),
            Input::StatusChanged { status, head } => self.status_changed(status, head),
            Input::Watched(ack) => self.acks.push_back(ack),
            Input::TimePassed => self.time_passed(now),
            Input::WriteStalled => self.end(End::Stalled),
            Input::ConnectionLost => self.end(End::Lost),
            Input::StopAsked => self.end(End::Stopped),
        }
    }

    /// The next thing to do. Ask until there is none; it may be asked in rounds, with inputs
    /// between them, and nothing is prepared ahead.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if let Some(ack) = self.due_ack() {
            return Some(Output::Send(Frame::Ack(ack)));
        }
        let queue = self.queue()?;
        if let Some(output) = queue.next() {
            return Some(output);
        }
        let (sent, within_group) = (queue.sent, queue.within_group);
        // Where the queue ends may be above its last event.
        if let Some(ack) = self.due_ack() {
            return Some(Output::Send(Frame::Ack(ack)));
        }
        // A read may end inside a group; a replay does not.
        if !within_group && let Some(output) = self.due_after(sent) {
            return Some(output);
        }
        // Between two reads of the log, so that neither lane holds up the other.
        if let Some(output) = self.due_live() {
            return Some(output);
        }
        self.read_on()
    }

    /// When to call [`Sender::handle`] with [`Input::TimePassed`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let own = match &self.state {
            State::Ended => return None,
            State::Greeted { until } => Some(*until),
            State::Replaying { patience, .. } => *patience,
            State::Joining | State::Following { .. } => None,
        };
        let beat = self.heartbeat.deadline();
        Some(own.map_or(beat, |own| own.min(beat)))
    }

    fn frame_came(&mut self, frame: Result<Frame, FrameError>) {
        let subscribed = !matches!(self.state, State::Greeted { .. });
        match frame {
            Ok(Frame::Subscribe { after }) if !subscribed => {
                self.state = State::Joining;
                self.outputs.push_back(Output::Join(after));
            }
            Ok(Frame::Watch {
                request_id,
                user_id,
                guild_ids,
            }) if subscribed => self.watch(request_id, user_id, guild_ids),
            Ok(Frame::Error { code, message }) => {
                self.outputs.push_back(Output::PeerFailed { code, message });
                // Its last words: it closes now, or should have.
                self.end(End::Lost);
            }
            Ok(Frame::Unknown) => self.report(Violation::UnknownType),
            Ok(_) => self.violated(Violation::Unexpected),
            // Nothing is lost with it: a watch without an answer is asked again.
            Err(_) => self.report(Violation::Undecodable),
        }
    }

    fn joined(&mut self, queue: SendQueue, head: Position, now: Instant) {
        if matches!(self.state, State::Joining) {
            self.head = head;
            self.state = State::Replaying {
                queue,
                target: head,
                patience: Some(now + COMPLETE_LIMIT),
            };
        }
    }

    fn events_read(&mut self, events: Vec<Arc<SealedEvent>>) {
        let Some(queue) = self.queue() else { return };
        queue.reading = false;
        match events.last() {
            Some(last) => {
                let end = last.at;
                queue.read(events, end);
            }
            // The head was not the log's after all; wait until it says so again.
            None => self.head = queue.sent,
        }
    }

    fn status_changed(&mut self, status: DiscordStatus, head: Position) {
        self.head = head;
        self.status = status;
        match &mut self.state {
            State::Replaying { target, .. } => *target = head,
            State::Following { status_due, .. } => *status_due = Some(head),
            State::Greeted { .. } | State::Joining | State::Ended => {}
        }
    }

    fn time_passed(&mut self, now: Instant) {
        match &mut self.state {
            State::Greeted { until } if now >= *until => return self.end(End::Late),
            State::Replaying { patience, .. } if patience.is_some_and(|until| now >= until) => {
                *patience = None;
            }
            _ => {}
        }
        match self.heartbeat.beat(now) {
            Beat::Rest => {}
            Beat::Ping => self.outputs.push_back(Output::Ping),
            Beat::Silent => self.end(End::Silent),
        }
    }

    /// What is due now that everything up to `sent` is sent: a change of status, in log order
    /// behind what led to it, or the end of the replay.
    fn due_after(&mut self, sent: Position) -> Option<Output> {
        match &mut self.state {
            State::Following { status_due, .. } => {
                status_due.take_if(|due| sent.seq >= due.seq)?;
                Some(Output::Send(Frame::Status(self.status.clone())))
            }
            State::Replaying {
                queue,
                target,
                patience,
            } if sent.seq >= target.seq && (self.status.complete || patience.is_none()) => {
                self.outputs
                    .push_back(Output::Send(Frame::SnapshotEnd { position: sent }));
                self.state = State::Following {
                    queue: std::mem::replace(queue, SendQueue::after(sent)),
                    status_due: None,
                };
                Some(Output::Send(Frame::Status(self.status.clone())))
            }
            _ => None,
        }
    }

    /// Nothing of the live lane is said before the world that it is about is there.
    fn due_live(&mut self) -> Option<Output> {
        let following = matches!(self.state, State::Following { .. });
        let (_, event) = following.then(|| self.live.pop_first())??;
        Some(Output::Send(Frame::Live(event)))
    }

    fn read_on(&mut self) -> Option<Output> {
        let head = self.head;
        let queue = self.queue()?;
        if queue.reading || queue.sent.seq >= head.seq {
            return None;
        }
        queue.reading = true;
        Some(Output::Read(queue.sent))
    }

    fn queue(&mut self) -> Option<&mut SendQueue> {
        match &mut self.state {
            State::Replaying { queue, .. } | State::Following { queue, .. } => Some(queue),
            State::Greeted { .. } | State::Joining | State::Ended => None,
        }
    }

    fn report(&mut self, violation: Violation) {
        self.outputs.push_back(Output::Report(violation));
    }

    fn violated(&mut self, violation: Violation) {
        self.report(violation);
        self.end(End::Violated(violation));
    }

    fn end(&mut self, end: End) {
        self.state = State::Ended;
        if let Some(error) = end.error() {
            self.outputs.push_back(Output::Send(error));
        }
        self.outputs.push_back(Output::End(end));
    }
}

#[cfg(test)]
mod tests;
