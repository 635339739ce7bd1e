//! The gateway's address and budget.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};

use super::caller::Bot;
use crate::{
    clock,
    state::{Addresses, Discord},
};

/// Path of the gateway.
const PATH: &str = "/gateway";

/// `GET /gateway`, which asks for no token.
pub(super) async fn address(
    State(addresses): State<Arc<Addresses>>,
    headers: HeaderMap,
) -> Json<Value> {
    Json(json!({"url": addresses.gateway_url(&headers, PATH)}))
}

/// `GET /gateway/bot`
pub(super) async fn bot(
    State(addresses): State<Arc<Addresses>>,
    State(discord): State<Arc<Discord>>,
    _: Bot,
    headers: HeaderMap,
) -> Json<Value> {
    let limit = discord.with(|core| core.sessions.start_limit(clock::now()));
    Json(json!({
        "url": addresses.gateway_url(&headers, PATH),
        "shards": limit.shards,
        "session_start_limit": {
            "total": limit.total,
            "remaining": limit.remaining,
            "reset_after": u64::try_from(limit.reset_after.as_millis()).unwrap_or(u64::MAX),
            "max_concurrency": limit.max_concurrency,
        },
    }))
}
