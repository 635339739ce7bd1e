//! Requests are counted, and meet the faults that wait for their route.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{select, time::sleep};

use super::{
    ApiError,
    too_many::{edge, refuse},
};
use crate::{
    clock,
    faults::{Loss, RestFault, RestFaults},
    state::{RequestCounts, Shared, Tasks},
    wire::Wire,
};

/// Middleware of every REST and token route.
pub(crate) async fn inject_faults(
    State(faults): State<Shared<RestFaults>>,
    State(counts): State<Shared<RequestCounts>>,
    State(tasks): State<Arc<Tasks>>,
    request: Request,
    next: Next,
) -> Response {
    let template = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    // A route is the same with and without its version.
    let template = ["/api/v10", "/api"]
        .into_iter()
        .find_map(|prefix| template.strip_prefix(prefix))
        .unwrap_or(template);
    let method = request.method().as_str();
    counts.lock().add(method, template);
    let named = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("DiscordBot ("));
    let (met, blocked) = {
        let mut faults = faults.lock();
        let met = faults.meet(method, template, clock::now());
        (met, faults.user_agent_required && !named)
    };
    if blocked {
        return ApiError::BLOCKED.into_response();
    }
    for what in &met {
        if let RestFault::Latency(wait) = what {
            select! {
                () = sleep(*wait) => {}
                () = tasks.stop.cancelled() => {}
            }
        }
    }
    for what in met {
        match what {
            RestFault::Latency(_) => {}
            RestFault::Lost { loss, undone } => {
                let wire = request.extensions().get::<Arc<Wire>>().cloned();
                if !undone {
                    next.run(request).await;
                }
                return lose(loss, wire, &tasks).await;
            }
            RestFault::Limited(scope, wait) => return refuse(scope, wait),
            RestFault::Edge(wait) => return edge(wait),
        }
    }
    next.run(request).await
}

/// What comes in place of an answer.
async fn lose(loss: Loss, wire: Option<Arc<Wire>>, tasks: &Tasks) -> Response {
    match loss {
        Loss::Status(status, None) => status.into_response(),
        Loss::Status(status, Some(code)) => {
            let message = status.canonical_reason().unwrap_or_default();
            ApiError::Coded(status, code, message).into_response()
        }
        // The client gives up first, and this with it.
        Loss::Silence => {
            tasks.stop.cancelled().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Loss::Torn => {
            wire.inspect(|wire| wire.tear());
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
