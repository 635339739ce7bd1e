//! Sign-in with Discord: the OAuth2 code grant with PKCE, a state of one use, and a check of who
//! answers (RFC 6749, 7636, 9207).

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use futures_util::future::{join, join_all};
use guildhall_http::ClientAddress;
use guildhall_model::command::InviteToken;
use guildhall_ports::Unavailable;
use tokio::time::{Instant, sleep, timeout};
use url::{Url, form_urlencoded};

use super::{
    Auth,
    attempt::Attempt,
    budget::{BudgetRefusal, LimitedBy, Reservation},
    discord::PATIENCE,
    failure::{Failure, count, failure_response},
    invite::{self, NOT_ADMITTED},
    response::{login_url, private, redirect},
    return_to::return_to,
    session::LoginHeads,
    session::Session,
};
use crate::http::is_prefetch;

/// How long a finished login waits for the gateway to begin watching the viewer. It begins
/// without being waited for, too.
pub(super) const WATCH_WAIT: Duration = Duration::from_secs(1);

/// Longer codes are not Discord's.
const CODE_MAX: usize = 512;

/// The name under which the query of the page is given a word of what became of the sign-in.
const LOGIN: &str = "login";

/// That word when its user said no.
const DENIED: &str = "denied";

/// `HEAD` on both routes: no sign-in begins or ends.
pub(super) async fn head() -> Response {
    (StatusCode::OK, private()).into_response()
}

/// `GET /auth/login?returnTo=&invite=`: redirects to Discord.
pub(super) async fn begin(
    State(auth): State<Arc<Auth>>,
    address: Option<Extension<ClientAddress>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if is_prefetch(&headers) {
        return prefetch_refused();
    }
    let config = &auth.config;
    let wish = parameter(&uri, "returnTo");
    let return_to = without_words(return_to(wish.as_deref(), config));
    let invite = parameter(&uri, "invite").filter(|text| text.len() <= InviteToken::LETTERS);
    // The callback comes to the base URL's host, so the cookie has to be given there. Only once:
    // a proxy that renames the host would send the browser round for ever.
    let moved = parameter(&uri, "moved").is_some();
    if !moved && !addressed_to(&config.base_url, &uri, &headers) {
        let mut url = login_url(&auth.config, &return_to);
        url.query_pairs_mut().append_pair("moved", "1");
        if let Some(invite) = invite {
            url.query_pairs_mut().append_pair("invite", &invite);
        }
        return redirect(&url, Vec::new());
    }
    let address = address.and_then(|Extension(client)| counted_address(client));
    let invite = invite::looked_at(&auth, invite, address).await;
    let attempt = Attempt::new(return_to, invite, auth.clock.now());
    let cookies = attempt.keep(&auth.jar, &headers);
    redirect(&auth.discord.authorize_url(&attempt), cookies)
}

/// `GET /auth/callback`: Discord has redirected the browser back.
pub(super) async fn finish(
    State(auth): State<Arc<Auth>>,
    address: Option<Extension<ClientAddress>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if is_prefetch(&headers) {
        return prefetch_refused();
    }
    let address = address.and_then(|Extension(client)| counted_address(client));
    let attempt = match find_attempt(&auth, &uri, &headers) {
        Ok(attempt) => attempt,
        Err(failure) => {
            return failure_response(&auth, &failure, &auth.config.home(), Vec::new());
        }
    };
    let mut cookies = vec![auth.jar.clear(&attempt.cookie_name(&auth.jar))];
    let before = auth.sessions.unexpired(&headers).collect();
    match sign_in(&auth, &uri, &attempt, before, address).await {
        Ok(signed_in) => {
            count("succeeded");
            tracing::info!(viewer.id = %signed_in.session.user.id, "[Auth] Signed in");
            cookies.push(signed_in.cookie);
            match signed_in.not_admitted {
                None => redirect(&attempt.return_to, cookies),
                Some(why) => {
                    let word = format!("{NOT_ADMITTED}{why}");
                    redirect(&with_word(&attempt.return_to, &word), cookies)
                }
            }
        }
        Err(Failure::Denied) => {
            count("denied");
            redirect(&with_word(&attempt.return_to, DENIED), cookies)
        }
        Err(failure) => {
            if failure.leaves_the_attempt() {
                cookies.clear();
                let mut used = auth.used.lock();
                used.remove(&attempt.state);
            }
            failure_response(&auth, &failure, &attempt.return_to, cookies)
        }
    }
}

