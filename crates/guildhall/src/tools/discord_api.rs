//! Discord's REST interface, as little of it as tools ask: nothing is changed there.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use guildhall_http::{
    Secret, root_cause,
    tls::{self, tls_failure},
};
use guildhall_model::UnixMs;
use guildhall_ports::{Clock, millis};
use reqwest::{Client, RequestBuilder, header};
use rustls::ClientConfig;
use serde_json::Value;
use url::Url;

/// Discord wants to know who asks, in this form.
const USER_AGENT: &str = concat!(
    "DiscordBot (https://github.com/guildhall/guildhall, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// One request, all of it.
const LIMIT: Duration = Duration::from_secs(10);

/// Application flags: the portal's switch for the intent GUILD_MEMBERS, of a bot in many guilds and in few.
pub(super) const MEMBERS_FLAGS: u64 = 1 << 14 | 1 << 15;

/// A page of a list of guilds.
const GUILDS_PER_PAGE: usize = 200;

pub(super) struct DiscordApi {
    http: Client,
    origin: Url,
    token: Option<Secret>,
    clock: Arc<dyn Clock>,
}

/// What Discord said.
#[derive(Clone, Debug)]
pub(super) struct DiscordAnswer {
    pub(super) status: u16,
    /// Its clock and ours at that moment.
    pub(super) clocks: Option<[UnixMs; 2]>,
    /// `Null`: it is no JSON.
    pub(super) body: Value,
}

/// `Err`: why there is no answer, without an address or a secret.
pub(super) type DiscordResult = Result<DiscordAnswer, String>;

impl DiscordApi {
    /// `token`: of the bot, where there is one.
    pub(super) fn new(
        origin: &Url,
        tls: &ClientConfig,
        token: Option<&Secret>,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            // As the roles reach it.
            .no_proxy()
            .tls_backend_preconfigured(tls::with_http2(tls))
            .build()?;
        Ok(Self {
            http,
            origin: origin.clone(),
            token: token.cloned(),
            clock: Arc::clone(clock),
        })
    }

    /// Asks without a token.
    pub(super) async fn ask(&self, path: &str) -> DiscordResult {
        self.get(path, None).await
    }

    /// Asks as the bot. `None`: there is no token.
    pub(super) async fn ask_as_bot(&self, path: &str) -> Option<DiscordResult> {
        let token = self.token.as_ref()?;
        Some(self.get(path, Some(token)).await)
    }

    /// Asks as the bot of this token.
    pub(super) async fn ask_with(&self, path: &str, token: &Secret) -> DiscordResult {
        self.get(path, Some(token)).await
    }

    /// Asks for a token that could not be given. Discord looks at the application's secret before it looks
    /// at what is asked for: `invalid_grant` says that the secret is right, `invalid_client` that it is not.
    pub(super) async fn try_secret(&self, client_id: &str, secret: &Secret) -> DiscordResult {
        let nothing = [("grant_type", "refresh_token"), ("refresh_token", "none")];
        let request = self
            .http
            .post(self.at("/api/oauth2/token")?)
            .basic_auth(client_id, Some(secret.expose()))
            .form(&nothing);
        self.answer(request).await
    }

    /// All guilds of the bot. `None`: there is no token.
    pub(super) async fn guilds(&self) -> Option<Result<Vec<Value>, String>> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().and_then(|guild| guild["id"].as_str());
            let after = after.unwrap_or("0");
            let path = format!("users/@me/guilds?limit={GUILDS_PER_PAGE}&after={after}");
            let page = match self.ask_as_bot(&path).await? {
                Ok(answer) if answer.status == 200 => answer.body,
                Ok(answer) => return Some(Err(format!("it answers {}", answer.status))),
                Err(why) => return Some(Err(why)),
            };
            let Value::Array(page) = page else {
                return Some(Err("its list of guilds is none".to_owned()));
            };
            let last = page.len() < GUILDS_PER_PAGE;
            all.extend(page);
            if last {
                return Some(Ok(all));
            }
        }
    }

    async fn get(&self, path: &str, token: Option<&Secret>) -> DiscordResult {
        let mut request = self.http.get(self.at(&format!("/api/v10/{path}"))?);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token.authorization("Bot"));
        }
        self.answer(request).await
    }

    fn at(&self, path: &str) -> Result<Url, String> {
        self.origin.join(path).map_err(|error| error.to_string())
    }

    async fn answer(&self, request: RequestBuilder) -> DiscordResult {
        let answer = request.send().await.map_err(cause)?;
        let date = answer.headers().get(header::DATE);
        let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let theirs = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let clocks = theirs.map(|theirs| [millis(theirs), self.clock.now()]);
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(cause)?;
        Ok(DiscordAnswer {
            status,
            clocks,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    tls_failure(&error, "SSL_CERT_FILE").unwrap_or_else(|| root_cause(&error))
}
