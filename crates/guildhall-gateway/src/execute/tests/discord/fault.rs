//! What goes wrong with a request, for random histories.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use serde_json::{Value, json};

use super::Reaction;

/// How a request is met that does not go well.
#[derive(Clone, Copy, Debug)]
pub(in crate::execute::tests) enum Fault {
    Refused,
    Gone,
    Throttled,
    /// Done or not, answered with 502.
    Broken(bool),
    /// Done or not, never answered.
    Hang(bool),
}

pub(in crate::execute::tests) fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Refused),
        Just(Fault::Gone),
        Just(Fault::Throttled),
        any::<bool>().prop_map(Fault::Broken),
        any::<bool>().prop_map(Fault::Hang),
    ]
}

impl Fault {
    pub(in crate::execute::tests) fn reaction(self) -> Reaction {
        match self {
            Self::Refused => Reaction::answer(403, json!({"code": 50_013})),
            Self::Gone => Reaction::answer(404, json!({"code": 0})),
            Self::Throttled => Reaction::throttle(0.05),
            Self::Broken(done) => Reaction::broken(done),
            Self::Hang(done) => Reaction::Hang { done },
        }
    }
}

impl Reaction {
    /// It is not done.
    pub(in crate::execute::tests) fn answer(status: u16, body: Value) -> Self {
        Self::Answer {
            done: false,
            status,
            body,
            retry_after: None,
        }
    }

    /// It has to wait so long.
    pub(in crate::execute::tests) fn throttle(seconds: f64) -> Self {
        Self::Answer {
            done: false,
            status: 429,
            body: json!({"message": "slow down", "retry_after": seconds, "global": false}),
            retry_after: Some(seconds),
        }
    }

    /// Whatever was in front of Discord broke.
    pub(in crate::execute::tests) fn broken(done: bool) -> Self {
        Self::Answer {
            done,
            status: 502,
            body: Value::Null,
            retry_after: None,
        }
    }
}
