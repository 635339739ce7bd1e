//! What goes wrong in a run: faults of the simulator's, drawn at random.

use serde_json::{Value, json};

use crate::rng::Rng;

/// What may go wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Discord may end the session, so that events are lost.
    pub(crate) loss: bool,
    /// Independent events may come in another order.
    pub(crate) reorder: bool,
}

/// The next fault, as `POST /sim/faults` takes it.
pub(crate) fn draw(rng: &mut Rng, allowed: Allowed) -> Value {
    loop {
        if let Some(fault) = try_one(rng, allowed) {
            return fault;
        }
    }
}

fn try_one(rng: &mut Rng, allowed: Allowed) -> Option<Value> {
    let times = rng.between(1, 3);
    Some(match rng.between(0, 28) {
        0..=3 => json!({"kind": "drop"}),
        4..=6 => {
            let code = rng.choose(&[4000, 4001, 4002, 4008, 1000, 1001, 1012]);
            json!({"kind": "close", "code": code})
        }
        7 if allowed.loss => {
            let code = rng.choose(&[4003, 4005, 4007, 4009]);
            json!({"kind": "close", "code": code})
        }
        8 | 9 => json!({"kind": "reconnect"}),
        10 | 11 if allowed.loss => json!({"kind": "invalid_session", "resumable": false}),
        12 => json!({"kind": "invalid_session", "resumable": true}),
        13 => json!({"kind": "ask_heartbeat"}),
        14 => json!({"kind": rng.choose(&["stop_acking", "silence", "half_frame"])}),
        15 => {
            let (bytes, pause) = (rng.between(300, 3_000), rng.between(1, 4));
            json!({"kind": "slow", "bytes": bytes, "pauseMs": pause})
        }
        16 => json!({"kind": "resume_503", "times": rng.between(1, 4)}),
        17 => json!({"kind": "resume_refused", "times": rng.between(1, 4)}),
        18 => json!({"kind": "resume_hang", "times": 1}),
        19 => json!({"kind": "reconnect_hello", "times": times}),
        20 | 21 => json!({"kind": "duplicate", "times": times}),
        22 if allowed.reorder => {
            json!({"kind": "reorder", "times": times, "withinMs": rng.between(5, 200)})
        }
        23 => {
            let scope = rng.choose(&["user", "global", "shared", "edge"]);
            let wait = rng.between(10, 200);
            json!({"kind": "rate_limit", "times": times, "scope": scope, "retryAfterMs": wait})
        }
        24 => {
            let status = rng.choose(&[500, 502, 503, 504]);
            json!({"kind": "status", "times": times, "status": status})
        }
        25 => json!({"kind": "latency", "times": times, "latencyMs": rng.between(5, 250)}),
        26..=28 => json!({"kind": "rewind", "times": times, "dispatches": rng.between(2, 40)}),
        _ => return None,
    })
}