/// What a client is counted by. This machine's own are not: whatever comes from it is a proxy
/// that is not listed, with everybody behind it, or somebody who has the machine.
pub(super) fn counted_address(client: ClientAddress) -> Option<IpAddr> {
    (!client.0.is_loopback()).then_some(client.0)
}

/// To a browser that only fetches ahead: an error, so that it asks again when somebody comes.
fn prefetch_refused() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, private()).into_response()
}

/// The attempt this callback belongs to. It can be found once.
fn find_attempt(auth: &Auth, uri: &Uri, headers: &HeaderMap) -> Result<Attempt, Failure> {
    let state = parameter(uri, "state").ok_or(Failure::UnknownAttempt)?;
    let now = auth.clock.now();
    let attempt = Attempt::find(&state, &auth.jar, headers, now).ok_or(Failure::UnknownAttempt)?;
    let mut used = auth.used.lock();
    if used.insert(state, attempt.expires_at, now) {
        Ok(attempt)
    } else {
        Err(Failure::UnknownAttempt)
    }
}

/// A sign-in that succeeded.
struct SignedIn {
    session: Session,
    cookie: HeaderValue,
    /// In a word, why the invite that they came with did not let them in.
    not_admitted: Option<String>,
}

/// `before`: the sessions that this browser has so far, all of which end.
async fn sign_in(
    auth: &Auth,
    uri: &Uri,
    attempt: &Attempt,
    before: Vec<Session>,
    address: Option<IpAddr>,
) -> Result<SignedIn, Failure> {
    if parameter(uri, "iss").is_some_and(|issuer| !is_issuer(auth, &issuer)) {
        return Err(Failure::WrongIssuer);
    }
    match parameter(uri, "error").as_deref() {
        None => {}
        Some("access_denied") => return Err(Failure::Denied),
        Some(_) => return Err(Failure::NoCode),
    }
    let code = parameter(uri, "code")
        .filter(|code| (1..=CODE_MAX).contains(&code.len()))
        .ok_or(Failure::NoCode)?;
    // Before the code is used up.
    let known = auth.sessions.await_revocations().await;
    known.map_err(Failure::RevocationsUnknown)?;
    let mut account = {
        // Who will be refused takes no permit from others.
        if let Err(refused) = auth.budget.check(address, Instant::now()).await
            && !is_short(refused)
        {
            return Err(refused.into());
        }
        let _permit = auth.permits.acquire(address).await.ok_or(Failure::Busy)?;
        let reservation = reserve_call(auth, address).await?;
        auth.discord.account(code, attempt, reservation).await?
    };
    let not_admitted = invite::let_in(auth, attempt, &mut account).await;
    let heads = auth.world.heads(&account.guilds);
    let is_another = |before: &Session| before.user.id != account.user.id;
    let heads = if before.iter().any(is_another) {
        LoginHeads::behind_another(heads, auth.clock.now())
    } else {
        heads.into()
    };
    let guilds = auth.world.shared(account.guilds.clone());
    // Best effort: the stream will ask again, and waits itself.
    let watch = timeout(WATCH_WAIT, auth.world.watch(account.user.id, guilds));
    let replaced = before.iter().map(|session| auth.sessions.replace(session));
    let (_in_time, replaced) = join(watch, join_all(replaced)).await;
    // The browser still has their cookies: with the next try it ends them again.
    let replaced: Result<Vec<()>, Unavailable> = replaced.into_iter().collect();
    replaced.map_err(Failure::SessionStore)?;
    let (session, cookie) = auth.sessions.begin(account.user, account.guilds, heads);
    Ok(SignedIn {
        session,
        cookie,
        not_admitted,
    })
}

