//! When a request may be sent. Of limits nothing is fixed here but our own share: Discord's headers
//! and 429s say the rest (Discord's documentation, "Rate Limits").
//!
//! A machine: calls ask, and wait until [`Limiter::poll`] lets them through or turns them away; each
//! request that was let through ends with an answer or without one. It counts as sent either way.

/// What an answer says about limits.
mod headers;
/// One of Discord's buckets.
mod bucket;
/// All of them, and which routes are in which.
mod buckets;
/// What may be sent in a second.
mod second;
/// What Discord holds against the address.
mod invalid;
/// Who waits, and who goes first.
mod waiting;

use std::time::{Duration, Instant};

pub(super) use headers::{RateHeaders, Throttle, ThrottleScope};
pub(crate) use second::RestBudget;
pub(super) use second::RestShare;
pub(super) use waiting::CallId;
pub(crate) use waiting::RestCaller;

use super::route::{RouteKey, RouteTemplate};
use buckets::{BucketKey, Buckets, Closure};
use invalid::InvalidRequests;
use second::SecondWindow;
use waiting::WaitingCalls;

/// Commands that may wait at one time: as many as may be under way in all.
const COMMANDS_WAITING: usize = 1_024;
/// Look-ups that may: each log asks for ten at a time.
const LOOK_UPS_WAITING: usize = 256;
/// When to try again where too many wait.
const FULL: Duration = Duration::from_secs(1);

/// What a call wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallRequest {
    pub route: RouteKey,
    pub caller: RestCaller,
    /// It does not wait for anything of Discord's that lasts longer.
    pub patience_until: Instant,
}

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum CallVerdict {
    /// It is to be sent, and is counted as sent.
    Send(SendGrant),
    /// It was turned away.
    Refused(NotSent),
}

/// Why a call is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSent {
    /// The token was refused.
    Unauthorised,
    /// Discord makes it wait, for longer than it wants to.
    Throttled(Instant),
    /// Too many wait: not before then.
    Full(Instant),
    /// Too many requests were invalid: not before then.
    TooManyInvalid(Instant),
    /// Its deadline came while others were sent.
    Late(Instant),
}

/// One request that may be sent, and is to be given back with what became of it.
#[derive(Debug)]
pub(super) struct SendGrant {
    route: RouteKey,
    sent_at: Instant,
    counted_in: Option<BucketKey>,
    reopens: bool,
}

/// What kind of answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerKind {
    Success,
    /// 401, and it is the bot's own token that was refused.
    TokenRefused,
    /// Another 401, or a 403.
    Forbidden,
    Throttled(Throttle),
    /// Whatever else.
    Failure,
}

/// Whether one more may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Now,
    NotBefore(Instant),
    /// When something that is in flight has ended.
    AfterAnswer,
}

/// Whether anything may be sent at all.
#[derive(Debug, Default)]
struct Everything {
    closure: Closure,
    reopening: Reopening,
}

/// What was closed altogether is opened by one request: were all sent that wait, and the edge still
/// closed, each of them would be held against us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reopening {
    #[default]
    Open,
    /// The next request finds out.
    Untried,
    /// It is in flight.
    Tried,
}

#[derive(Debug)]
pub(super) struct Limiter {
    token_refused: bool,
    everything: Everything,
    second: SecondWindow,
    invalid: InvalidRequests,
    buckets: Buckets,
    look_ups: WaitingCalls,
    commands: WaitingCalls,
    calls: u64,
    wake_at: Option<Instant>,
}

impl Limiter {
    pub(super) fn new(budget: RestBudget) -> Self {
        Self {
            token_refused: false,
            everything: Everything::default(),
            second: SecondWindow::new(budget),
            invalid: InvalidRequests::default(),
            buckets: Buckets::default(),
            look_ups: WaitingCalls::default(),
            commands: WaitingCalls::default(),
            calls: 0,
            wake_at: None,
        }
    }

