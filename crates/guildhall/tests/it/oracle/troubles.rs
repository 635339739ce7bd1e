//! Trouble on the road to Discord: the connection tears, the session is resumed, or it is lost and
//! another one begins. Never the recorder's.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::{
    house::{retry, until},
    oracle::{rig::Rig, rng::Rng},
};

/// What was wrong, from when to when.
pub(crate) struct Trouble {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) fault: Value,
}

/// What was to be disturbed is disturbed within this, or never.
const MET: Duration = Duration::from_secs(2);

/// The sessions of the house, and whether they have a connection.
async fn sessions(rig: &Rig, recorder: &str) -> Vec<(String, bool)> {
    let state = rig.discord().state().await;
    let all = state["sessions"].as_array().cloned().unwrap_or_default();
    let own = all.iter().filter(|session| session["id"] != recorder);
    let id = |session: &Value| session["id"].as_str().expect("an id").to_owned();
    own.map(|session| (id(session), session["attached"] == true))
        .collect()
}

/// Makes trouble for one session of the house, and waits until it is over.
pub(crate) async fn trouble(rig: &Rig, recorder: &str, logs: usize, rng: &mut Rng) -> Trouble {
    let began = Instant::now();
    let before = sessions(rig, recorder).await;
    let (id, _) = rng.pick(before).expect("the house has sessions");
    let fault = match rng.between(0, 5) {
        0 | 1 => json!({"kind": "invalid_session", "resumable": false, "sessionId": id}),
        2 => json!({"kind": "invalid_session", "resumable": true, "sessionId": id}),
        3 => json!({"kind": "drop", "sessionId": id}),
        4 => json!({"kind": "reconnect", "sessionId": id}),
        _ => json!({"kind": "close", "code": 4000, "sessionId": id}),
    };
    rig.discord().fault(fault.clone()).await;
    // It may be over before anybody looks.
    while began.elapsed() < MET
        && sessions(rig, recorder)
            .await
            .iter()
            .any(|(one, attached)| *one == id && *attached)
    {
        retry().await;
    }
    until("the sessions are there again", async || {
        let attached = sessions(rig, recorder).await;
        attached.iter().filter(|(_, attached)| *attached).count() >= logs
    })
    .await;
    rig.until_live().await;
    // What the session begins with is on its way.
    sleep_until(Instant::now() + Duration::from_millis(300)).await;
    Trouble {
        began,
        ended: Instant::now(),
        fault,
    }
}
