//! The protocol of one connection to Discord's Gateway, from HELLO to its end: a pure machine
//! (Discord's documentation, "Gateway" and "Gateway Events").
//!
//! ```text
//! AwaitingHello ──HELLO──▶ Identifying ──READY────▶ Live
//!        │          └────▶ Resuming ────RESUMED──────┘
//!        └──────────── any end ──▶ Closing ──▶ Ended
//! ```
//!
//! It reads texts and says what is to be sent; sockets, clocks and chance are the driver's. When to
//! connect again, and whether to RESUME then, is the
//! [`ReconnectPolicy`](super::reconnect_policy::ReconnectPolicy)'s.

/// What it is made with.
mod config;
/// What happened.
mod input;
/// What is to be done.
mod output;
/// Where a connection is in its protocol.
mod state;
/// What is said to Discord.
mod command;
/// When the next heartbeat is due.
mod heartbeat;
/// How much may be sent.
mod send_budget;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use guildhall_model::UnixMs;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{message::Message, reconnect_policy::Disconnect};
use crate::inbox::Dispatch;
use heartbeat::HeartbeatSchedule;
use send_budget::SendBudget;
use state::{IdentifyPermit, SessionState, Upkeep};

pub(super) use command::{Outgoing, SessionRequest};
pub(super) use config::{ResumePoint, SessionConfig};
pub(super) use input::{CloseReason, Input};
pub(super) use output::{How, Oddity, Output, SessionExit};

/// Requests that may wait for room in the send budget.
const REQUESTS_WAITING: usize = 16;
/// For the peer's answer to a close, unless the process stops.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Discord keeps the session after any code but 1000 and 1001.
const CLOSE_RESUMABLE: u16 = 4000;
/// Discord ends the session.
const CLOSE_FOR_GOOD: u16 = 1000;

/// One connection's protocol. After [`Output::Ended`] it does nothing more.
#[derive(Debug)]
pub(super) struct DiscordSession {
    config: SessionConfig,
    state: SessionState,
    /// A number in 0..1 for the first heartbeat.
    jitter: f64,
    /// Of the last dispatch that had a number.
    sequence: Option<u64>,
    odd_envelope_said: bool,
    outputs: VecDeque<Output>,
}

