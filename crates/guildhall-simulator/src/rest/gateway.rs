//! The gateway's address and budget.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use serde_json::{Value, json};

use super::caller::Bot;
use crate::{clock, discord::Discord, gateway_ws};

/// `GET /gateway`, which asks for no token.
pub(super) async fn address(State(discord): State<Arc<Discord>>, request: Request) -> Json<Value> {
    Json(json!({"url": url(&discord, &request)}))
}

/// `GET /gateway/bot`
pub(super) async fn bot(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    request: Request,
) -> Json<Value> {
    let limit = discord.with(|core| core.sessions.start_limit(clock::now()));
    Json(json!({
        "url": url(&discord, &request),
        "shards": limit.shards,
        "session_start_limit": {
            "total": limit.total,
            "remaining": limit.remaining,
            "reset_after": u64::try_from(limit.reset_after.as_millis()).unwrap_or(u64::MAX),
            "max_concurrency": limit.max_concurrency,
        },
    }))
}

fn url(discord: &Discord, request: &Request) -> String {
    gateway_ws::address(discord, request, "/gateway")
}
