//! `GET /oauth2/authorize`
//!
//! What could send a code to a stranger (a wrong client or redirect URI) is
//! answered with a page; everything else that is wrong goes back to the client
//! as `error`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use url::{Host, Url};

use super::picker;
use crate::{
    clock,
    grants::{Access, Consent, Grants, SCOPES, is_challenge},
    snowflake::Snowflake,
    state::{Addresses, Discord, Shared},
};

/// What came in the query, by name.
type Parameters = HashMap<String, String>;

/// Names the person whom this browser was last.
const COOKIE: &str = "simulated_person";

/// A request that may be answered at its redirect URI.
struct AuthorizationRequest {
    redirect_uri: Url,
    /// As it came: the token endpoint compares the text.
    redirect_text: String,
    state: Option<String>,
}

/// What is asked for, once it is in order.
struct Terms {
    scopes: Vec<String>,
    challenge: Option<String>,
    /// `prompt=none`: whoever granted this before is not asked again.
    silent: bool,
}

/// Asks who signs in, or answers at once: for `sim_user`, and under `prompt=none` for
/// the person whom this browser was last, if they granted the same before.
pub(super) async fn authorize(
    State(discord): State<Arc<Discord>>,
    State(grants): State<Shared<Grants>>,
    State(addresses): State<Arc<Addresses>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let origin = &addresses.origin;
    let (request, parameters) = match read(&discord, &query) {
        Ok(read) => read,
        Err(reason) => return picker::refusal(reason),
    };
    let terms = match terms(&parameters) {
        Ok(terms) => terms,
        Err((error, description)) => return request.deny(origin, error, description),
    };
    match parameters.get("sim_user").map(String::as_str) {
        None => match known_person(&discord, &grants, &headers, &terms) {
            Some(user_id) => request.grant(origin, &grants, user_id, terms),
            None => picker::page(&discord, &query, &terms.scopes),
        },
        // Nobody: the cancel button.
        Some("") => request.deny(origin, "access_denied", "The person said no."),
        Some(user) => {
            let known = user.parse().ok().filter(|id| may_sign_in(&discord, *id));
            let Some(user_id) = known else {
                return picker::refusal("sim_user is no person of this simulator");
            };
            request.grant(origin, &grants, user_id, terms)
        }
    }
}

/// Whom nothing needs to be asked.
fn known_person(
    discord: &Discord,
    grants: &Mutex<Grants>,
    headers: &HeaderMap,
    terms: &Terms,
) -> Option<Snowflake> {
    let mut cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let (_, person) = cookies.find(|(name, _)| *name == COOKIE)?;
    let person = person.parse().ok()?;
    let agreed = grants.lock().has_agreed(person, &terms.scopes);
    (terms.silent && agreed && may_sign_in(discord, person)).then_some(person)
}

/// People sign in; bots and load users do not.
fn may_sign_in(discord: &Discord, user_id: Snowflake) -> bool {
    discord.with(|core| {
        let world = &core.world;
        world.users.get(user_id).is_some_and(|user| !user.bot)
            && !world
                .guilds
                .iter()
                .any(|guild| guild.load_user_id == Some(user_id))
    })
}

fn read(
    discord: &Discord,
    query: &str,
) -> Result<(AuthorizationRequest, Parameters), &'static str> {
    let mut fields = Parameters::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if fields
            .insert(name.into_owned(), value.into_owned())
            .is_some()
        {
            return Err("a parameter came twice");
        }
    }
    let client_id = discord.with(|core| core.world.application.id.to_string());
    if fields.get("client_id") != Some(&client_id) {
        return Err("client_id is not the registered application's");
    }
    let redirect_text = fields
        .get("redirect_uri")
        .cloned()
        .ok_or("redirect_uri is missing")?;
    let redirect_uri = Url::parse(&redirect_text).map_err(|_| "redirect_uri is not a URL")?;
    let of_this_machine = is_loopback(&redirect_uri);
    let takes = discord.with(|core| {
        let redirects = &mut core.world.application.redirects;
        redirects.takes(&redirect_text, of_this_machine)
    });
    if !takes {
        return Err("redirect_uri is none that is registered");
    }
    let state = fields.get("state").cloned();
    Ok((
        AuthorizationRequest {
            redirect_uri,
            redirect_text,
            state,
        },
        fields,
    ))
}

fn is_loopback(uri: &Url) -> bool {
    let local = match uri.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    local
        && matches!(uri.scheme(), "http" | "https")
        && uri.fragment().is_none()
        && uri.username().is_empty()
        && uri.password().is_none()
}

fn terms(fields: &Parameters) -> Result<Terms, (&'static str, &'static str)> {
    match fields.get("response_type").map(String::as_str) {
        Some("code") => {}
        None => return Err(("invalid_request", "response_type is missing")),
        Some(_) => return Err(("unsupported_response_type", "only code is granted here")),
    }
    let scopes: Vec<String> = fields
        .get("scope")
        .map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect())
        .unwrap_or_default();
    if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
        return Err(("invalid_scope", "a scope is missing or unknown"));
    }
    let challenge = fields.get("code_challenge").cloned();
    let method = fields.get("code_challenge_method").map(String::as_str);
    match (&challenge, method) {
        (None, None) => {}
        (Some(challenge), Some("S256")) if is_challenge(challenge) => {}
        (Some(_), Some("S256")) => {
            return Err(("invalid_request", "code_challenge is no S256 digest"));
        }
        (Some(_), _) => return Err(("invalid_request", "code_challenge_method must be S256")),
        (None, Some(_)) => return Err(("invalid_request", "code_challenge is missing")),
    }
    let silent = match fields.get("prompt").map(String::as_str) {
        None | Some("consent") => false,
        Some("none") => true,
        Some(_) => return Err(("invalid_request", "prompt is consent or none")),
    };
    Ok(Terms {
        scopes,
        challenge,
        silent,
    })
}

impl AuthorizationRequest {
    fn grant(
        self,
        issuer: &str,
        grants: &Mutex<Grants>,
        user_id: Snowflake,
        terms: Terms,
    ) -> Response {
        let consent = Consent {
            access: Access {
                user_id,
                scopes: terms.scopes,
                ends: None,
            },
            redirect_uri: self.redirect_text.clone(),
            challenge: terms.challenge,
        };
        let code = grants.lock().issue_code(consent, clock::now());
        let mut response = self.go_back(issuer, &[("code", &code)]);
        let cookie = format!("{COOKIE}={user_id}; Path=/; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = cookie.parse() {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn deny(self, issuer: &str, error: &str, description: &str) -> Response {
        self.go_back(
            issuer,
            &[("error", error), ("error_description", description)],
        )
    }

    fn go_back(mut self, issuer: &str, answer: &[(&str, &str)]) -> Response {
        {
            let mut query = self.redirect_uri.query_pairs_mut();
            query.extend_pairs(answer);
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", issuer);
        }
        let location = String::from(self.redirect_uri);
        (
            StatusCode::FOUND,
            [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ],
        )
            .into_response()
    }
}
