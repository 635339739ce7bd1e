//! Discord's REST interface: a thin client for the few routes this role calls, one at a time per
//! call, within one limiter for the whole process (Discord's documentation, "Rate Limits").
//!
//! Retries a 429 after the time Discord asks for, and nothing else: whether another failure is
//! worth a second try is the caller's business.

/// When a request may be sent.
mod limiter;

use std::{sync::Arc, time::Duration};

use guildhall_http::{
    Secret, root_cause,
    tls::{self, tls_failure},
};
use guildhall_model::{GuildId, RoleId, UserId, guild::Membership, text::readable_json};
use metrics::counter;
use parking_lot::{Mutex, MutexGuard};
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderName},
};
use rustls::ClientConfig;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use limiter::{Limiter, RateHeaders, Route};

/// Discord wants to know who calls, in this form.
pub(crate) const USER_AGENT: &str = concat!(
    "DiscordBot (https://github.com/guildhall/guildhall, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);
/// One request, from the connection to the last byte.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// One call, its waits for the limiter included.
const CALL_TIME: Duration = Duration::from_secs(30);
/// The longest answer that is read. A member object is under 4 KiB.
const ANSWER_BYTES: usize = 256 << 10;

/// A handle on the client.
#[derive(Clone, Debug)]
pub(crate) struct DiscordRest {
    http: reqwest::Client,
    origin: Url,
    limiter: Arc<Mutex<Limiter>>,
    /// What the operator calls the setting with further root certificates.
    roots_setting: &'static str,
}

/// What `/gateway/bot` answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GatewayBot {
    /// Where to connect, for a fresh session.
    pub url: String,
    /// How many fresh sessions are left.
    pub session_start_limit: SessionStartLimit,
}

/// The budget of IDENTIFYs, over all of the bot's processes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct SessionStartLimit {
    /// So many are left.
    pub remaining: u32,
    /// Until there are as many as ever again, in ms.
    pub reset_after: u64,
    /// So many shards may IDENTIFY together.
    #[serde(default)]
    pub max_concurrency: u32,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RestError {
    /// 401: the token is none. Nothing is sent any more: each further 401 brings the whole
    /// address nearer to being banned.
    #[error("Discord refused the token")]
    Unauthorised,
    /// Discord said no, and would again.
    #[error("Discord refused: HTTP {status}, code {code}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Discord's error code; 0: none was given.
        code: u64,
    },
    /// No answer, or none that can be read: later perhaps.
    #[error("Discord did not answer: {0}")]
    Unreachable(String),
}

impl DiscordRest {
    /// A client for one bot. `Err`: TLS can't be set up.
    pub(crate) fn new(
        origin: Url,
        tls: &ClientConfig,
        token: &Secret,
        requests_per_second: u32,
        roots_setting: &'static str,
    ) -> Result<Self, reqwest::Error> {
        let bot = token.authorization("Bot");
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers([(AUTHORIZATION, bot)].into_iter().collect())
            .timeout(REQUEST_TIME)
            .redirect(reqwest::redirect::Policy::none())
            // The Gateway's socket knows no proxy either, and settings come by `Config` alone.
            .no_proxy()
            .tls_backend_preconfigured(tls::with_http2(tls))
            .build()?;
        let limiter = Arc::new(Mutex::new(Limiter::new(requests_per_second)));
        Ok(Self {
            http,
            origin,
            limiter,
            roots_setting,
        })
    }

    /// Where the Gateway is, and how many sessions may still be started.
    pub(crate) async fn gateway_bot(&self) -> Result<GatewayBot, RestError> {
        self.get(Route::GatewayBot, "/api/v10/gateway/bot").await
    }

    /// What a user is in a guild, as Discord sees it now.
    pub(crate) async fn membership(
        &self,
        guild_id: GuildId,
        user_id: UserId,
    ) -> Result<Membership, RestError> {
        const UNKNOWN_MEMBER: u64 = 10_007;
        const UNKNOWN_USER: u64 = 10_013;
        let path = format!("/api/v10/guilds/{guild_id}/members/{user_id}");
        match self.get::<MemberBody>(Route::Member(guild_id), &path).await {
            Ok(member) => Ok(Membership::member(
                member.roles,
                member.flags & IS_GUEST != 0,
            )),
            Err(RestError::Refused {
                code: UNKNOWN_MEMBER | UNKNOWN_USER,
                ..
            }) => Ok(Membership::Stranger),
            Err(error) => Err(error),
        }
    }

