//! What the bot itself is.

use super::*;

const BOT: UserId = UserId(100);

#[test]
fn what_the_bot_is_comes_with_its_guild_and_changes_with_its_member() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild_with_bot(&["5"]));
    assert_eq!(
        names(&harness.working.take()),
        ["guild.available", "rights"]
    );
    assert_eq!(own(&harness), Some(Membership::member(vec![RoleId(5)])));
    let update = json!({"guild_id": "1", "user": {"id": "100"}, "roles": ["6"], "flags": 0});
    harness.dispatch("GUILD_MEMBER_UPDATE", &update);
    harness.dispatch("GUILD_MEMBER_UPDATE", &update);
    assert_eq!(names(&harness.working.take()), ["rights"], "told once");
    assert_eq!(own(&harness), Some(Membership::member(vec![RoleId(6)])));
    // Of others who are not watched nothing is kept.
    let other = json!({"guild_id": "1", "user": {"id": "7"}, "roles": ["6"], "flags": 0});
    harness.dispatch("GUILD_MEMBER_UPDATE", &other);
    assert_eq!(names(&harness.working.take()), [""; 0]);
}

#[test]
fn a_reset_of_everybodys_rights_leaves_it_and_without_anybody_else_there_is_none() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild_with_bot(&["5"]));
    harness.working.take();
    // The guild comes anew, and nobody is watched.
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild_with_bot(&["5"]));
    assert_eq!(names(&harness.working.take()), ["gap"]);
    harness.watch(1, &[GUILD]);
    let looked_up = Some(Membership::member(Vec::new()));
    let (now, wall) = (harness.now, harness.wall);
    harness
        .working
        .looked_up((GUILD, USER), looked_up, now, wall);
    harness.working.take();
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("VOICE_STATE_UPDATE", &voice("5", "9"));
    let told = names(&harness.working.take());
    assert_eq!(told, ["gap", "rights.reset", "rights", "voice.joined"]);
    assert_eq!(own(&harness), Some(Membership::member(vec![RoleId(5)])));
    harness.dispatch("GUILD_CREATE", &guild_with_bot(&["6"]));
    assert_eq!(own(&harness), Some(Membership::member(vec![RoleId(6)])));
}

#[test]
fn nobody_forgets_it() {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild_with_bot(&["5"]));
    let outcome = harness.working.take();
    let restored = Restored {
        world: World::default().apply_all(&outcome.events),
        state: outcome.state.expect("it changed"),
        ..restored(None)
    };
    let cdn = Cdn::new(&"https://cdn.example".parse().expect("a URL"));
    let mut working = WorkingWorld::new(restored, cdn, Limits::default(), "THE_GUILDS", 10);
    let now = Instant::now();
    working.begun(now, 10);
    working.time_passed(now + Duration::from_hours(72), 10 + 72 * 3_600_000);
    assert_eq!(names(&working.take()), [""; 0]);
    let guild = &working.world.guilds[&GUILD];
    assert!(guild.memberships.contains_key(&BOT));
}

fn own(harness: &Harness) -> Option<Membership> {
    harness.working.world.guilds[&GUILD]
        .memberships
        .get(&BOT)
        .cloned()
}

/// With the bot's own member, as Discord sends it.
fn guild_with_bot(roles: &[&str]) -> Value {
    let mut guild = guild("1");
    guild["members"] = json!([{"user": {"id": "100"}, "roles": roles, "flags": 0}]);
    guild
}
