//! The web role's end of an attachment.
//!
//! ```text
//! Connected ──hello──▶ Replaying ──snapshot_end──▶ Following
//!     └───────────────── any end ─────────────────────▶ Ended
//! ```
//!
//! INVARIANT(no-gap): from `snapshot_end` on, and before it where the subscription went on after
//! its position, every event carries the number after the last one. Anything else ends the
//! attachment, and the next one asks for everything.
//!
//! INVARIANT(whole-groups): the replica is handed whole groups, so its position is never inside
//! one, and neither is that of the next subscription. What came of a group that is cut off goes
//! with the attachment, and is sent again.

/// Which event may come next.
mod tail;
/// Requests of rights, and their answers.
mod watch;

use std::{collections::VecDeque, sync::Arc, time::Instant};

use guildhall_model::{Envelope, GuildId, Position, UserId, event::LiveEvent};

use crate::{
    FrameError,
    attachment::{Beat, End, FIRST_FRAME_LIMIT, GROUP_EVENTS, Heartbeat, Violation},
    frame::{Ack, Base, DiscordStatus, Frame, Hello, VERSION},
    pending::Pending,
};

use tail::{Tail, follows};
pub use watch::GUILDS_PER_WATCH;

/// What happened.
#[derive(Debug)]
pub enum Input<R> {
    /// A text message came.
    FrameCame(Result<Frame, FrameError>),
    /// A ping or pong came.
    BeatCame,
    /// A binary message came.
    BinaryCame,
    /// A message came that is above the size limit.
    OversizedCame,
    /// Somebody wants this user's rights looked up.
    WatchAsked {
        /// Who.
        user_id: UserId,
        /// Where.
        guild_ids: Vec<GuildId>,
        /// For [`Output::Answer`].
        reply: R,
    },
    /// The replica did not take an event.
    ReplicaRefused,
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
pub enum Output<R> {
    /// Send a frame.
    Send(Frame),
    /// Send a ping.
    Ping,
    /// Replay into a new, empty replica; the old one serves until [`Output::Complete`].
    Begin,
    /// One guild's start in the new replica.
    Base(Box<Base>),
    /// The next events: one group, to be applied in one step. In a new replica numbers may be left
    /// out before it, for what is in the bases.
    Apply(Vec<Envelope>),
    /// The replica is complete at this position: it may be served, and the link is up.
    Complete(Position),
    /// The latest word about something in the live lane. After [`Output::Complete`] all of them
    /// come anew.
    Live(Arc<LiveEvent>),
    /// How the gateway stands with Discord.
    Status(DiscordStatus),
    /// Tell who asked; `None`: there is no answer.
    Answer {
        /// From [`Input::WatchAsked`].
        reply: R,
        /// The answer.
        ack: Option<Ack>,
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
    /// The last output: close, with the end's code if it has one, and dial again.
    End(End),
}

/// The web role's end of one attachment. `R` is whatever passes an answer on to who asked.
#[derive(Debug)]
pub struct Receiver<R> {
    state: State,
    heartbeat: Heartbeat,
    pending: Pending<R>,
    /// What has come of a group whose last event has not.
    group: Vec<Envelope>,
    caught_up: bool,
    // What an input led to: taken before the next one.
    outputs: VecDeque<Output<R>>,
}

#[derive(Debug)]
enum State {
    Connected {
        until: Instant,
        after: Option<Position>,
    },
    Replaying {
        head: Position,
        tail: Tail,
    },
    Following {
        last: Position,
    },
    Ended,
}

impl<R> Receiver<R> {
    /// A connection to the gateway is open. `after`: where the replica stands, to go on from
    /// there; `None`: send everything.
    #[must_use]
    pub fn new(after: Option<Position>, now: Instant) -> Self {
        Self {
            state: State::Connected {
                until: now + FIRST_FRAME_LIMIT,
                after,
            },
            heartbeat: Heartbeat::new(now),
            pending: Pending::new(),
            group: Vec::new(),
            caught_up: false,
            outputs: VecDeque::new(),
        }
    }

