//! Whether a call is tried again: only where that is safe, and only within its time.

use std::time::{Duration, Instant};

use super::{
    answer::{DiscordRefusal, RestAnswer, RestError},
    limiter::{NotSent, RestCaller},
    route::RouteTemplate,
};

/// The most before the second try; doubled for each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Tries that fail, at most.
const FAILURES: u32 = 5;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestOutcome {
    /// Any answer but the following.
    Answered { status: u16, body: Vec<u8> },
    /// 401, and it is the bot's token that was refused.
    TokenRefused,
    /// 429: it was not done. The limiter knows for how long.
    Throttled,
    /// No connection: it was not sent.
    NotConnected(String),
    /// Its connection broke before any of an answer came: most likely an old one that the other end
    /// closed just then.
    Torn(String),
    /// It was sent, and no answer came in time, or not all of it.
    Unanswered(String),
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextTry {
    /// One more request, not before then.
    After(Instant),
    /// The call ends.
    Never(Result<RestAnswer, RestError>),
}

/// One call over all of its requests.
#[derive(Debug)]
pub(super) struct RetryPolicy {
    template: RouteTemplate,
    caller: RestCaller,
    deadline: Instant,
    failures: u32,
    /// It was tried again at once since its connection broke.
    torn: bool,
}

impl RetryPolicy {
    pub(super) fn new(template: RouteTemplate, caller: RestCaller, deadline: Instant) -> Self {
        Self {
            template,
            caller,
            deadline,
            failures: 0,
            torn: false,
        }
    }

    /// A request has ended. `jitter`: by chance from 0 to 1.
    pub(super) fn ended(&mut self, outcome: RequestOutcome, now: Instant, jitter: f64) -> NextTry {
        match outcome {
            RequestOutcome::Answered { status, body } if (200..300).contains(&status) => {
                NextTry::Never(Ok(RestAnswer::new(status, body)))
            }
            RequestOutcome::TokenRefused => NextTry::Never(Err(RestError::Unauthorised)),
            RequestOutcome::Throttled => NextTry::After(now),
            RequestOutcome::Answered { status, .. } if status >= 500 => {
                self.failed(format!("HTTP {status}"), now, jitter)
            }
            RequestOutcome::Answered { status, body } => {
                let refusal = Box::new(DiscordRefusal::read(status, &body));
                NextTry::Never(Err(RestError::Refused(refusal)))
            }
            RequestOutcome::NotConnected(why) => match self.wait(now, jitter) {
                Some(at) => NextTry::After(at),
                None => NextTry::Never(Err(RestError::Unreachable(why))),
            },
            RequestOutcome::Torn(_) if self.may_have_been_an_old_connection(now) => {
                self.torn = true;
                NextTry::After(now)
            }
            RequestOutcome::Torn(why) | RequestOutcome::Unanswered(why) => {
                self.failed(why, now, jitter)
            }
        }
    }

    /// The limiter turned it away.
    pub(super) fn not_sent(why: NotSent) -> RestError {
        match why {
            NotSent::Unauthorised => RestError::Unauthorised,
            NotSent::Throttled(until) => RestError::Throttled { until },
            NotSent::Full(until) | NotSent::TooManyInvalid(until) | NotSent::Late(until) => {
                RestError::Overloaded { until }
            }
        }
    }

    /// Whether it is worth another connection at once: such a break says nothing of Discord, and
    /// somebody may be shown nothing until this is answered.
    fn may_have_been_an_old_connection(&self, now: Instant) -> bool {
        self.template.only_reads() && !self.torn && now < self.deadline
    }

    /// No answer tells whether it was done.
    fn failed(&mut self, why: String, now: Instant, jitter: f64) -> NextTry {
        if !self.template.only_reads() {
            return NextTry::Never(Err(RestError::Unknown(why)));
        }
        match self.wait(now, jitter) {
            Some(at) => NextTry::After(at),
            None => NextTry::Never(Err(RestError::Unreachable(why))),
        }
    }

    /// When to try again, if that is worth it. Look-ups are not: whoever wants one waits in rounds
    /// of its own, and meanwhile others are looked up.
    fn wait(&mut self, now: Instant, jitter: f64) -> Option<Instant> {
        self.failures += 1;
        if self.caller == RestCaller::LookUps || self.failures >= FAILURES {
            return None;
        }
        let most = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.failures - 1));
        let at = now + most.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        (at < self.deadline).then_some(at)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
mod tests {
    use guildhall_model::UserId;

    use super::*;

    const COMMAND: RestCaller = RestCaller::Command(UserId(1));

    fn status(status: u16) -> RequestOutcome {
        RequestOutcome::Answered {
            status,
            body: Vec::new(),
        }
    }

    fn cut() -> RequestOutcome {
        RequestOutcome::Unanswered("cut".into())
    }

    #[test]
    fn what_is_safe_is_tried_again_with_growing_waits_until_the_deadline() {
        let now = Instant::now();
        for (after, tries) in [(60_000, 5), (500, 2), (1, 1)] {
            let deadline = now + Duration::from_millis(after);
            let mut retry = RetryPolicy::new(RouteTemplate::GetChannel, COMMAND, deadline);
            let (mut at, mut count) = (now, 0);
            loop {
                count += 1;
                match retry.ended(status(502), at, 1.0) {
                    NextTry::After(next) => {
                        let doubled = FIRST_WAIT * 2_u32.pow(count - 1);
                        assert_eq!(next - at, doubled);
                        at = next;
                    }
                    NextTry::Never(result) => {
                        assert_eq!(result, Err(RestError::Unreachable("HTTP 502".into())));
                        break;
                    }
                }
            }
            assert_eq!(count, tries, "{after}");
        }
    }

    #[test]
    fn what_is_not_safe_is_tried_once_unless_it_was_not_sent() {
        let now = Instant::now();
        let deadline = now + Duration::from_mins(1);
        let act = || RetryPolicy::new(RouteTemplate::ModifyMember, COMMAND, deadline);
        for outcome in [cut(), status(500)] {
            let next = act().ended(outcome, now, 0.0);
            assert!(
                matches!(next, NextTry::Never(Err(RestError::Unknown(_)))),
                "{next:?}"
            );
        }
        for outcome in [
            RequestOutcome::NotConnected("refused".into()),
            RequestOutcome::Throttled,
        ] {
            let next = act().ended(outcome, now, 0.0);
            assert!(matches!(next, NextTry::After(_)), "{next:?}");
        }
    }

    #[test]
    fn what_only_reads_gets_another_connection_at_once_where_its_own_broke() {
        let now = Instant::now();
        let deadline = now + Duration::from_mins(1);
        let torn = || RequestOutcome::Torn("torn".into());
        let mut look_up = RetryPolicy::new(RouteTemplate::GetMember, RestCaller::LookUps, deadline);
        assert_eq!(look_up.ended(torn(), now, 0.5), NextTry::After(now));
        let next = look_up.ended(torn(), now, 0.5);
        let unreachable = NextTry::Never(Err(RestError::Unreachable("torn".into())));
        assert_eq!(next, unreachable, "once");

        let mut late = RetryPolicy::new(RouteTemplate::GetMember, RestCaller::LookUps, deadline);
        assert_eq!(late.ended(torn(), deadline, 0.5), unreachable);
        let mut act = RetryPolicy::new(RouteTemplate::ModifyMember, COMMAND, deadline);
        let next = act.ended(torn(), now, 0.5);
        assert!(
            matches!(next, NextTry::Never(Err(RestError::Unknown(_)))),
            "nobody knows whether it was done: {next:?}"
        );
    }

    #[test]
    fn look_ups_are_left_to_those_who_want_them() {
        let now = Instant::now();
        let deadline = now + Duration::from_mins(1);
        for outcome in [
            status(503),
            cut(),
            RequestOutcome::NotConnected("refused".into()),
        ] {
            let mut retry =
                RetryPolicy::new(RouteTemplate::GetMember, RestCaller::LookUps, deadline);
            let next = retry.ended(outcome, now, 0.5);
            assert!(
                matches!(next, NextTry::Never(Err(RestError::Unreachable(_)))),
                "{next:?}"
            );
        }
    }
}
