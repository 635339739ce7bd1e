//! Discord's REST interface: a thin client for the few routes this role calls, within one limiter for
//! the whole process, look-ups and commands alike (Discord's documentation, "Rate Limits").
//!
//! A call ends by its deadline with an answer or with a [`RestError`], which tells what its caller
//! can rely on: that nothing was done, or that nobody knows. Requests are repeated only where that is
//! safe. A call that is dropped counts as sent as soon as it was let through.

/// The routes, and what may be done with each.
mod route;
/// When a request may be sent: the machine.
mod limiter;
/// Where calls wait for it.
mod gate;
/// What a call answers, and why it has no answer.
mod answer;
/// What refusals are numbered.
pub(crate) mod error_code;
/// Whether a call is tried again.
mod retry;
/// `X-Audit-Log-Reason`.
mod reason;
/// What this role asks of Discord and does there, by route.
mod endpoints;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_http::{
    Secret,
    driver_time::{now, sleep_to},
    root_cause,
    tls::{self, tls_failure},
};
use metrics::{counter, histogram};
use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use rustls::ClientConfig;
use serde_json::Value;
use tracing::warn;
use url::Url;

pub(crate) use answer::{DiscordRefusal, RestAnswer, RestError};
pub(crate) use endpoints::{ChannelChange, MemberAdded, VoiceChannelDraft};
pub(crate) use limiter::{RestBudget, RestCaller};
pub(crate) use route::{RestRoute, RouteTemplate};

#[cfg(test)]
use endpoints::{ChannelState, ListedChannel};
use gate::{Gate, SendPermit};
use limiter::{
    AnswerKind, CallRequest, Limiter, NotSent, RateHeaders, RestShare, Throttle, ThrottleScope,
};
use retry::{NextTry, RequestOutcome, RetryPolicy};

/// Discord wants to know who calls, in this form.
pub(crate) const USER_AGENT: &str = concat!(
    "DiscordBot (https://github.com/guildhall/guildhall, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);
/// One request, from the connection to the last byte.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Of this, the connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// An act that is sent with less time than this before its deadline would most likely end without an
/// answer, and nobody would know whether it was done.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// The longest answer that is read. A member object is under 4 KiB,
const ANSWER_BYTES: usize = 256 << 10;
/// and a list holds up to 500 channels, each with up to 1,000 overwrites.
const LIST_BYTES: usize = 64 << 20;

/// A handle on the client.
#[derive(Clone, Debug)]
pub(crate) struct DiscordRest {
    http: reqwest::Client,
    origin: Url,
    gate: Arc<Gate>,
    /// What the operator calls the setting with further root certificates.
    roots_setting: &'static str,
}

/// How a call is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallTerms<'a> {
    /// On whose behalf: whose share of the budget it is paid from, and with whom it is served in
    /// rotation.
    pub caller: RestCaller,
    /// The call has ended by then, whatever has happened.
    pub deadline: Instant,
    /// Where Discord makes it wait for longer than this from its beginning, it is not sent and ends
    /// at once with [`RestError::Throttled`].
    pub longest_throttle: Duration,
    /// Why, for the guild's audit log. Of routes that have none it is not said.
    pub reason: Option<&'a str>,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct RestCall<'a> {
    /// Of what.
    pub route: RestRoute,
    /// Its body, if it has one.
    pub body: Option<Value>,
    /// How.
    pub terms: CallTerms<'a>,
}

impl DiscordRest {
    /// A client for one bot. `Err`: TLS can't be set up.
    pub(crate) fn new(
        origin: Url,
        tls: &ClientConfig,
        token: &Secret,
        budget: RestBudget,
        roots_setting: &'static str,
    ) -> Result<Self, reqwest::Error> {
        let bot = token.authorization("Bot");
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers([(AUTHORIZATION, bot)].into_iter().collect())
            .connect_timeout(CONNECT_TIME)
            .redirect(reqwest::redirect::Policy::none())
            // The Gateway's socket knows no proxy either, and settings come by `Config` alone.
            .no_proxy()
            .tls_backend_preconfigured(tls::with_http2(tls))
            .build()?;
        Ok(Self {
            http,
            origin,
            gate: Gate::new(Limiter::new(budget)),
            roots_setting,
        })
    }

    /// Makes one call, in as many requests as it takes.
    pub(crate) async fn call(&self, call: RestCall<'_>) -> Result<RestAnswer, RestError> {
        let CallTerms {
            caller,
            deadline,
            longest_throttle,
            ..
        } = call.terms;
        let asked = CallRequest {
            route: call.route.key(),
            caller,
            patience_until: deadline.min(now() + longest_throttle),
        };
        let last_moment = deadline.checked_sub(LEAST_TIME).unwrap_or(deadline);
        let mut retry = RetryPolicy::new(call.route.template(), caller, last_moment);
        loop {
            let begun = now();
            let permit = match self.gate.admitted(asked, last_moment).await {
                Ok(permit) => permit,
                Err(why) => {
                    count_not_sent(why);
                    return Err(RetryPolicy::not_sent(why));
                }
            };
            histogram!("guildhall_discord_wait_seconds", "share" => share_name(caller.share()))
                .record(now() - begun);
            let outcome = self.request(permit, &call).await;
            #[expect(clippy::disallowed_methods, reason = "a driver draws for its machine")]
            let jitter = rand::random();
            match retry.ended(outcome, now(), jitter) {
                NextTry::After(at) => sleep_to(Some(at)).await,
                NextTry::Never(result) => return result,
            }
        }
    }

    /// Sends one request and tells the limiter what came of it.
    async fn request(&self, permit: SendPermit, call: &RestCall<'_>) -> RequestOutcome {
        let template = call.route.template();
        let response = match self.send(call).await {
            Ok(response) => response,
            Err(error) => {
                count_request(template, "none");
                let (connected, late) = (!error.is_connect(), error.is_timeout());
                let why = self.cause(error);
                return match (connected, late) {
                    (true, true) => RequestOutcome::Unanswered(why),
                    (true, false) => RequestOutcome::Torn(why),
                    (false, _) => RequestOutcome::NotConnected(why),
                };
            }
        };
        let status = response.status();
        count_request(template, status.as_str());
        let said = RateHeaders::read(response.headers());
        let body = self.body(response, template).await;
        let known = body.as_deref().unwrap_or_default();
        let kind = answer_kind(status, &said, known);
        permit.answered(kind, &said);
        count_answer(kind);
        match (kind, body) {
            (AnswerKind::TokenRefused, _) => RequestOutcome::TokenRefused,
            (AnswerKind::Throttled(_), _) => RequestOutcome::Throttled,
            (AnswerKind::Success, Err(why)) => RequestOutcome::Unanswered(why),
            (_, body) => RequestOutcome::Answered {
                status: status.as_u16(),
                body: body.unwrap_or_default(),
            },
        }
    }

    async fn send(&self, call: &RestCall<'_>) -> Result<Response, reqwest::Error> {
        let row = call.route.template().row();
        let mut url = self.origin.clone();
        url.set_path(&call.route.path());
        let rest = call.terms.deadline.saturating_duration_since(now());
        let mut request = self.http.request(row.method, url);
        request = request.timeout(REQUEST_TIME.min(rest));
        if let Some(body) = &call.body {
            let json = "application/json";
            request = request.header(CONTENT_TYPE, json).body(body.to_string());
        }
        if let Some(reason) = call.terms.reason.filter(|_| row.takes_reason)
            && let Some(value) = reason::header_value(reason)
        {
            request = request.header(reason::HEADER, value);
        }
        request.send().await
    }

    /// `Err`: why it can't be read to its end.
    async fn body(
        &self,
        mut response: Response,
        template: RouteTemplate,
    ) -> Result<Vec<u8>, String> {
        let most = match template {
            RouteTemplate::ListChannels => LIST_BYTES,
            _ => ANSWER_BYTES,
        };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.cause(error))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                return Err("its answer has no end".into());
            }
        }
        Ok(body)
    }

    fn cause(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return "no answer in time".into();
        }
        // The address is the operator's own; whatever else is in it is not for logs.
        let error = error.without_url();
        tls_failure(&error, self.roots_setting).unwrap_or_else(|| root_cause(&error))
    }
}

