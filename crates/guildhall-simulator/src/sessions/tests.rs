use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};

use super::{
    CloseCode, ConnectionHandle, Denied, GatewayQuery, Granted, Identify, Order, Payload, Resume,
    Sessions, client_ends_session, read_payload, session::Shard,
};
use crate::{clock, config::Config, world::World};

#[test]
fn secrets_are_not_in_what_is_logged() {
    let sent = read_payload(r#"{"op":2,"d":{"token":"s3cret","intents":1,"properties":{}}}"#);
    assert!(!format!("{sent:?}").contains("s3cret"));
    let sent = read_payload(r#"{"op":6,"d":{"token":"s3cret","session_id":"s3cret","seq":1}}"#);
    assert!(matches!(&sent, Ok(Payload::Resume(_))));
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
            .filter(|id| {
                Shard::new(Some([*id, 3])).is_ok_and(|shard| shard.receives(Some(guild.id)))
            })
            .count();
        assert_eq!(heard, 1);
    }
}

fn connection(number: u64) -> (ConnectionHandle, mpsc::Receiver<Order>) {
    let (orders, inbox) = mpsc::channel(4);
    (
        ConnectionHandle {
            number,
            orders,
            resume_url: "ws://localhost/resume".to_owned(),
            query: GatewayQuery::default(),
        },
        inbox,
    )
}

fn identified(sessions: &mut Sessions, world: &mut World, now: Instant) -> Granted {
    let d = json!({"token": world.application.bot_token, "intents": 129, "properties": {}});
    let identify: Identify = serde_json::from_value(d).expect("a good IDENTIFY");
    sessions
        .identify(world, &identify, connection(1).0, now)
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
        .resume(&world, &asked, connection(2).0, just_before)
        .expect("still there");
    sessions.connection_ended(&granted.session_id, 2, true, now);
    let at_the_end = now + Config::default().resume_window;
    let refused = sessions.resume(&world, &asked, connection(3).0, at_the_end);
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
        .resume(&world, &asked, connection(2).0, now)
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
    fn any_op_with_any_data_is_a_step(op in any::<i64>(), d in ".{0,40}", number in any::<f64>()) {
        for data in [json!(d), json!(number), json!([d]), json!({"token": d, "intents": number})] {
            let _read = read_payload(&json!({"op": op, "d": data}).to_string());
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