impl DiscordSession {
    /// A connection that is about to be made. `jitter`: in 0..1, drawn anew each time.
    pub(super) fn new(config: SessionConfig, jitter: f64, now: Instant) -> Self {
        Self {
            state: SessionState::AwaitingHello {
                by: now + config.hello_time,
            },
            config,
            jitter,
            sequence: None,
            odd_envelope_said: false,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::TextCame { text, received_at } => self.text_came(text, received_at, now),
            Input::MayIdentify { from } => {
                if let SessionState::Identifying { permit, .. } = &mut self.state
                    && matches!(permit, IdentifyPermit::Asked)
                {
                    *permit = IdentifyPermit::Granted { from };
                }
            }
            Input::RequestMade(request) => self.request_made(request),
            Input::CloseAsked(reason) => self.close_asked(reason, now),
            Input::PeerClosed(close) => self.lost(Disconnect::Cut(close)),
            Input::ConnectionFailed(why) => match self.state {
                SessionState::AwaitingHello { .. } => self.lost(Disconnect::Unreachable(why)),
                _ => self.lost(Disconnect::Failed(why)),
            },
            Input::TimePassed => {}
        }
        self.time_passed(now);
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::TimePassed`] is due; `None`: it has ended.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state.deadline()
    }

    /// Whether a request would be sent, at once or when the budget has room for it.
    pub(super) fn takes_requests(&self) -> bool {
        matches!(&self.state, SessionState::Live { waiting, .. } if waiting.len() < REQUESTS_WAITING)
    }

    fn text_came(&mut self, text: &str, received_at: UnixMs, now: Instant) {
        // What comes while we close is replayed by the next RESUME.
        if matches!(
            self.state,
            SessionState::Closing { .. } | SessionState::Ended
        ) {
            return;
        }
        let is_opened = self.state.is_opened();
        match (Message::read(text, received_at), self.state.upkeep()) {
            (Message::Reconnect, _) => self.disconnect(Disconnect::ReconnectAsked, now),
            (Message::InvalidSession { resumable }, _) => {
                self.disconnect(Disconnect::InvalidSession { resumable }, now);
            }
            // At its first HELLO, and at any later one.
            (Message::Hello { interval: None }, _) => {
                self.output(Output::Greeted);
                self.report(Oddity::BadMessage);
                let why = "its HELLO has no heartbeat interval from 0.1 s to 5 min";
                self.disconnect(Disconnect::Failed(why.to_owned()), now);
            }
            (
                Message::Hello {
                    interval: Some(interval),
                },
                None,
            ) => self.greeted(interval, now),
            (Message::Dispatch(dispatch), _) if is_opened => self.dispatched(dispatch),
            (Message::Unreadable { name, data }, _) if is_opened => {
                self.dispatched_unnumbered(name, data, received_at);
            }
            (Message::HeartbeatAsked, Some(upkeep)) => {
                if upkeep.budget.answers.take(now) {
                    upkeep.heartbeat.sent_unscheduled(now);
                    self.send(command::heartbeat(self.sequence));
                }
            }
            (Message::Acknowledged, Some(upkeep)) => upkeep.heartbeat.acknowledged(),
            (Message::Other, _) => {}
            // A second HELLO changes nothing, and nothing that needs a session comes before one.
            _ => self.report(Oddity::BadMessage),
        }
    }

    fn greeted(&mut self, interval: Duration, now: Instant) {
        self.output(Output::Greeted);
        let mut upkeep = Upkeep {
            heartbeat: HeartbeatSchedule::new(interval, self.jitter, now),
            budget: SendBudget::new(interval),
        };
        let Some(from) = self.config.resume.take() else {
            self.output(Output::AskToIdentify);
            let permit = IdentifyPermit::Asked;
            self.state = SessionState::Identifying { upkeep, permit };
            return;
        };
        let resume = command::resume(&self.config, &from);
        if resume.is_too_long() {
            // Discord would not read it: a session with such a name can't be gone on with.
            let refused = Disconnect::InvalidSession { resumable: false };
            return self.disconnect(refused, now);
        }
        upkeep.budget.requests.take(now);
        self.sequence = Some(from.sequence);
        self.send(resume);
        let session_id = from.session_id;
        self.state = SessionState::Resuming { upkeep, session_id };
    }

    fn dispatched(&mut self, dispatch: Dispatch) {
        if let Some(sequence) = dispatch.sequence {
            self.sequence = Some(sequence.get());
        }
        let established = match (dispatch.name.as_str(), &mut self.state) {
            ("READY", _) => Some((How::Identified, session_id(&dispatch.data))),
            ("RESUMED", SessionState::Resuming { session_id, .. }) => {
                Some((How::Resumed, std::mem::take(session_id)))
            }
            // Nobody asked for it: whoever believed it would miss all that was lost meanwhile.
            ("RESUMED", _) => return self.report(Oddity::BadMessage),
            _ => None,
        };
        self.output(Output::Dispatch(dispatch));
        let Some((how, session_id)) = established else {
            return;
        };
        self.output(Output::Established { how, session_id });
        self.state = match std::mem::replace(&mut self.state, SessionState::Ended) {
            SessionState::Identifying { upkeep, .. } | SessionState::Resuming { upkeep, .. } => {
                SessionState::Live {
                    upkeep,
                    waiting: VecDeque::new(),
                }
            }
            state => state,
        };
    }

    /// A dispatch came whose envelope has an odd field. Its data counts all the same; of one without
    /// a name nobody knows what it was.
    fn dispatched_unnumbered(
        &mut self,
        name: Option<String>,
        data: Box<RawValue>,
        received_at: UnixMs,
    ) {
        if !std::mem::replace(&mut self.odd_envelope_said, true) {
            self.report(Oddity::OddEnvelope(name.clone()));
        }
        self.dispatched(Dispatch {
            name: name.unwrap_or_default(),
            sequence: None,
            data,
            received_at,
        });
    }

    fn request_made(&mut self, request: SessionRequest) {
        let op = request.op();
        let why = match &mut self.state {
            SessionState::Live { waiting, .. } if waiting.len() < REQUESTS_WAITING => {
                return waiting.push_back(request);
            }
            SessionState::Live { .. } => "too many wait already",
            SessionState::Ended => return,
            _ => "no session stands",
        };
        self.report(Oddity::RequestRefused { op, why });
    }

    fn close_asked(&mut self, reason: CloseReason, now: Instant) {
        let (code, exit, limit) = match reason {
            CloseReason::Stop => (CLOSE_RESUMABLE, SessionExit::Stopped, self.config.stop_time),
            CloseReason::InboxFull => {
                let full = SessionExit::Disconnected(Disconnect::InboxFull);
                (CLOSE_RESUMABLE, full, CLOSE_TIME)
            }
            CloseReason::Renewal => {
                let renewed = SessionExit::Disconnected(Disconnect::Renewed);
                (CLOSE_FOR_GOOD, renewed, CLOSE_TIME)
            }
        };
        self.close(code, exit, now + limit);
    }

    /// Closes because of something that Discord said, or did not say.
    fn disconnect(&mut self, why: Disconnect, now: Instant) {
        let code = match why {
            Disconnect::InvalidSession { resumable: false } => CLOSE_FOR_GOOD,
            _ => CLOSE_RESUMABLE,
        };
        self.close(code, SessionExit::Disconnected(why), now + CLOSE_TIME);
    }

    fn close(&mut self, code: u16, exit: SessionExit, by: Instant) {
        if matches!(
            self.state,
            SessionState::Closing { .. } | SessionState::Ended
        ) {
            return;
        }
        // INVARIANT(no-gap): nothing is handed on behind a dispatch that was not taken.
        self.outputs
            .retain(|output| matches!(output, Output::Greeted | Output::Report(_)));
        self.output(Output::Close(code));
        self.state = SessionState::Closing { exit, by };
    }

    /// The connection is no more.
    fn lost(&mut self, why: Disconnect) {
        let exit = match std::mem::replace(&mut self.state, SessionState::Ended) {
            SessionState::Ended => return,
            SessionState::Closing { exit, .. } => exit,
            _ => SessionExit::Disconnected(why),
        };
        self.output(Output::Ended(exit));
    }

    fn time_passed(&mut self, now: Instant) {
        match &self.state {
            SessionState::AwaitingHello { by } if *by <= now => {
                self.lost(Disconnect::Unreachable("it said no HELLO".to_owned()));
            }
            // The exit is the one it closes with.
            SessionState::Closing { by, .. } if *by <= now => self.lost(Disconnect::Cut(None)),
            SessionState::Identifying { .. }
            | SessionState::Resuming { .. }
            | SessionState::Live { .. } => {
                self.beat(now);
                self.identify(now);
                self.send_requests(now);
            }
            SessionState::AwaitingHello { .. }
            | SessionState::Closing { .. }
            | SessionState::Ended => {}
        }
    }

    /// Sends the heartbeat that is due, before anything else.
    fn beat(&mut self, now: Instant) {
        let Some(upkeep) = self.state.upkeep() else {
            return;
        };
        if upkeep.heartbeat.due() > now {
            return;
        }
        if upkeep.heartbeat.is_unanswered(now) {
            return self.disconnect(Disconnect::Zombie, now);
        }
        upkeep.heartbeat.sent(now);
        self.send(command::heartbeat(self.sequence));
    }

    fn identify(&mut self, now: Instant) {
        let SessionState::Identifying { upkeep, permit } = &mut self.state else {
            return;
        };
        if !matches!(permit, IdentifyPermit::Granted { from } if *from <= now) {
            return;
        }
        *permit = IdentifyPermit::Used;
        upkeep.budget.requests.take(now);
        let identify = command::identify(&self.config);
        if identify.is_too_long() {
            // No token of Discord's is as long.
            return self.disconnect(Disconnect::TokenRefused, now);
        }
        self.send(identify);
    }

    fn send_requests(&mut self, now: Instant) {
        while let SessionState::Live { upkeep, waiting } = &mut self.state
            && let Some(request) = waiting.front()
        {
            if upkeep
                .budget
                .requests
                .free_from()
                .is_some_and(|free| free > now)
            {
                return;
            }
            let (op, message) = (request.op(), request.message());
            if message.is_too_long() {
                waiting.pop_front();
                let why = "it is longer than the 4,096 bytes that Discord takes";
                self.report(Oddity::RequestRefused { op, why });
                continue;
            }
            upkeep.budget.requests.take(now);
            waiting.pop_front();
            self.send(message);
        }
    }

    fn send(&mut self, message: Outgoing) {
        self.output(Output::Send(message));
    }

    fn report(&mut self, oddity: Oddity) {
        self.output(Output::Report(oddity));
    }

    fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}

/// READY's name of the session; empty: it has none that can be read.
fn session_id(ready: &RawValue) -> String {
    #[derive(Default, Deserialize)]
    struct Ready {
        session_id: String,
    }
    let ready: Ready = serde_json::from_str(ready.get()).unwrap_or_default();
    ready.session_id
}

#[cfg(test)]
mod tests;
