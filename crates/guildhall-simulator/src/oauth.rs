//! OAuth2 code grant with PKCE, and the page that asks who signs in.
//!
//! One client is registered, with every loopback redirect URI. Errors take the
//! shape of RFC 6749; a challenge (RFC 7636, S256 only) that came with the
//! authorization must be answered at the token endpoint; the callback carries
//! `iss` (RFC 9207).

/// `GET /oauth2/authorize`
mod authorize;
/// The page on which a person is picked.
mod picker;
/// `POST /api/oauth2/token` and `/revoke`
mod token;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    middleware,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    grants::SCOPES,
    rest,
    state::{Addresses, AppState},
};

/// The routes, from the root.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    let of_programs = Router::new()
        .route("/api/oauth2/token", post(token::exchange))
        .route("/api/oauth2/token/revoke", post(token::revoke))
        .route("/api/v10/oauth2/token", post(token::exchange))
        .route("/api/v10/oauth2/token/revoke", post(token::revoke));
    let of_people = Router::new()
        .route("/oauth2/authorize", get(authorize::authorize))
        .route("/api/oauth2/authorize", get(authorize::authorize))
        .route("/.well-known/oauth-authorization-server", get(metadata));
    let inject_faults = || middleware::from_fn_with_state(state.clone(), rest::inject_faults);
    let enforce = middleware::from_fn_with_state(state.clone(), rest::enforce_global);
    of_programs
        .layer(inject_faults())
        .layer(enforce)
        .merge(of_people.layer(inject_faults()))
}

/// RFC 8414 metadata, with what Discord lists there.
async fn metadata(State(addresses): State<Arc<Addresses>>) -> Json<Value> {
    let origin = &addresses.origin;
    Json(json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth2/authorize"),
        "token_endpoint": format!("{origin}/api/oauth2/token"),
        "revocation_endpoint": format!("{origin}/api/oauth2/token/revoke"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}
