//! Sign-ins that failed: why, and the page that the browser gets.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use guildhall_ports::Unavailable;
use tokio::time::Instant;
use url::Url;

use super::{
    Auth,
    budget::{BudgetRefusal, LimitedBy},
    discord::SignInError,
    response::{login_url, page, set_cookies},
};
use crate::WebSettingNames;

/// The `Retry-After` for whoever finds too many logins under way.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Why nobody was signed in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("the state is missing, of another browser, too old, or used")]
    UnknownAttempt,
    #[error("the answer is from another issuer")]
    WrongIssuer,
    #[error("the user said no")]
    Denied,
    #[error("Discord sent an error or no code")]
    NoCode,
    #[error("too many logins at once")]
    Busy,
    #[error("an address caused too many invalid answers of Discord")]
    AddressLimited(Duration),
    #[error("there were too many invalid answers of Discord")]
    ProcessLimited(Duration),
    #[error("it is not known whose sessions are over: {0}")]
    RevocationsUnknown(Unavailable),
    #[error("who was signed in before can't be signed out: {0}")]
    SessionStore(Unavailable),
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl Failure {
    /// Whether Discord has not seen the code, so that the same callback may come again.
    pub(super) fn leaves_the_attempt(&self) -> bool {
        match self {
            Self::Busy
            | Self::RevocationsUnknown(_)
            | Self::AddressLimited(_)
            | Self::ProcessLimited(_) => true,
            Self::SignIn(SignInError::Limited { code_spent, .. }) => !code_spent,
            _ => false,
        }
    }

    /// Why, for the log: where settings may be wrong, with their names.
    fn reason(&self, names: &WebSettingNames) -> String {
        match self {
            Self::AddressLimited(_) => format!("{self}; is {} right?", names.trusted_proxies),
            Self::SignIn(SignInError::ClientRefused) => {
                format!(
                    "{self}; check {} and {}",
                    names.client_id, names.client_secret
                )
            }
            Self::SignIn(SignInError::Unreachable(_)) => {
                format!("{self}; check {}", names.discord_url)
            }
            _ => self.to_string(),
        }
    }

    /// When to try again, where that is known.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Busy | Self::RevocationsUnknown(_) | Self::SessionStore(_) => Some(BUSY_WAIT),
            Self::AddressLimited(wait)
            | Self::ProcessLimited(wait)
            | Self::SignIn(SignInError::Limited { wait, .. }) => Some(*wait),
            _ => None,
        }
    }
}

impl From<BudgetRefusal> for Failure {
    fn from(BudgetRefusal { by, wait }: BudgetRefusal) -> Self {
        match by {
            LimitedBy::Address => Self::AddressLimited(wait),
            LimitedBy::Process => Self::ProcessLimited(wait),
            LimitedBy::Discord => Self::SignIn(SignInError::Limited {
                wait,
                code_spent: false,
            }),
        }
    }
}

/// The response: a page, when to try again, and a link to begin anew.
pub(super) fn failure_response(
    auth: &Auth,
    failure: &Failure,
    to: &Url,
    cookies: Vec<HeaderValue>,
) -> Response {
    let (status, result, sentence) = answer_to(failure);
    count(result);
    if status.is_server_error() || failure.wait().is_some() {
        let mut failed = auth.failed.lock();
        let notice = failed.entry(result).or_default();
        if let Some(times) = notice.happened(Instant::now()) {
            let reason = failure.reason(&auth.config.names);
            tracing::warn!(%reason, times, "[Auth] Sign-in failed");
        }
    } else {
        tracing::debug!(reason = %failure, "[Auth] Sign-in refused");
    }
    let again = login_url(&auth.config, to);
    let mut response = match failure.wait() {
        None => page(status, sentence, &again),
        Some(wait) => {
            // Whole seconds, and never none: a page that may be reloaded at once would be.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            let how = if failure.leaves_the_attempt() {
                "Please reload this page"
            } else {
                "Please try again"
            };
            let sentence = format!("{sentence} {how} in {seconds} s.");
            let mut response = page(status, &sentence, &again);
            let value = HeaderValue::try_from(seconds.to_string()).expect("digits");
            response.headers_mut().insert(header::RETRY_AFTER, value);
            response
        }
    };
    set_cookies(&mut response, cookies);
    response
}

/// A status, a word for metrics, and a sentence for whoever tried.
fn answer_to(failure: &Failure) -> (StatusCode, &'static str, &'static str) {
    match failure {
        Failure::UnknownAttempt => (
            StatusCode::BAD_REQUEST,
            "unknown_attempt",
            "This sign-in is over, or it was begun in another browser.",
        ),
        Failure::WrongIssuer => (
            StatusCode::BAD_REQUEST,
            "wrong_issuer",
            "This answer did not come from Discord.",
        ),
        Failure::Denied | Failure::NoCode => (
            StatusCode::BAD_REQUEST,
            "no_code",
            "Discord did not go through with the sign-in.",
        ),
        Failure::SignIn(SignInError::CodeRefused) => (
            StatusCode::BAD_REQUEST,
            "code_refused",
            "Discord says that this sign-in is over.",
        ),
        Failure::Busy | Failure::ProcessLimited(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Many people are signing in just now.",
        ),
        Failure::RevocationsUnknown(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting",
            "Nobody can be signed in yet: this server has not found its gateway since it was started.",
        ),
        Failure::SessionStore(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "Who was signed in in this browser before can't be signed out just now.",
        ),
        Failure::AddressLimited(_) => (
            StatusCode::TOO_MANY_REQUESTS,
            "limited",
            "Too many sign-ins from your network did not go through.",
        ),
        Failure::SignIn(SignInError::Limited { .. }) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "discord_limited",
            "Discord takes no sign-ins from here just now.",
        ),
        Failure::SignIn(_) => (
            StatusCode::BAD_GATEWAY,
            "discord_failed",
            "Discord did not answer as it should; please wait a moment.",
        ),
    }
}

/// Counts a sign-in that ended, by how.
pub(super) fn count(result: &'static str) {
    metrics::counter!("guildhall_logins_total", "result" => result).increment(1);
}
