use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};

use super::{
    ask::Ask,
    close::{CloseCode, client_ends_session},
    fault::Order,
    frame::{self, Identify, Resume, Sent, Shard},
    protocol::{Protocol, Step},
    sessions::{Caller, Denied, Granted, Sessions},
    upgrade::Asked,
};
use crate::{clock, config::Config, world::World};

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
    assert!(matches!(protocol.read(BEAT, later), Step::Acknowledge));
    assert_eq!(protocol.deadline(), later + SILENCE);
    protocol.stop_acknowledging();
    assert!(matches!(protocol.read(BEAT, later), Step::Nothing));
}

#[test]
fn what_a_client_may_send_depends_on_its_session() {
    let now = clock::now();
    let presence = r#"{"op":3,"d":{"since":null,"activities":[],"status":"online","afk":false}}"#;
    let identify = r#"{"op":2,"d":{"token":"t","intents":1,"properties":{}}}"#;
    let mut protocol = protocol(now);
    assert!(matches!(
        protocol.read(presence, now),
        Step::Close(CloseCode::NOT_AUTHENTICATED)
    ));
    assert!(matches!(protocol.read(identify, now), Step::Identify(_)));
    protocol.session_began();
    assert!(matches!(
        protocol.read(presence, now),
        Step::Answer(Ask::Presence)
    ));
    assert!(matches!(
        protocol.read(identify, now),
        Step::Close(CloseCode::ALREADY_AUTHENTICATED)
    ));
    protocol.session_ended();
    assert!(matches!(protocol.read(identify, now), Step::Identify(_)));
}

#[test]
fn the_send_limit_counts_heartbeats_and_begins_anew_after_a_minute() {
    let now = clock::now();
    let mut protocol = protocol(now);
    for _ in 0..120 {
        assert!(matches!(protocol.read(BEAT, now), Step::Acknowledge));
    }
    assert!(matches!(
        protocol.read(BEAT, now),
        Step::Close(CloseCode::RATE_LIMITED)
    ));
    let later = now + Duration::from_mins(1);
    assert!(matches!(protocol.read(BEAT, later), Step::Acknowledge));
}