    /// A call begins to wait, unless that is known to be in vain.
    pub(super) fn ask(&mut self, asked: CallRequest, now: Instant) -> Result<CallId, NotSent> {
        if self.token_refused {
            return Err(NotSent::Unauthorised);
        }
        if let Some(until) = self.refused_until(asked.route.template, asked.caller.share(), now) {
            return Err(NotSent::TooManyInvalid(until));
        }
        let waiting = self.waiting_of(asked.caller.share());
        let ahead = waiting.ahead(asked.route, asked.caller);
        let queued = self.buckets.served_at(asked.route, ahead, now);
        let until = self.throttled_until(asked.route, now).max(queued);
        if let Some(until) = until.filter(|until| *until > asked.patience_until) {
            return Err(NotSent::Throttled(until));
        }
        let most = match asked.caller.share() {
            RestShare::LookUps => LOOK_UPS_WAITING,
            RestShare::Commands => COMMANDS_WAITING,
        };
        self.calls += 1;
        let call = CallId(self.calls);
        let waiting = self.waiting(asked.caller.share());
        if waiting.len() >= most {
            return Err(NotSent::Full(now + FULL));
        }
        waiting.add(call, asked.route, asked.caller, asked.patience_until);
        Ok(call)
    }

    /// A call waits no more.
    pub(super) fn withdraw(&mut self, call: CallId) {
        let _waited = self.look_ups.remove(call) || self.commands.remove(call);
    }

    /// What Discord would make a call of this route wait for.
    pub(super) fn throttled_until(&self, route: RouteKey, now: Instant) -> Option<Instant> {
        match self.readiness(route, now) {
            Readiness::NotBefore(until) => Some(until),
            Readiness::Now | Readiness::AfterAnswer => None,
        }
    }

