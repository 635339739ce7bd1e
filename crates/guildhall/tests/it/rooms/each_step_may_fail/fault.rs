//! What goes wrong with one request of many.

use serde_json::{Value, json};

use crate::rooms::stage::Stage;

/// A fault, and whether Discord has done what it was asked for all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Forbidden,
    NotFound,
    TooMany,
    Error,
    ErrorThoughDone,
    Silence,
    SilenceThoughDone,
    KillBefore,
    KillAfter,
}

impl Fault {
    pub(super) const ALL: [Self; 9] = [
        Self::Forbidden,
        Self::NotFound,
        Self::Error,
        Self::ErrorThoughDone,
        Self::Silence,
        Self::SilenceThoughDone,
        Self::KillBefore,
        Self::KillAfter,
        Self::TooMany,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "403",
            Self::NotFound => "404",
            Self::TooMany => "429",
            Self::Error => "500, not done",
            Self::ErrorThoughDone => "500, done",
            Self::Silence => "hang, not done",
            Self::SilenceThoughDone => "hang, done",
            Self::KillBefore => "kill -9 before",
            Self::KillAfter => "kill -9 after",
        }
    }

    /// Whether the gateway dies of it.
    pub(super) fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }

    /// Whether what a request takes away is taken away by somebody else while it is under way: that
    /// Discord does not find something is not told of what is there.
    pub(super) fn is_overtaken(self, step: &Step) -> bool {
        self == Self::NotFound && step.route.starts_with("DELETE ")
    }

    /// Lets it meet one request of a route, behind so many others.
    pub(super) async fn prepare(self, stage: &Stage, step: &Step) {
        let mut fault = match self {
            Self::NotFound if self.is_overtaken(step) => {
                json!({"kind": "latency", "latencyMs": 1_500})
            }
            Self::Forbidden => {
                json!({"kind": "status", "status": 403, "code": 50_013, "undone": true})
            }
            Self::NotFound => {
                json!({"kind": "status", "status": 404, "code": step.missing(), "undone": true})
            }
            Self::TooMany => json!({"kind": "rate_limit", "retryAfterMs": 200}),
            Self::Error => json!({"kind": "status", "status": 500, "undone": true}),
            Self::ErrorThoughDone => json!({"kind": "status", "status": 500}),
            Self::Silence | Self::KillBefore => json!({"kind": "hang", "undone": true}),
            Self::SilenceThoughDone | Self::KillAfter => json!({"kind": "hang"}),
        };
        fault["route"] = json!(step.route);
        fault["skip"] = json!(step.behind);
        stage.house.discord.fault(fault).await;
    }
}

/// One request that a saga sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) route: String,
    /// How many of this route come before it.
    pub(super) behind: u64,
}

impl Step {
    /// All of them, from how many requests came to each route before and after.
    pub(super) fn between(before: &Value, after: &Value) -> Vec<Self> {
        let routes = after["requests"].as_object().into_iter().flatten();
        let changes = routes.filter(|(route, _)| is_a_change(route));
        let counted = changes.map(|(route, count)| {
            let was = before["requests"][route].as_u64().unwrap_or(0);
            (route.clone(), count.as_u64().unwrap_or(0) - was)
        });
        counted
            .flat_map(|(route, count)| {
                (0..count).map(move |behind| Self {
                    route: route.clone(),
                    behind,
                })
            })
            .collect()
    }

    /// How many requests have come to its route.
    pub(super) fn came(&self, truth: &Value) -> u64 {
        truth["requests"][&self.route].as_u64().unwrap_or(0)
    }

    /// What Discord says is not there, in answer to such a request.
    fn missing(&self) -> u64 {
        match self.route.split_once(' ') {
            Some((_, path)) if path.contains("/roles/") => 10_011,
            Some((_, path)) if path.starts_with("/guilds/{guild_id}/members") => 10_007,
            Some((_, path)) if path.starts_with("/guilds/{guild_id}") => 10_004,
            _ => 10_003,
        }
    }
}

/// Whether a route changes something at Discord: logins do not.
fn is_a_change(route: &str) -> bool {
    let of_rooms = route.contains("/channels") || route.contains("/guilds");
    of_rooms && !route.starts_with("GET ")
}