/// A reservation for one login's calls; a short pause that Discord asks for is waited for.
async fn reserve_call(auth: &Auth, address: Option<IpAddr>) -> Result<Reservation, Failure> {
    let refused = match auth.budget.reserve(address, Instant::now()).await {
        Ok(reservation) => return Ok(reservation),
        Err(refused) => refused,
    };
    if !is_short(refused) {
        return Err(refused.into());
    }
    sleep(refused.wait).await;
    Ok(auth.budget.reserve(address, Instant::now()).await?)
}

/// Whether it is a pause that is waited for.
fn is_short(refused: BudgetRefusal) -> bool {
    refused.by == LimitedBy::Discord && refused.wait <= PATIENCE
}

/// Discord is known by the address we reach it at or the one browsers do.
fn is_issuer(auth: &Auth, issuer: &str) -> bool {
    [&auth.config.discord_url, &auth.config.discord_public_url]
        .iter()
        .any(|url| url.origin().ascii_serialization() == issuer)
}

/// The page with a word of what became of the sign-in.
fn with_word(return_to: &Url, word: &str) -> Url {
    let mut url = return_to.clone();
    url.query_pairs_mut().append_pair(LOGIN, word);
    url
}

/// A page that was given such a word is returned to without it.
fn without_words(mut url: Url) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let all = pairs.len();
    let is_word = |value: &str| value == DENIED || value.starts_with(NOT_ADMITTED);
    let others = pairs
        .into_iter()
        .filter(|(name, value)| name != LOGIN || !is_word(value));
    let kept: Vec<_> = others.collect();
    // Else it stays as it was written.
    if kept.len() < all {
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
    }
    url
}

/// The first of a name in the query. Any query can be read.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// Whether the browser called us by the base URL's host and port. Who does not say, did.
fn addressed_to(base_url: &Url, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let called: Option<Authority> = uri
        .authority()
        .cloned()
        .or_else(|| host?.to_str().ok()?.parse().ok());
    called.is_none_or(|called| {
        let default = if base_url.scheme() == "https" {
            443
        } else {
            80
        };
        let host = base_url.host_str().unwrap_or_default();
        called.host().eq_ignore_ascii_case(host)
            && called.port_u16().unwrap_or(default) == base_url.port().unwrap_or(default)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_with_its_port() {
        let cases = [
            ("http://localhost:3000", "localhost:3000", true),
            ("http://localhost:3000", "LOCALHOST:3000", true),
            ("http://localhost:3000", "127.0.0.1:3000", false),
            ("http://localhost:3000", "localhost:3001", false),
            ("http://localhost:3000", "localhost", false),
            ("http://localhost", "localhost", true),
            ("http://localhost", "localhost:80", true),
            ("https://hall.example", "hall.example", true),
            ("https://hall.example", "hall.example:443", true),
            ("https://hall.example", "hall.example:80", false),
            ("https://hall.example", "www.hall.example", false),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("https://hall.example", "not a host", true),
        ];
        for (base_url, host, same) in cases {
            let base_url = base_url.parse().expect("a URL");
            let host = HeaderValue::from_static(host);
            let headers = HeaderMap::from_iter([(header::HOST, host)]);
            let path = Uri::from_static("/auth/login");
            assert_eq!(
                addressed_to(&base_url, &path, &headers),
                same,
                "{base_url} {headers:?}"
            );
        }
        let base_url = "https://hall.example".parse().expect("a URL");
        let path = Uri::from_static("/auth/login");
        assert!(addressed_to(&base_url, &path, &HeaderMap::new()));
        let whole = Uri::from_static("https://other.example/auth/login");
        assert!(!addressed_to(&base_url, &whole, &HeaderMap::new()));
    }
}