/// What an answer means for those that follow.
fn answer_kind(status: StatusCode, said: &RateHeaders, body: &[u8]) -> AnswerKind {
    match status {
        StatusCode::UNAUTHORIZED => {
            // Of a user's token, in the body of a request, Discord says that by a code of its own.
            match DiscordRefusal::read(status.as_u16(), body).code {
                0 | error_code::UNAUTHORIZED => AnswerKind::TokenRefused,
                _ => AnswerKind::Forbidden,
            }
        }
        StatusCode::FORBIDDEN => AnswerKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => AnswerKind::Throttled(said.throttle(body)),
        _ if status.is_success() => AnswerKind::Success,
        _ => AnswerKind::Failure,
    }
}

fn count_request(template: RouteTemplate, status: &str) {
    let (route, status) = (template.to_string(), status.to_owned());
    counter!("guildhall_discord_requests_total", "route" => route, "status" => status).increment(1);
}

fn count_answer(kind: AnswerKind) {
    let invalid = match kind {
        AnswerKind::TokenRefused | AnswerKind::Forbidden => true,
        AnswerKind::Throttled(Throttle { scope, wait }) => {
            let name = match scope {
                ThrottleScope::User => "user",
                ThrottleScope::Shared => "shared",
                ThrottleScope::Global => "global",
                ThrottleScope::Edge => "edge",
            };
            counter!("guildhall_discord_throttled_total", "scope" => name).increment(1);
            if matches!(scope, ThrottleScope::Global | ThrottleScope::Edge) {
                warn!("[Gateway] Discord takes no requests for {wait:?} ({name})");
            }
            scope != ThrottleScope::Shared
        }
        AnswerKind::Success | AnswerKind::Failure => false,
    };
    if invalid {
        counter!("guildhall_discord_invalid_requests_total").increment(1);
    }
}

fn count_not_sent(why: NotSent) {
    let why = match why {
        NotSent::Unauthorised => "token",
        NotSent::Throttled(_) => "throttled",
        NotSent::Full(_) => "full",
        NotSent::TooManyInvalid(_) => "invalid",
        NotSent::Late(_) => "late",
    };
    counter!("guildhall_discord_not_sent_total", "why" => why).increment(1);
}

fn share_name(share: RestShare) -> &'static str {
    match share {
        RestShare::LookUps => "look_ups",
        RestShare::Commands => "commands",
    }
}

#[cfg(test)]
mod tests;
