use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::protocol::{Output, Protocol};
use crate::{
    clock,
    config::Config,
    sessions::{CloseCode, SessionRequest},
};

/// Until a silent connection is given up.
const SILENCE: Duration = Duration::from_mins(1);
const BEAT: &str = r#"{"op":1,"d":null}"#;

fn protocol(now: Instant) -> Protocol {
    let config = Config {
        heartbeat_interval: SILENCE / 2,
        heartbeat_grace: SILENCE / 2,
        ..Config::default()
    };
    Protocol::new(&config, now)
}

#[test]
fn a_heartbeat_is_acknowledged_and_moves_the_end() {
    let now = clock::now();
    let mut protocol = protocol(now);
    assert_eq!(protocol.deadline(), now + SILENCE);
    let later = now + Duration::from_secs(10);
    assert!(matches!(protocol.read(BEAT, later), Output::Acknowledge));
    assert_eq!(protocol.deadline(), later + SILENCE);
    protocol.stop_acknowledging();
    assert!(matches!(protocol.read(BEAT, later), Output::Nothing));
}

#[test]
fn what_a_client_may_send_depends_on_its_session() {
    let now = clock::now();
    let presence = r#"{"op":3,"d":{"since":null,"activities":[],"status":"online","afk":false}}"#;
    let identify = r#"{"op":2,"d":{"token":"t","intents":1,"properties":{}}}"#;
    let mut protocol = protocol(now);
    assert!(matches!(
        protocol.read(presence, now),
        Output::Close(CloseCode::NOT_AUTHENTICATED)
    ));
    assert!(matches!(protocol.read(identify, now), Output::Identify(_)));
    protocol.session_began();
    assert!(matches!(
        protocol.read(presence, now),
        Output::Answer(SessionRequest::UpdatePresence(_))
    ));
    assert!(matches!(
        protocol.read(identify, now),
        Output::Close(CloseCode::ALREADY_AUTHENTICATED)
    ));
    protocol.session_ended();
    assert!(matches!(protocol.read(identify, now), Output::Identify(_)));
}

#[test]
fn the_send_limit_counts_heartbeats_and_begins_anew_after_a_minute() {
    let now = clock::now();
    let mut protocol = protocol(now);
    for _ in 0..120 {
        assert!(matches!(protocol.read(BEAT, now), Output::Acknowledge));
    }
    assert!(matches!(
        protocol.read(BEAT, now),
        Output::Close(CloseCode::RATE_LIMITED)
    ));
    let later = now + Duration::from_mins(1);
    assert!(matches!(protocol.read(BEAT, later), Output::Acknowledge));
}

proptest! {
    #[test]
    fn any_text_is_a_step_and_never_a_panic(texts in prop::collection::vec(".{0,80}", 0..8)) {
        let now = clock::now();
        let mut protocol = protocol(now);
        for text in texts {
            let _step = protocol.read(&text, now);
        }
    }
}
