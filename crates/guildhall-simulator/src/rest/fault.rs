//! What goes wrong on purpose, route by route.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{select, time::sleep};

use super::{
    ApiError,
    limit::{Scope, edge, refuse},
};
use crate::discord::Discord;

/// Faults that wait at once; one more and the oldest is forgotten.
const MOST: usize = 256;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interference {
    /// It waits before it is looked at.
    Latency(Duration),
    /// It is done, and the answer is lost: this status comes without a body that
    /// means anything.
    Status(StatusCode),
    /// 429 with all headers and body.
    Limited(Scope, Duration),
    /// 429 of whoever stands before Discord: `Retry-After` and no JSON.
    Edge(Duration),
}

/// Faults of REST that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct RestFaults {
    waiting: VecDeque<Waiting>,
    /// Whether a missing or nameless User-Agent is blocked.
    pub(crate) user_agent_required: bool,
}

#[derive(Debug)]
struct Waiting {
    /// Method and path, every `{name}` written `{}`; `None` meets any route.
    route: Option<String>,
    times: u32,
    what: Interference,
}

impl RestFaults {
    /// The next `times` requests of a route such as `POST /guilds/{guild_id}/roles`
    /// (or of its path with any method, or of any route) meet this.
    pub(crate) fn add(&mut self, route: Option<&str>, times: u32, what: Interference) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting {
            route: route.map(nameless),
            times,
            what,
        });
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    /// What meets a request: at most one latency and one of the others.
    pub(super) fn meet(&mut self, method: &str, template: &str) -> Vec<Interference> {
        let (path, mut met) = (nameless(template), Vec::<Interference>::new());
        let whole = format!("{method} {path}");
        for fault in &mut self.waiting {
            let here = fault
                .route
                .as_ref()
                .is_none_or(|route| *route == whole || *route == path);
            let slow = |what: &Interference| matches!(what, Interference::Latency(_));
            if fault.times > 0 && here && !met.iter().any(|one| slow(one) == slow(&fault.what)) {
                fault.times -= 1;
                met.push(fault.what);
            }
        }
        self.waiting.retain(|fault| fault.times > 0);
        met
    }
}

/// A route with every `{name}` as `{}`: what a parameter is called means nothing.
pub(super) fn nameless(route: &str) -> String {
    let mut plain = String::with_capacity(route.len());
    let mut inside = false;
    for character in route.chars() {
        match character {
            '{' => {
                inside = true;
                plain.push('{');
            }
            '}' => {
                inside = false;
                plain.push('}');
            }
            _ if inside => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Middleware of every REST and token route.
pub(crate) async fn interfere(
    State(discord): State<Arc<Discord>>,
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
    let (met, blocked) = discord.with_rest_faults(|faults| {
        let named = request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("DiscordBot ("));
        (
            faults.meet(method, template),
            faults.user_agent_required && !named,
        )
    });
    if blocked {
        return ApiError::BLOCKED.into_response();
    }
    for what in &met {
        if let Interference::Latency(wait) = what {
            select! {
                () = sleep(*wait) => {}
                () = discord.stop.cancelled() => {}
            }
        }
    }
    for what in met {
        match what {
            Interference::Latency(_) => {}
            Interference::Status(status) => {
                next.run(request).await;
                return status.into_response();
            }
            Interference::Limited(scope, wait) => return refuse(scope, wait),
            Interference::Edge(wait) => return edge(wait),
        }
    }
    next.run(request).await
}