    /// Whether it ever came to `snapshot_end`: the connection was of use.
    #[must_use]
    pub fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// Takes in what happened. After the end, whoever asks is told that there is no answer.
    pub fn handle(&mut self, input: Input<R>, now: Instant) {
        if matches!(self.state, State::Ended) {
            if let Input::WatchAsked { reply, .. } = input {
                self.outputs.push_back(Output::Answer { reply, ack: None });
            }
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
            Input::WatchAsked {
                user_id,
                guild_ids,
                reply,
            } => self.watch(user_id, &guild_ids, reply, now),
            Input::ReplicaRefused => self.end(End::OutOfOrder),
            Input::TimePassed => self.time_passed(now),
            Input::WriteStalled => self.end(End::Stalled),
            Input::ConnectionLost => self.end(End::Lost),
            Input::StopAsked => self.end(End::Stopped),
        }
    }

    /// The next thing to do. Ask until there is none.
    pub fn poll_output(&mut self) -> Option<Output<R>> {
        self.outputs.pop_front()
    }

    /// When to call [`Receiver::handle`] with [`Input::TimePassed`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let first_word = match &self.state {
            State::Ended => return None,
            State::Connected { until, .. } => Some(*until),
            State::Replaying { .. } | State::Following { .. } => None,
        };
        let all = [first_word, self.pending.deadline()];
        let beat = self.heartbeat.deadline();
        Some(all.into_iter().flatten().fold(beat, Instant::min))
    }

    fn frame_came(&mut self, frame: Result<Frame, FrameError>) {
        let greeted = !matches!(self.state, State::Connected { .. });
        match frame {
            Ok(Frame::Hello(hello)) if !greeted => self.greeted(hello),
            Ok(Frame::Snapshot(base)) if greeted => self.base_came(base),
            Ok(Frame::Event(envelope)) if greeted => self.event_came(envelope),
            Ok(Frame::SnapshotEnd { position }) if greeted => self.replay_ended(position),
            Ok(Frame::Status(status)) if greeted => self.outputs.push_back(Output::Status(status)),
            Ok(Frame::Live(event)) if matches!(self.state, State::Following { .. }) => {
                self.outputs.push_back(Output::Live(event));
            }
            Ok(Frame::Ack(ack)) if greeted => self.ack_came(ack),
            Ok(Frame::Error { code, message }) => {
                self.outputs.push_back(Output::PeerFailed { code, message });
                // Its last words: it closes now, or should have.
                self.end(End::Lost);
            }
            Ok(Frame::Unknown) => self.report(Violation::UnknownType),
            Ok(_) => self.violated(Violation::Unexpected),
            Err(error) => self.undecodable(&error),
        }
    }

    fn greeted(&mut self, hello: Hello) {
        let State::Connected { after, .. } = self.state else {
            return;
        };
        if hello.version != VERSION {
            return self.end(End::Version {
                theirs: hello.version,
            });
        }
        self.state = State::Replaying {
            head: hello.head,
            tail: Tail::Open { after },
        };
        self.outputs
            .push_back(Output::Send(Frame::Subscribe { after }));
    }

    fn base_came(&mut self, base: Box<Base>) {
        let State::Replaying { head, tail } = &mut self.state else {
            return self.violated(Violation::Unexpected);
        };
        match tail {
            Tail::Open { .. } => {
                *tail = Tail::Bases;
                self.outputs.push_back(Output::Begin);
            }
            Tail::Bases => {}
            Tail::After { .. } | Tail::Backlog { .. } => {
                return self.violated(Violation::Unexpected);
            }
        }
        if !base.floor.comparable(*head) {
            return self.end(End::OutOfOrder);
        }
        self.outputs.push_back(Output::Base(base));
    }

