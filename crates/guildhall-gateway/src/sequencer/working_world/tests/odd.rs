//! What could not be read, and what is said before its time.

use super::*;

#[test]
fn an_odd_field_of_an_entry_makes_the_guild_stale_as_in_an_update() {
    for odd in [Value::Null, json!(1024.0), json!("-1"), json!(-1)] {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        let mut damaged = guild("1");
        damaged["roles"][0]["permissions"] = odd.clone();
        harness.dispatch("GUILD_CREATE", &damaged);
        let outcome = harness.working.take();
        assert_eq!(outcome.effects, [Effect::Renew], "{odd}");
        let report = outcome.report.expect("it changed");
        assert_eq!(report.stale, [GUILD].into(), "{odd}");
        assert!(report.missing.is_empty());
        assert_eq!(outcome.status.expect("it changed").guild_ids, [GUILD]);
    }
}

#[test]
fn a_dispatch_that_never_came_asks_for_a_fresh_session_and_no_number_hides_the_next() {
    let joined = |user: &str| voice(user, "9");
    for far in [4, 1 << 40, u64::MAX - 100] {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        harness.dispatch("GUILD_CREATE", &guild("1"));
        harness.dispatch("VOICE_STATE_UPDATE", &joined("4"));
        let last = harness.sequence;
        harness.working.take();
        harness.sequence = last + far;
        harness.dispatch("VOICE_STATE_UPDATE", &joined("5"));
        let outcome = harness.working.take();
        assert_eq!(outcome.effects, [Effect::Renew], "{far}");
        assert_eq!(names(&outcome), ["voice.joined"], "{far}");
        harness.sequence = last;
        harness.dispatch("VOICE_STATE_UPDATE", &joined("6"));
        let outcome = harness.working.take();
        assert_eq!(names(&outcome), ["voice.joined"], "{far}");
        assert_eq!(outcome.effects, [], "once");
    }
}

#[test]
fn what_a_resume_replays_may_leave_numbers_out() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.working.lost(cut(), harness.now, 60);
    harness.sequence += 2;
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.sequence += 3;
    harness.dispatch("RESUMED", &Value::Null);
    harness.sequence += 1;
    harness.dispatch("VOICE_STATE_UPDATE", &voice("6", "9"));
    assert_eq!(harness.working.take().effects, []);
}

#[test]
fn a_guild_without_its_role_of_everybody_or_the_rights_of_a_room_is_stale() {
    let everyone = json!({"guild_id": "1", "role_id": "1"});
    let room = json!({"guild_id": "1", "id": "10", "type": 2, "name": "new"});
    let mut roleless = guild("1");
    roleless["roles"] = json!([]);
    let mut silent = guild("1");
    silent["channels"] = json!([{"id": "9", "type": 2, "name": "a room"}]);
    for dispatches in [
        vec![("GUILD_CREATE", roleless)],
        vec![("GUILD_CREATE", silent)],
        vec![
            ("GUILD_CREATE", guild("1")),
            ("GUILD_ROLE_DELETE", everyone),
        ],
        vec![("GUILD_CREATE", guild("1")), ("CHANNEL_CREATE", room)],
    ] {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        for (kind, data) in &dispatches {
            harness.dispatch(kind, data);
        }
        let outcome = harness.working.take();
        assert_eq!(outcome.effects, [Effect::Renew], "{dispatches:?}");
        assert_eq!(outcome.report.expect("it changed").stale, [GUILD].into());
        assert_eq!(outcome.status.expect("it changed").guild_ids, [GUILD]);
    }
}

#[test]
fn an_odd_member_of_an_answer_or_an_update_makes_the_guild_stale() {
    let chunk = json!({
        "guild_id": "1", "nonce": "7", "chunk_index": 0, "chunk_count": 1,
        "members": [{"user": {"id": "7"}, "roles": null}],
    });
    let update = json!({"guild_id": "1", "user": {"id": "7"}, "roles": [1.5]});
    for (kind, data) in [
        ("GUILD_MEMBERS_CHUNK", chunk),
        ("GUILD_MEMBER_UPDATE", update),
        ("GUILD_BAN_ADD", json!({"guild_id": "1", "user": 7})),
        ("GUILD_MEMBERS_CHUNK", json!({"guild_id": {}})),
    ] {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        harness.dispatch("GUILD_CREATE", &guild("1"));
        harness.working.take();
        harness.dispatch(kind, &data);
        assert_eq!(
            harness.working.take().effects,
            [Effect::Renew],
            "{kind} {data}"
        );
    }
}

