//! The calls to Discord at a login: a token for the code, who it is, and their guilds. The token is
//! dropped as soon as both are answered, or, where somebody signs in by an invite, once they were let
//! in. Where Discord asks us to wait, we do, for a few seconds.

use std::{collections::HashSet, sync::Arc, time::Duration};

use guildhall_http::{
    HttpOrigin, LogThrottle, root_cause,
    tls::{self, tls_failure},
};
use guildhall_link::frame::AccessToken;
use guildhall_model::{GuildId, text::readable_json};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, TokenResponse, TokenUrl, basic::BasicClient, basic::BasicErrorResponseType,
};
use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use tracing::warn;
use url::Url;

use super::{
    attempt::Attempt, budget::Reservation, config::AuthConfig, discord_clock::DiscordClock,
    rate_limited::RateLimitAnswer, session::Profile,
};

/// What of Discord's answers is read, and what becomes of the rest.
mod answers;

use answers::{Guilds, SkippedParts, UserAnswer};

/// One request, from connecting to the last byte.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Answers beyond this are not Discord's: 200 guilds with all their features are about 200 KB.
const BODY_MAX: usize = 1024 * 1024;

/// Longest that one login waits because Discord asked for it, in all. Somebody looks at an empty
/// page meanwhile.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// So often one thing is asked, if Discord asks to wait in between.
const TRIES: usize = 4;

/// Who signed in.
#[derive(Debug)]
pub(super) struct SignedInUser {
    pub(super) user: Profile,
    /// All guilds they are in, in Discord's order.
    pub(super) guilds: Vec<GuildId>,
    /// Only where they agreed to be let into a guild.
    pub(super) access_token: Option<AccessToken>,
}

/// Why Discord did not tell who it is. Texts are ours: nothing Discord sent is repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignInError {
    /// The code was used, expired, or is not from this attempt.
    #[error("Discord does not know the code")]
    CodeRefused,
    /// The operator's settings.
    #[error("Discord refused the client")]
    ClientRefused,
    /// No whole answer in time.
    #[error("Discord could not be reached ({0})")]
    Unreachable(String),
    /// Not a success.
    #[error("Discord answered with status {0}")]
    Status(u16),
    /// Discord asks to wait for longer than a login can. `code_spent`: it has taken the code.
    #[error("Discord asks to wait for {} s", wait.as_secs())]
    Limited { wait: Duration, code_spent: bool },
    /// A success with something else inside, or with too much.
    #[error("Discord's answer could not be read")]
    Unreadable,
}

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// The client for these calls.
pub(super) struct DiscordClient {
    oauth: Client,
    http: reqwest::Client,
    me: Url,
    guilds: Url,
    cdn: Url,
    roots_setting: &'static str,
    clock: DiscordClock,
    skipped: Mutex<LogThrottle>,
}

