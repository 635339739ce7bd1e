//! Faults of REST that wait for their requests, route by route.

use std::{collections::VecDeque, time::Duration};

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::limits::RateLimitScope;

/// Faults that wait at once; one more and the oldest is forgotten.
const MOST: usize = 256;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestFault {
    /// It waits before it is looked at.
    Latency(Duration),
    /// Something else comes in place of its answer, whether it was done or not.
    Lost { loss: Loss, undone: bool },
    /// 429 with all headers and body, for so long from the first that meets it.
    Limited(RateLimitScope, Duration),
    /// The same of whoever stands before Discord: `Retry-After` and no JSON.
    Edge(Duration),
}

impl RestFault {
    /// How long a limit lasts, from the first request that meets it.
    fn lasts(self) -> Option<Duration> {
        match self {
            Self::Limited(_, lasts) | Self::Edge(lasts) => Some(lasts),
            Self::Latency(_) | Self::Lost { .. } => None,
        }
    }

    /// The same limit, when only so much of it is left.
    fn left(self, left: Duration) -> Self {
        match self {
            Self::Limited(scope, _) => Self::Limited(scope, left),
            Self::Edge(_) => Self::Edge(left),
            Self::Latency(_) | Self::Lost { .. } => self,
        }
    }

    /// Whether it shuts every route, once one request has met it.
    fn shuts_all(self) -> bool {
        matches!(
            self,
            Self::Limited(RateLimitScope::Global, _) | Self::Edge(_)
        )
    }
}

/// What comes in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// This status, with one of Discord's codes in the body or with no body at all.
    Status(StatusCode, Option<u32>),
    /// Nothing, until the client gives up.
    Silence,
    /// The connection tears.
    Torn,
}

/// Faults of REST that wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct RestFaults {
    waiting: VecDeque<Waiting>,
    /// Whether a missing or nameless User-Agent is blocked.
    pub(crate) user_agent_required: bool,
}

/// Which requests of a route meet a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// So many pass before that.
    pub(crate) skip: u32,
    pub(crate) times: u32,
}

#[derive(Debug)]
struct Waiting {
    /// Method and path, every `{name}` written `{}`; `None` meets any route.
    route: Option<String>,
    due: Due,
    what: RestFault,
    /// When a limit that has been met is over.
    ends: Option<Instant>,
}

impl RestFaults {
    /// The next requests of a route such as `POST /guilds/{guild_id}/roles` (or of its
    /// path with any method, or of any route) meet this once they are due.
    pub(crate) fn add(&mut self, route: Option<&str>, due: Due, what: RestFault) {
        if due.times == 0 {
            return;
        }
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting {
            route: route.map(without_names),
            due,
            what,
            ends: None,
        });
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    /// What meets a request: at most one latency and one of the others. A limit is met
    /// until its time is over.
    pub(crate) fn meet(&mut self, method: &str, template: &str, now: Instant) -> Vec<RestFault> {
        let (path, mut met) = (without_names(template), Vec::<RestFault>::new());
        let whole = format!("{method} {path}");
        for fault in &mut self.waiting {
            fault.ends = fault.ends.filter(|ends| now < *ends);
        }
        self.waiting.retain(Waiting::is_there);
        for fault in &mut self.waiting {
            let here = fault
                .route
                .as_ref()
                .is_none_or(|route| *route == whole || *route == path);
            let slow = |what: &RestFault| matches!(what, RestFault::Latency(_));
            let is_first = !met.iter().any(|one| slow(one) == slow(&fault.what));
            if let Some(ends) = fault.ends {
                if is_first && (here || fault.what.shuts_all()) {
                    met.push(fault.what.left(ends - now));
                }
            } else if here && fault.due.skip > 0 {
                fault.due.skip -= 1;
            } else if here && is_first {
                fault.due.times -= 1;
                fault.ends = fault.what.lasts().map(|lasts| now + lasts);
                met.push(fault.what);
            }
        }
        self.waiting.retain(Waiting::is_there);
        met
    }
}

impl Waiting {
    /// Whether it meets anybody any more.
    fn is_there(&self) -> bool {
        self.due.times > 0 || self.ends.is_some()
    }
}

/// A route with every `{name}` as `{}`: what a parameter is called means nothing.
pub(crate) fn without_names(route: &str) -> String {
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
