//! The rules of one connection, without a socket: order of ops, heartbeats,
//! and how much a client may send.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    config::Config,
    sessions::{CloseCode, Identify, Payload, Resume, SessionRequest, read_payload},
};

/// What the driver has to do about something the client sent.
#[derive(Debug)]
pub(crate) enum Output {
    Nothing,
    Acknowledge,
    Identify(Identify),
    Resume(Resume),
    Answer(SessionRequest),
    Close(CloseCode),
}

/// State of one connection.
pub(crate) struct Protocol {
    has_session: bool,
    acknowledges: bool,
    sends: u32,
    window: Duration,
    window_began: Instant,
    sent_in_window: u32,
    silent_for: Duration,
    dead_at: Instant,
    grace: Duration,
    /// When a client that was told to leave is shown out.
    leaves_at: Option<Instant>,
}

impl Protocol {
    /// A connection that has just been told HELLO. It is given up when nothing
    /// beats for the heartbeat interval and its grace.
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        let silent_for = config.heartbeat_interval + config.heartbeat_grace;
        Self {
            has_session: false,
            acknowledges: true,
            sends: config.sends_per_window,
            window: config.send_window,
            window_began: now,
            sent_in_window: 0,
            silent_for,
            dead_at: now + silent_for,
            grace: config.reconnect_grace,
            leaves_at: None,
        }
    }

    /// Takes one text frame.
    pub(crate) fn read(&mut self, text: &str, now: Instant) -> Output {
        if now >= self.window_began + self.window {
            self.window_began = now;
            self.sent_in_window = 0;
        }
        self.sent_in_window += 1;
        if self.sent_in_window > self.sends {
            return Output::Close(CloseCode::RATE_LIMITED);
        }
        match (read_payload(text), self.has_session) {
            (Err(code), _) => Output::Close(code),
            (Ok(Payload::Heartbeat), _) => {
                self.dead_at = now + self.silent_for;
                if self.acknowledges {
                    Output::Acknowledge
                } else {
                    Output::Nothing
                }
            }
            (Ok(Payload::Identify(identify)), false) => Output::Identify(identify),
            (Ok(Payload::Resume(resume)), false) => Output::Resume(resume),
            (Ok(Payload::Identify(_) | Payload::Resume(_)), true) => {
                Output::Close(CloseCode::ALREADY_AUTHENTICATED)
            }
            (Ok(Payload::Request(request)), true) => Output::Answer(request),
            (Ok(Payload::Request(_)), false) => Output::Close(CloseCode::NOT_AUTHENTICATED),
        }
    }

    /// READY or a resumption was granted.
    pub(crate) fn session_began(&mut self) {
        self.has_session = true;
        self.leaves_at = None;
    }

    /// The session was invalidated; the client may identify or resume again.
    pub(crate) fn session_ended(&mut self) {
        self.has_session = false;
    }

    /// Heartbeats are heard but no longer answered.
    pub(crate) fn stop_acknowledging(&mut self) {
        self.acknowledges = false;
    }

    /// Heartbeats are answered again.
    pub(crate) fn acknowledge_again(&mut self) {
        self.acknowledges = true;
    }

    /// The client was told to reconnect, and has a while to do so.
    pub(crate) fn told_to_leave(&mut self, now: Instant) {
        self.leaves_at.get_or_insert(now + self.grace);
    }

    /// When the connection is to be closed unless the client does its part.
    pub(crate) fn deadline(&self) -> Instant {
        self.leaves_at
            .map_or(self.dead_at, |leaves_at| leaves_at.min(self.dead_at))
    }

    /// With what a connection that let its deadline pass is closed. Discord says both
    /// that a missing heartbeat forces to resume, and that who timed out must start a
    /// new session: the first is meant for those that have one.
    pub(crate) fn overdue(&self) -> CloseCode {
        if self.leaves_at.is_some_and(|leaves| leaves <= self.dead_at) {
            CloseCode::TOLD_TO_LEAVE
        } else if self.has_session {
            CloseCode::NO_HEARTBEAT
        } else {
            CloseCode::SESSION_TIMED_OUT
        }
    }
}
