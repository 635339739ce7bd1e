//! `POST /api/oauth2/token` and `/revoke`

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::{
    clock,
    grants::{Grants, InvalidGrant, Tokens},
    state::{Discord, Shared},
};

/// What came in the body, by name.
type Parameters = HashMap<String, String>;

/// An error of RFC 6749 §5.2.
#[derive(Debug)]
enum TokenError {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(&'static str),
    UnsupportedGrantType,
}

impl From<InvalidGrant> for TokenError {
    fn from(InvalidGrant(reason): InvalidGrant) -> Self {
        Self::InvalidGrant(reason)
    }
}

/// Tokens for a code or a refresh token.
pub(super) async fn exchange(
    State(discord): State<Arc<Discord>>,
    State(grants): State<Shared<Grants>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match read(&discord, &headers, &body).and_then(|form| grant(&grants, &form)) {
        Ok(tokens) => granted(&tokens),
        Err(error) => error.into_response(),
    }
}

/// Ends all tokens of the user whose token this is; an unknown one is no error
/// (RFC 7009).
pub(super) async fn revoke(
    State(discord): State<Arc<Discord>>,
    State(grants): State<Shared<Grants>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = read(&discord, &headers, &body).and_then(|form| {
        form.get("token")
            .cloned()
            .ok_or(missing("token is missing"))
    });
    match token {
        Ok(token) => {
            grants.lock().revoke(&token);
            Json(json!({})).into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn grant(grants: &Mutex<Grants>, form: &Parameters) -> Result<Tokens, TokenError> {
    let field = |name: &str| form.get(name).map(String::as_str);
    match field("grant_type") {
        Some("authorization_code") => {
            let code = field("code").ok_or(missing("code is missing"))?;
            let redirect_uri = field("redirect_uri").ok_or(missing("redirect_uri is missing"))?;
            let verifier = field("code_verifier");
            let mut grants = grants.lock();
            Ok(grants.exchange(code, redirect_uri, verifier, clock::now())?)
        }
        Some("refresh_token") => {
            let refresh = field("refresh_token").ok_or(missing("refresh_token is missing"))?;
            Ok(grants.lock().renew(refresh, clock::now())?)
        }
        Some(_) => Err(TokenError::UnsupportedGrantType),
        None => Err(missing("grant_type is missing")),
    }
}

/// The form of a client that proved itself, by Basic or in the body, not both.
fn read(discord: &Discord, headers: &HeaderMap, body: &[u8]) -> Result<Parameters, TokenError> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if content_type != Some("application/x-www-form-urlencoded") {
        return Err(missing(
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let mut form = Parameters::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(missing("a parameter came twice"));
        }
    }
    let (id, secret) = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            if form.contains_key("client_secret") {
                return Err(missing("the client proved itself twice"));
            }
            let (id, secret) = value
                .to_str()
                .ok()
                .and_then(basic)
                .ok_or(TokenError::InvalidClient)?;
            if form.get("client_id").is_some_and(|other| *other != id) {
                return Err(missing("client_id is not that of the Authorization header"));
            }
            (id, secret)
        }
        None => (
            form.get("client_id").cloned().unwrap_or_default(),
            form.get("client_secret").cloned().unwrap_or_default(),
        ),
    };
    let right = discord.with(|core| {
        let application = &core.world.application;
        application
            .client_secret
            .as_bytes()
            .ct_eq(secret.as_bytes())
            & application.id.to_string().as_bytes().ct_eq(id.as_bytes())
    });
    if right.into() {
        Ok(form)
    } else {
        Err(TokenError::InvalidClient)
    }
}

/// Id and secret of a Basic header; both are form-encoded inside (RFC 6749 §2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let encoded = value
        .strip_prefix("Basic ")
        .or_else(|| value.strip_prefix("basic "))?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        url::form_urlencoded::parse(format!("x={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn granted(tokens: &Tokens) -> Response {
    let body = json!({
        "token_type": "Bearer",
        "access_token": tokens.access,
        "expires_in": tokens.lifetime.as_secs(),
        "refresh_token": tokens.refresh,
        "scope": tokens.scopes.join(" "),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn missing(reason: &'static str) -> TokenError {
    TokenError::InvalidRequest(reason)
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::InvalidRequest(reason) => (StatusCode::BAD_REQUEST, "invalid_request", reason),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "wrong client_id or client_secret",
            ),
            Self::InvalidGrant(reason) => (StatusCode::BAD_REQUEST, "invalid_grant", reason),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "authorization_code and refresh_token are granted here",
            ),
        };
        let body = Json(json!({"error": error, "error_description": description}));
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Basic realm=\"guildhall-simulator\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