impl DiscordClient {
    /// Opens no connection yet.
    pub(super) fn new(config: &AuthConfig, clock: DiscordClock) -> Result<Self, reqwest::Error> {
        let below = |origin: &HttpOrigin, path: &str| {
            let mut url = Url::clone(origin);
            url.set_path(path);
            url
        };
        let secret = config.client_secret.expose().to_owned();
        let authorize = below(&config.discord_public_url, "/oauth2/authorize");
        let token = below(&config.discord_url, "/api/oauth2/token");
        let oauth = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret))
            .set_auth_uri(AuthUrl::from_url(authorize))
            .set_token_uri(TokenUrl::from_url(token))
            .set_redirect_uri(RedirectUrl::from_url(config.callback()));
        let http = reqwest::Client::builder()
            // A redirect would carry the code and the token to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            // Proxies would come from the environment, which is the binary's to read.
            .no_proxy()
            .tls_backend_preconfigured(tls::with_http2(&config.tls))
            .timeout(REQUEST_LIMIT)
            .user_agent(USER_AGENT)
            .build()?;
        Ok(Self {
            oauth,
            http,
            me: below(&config.discord_url, "/api/v10/users/@me"),
            guilds: below(&config.discord_url, "/api/v10/users/@me/guilds"),
            cdn: Url::clone(&config.cdn_url),
            roots_setting: config.names.root_certificates,
            clock,
            skipped: Mutex::default(),
        })
    }

    /// Where the browser asks its user for consent.
    pub(super) fn authorize_url(&self, attempt: &Attempt) -> Url {
        let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let join = attempt.asks_to_join().then_some("guilds.join");
        let scopes = ["identify", "guilds"].into_iter().chain(join);
        let (url, _) = self
            .oauth
            .authorize_url(|| CsrfToken::new(attempt.state.clone()))
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        url
    }

    /// Who gave their consent. Takes at most twice [`REQUEST_LIMIT`] and [`PATIENCE`].
    pub(super) async fn account(
        &self,
        code: String,
        attempt: &Attempt,
        reservation: Reservation,
    ) -> Result<SignedInUser, SignInError> {
        let calls = Calls {
            reservation: Arc::new(Mutex::new(reservation)),
            roots_setting: self.roots_setting,
            clock: self.clock.clone(),
        };
        let answered = self.ask(code, attempt, &calls).await;
        calls.reservation().answered();
        answered
    }

    async fn ask(
        &self,
        code: String,
        attempt: &Attempt,
        calls: &Calls,
    ) -> Result<SignedInUser, SignInError> {
        let mut patience = PATIENCE;
        let token = self.token(code, attempt, calls, &mut patience).await?;
        let (mut for_user, mut for_guilds) = (patience, patience);
        let (user, guilds) = tokio::try_join!(
            self.get::<UserAnswer>(&self.me, &token, calls, &mut for_user),
            self.get::<Guilds>(&self.guilds, &token, calls, &mut for_guilds),
        )?;
        let mut skipped = SkippedParts::default();
        let user = user.profile(&self.cdn, &mut skipped);
        let mut guilds = guilds.ids(&mut skipped);
        let mut seen = HashSet::new();
        guilds.retain(|id| seen.insert(*id));
        self.report_skipped(&skipped);
        Ok(SignedInUser {
            user,
            guilds,
            access_token: attempt.asks_to_join().then(|| AccessToken::new(token)),
        })
    }

    /// Says what was left out, if anything was, once a minute.
    fn report_skipped(&self, SkippedParts { fields, guilds }: &SkippedParts) {
        if fields + guilds == 0 {
            return;
        }
        let mut skipped = self.skipped.lock();
        if let Some(times) = skipped.happened(Instant::now()) {
            warn!(
                fields,
                guilds, times, "[Auth] Parts of Discord's answers can't be read and are left out"
            );
        }
    }

    /// The access token for a code. A request that was limited has not been looked at, so it may
    /// be repeated with the same code.
    async fn token(
        &self,
        code: String,
        attempt: &Attempt,
        calls: &Calls,
        patience: &mut Duration,
    ) -> Result<String, SignInError> {
        for _ in 1..TRIES {
            match self.token_once(code.clone(), attempt, calls).await {
                Err(SignInError::Limited { wait, .. }) if wait <= *patience => {
                    *patience -= wait;
                    sleep(wait).await;
                }
                answered => return answered,
            }
        }
        self.token_once(code, attempt, calls).await
    }

    async fn token_once(
        &self,
        code: String,
        attempt: &Attempt,
        calls: &Calls,
    ) -> Result<String, SignInError> {
        let send = |request| send_token_request(self.http.clone(), request, calls.clone());
        let answer = self
            .oauth
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
            .request_async(&send)
            .await;
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(body) => match body.error() {
                BasicErrorResponseType::InvalidGrant => SignInError::CodeRefused,
                BasicErrorResponseType::InvalidClient
                | BasicErrorResponseType::UnauthorizedClient => SignInError::ClientRefused,
                _ => SignInError::Unreadable,
            },
            RequestTokenError::Request(error) => error,
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => SignInError::Unreadable,
        })?;
        Ok(answer.access_token().secret().clone())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        token: &str,
        calls: &Calls,
        patience: &mut Duration,
    ) -> Result<T, SignInError> {
        for _ in 1..TRIES {
            match self.get_once(url, token, calls).await {
                Err(SignInError::Limited { wait, .. }) if wait <= *patience => {
                    *patience -= wait;
                    sleep(wait).await;
                }
                answered => return answered,
            }
        }
        self.get_once(url, token, calls).await
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        url: &Url,
        token: &str,
        calls: &Calls,
    ) -> Result<T, SignInError> {
        let request = self.http.get(url.clone()).bearer_auth(token);
        let response = calls.read(request.send().await).await?;
        if let Some(limited) = RateLimitAnswer::of(&response) {
            // A limit of this person's own token says nothing about others.
            calls.limited(&limited);
            let (wait, code_spent) = (limited.wait, true);
            return Err(SignInError::Limited { wait, code_spent });
        }
        if !response.status().is_success() {
            calls.count(&response);
            return Err(SignInError::Status(response.status().as_u16()));
        }
        let body = readable_json(response.body());
        serde_json::from_str(&body).map_err(|_| SignInError::Unreadable)
    }
}

