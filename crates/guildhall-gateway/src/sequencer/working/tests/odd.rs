//! What could not be read, and what is said before its time.

use super::*;

#[test]
fn an_odd_field_of_an_entry_makes_the_guild_stale_as_in_an_update() {
    for odd in [Value::Null, json!(1024.0), json!("-1"), json!(-1)] {
        let mut house = House::new(None);
        house.dispatch("READY", &ready(&["1"]));
        let mut damaged = guild("1");
        damaged["roles"][0]["permissions"] = odd.clone();
        house.dispatch("GUILD_CREATE", &damaged);
        let outcome = house.working.take();
        assert_eq!(outcome.effects, [Effect::Renew], "{odd}");
        let report = outcome.report.expect("it changed");
        assert_eq!(report.stale, [GUILD].into(), "{odd}");
        assert!(report.missing.is_empty());
        assert_eq!(outcome.status.expect("it changed").guild_ids, [GUILD]);
    }
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
        let mut house = House::new(None);
        house.dispatch("READY", &ready(&["1"]));
        for (kind, data) in &dispatches {
            house.dispatch(kind, data);
        }
        let outcome = house.working.take();
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
        let mut house = House::new(None);
        house.dispatch("READY", &ready(&["1"]));
        house.dispatch("GUILD_CREATE", &guild("1"));
        house.working.take();
        house.dispatch(kind, &data);
        assert_eq!(
            house.working.take().effects,
            [Effect::Renew],
            "{kind} {data}"
        );
    }
}

#[test]
fn what_comes_without_a_number_counts_and_what_comes_without_a_name_makes_its_guild_stale() {
    let mut house = House::new(None);
    house.dispatch("READY", &ready(&["1"]));
    house.dispatch("GUILD_CREATE", &guild("1"));
    house.working.take();
    house.numbered(0, "VOICE_STATE_UPDATE", &voice("7", "9"));
    assert_eq!(names(&house.working.take()), ["voice.joined"]);
    house.numbered(0, "", &json!({"guild_id": "1"}));
    let outcome = house.working.take();
    assert_eq!(outcome.effects, [Effect::Renew]);
    assert_eq!(outcome.report.expect("it changed").stale, [GUILD].into());
}

#[test]
fn a_ready_without_a_name_for_its_session_begins_one_that_is_not_resumed() {
    for odd in [Value::Null, json!(12345), json!([])] {
        let mut house = House::new(None);
        let mut payload = ready(&["1"]);
        payload["session_id"] = odd.clone();
        payload["resume_gateway_url"] = odd;
        house.dispatch("READY", &payload);
        house.dispatch("GUILD_CREATE", &guild("1"));
        let outcome = house.working.take();
        assert_eq!(names(&outcome), ["guild.available"]);
        assert_eq!(house.working.resume(), None, "{payload}");
    }
}

#[test]
fn an_unreadable_ready_asks_for_a_fresh_session_at_once_and_then_with_patience() {
    let mut house = House::new(None);
    let mut waits = Vec::new();
    for _ in 0..9 {
        house.dispatch("READY", &json!({"user": {"id": "100"}, "guilds": "none"}));
        let asked = house.now;
        while house.working.take().effects != [Effect::Renew] {
            house.now = house.working.deadline().expect("it is asked for later");
            house.working.time_passed(house.now, house.wall);
        }
        waits.push((house.now - asked).as_secs());
        house.working.lost(
            Lost {
                resumable: false,
                ..cut()
            },
            house.now,
            house.wall,
        );
        assert_eq!(
            house.working.deadline(),
            None,
            "nothing is asked of no session"
        );
    }
    assert_eq!(waits, [0, 30, 60, 120, 240, 480, 900, 900, 900]);
    assert_eq!(house.working.resume(), None);
    house.dispatch("READY", &ready(&["1"]));
    assert_eq!(house.working.take().effects, []);
    assert_eq!(house.working.deadline(), None);
}

#[test]
fn a_ready_of_more_guilds_than_a_shard_has_is_none() {
    let mut house = House::new(None);
    let ids: Vec<String> = (1..=10_001).map(|id: u64| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    house.dispatch("READY", &ready(&ids));
    assert_eq!(house.working.take().effects, [Effect::Renew]);
}

#[test]
fn a_refusal_that_names_any_wait_is_survived() {
    let mut house = House::new(None);
    house.dispatch("READY", &ready(&["1"]));
    house.dispatch("GUILD_CREATE", &guild("1"));
    house.watch(1, &[GUILD]);
    for wait in [
        json!(1e300),
        json!(-1e300),
        json!("inf"),
        json!(u64::MAX),
        Value::Null,
    ] {
        let refused = json!({"opcode": 8, "retry_after": wait, "meta": {"nonce": "11"}});
        house.dispatch("RATE_LIMITED", &refused);
    }
    let soon = house.now + Duration::from_hours(2);
    assert!(house.working.deadline().is_none_or(|at| at < soon));
}

#[test]
fn who_comes_before_the_room_is_in_it_after_a_restart_and_a_resume_too() {
    let mut house = House::new(None);
    house.dispatch("READY", &ready(&["1"]));
    house.dispatch("GUILD_CREATE", &guild("1"));
    house.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    house.dispatch("VOICE_STATE_UPDATE", &voice("5", "10"));
    house.dispatch("VOICE_STATE_UPDATE", &voice("6", "10"));
    let outcome = house.working.take();
    let kept = World::default().apply_all(&outcome.events);
    let json = serde_json::to_string(&kept).expect("worlds serialise");
    let restored = Restored {
        world: serde_json::from_str(&json).expect("and are read back"),
        state: outcome.state.expect("it changed"),
        ..restored(None)
    };
    let mut again = House::new(None);
    let cdn = Cdn::new(&"https://cdn.example".parse().expect("a URL"));
    again.working = Working::new(restored, cdn, Limits::default(), 10);
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