#[test]
fn secrets_are_not_in_what_is_logged() {
    let sent = frame::read(r#"{"op":2,"d":{"token":"s3cret","intents":1,"properties":{}}}"#);
    assert!(!format!("{sent:?}").contains("s3cret"));
    let sent = frame::read(r#"{"op":6,"d":{"token":"s3cret","session_id":"s3cret","seq":1}}"#);
    assert!(matches!(&sent, Ok(Sent::Resume(_))));
    assert!(!format!("{sent:?}").contains("s3cret"));
}

#[test]
fn only_1000_and_1001_of_a_client_end_its_session() {
    for (code, ends) in [
        (Some(1000), true),
        (Some(1001), true),
        (Some(4000), false),
        (None, false),
    ] {
        assert_eq!(client_ends_session(code), ends, "{code:?}");
    }
    assert!(CloseCode::asked(4000).keeps_session);
    assert!(!CloseCode::asked(4004).keeps_session);
}

#[test]
fn a_shard_hears_the_guilds_of_its_remainder() {
    let world = World::from_seed(1);
    assert!(Shard::new(Some([2, 2])).is_err());
    assert!(Shard::new(Some([0, 0])).is_err());
    for guild in world.guilds.iter() {
        let heard = (0..3)
            .filter(|id| Shard::new(Some([*id, 3])).is_ok_and(|shard| shard.hears(Some(guild.id))))
            .count();
        assert_eq!(heard, 1);
    }
}

fn caller(connection: u64) -> (Caller, mpsc::Receiver<Order>) {
    let (orders, inbox) = mpsc::channel(4);
    (
        Caller {
            connection,
            orders,
            resume_url: "ws://localhost/resume".to_owned(),
            asked: Asked::default(),
        },
        inbox,
    )
}

fn identified(sessions: &mut Sessions, world: &mut World, now: Instant) -> Granted {
    let d = json!({"token": world.application.bot_token, "intents": 129, "properties": {}});
    let identify: Identify = serde_json::from_value(d).expect("a good IDENTIFY");
    sessions
        .identify(world, &identify, caller(1).0, now)
        .expect("a session")
}

fn resume(world: &World, session_id: &str, seq: u64) -> Resume {
    let d = json!({"token": world.application.bot_token, "session_id": session_id, "seq": seq});
    serde_json::from_value(d).expect("a good RESUME")
}

#[test]
fn a_detached_session_is_kept_for_the_window_and_no_longer() {
    let (mut sessions, mut world, now) = (
        Sessions::new(&Config::default()),
        World::from_seed(1),
        clock::now(),
    );
    let granted = identified(&mut sessions, &mut world, now);
    sessions.connection_ended(&granted.session_id, 1, true, now);
    let just_before = now + Config::default().resume_window - Duration::from_millis(1);
    let asked = resume(&world, &granted.session_id, 1);
    sessions
        .resume(&world, &asked, caller(2).0, just_before)
        .expect("still there");
    sessions.connection_ended(&granted.session_id, 2, true, now);
    let at_the_end = now + Config::default().resume_window;
    let refused = sessions.resume(&world, &asked, caller(3).0, at_the_end);
    assert!(matches!(refused, Err(Denied::Invalid)));
}

#[test]
fn a_connection_that_lost_its_session_to_another_cannot_end_it() {
    let (mut sessions, mut world, now) = (
        Sessions::new(&Config::default()),
        World::from_seed(1),
        clock::now(),
    );
    let granted = identified(&mut sessions, &mut world, now);
    let asked = resume(&world, &granted.session_id, 1);
    sessions
        .resume(&world, &asked, caller(2).0, now)
        .expect("taken over");
    sessions.connection_ended(&granted.session_id, 1, false, now);
    assert!(sessions.after(&granted.session_id, 0, 10).is_ok());
}

#[test]
fn the_start_budget_is_whole_again_after_a_day() {
    let config = Config {
        session_starts: 1,
        ..Config::default()
    };
    let (mut sessions, mut world, now) =
        (Sessions::new(&config), World::from_seed(1), clock::now());
    identified(&mut sessions, &mut world, now);
    assert_eq!(sessions.start_limit(now).remaining, 0);
    let tomorrow = now + Duration::from_hours(24);
    assert_eq!(sessions.start_limit(tomorrow).remaining, 1);
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

    #[test]
    fn any_op_with_any_data_is_a_step(op in any::<i64>(), d in ".{0,40}", number in any::<f64>()) {
        for data in [json!(d), json!(number), json!([d]), json!({"token": d, "intents": number})] {
            let _read = frame::read(&json!({"op": op, "d": data}).to_string());
        }
    }

    #[test]
    fn what_comes_after_a_cursor_is_contiguous(stamps in 0_usize..60, keeps in 1_usize..40, cursor in 0_u64..70) {
        let config = Config { replay_events: keeps, ..Config::default() };
        let (mut sessions, mut world, now) =
            (Sessions::new(&config), World::from_seed(1), clock::now());
        let granted = identified(&mut sessions, &mut world, now);
        while sessions.show_next_guild(&world, &granted.session_id) {}
        let guild = world.guilds.iter().next().map(|guild| guild.id).expect("a guild");
        for turn in 0..stamps {
            let ((), events) = world.stamp(guild, &turn.to_string()).expect("a load user");
            sessions.deliver(&world, &events, now);
        }
        let last = u64::try_from(stamps).expect("few") + 4;
        match sessions.after(&granted.session_id, cursor, usize::MAX) {
            Ok(dispatches) => {
                let seqs: Vec<_> = dispatches.iter().map(|one| one.seq).collect();
                prop_assert_eq!(seqs, (cursor + 1..=last).collect::<Vec<_>>());
            }
            Err(_) => prop_assert!(last - cursor > u64::try_from(keeps).expect("few")),
        }
    }
}
