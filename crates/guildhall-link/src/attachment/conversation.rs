//! What both ends of a connection do alike: the heartbeat, the limit for the other's first frame,
//! what breaks the rules, the other's last words, and the end.

use std::{collections::VecDeque, time::Instant};

use super::{End, FIRST_FRAME_LIMIT, PING_EVERY, SILENCE_LIMIT, Violation};
use crate::{Frame, FrameError, frame::Tell};

/// What happened at the socket, or to the process around it.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are frames, and each would be an allocation more"
)]
#[derive(Debug)]
pub enum SocketInput {
    /// A text message came.
    FrameCame(Result<Frame, FrameError>),
    /// A ping or pong came.
    BeatCame,
    /// A binary message came.
    BinaryCame,
    /// A message came that is above the size limit.
    OversizedCame,
    /// The deadline may have passed.
    TimePassed,
    /// A write took too long.
    WriteStalled,
    /// The other end closed, or the connection broke.
    ConnectionLost,
    /// This process stops.
    StopAsked,
}

/// What either machine may want.
#[derive(Debug, PartialEq)]
pub(crate) enum SocketOutput {
    Send(Frame),
    Ping,
    Report(Violation),
    PeerFailed { code: String, message: String },
    End(End),
}

/// One end's half of what is said, below what is particular to it. `O`: the machine's outputs.
#[derive(Debug)]
pub(crate) struct Conversation<O> {
    heartbeat: Heartbeat,
    /// Until when the other end may be silent; `None`: it has spoken.
    first_frame_due: Option<Instant>,
    ended: bool,
    /// The end that is still to be told to the driver, behind all other outputs.
    farewell: Option<End>,
    // What an input led to at once: a few per input, and taken before the next one.
    outputs: VecDeque<O>,
}

/// What is the machine's own to do about an input.
#[derive(Debug)]
pub(crate) enum Remainder {
    /// Nothing.
    Nothing,
    /// Say what the frame leads to.
    Frame(Frame),
    /// Decide whether something is lost with this message, which was reported.
    Undecodable(FrameError),
    /// A ping was sent: so may be what goes with it.
    Pinged,
}

impl<O: From<SocketOutput>> Conversation<O> {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heartbeat: Heartbeat::new(now),
            first_frame_due: Some(now + FIRST_FRAME_LIMIT),
            ended: false,
            farewell: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. Not to be called after the end.
    pub(crate) fn handle(&mut self, input: SocketInput, now: Instant) -> Remainder {
        match input {
            SocketInput::FrameCame(frame) => {
                self.heartbeat.heard(now);
                return self.frame_came(frame);
            }
            SocketInput::BeatCame => self.heartbeat.heard(now),
            SocketInput::BinaryCame => self.violated(Violation::Binary),
            SocketInput::OversizedCame => self.violated(Violation::Oversized),
            SocketInput::TimePassed => return self.time_passed(now),
            SocketInput::WriteStalled => self.end(End::Stalled),
            SocketInput::ConnectionLost => self.end(End::Lost),
            SocketInput::StopAsked => self.end(End::Stopped),
        }
        Remainder::Nothing
    }

    /// The other end's first frame was the right one.
    pub(crate) fn opened(&mut self) {
        self.first_frame_due = None;
    }

    /// Whether the other end's first frame is still to come.
    pub(crate) fn is_opening(&self) -> bool {
        self.first_frame_due.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn push(&mut self, output: O) {
        self.outputs.push_back(output);
    }

    pub(crate) fn send(&mut self, frame: Frame) {
        self.push(SocketOutput::Send(frame).into());
    }

    /// The next output; the end is the last.
    pub(crate) fn poll_output(&mut self) -> Option<O> {
        if self.outputs.is_empty()
            && let Some(end) = self.farewell.take()
        {
            if let Some(error) = end.error() {
                self.send(error);
            }
            self.push(SocketOutput::End(end).into());
        }
        self.outputs.pop_front()
    }

    /// When time has to be told at the latest; `None` after the end.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let beat = self.heartbeat.deadline();
        let first = self.first_frame_due;
        (!self.ended).then(|| first.map_or(beat, |first| first.min(beat)))
    }

    pub(crate) fn report(&mut self, violation: Violation) {
        self.push(SocketOutput::Report(violation).into());
    }

    pub(crate) fn violated(&mut self, violation: Violation) {
        self.report(violation);
        self.end(End::Violated(violation));
    }

    pub(crate) fn end(&mut self, end: End) {
        if !self.ended {
            self.ended = true;
            self.farewell = Some(end);
        }
    }

    fn frame_came(&mut self, frame: Result<Frame, FrameError>) -> Remainder {
        match frame {
            Ok(Frame::Error { code, message }) => {
                self.push(SocketOutput::PeerFailed { code, message }.into());
                // Its last words: it closes now, or should have.
                self.end(End::Lost);
            }
            Ok(Frame::OtherVersion { opening, version }) if self.is_opening() => {
                self.end(End::Version {
                    opening,
                    theirs: version,
                });
            }
            Ok(Frame::Unknown) => self.report(Violation::UnknownType),
            Ok(Frame::Tell(Tell::Unknown { .. })) => self.report(Violation::UnknownTell),
            Ok(frame) => return Remainder::Frame(frame),
            Err(error) => {
                self.report(Violation::Undecodable);
                return Remainder::Undecodable(error);
            }
        }
        Remainder::Nothing
    }

    fn time_passed(&mut self, now: Instant) -> Remainder {
        if self.first_frame_due.is_some_and(|due| now >= due) {
            self.end(End::Late);
            return Remainder::Nothing;
        }
        match self.heartbeat.beat(now) {
            Beat::Rest => Remainder::Nothing,
            Beat::Ping => {
                self.push(SocketOutput::Ping.into());
                Remainder::Pinged
            }
            Beat::Silent => {
                self.end(End::Silent);
                Remainder::Nothing
            }
        }
    }
}

/// Says when to ping, and when the other end has been silent for too long.
#[derive(Debug)]
struct Heartbeat {
    ping_at: Instant,
    silent_at: Instant,
}

/// What the heartbeat wants now.
#[derive(Debug, PartialEq, Eq)]
enum Beat {
    /// Nothing yet.
    Rest,
    /// Send a ping.
    Ping,
    /// The other end is gone.
    Silent,
}

impl Heartbeat {
    fn new(now: Instant) -> Self {
        Self {
            ping_at: now + PING_EVERY,
            silent_at: now + SILENCE_LIMIT,
        }
    }

    /// Anything came, a pong included.
    fn heard(&mut self, now: Instant) {
        self.silent_at = self.silent_at.max(now + SILENCE_LIMIT);
    }

    /// The time has come to look.
    fn beat(&mut self, now: Instant) -> Beat {
        if now >= self.silent_at {
            return Beat::Silent;
        }
        if now >= self.ping_at {
            self.ping_at = now + PING_EVERY;
            return Beat::Ping;
        }
        Beat::Rest
    }

    fn deadline(&self) -> Instant {
        self.ping_at.min(self.silent_at)
    }
}