    fn event_came(&mut self, envelope: Envelope) {
        let at = envelope.at;
        let in_order = match &mut self.state {
            State::Following { last } if follows(*last, at) => {
                *last = at;
                true
            }
            State::Replaying { head, tail } if at.comparable(*head) => match tail.after_event(at) {
                Some(next) => {
                    if matches!((&*tail, &next), (Tail::Open { .. }, Tail::Backlog { .. })) {
                        self.outputs.push_back(Output::Begin);
                    }
                    *tail = next;
                    true
                }
                None => false,
            },
            _ => false,
        };
        if in_order {
            self.gather(envelope);
        } else {
            self.end(End::OutOfOrder);
        }
    }

    /// Hands over the group that an event ends.
    fn gather(&mut self, envelope: Envelope) {
        if let Some(last) = self.group.last()
            && !follows(last.at, envelope.at)
        {
            // Only in a new replica, which goes on without an event that could not be read.
            self.close_group();
        }
        let more = envelope.more;
        self.group.push(envelope);
        if !more {
            self.close_group();
        } else if self.group.len() >= GROUP_EVENTS {
            self.violated(Violation::Endless);
        }
    }

    fn close_group(&mut self) {
        if !self.group.is_empty() {
            let group = std::mem::take(&mut self.group);
            self.outputs.push_back(Output::Apply(group));
        }
    }

    fn replay_ended(&mut self, position: Position) {
        let State::Replaying { head, tail } = &self.state else {
            return self.violated(Violation::Unexpected);
        };
        let fits = match *tail {
            Tail::Open { after: Some(after) } if after.comparable(position) => after == position,
            Tail::Open { .. } => {
                // Nothing came, and it was not the subscriber who had it all: an empty world.
                self.outputs.push_back(Output::Begin);
                true
            }
            Tail::Bases => true,
            Tail::After { last } => last == position,
            Tail::Backlog { last } => last.seq <= position.seq,
        };
        let within_group = self.group.last().is_some_and(|last| last.at == position);
        if !fits || within_group || !position.comparable(*head) {
            return self.end(End::OutOfOrder);
        }
        // The last of a group that could not be read.
        self.close_group();
        self.caught_up = true;
        self.state = State::Following { last: position };
        self.outputs.push_back(Output::Complete(position));
    }

    fn undecodable(&mut self, error: &FrameError) {
        self.report(Violation::Undecodable);
        let lost = match error {
            FrameError::Envelope(_) => return,
            FrameError::Data { frame, .. } | FrameError::NoId(frame) => *frame,
        };
        match (&self.state, lost) {
            // Nothing goes on without these.
            (State::Connected { .. }, "hello") | (State::Replaying { .. }, "snapshot_end") => {
                self.end(End::Violated(Violation::Undecodable));
            }
            // What is already a new replica goes on without it: it would be no better next time.
            (
                State::Replaying {
                    tail: Tail::Open { after: None } | Tail::Bases | Tail::Backlog { .. },
                    ..
                },
                _,
            ) => {}
            (_, "event" | "snapshot") => self.end(End::OutOfOrder),
            _ => {}
        }
    }

    fn time_passed(&mut self, now: Instant) {
        match self.state {
            State::Connected { until, .. } if now >= until => return self.end(End::Late),
            _ => {}
        }
        while let Some(reply) = self.pending.overdue(now) {
            self.outputs.push_back(Output::Answer { reply, ack: None });
        }
        match self.heartbeat.beat(now) {
            Beat::Rest => {}
            Beat::Ping => self.outputs.push_back(Output::Ping),
            Beat::Silent => self.end(End::Silent),
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
        self.group = Vec::new();
        let abandoned = self.pending.abandon();
        self.outputs
            .extend(abandoned.map(|reply| Output::Answer { reply, ack: None }));
        if let Some(error) = end.error() {
            self.outputs.push_back(Output::Send(error));
        }
        self.outputs.push_back(Output::End(end));
    }
}

#[cfg(test)]
mod tests;