#[test]
fn what_comes_without_a_number_counts_and_what_comes_without_a_name_makes_its_guild_stale() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.working.take();
    harness.numbered(0, "VOICE_STATE_UPDATE", &voice("7", "9"));
    assert_eq!(names(&harness.working.take()), ["voice.joined"]);
    harness.numbered(0, "", &json!({"guild_id": "1"}));
    let outcome = harness.working.take();
    assert_eq!(outcome.effects, [Effect::Renew]);
    assert_eq!(outcome.report.expect("it changed").stale, [GUILD].into());
}

#[test]
fn a_ready_without_a_name_for_its_session_begins_one_that_is_not_resumed() {
    for odd in [Value::Null, json!(12345), json!([])] {
        let mut harness = Harness::new(None);
        let mut payload = ready(&["1"]);
        payload["session_id"] = odd.clone();
        payload["resume_gateway_url"] = odd;
        harness.dispatch("READY", &payload);
        harness.dispatch("GUILD_CREATE", &guild("1"));
        let outcome = harness.working.take();
        assert_eq!(names(&outcome), ["guild.available"]);
        assert_eq!(harness.working.resume(), None, "{payload}");
    }
}

#[test]
fn an_unreadable_ready_asks_for_a_fresh_session_at_once_and_then_with_patience() {
    let mut harness = Harness::new(None);
    let mut waits = Vec::new();
    for _ in 0..9 {
        harness.dispatch("READY", &json!({"user": {"id": "100"}, "guilds": "none"}));
        let asked = harness.now;
        while harness.working.take().effects != [Effect::Renew] {
            harness.now = harness.working.deadline().expect("it is asked for later");
            harness.working.time_passed(harness.now, harness.wall);
        }
        waits.push((harness.now - asked).as_secs());
        harness.working.lost(
            Lost {
                resumable: false,
                ..cut()
            },
            harness.now,
            harness.wall,
        );
        assert_eq!(
            harness.working.deadline(),
            None,
            "nothing is asked of no session"
        );
    }
    assert_eq!(waits, [0, 30, 60, 120, 240, 480, 900, 900, 900]);
    assert_eq!(harness.working.resume(), None);
    harness.dispatch("READY", &ready(&["1"]));
    assert_eq!(harness.working.take().effects, []);
    assert_eq!(harness.working.deadline(), None);
}

#[test]
fn a_ready_of_more_guilds_than_a_shard_has_is_none() {
    let mut harness = Harness::new(None);
    let ids: Vec<String> = (1..=10_001).map(|id: u64| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    harness.dispatch("READY", &ready(&ids));
    assert_eq!(harness.working.take().effects, [Effect::Renew]);
}

#[test]
fn a_refusal_that_names_any_wait_is_survived() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    for wait in [
        json!(1e300),
        json!(-1e300),
        json!("inf"),
        json!(u64::MAX),
        Value::Null,
    ] {
        let refused = json!({"opcode": 8, "retry_after": wait, "meta": {"nonce": "11"}});
        harness.dispatch("RATE_LIMITED", &refused);
    }
    let soon = harness.now + Duration::from_hours(2);
    assert!(harness.working.deadline().is_none_or(|at| at < soon));
}

#[test]
fn who_comes_before_the_room_is_in_it_after_a_restart_and_a_resume_too() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "10"));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("6", "10"));
    let outcome = harness.working.take();
    let kept = World::default().apply_all(&outcome.events);
    let json = serde_json::to_string(&kept).expect("worlds serialise");
    let restored = Restored {
        world: serde_json::from_str(&json).expect("and are read back"),
        state: outcome.state.expect("it changed"),
        ..restored(None)
    };
    let mut again = Harness::new(None);
    let cdn = Cdn::new(&"https://cdn.example".parse().expect("a URL"));
    again.working = WorkingWorld::new(restored, cdn, Limits::default(), "THE_GUILDS", 10);
    again.sequence = 4;
    again.dispatch("VOICE_STATE_UPDATE", &voice("6", "10"));
    let room = json!({
        "id": "10", "guild_id": "1", "type": 2, "name": "late", "permission_overwrites": [],
    });
    again.dispatch("CHANNEL_CREATE", &room);
    let outcome = again.working.take();
    assert_eq!(
        names(&outcome),
        ["room.created", "voice.joined", "voice.joined"]
    );
}
