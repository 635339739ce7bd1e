//! Requests meet the faults that wait for their route.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{select, time::sleep};

use super::{
    ApiError,
    limit::{edge, refuse},
};
use crate::{
    faults::{RestFault, RestFaults},
    state::{Shared, Tasks},
};

/// Middleware of every REST and token route.
pub(crate) async fn inject_faults(
    State(faults): State<Shared<RestFaults>>,
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
    let named = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("DiscordBot ("));
    let (met, blocked) = {
        let mut faults = faults.lock();
        let met = faults.meet(method, template);
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
            RestFault::Status(status) => {
                next.run(request).await;
                return status.into_response();
            }
            RestFault::Limited(scope, wait) => return refuse(scope, wait),
            RestFault::Edge(wait) => return edge(wait),
        }
    }
    next.run(request).await
}