    /// What becomes of one more of the calls that wait; until it answers `None`. Then again at
    /// [`Limiter::deadline`], and whenever something else has happened.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(CallId, CallVerdict)> {
        self.wake_at = None;
        // Look-ups first: they are bounded by their share, and commands have all the rest.
        [RestShare::LookUps, RestShare::Commands]
            .into_iter()
            .find_map(|share| self.poll_share(share, now))
    }

    /// When to poll again although nothing happens; known once polling has answered `None`.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wake_at
    }

    /// A request was answered.
    pub(super) fn answered(
        &mut self,
        grant: SendGrant,
        kind: AnswerKind,
        said: &RateHeaders,
        now: Instant,
    ) {
        let SendGrant {
            route,
            sent_at,
            counted_in,
            reopens,
        } = grant;
        self.buckets.ended(counted_in, now);
        match kind {
            AnswerKind::TokenRefused => {
                self.invalid.count(now);
                self.token_refused = true;
            }
            AnswerKind::Throttled(Throttle { scope, wait }) => {
                if scope != ThrottleScope::Shared {
                    self.invalid.count(now);
                }
                match scope {
                    ThrottleScope::User | ThrottleScope::Shared => {
                        self.everything.opened(reopens);
                        self.buckets.throttled(route, sent_at, said, wait, now);
                    }
                    ThrottleScope::Global | ThrottleScope::Edge => {
                        self.everything.close(wait, now);
                    }
                }
            }
            AnswerKind::Success | AnswerKind::Forbidden | AnswerKind::Failure => {
                if kind == AnswerKind::Forbidden {
                    self.invalid.count(now);
                }
                self.everything.opened(reopens);
                let success = kind == AnswerKind::Success;
                self.buckets.answered(route, sent_at, said, success, now);
            }
        }
    }

    /// A request ended without an answer: it may have reached Discord all the same.
    pub(super) fn lost(&mut self, grant: SendGrant, now: Instant) {
        let SendGrant {
            counted_in,
            reopens,
            ..
        } = grant;
        self.buckets.ended(counted_in, now);
        if reopens && self.everything.reopening == Reopening::Tried {
            self.everything.reopening = Reopening::Untried;
        }
    }

    fn poll_share(&mut self, share: RestShare, now: Instant) -> Option<(CallId, CallVerdict)> {
        if self.token_refused {
            let call = self.waiting(share).any()?;
            return Some(self.refuse(call, NotSent::Unauthorised));
        }
        let free_at = self.second.free_at(share, now);
        let mut first = None;
        let mut impatient = None;
        let mut wake_at = None;
        for (route, place) in self.waiting_of(share).heads() {
            match self.readiness(route, now) {
                Readiness::AfterAnswer => {}
                Readiness::NotBefore(until) => {
                    wake_at = Some(earlier(wake_at, until));
                    let call = self.waiting_of(share).impatient(route, until);
                    impatient = impatient.or(call.map(|call| (call, NotSent::Throttled(until))));
                }
                Readiness::Now => match free_at {
                    Some(at) => wake_at = Some(earlier(wake_at, at)),
                    None => first = first.into_iter().chain([(place, route)]).min(),
                },
            }
        }
        if let Some((call, why)) = impatient {
            return Some(self.refuse(call, why));
        }
        if let Some((place, route)) = first {
            return Some(self.let_through(place.call(), route, share, now));
        }
        if let Some(at) = wake_at {
            self.wake_at = Some(earlier(self.wake_at, at));
        }
        None
    }

    fn let_through(
        &mut self,
        call: CallId,
        route: RouteKey,
        share: RestShare,
        now: Instant,
    ) -> (CallId, CallVerdict) {
        if let Some(until) = self.refused_until(route.template, share, now) {
            return self.refuse(call, NotSent::TooManyInvalid(until));
        }
        self.waiting(share).serve(call);
        self.second.take(share, now);
        let reopens = self.everything.reopening == Reopening::Untried;
        if reopens {
            self.everything.reopening = Reopening::Tried;
        }
        let grant = SendGrant {
            route,
            sent_at: now,
            counted_in: self.buckets.take(route, now),
            reopens,
        };
        (call, CallVerdict::Send(grant))
    }

    fn refuse(&mut self, call: CallId, why: NotSent) -> (CallId, CallVerdict) {
        self.withdraw(call);
        (call, CallVerdict::Refused(why))
    }

    /// Whether Discord lets one more through.
    fn readiness(&self, route: RouteKey, now: Instant) -> Readiness {
        match self.everything.readiness(now) {
            Readiness::Now => self.buckets.readiness(route, now),
            closed => closed,
        }
    }

    /// Until when so many requests are invalid that this one is not sent.
    fn refused_until(
        &mut self,
        template: RouteTemplate,
        share: RestShare,
        now: Instant,
    ) -> Option<Instant> {
        let most = match share {
            _ if template.is_essential() => return None,
            RestShare::LookUps => invalid::LOOK_UPS,
            RestShare::Commands => invalid::COMMANDS,
        };
        self.invalid.refused_until(most, now)
    }

    fn waiting(&mut self, share: RestShare) -> &mut WaitingCalls {
        match share {
            RestShare::LookUps => &mut self.look_ups,
            RestShare::Commands => &mut self.commands,
        }
    }

    fn waiting_of(&self, share: RestShare) -> &WaitingCalls {
        match share {
            RestShare::LookUps => &self.look_ups,
            RestShare::Commands => &self.commands,
        }
    }
}

impl Everything {
    fn close(&mut self, wait: Duration, now: Instant) {
        self.closure.close(wait, now);
        self.reopening = Reopening::Untried;
    }

    /// A request got through. One that was sent before all was closed says nothing of now.
    fn opened(&mut self, reopens: bool) {
        if reopens {
            *self = Self::default();
        }
    }

    fn readiness(&self, now: Instant) -> Readiness {
        match (self.closure.until(now), self.reopening) {
            (Some(until), _) => Readiness::NotBefore(until),
            (None, Reopening::Tried) => Readiness::AfterAnswer,
            (None, Reopening::Open | Reopening::Untried) => Readiness::Now,
        }
    }
}

fn earlier(one: Option<Instant>, other: Instant) -> Instant {
    one.map_or(other, |one| one.min(other))
}

#[cfg(test)]
mod tests;