/// The calls of one login, as they are counted.
#[derive(Clone)]
struct Calls {
    reservation: Arc<Mutex<Reservation>>,
    /// What the operator calls the setting with further root certificates.
    roots_setting: &'static str,
    clock: DiscordClock,
}

impl Calls {
    fn reservation(&self) -> MutexGuard<'_, Reservation> {
        self.reservation.lock()
    }

    /// Counts an answer that is no success, if Discord does.
    fn count(&self, response: &HttpResponse) {
        if response.status().is_client_error() {
            self.reservation().charge(Instant::now());
        }
    }

    /// Counts a refusal, after which nobody asks for a while if it is for all.
    fn limited(&self, limited: &RateLimitAnswer) {
        let now = Instant::now();
        let mut reservation = self.reservation();
        reservation.charge(now);
        if limited.for_all && reservation.budget().pause(limited.wait, now) {
            let seconds = limited.wait.as_secs_f64();
            warn!(
                "[Auth] Discord asks us to wait for {seconds:.1} s: nobody is signed in meanwhile"
            );
        }
    }

    /// Reads a whole answer, or as much as is too much.
    async fn read(
        &self,
        response: Result<reqwest::Response, reqwest::Error>,
    ) -> Result<HttpResponse, SignInError> {
        let unreachable = |error| self.unreachable(error);
        let mut response = response.map_err(unreachable)?;
        self.clock.answered(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(SignInError::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = HttpResponse::new(body);
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole)
    }

    fn unreachable(&self, error: reqwest::Error) -> SignInError {
        let error = error.without_url();
        let tls = tls_failure(&error, self.roots_setting);
        SignInError::Unreachable(tls.unwrap_or_else(|| root_cause(&error)))
    }
}

/// Answers that say that Discord itself has failed are named here; all others are read by `oauth2`.
async fn send_token_request(
    http: reqwest::Client,
    request: HttpRequest,
    calls: Calls,
) -> Result<HttpResponse, SignInError> {
    let request = request
        .try_into()
        .map_err(|error| calls.unreachable(error))?;
    let mut response = calls.read(http.execute(request).await).await?;
    if let Some(limited) = RateLimitAnswer::of(&response) {
        // Limits of this endpoint are of our address, whatever their scope is called.
        let limited = RateLimitAnswer {
            for_all: true,
            ..limited
        };
        calls.limited(&limited);
        let (wait, code_spent) = (limited.wait, false);
        return Err(SignInError::Limited { wait, code_spent });
    }
    calls.count(&response);
    let status = response.status();
    if status == http::StatusCode::UNAUTHORIZED {
        return Err(SignInError::ClientRefused);
    }
    if status.is_server_error() || status.is_redirection() {
        return Err(SignInError::Status(status.as_u16()));
    }
    *response.body_mut() = answers::token_essence(response.body());
    Ok(response)
}

const USER_AGENT: &str = concat!(
    "DiscordBot (",
    env!("CARGO_PKG_REPOSITORY"),
    ", ",
    env!("CARGO_PKG_VERSION"),
    ")"
);