    async fn get<T: DeserializeOwned>(&self, route: Route, path: &str) -> Result<T, RestError> {
        timeout(CALL_TIME, self.get_patiently(route, path))
            .await
            .unwrap_or_else(|_| Err(RestError::Unreachable("rate limited for too long".into())))
    }

    async fn get_patiently<T: DeserializeOwned>(
        &self,
        route: Route,
        path: &str,
    ) -> Result<T, RestError> {
        loop {
            self.admitted(route).await?;
            let answer = self.send(route, path).await?;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                continue;
            }
            return answer.read();
        }
    }

    /// Waits for the limiter.
    async fn admitted(&self, route: Route) -> Result<(), RestError> {
        loop {
            let admission = self.limiter().admit(route, Instant::now().into_std());
            match admission {
                limiter::Admission::Now => return Ok(()),
                limiter::Admission::NotBefore(at) => sleep_until(at.into()).await,
                limiter::Admission::Never => return Err(RestError::Unauthorised),
            }
        }
    }

    async fn send(&self, route: Route, path: &str) -> Result<RestResponse, RestError> {
        let unreachable = |error: reqwest::Error| {
            // The address is the operator's own; whatever else is in it is not for logs.
            let error = error.without_url();
            let tls = tls_failure(&error, self.roots_setting);
            RestError::Unreachable(tls.unwrap_or_else(|| root_cause(&error)))
        };
        let mut url = self.origin.clone();
        url.set_path(path);
        let mut response = self.http.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        let rate = rate_headers(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES {
                return Err(RestError::Unreachable("its answer has no end".into()));
            }
        }
        counter!("guildhall_discord_requests_total", "status" => status.as_u16().to_string())
            .increment(1);
        let now = Instant::now().into_std();
        let mut limiter = self.limiter();
        match status {
            StatusCode::UNAUTHORIZED => limiter.refused(),
            StatusCode::TOO_MANY_REQUESTS => {
                let said =
                    serde_json::from_str::<TooMany>(&readable_json(&body)).unwrap_or_default();
                limiter.limited(route, &rate, said.retry_after, said.global, now);
            }
            _ => limiter.answered(route, &rate, now),
        }
        Ok(RestResponse { status, body })
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock()
    }
}

/// Member flag IS_GUEST: invited to one voice channel only.
pub(crate) const IS_GUEST: u64 = 1 << 4;

#[derive(Deserialize)]
struct MemberBody {
    roles: Vec<RoleId>,
    #[serde(default)]
    flags: u64,
}

#[derive(Default, Deserialize)]
struct TooMany {
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

struct RestResponse {
    status: StatusCode,
    body: Vec<u8>,
}

impl RestResponse {
    fn read<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        #[derive(Default, Deserialize)]
        struct Refusal {
            #[serde(default)]
            code: u64,
        }
        if self.status == StatusCode::UNAUTHORIZED {
            return Err(RestError::Unauthorised);
        }
        if self.status.is_server_error() {
            return Err(RestError::Unreachable(format!(
                "HTTP {}",
                self.status.as_u16()
            )));
        }
        let body = readable_json(&self.body);
        if !self.status.is_success() {
            let refusal = serde_json::from_str::<Refusal>(&body).unwrap_or_default();
            return Err(RestError::Refused {
                status: self.status.as_u16(),
                code: refusal.code,
            });
        }
        serde_json::from_str(&body)
            .map_err(|error| RestError::Unreachable(format!("its answer can't be read: {error}")))
    }
}

fn rate_headers(headers: &HeaderMap) -> RateHeaders {
    let text = |name: &'static str| headers.get(HeaderName::from_static(name))?.to_str().ok();
    let number = |name| text(name)?.parse::<f64>().ok();
    RateHeaders {
        bucket: text("x-ratelimit-bucket").map(str::to_owned),
        remaining: text("x-ratelimit-remaining").and_then(|left| left.parse().ok()),
        reset_after: number("x-ratelimit-reset-after"),
        retry_after: number("retry-after"),
        global: text("x-ratelimit-global").is_some() || text("x-ratelimit-scope") == Some("global"),
    }
}

#[cfg(test)]
mod tests;
