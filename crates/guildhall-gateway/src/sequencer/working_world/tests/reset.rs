use guildhall_model::{ChannelId, MemberView};
use proptest::{collection::vec, prelude::*};

use super::*;

const KEY: (GuildId, UserId) = (GUILD, USER);

/// A harness in which the user is watched, and is a member with a role.
fn watched() -> Harness {
    let mut harness = Harness::new(None);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    harness.watch(1, &[GUILD]);
    harness.looked_up(&[4]);
    harness.working.take();
    harness
}

impl Harness {
    fn looked_up(&mut self, roles: &[u64]) {
        let roles = roles.iter().copied().map(RoleId).collect();
        let is = Membership::member(roles);
        self.working.looked_up(KEY, Some(is), self.now, self.wall);
    }

    fn lose(&mut self, resumable: bool) {
        let lost = Lost { resumable, ..cut() };
        self.working.lost(lost, self.now, self.wall);
    }

    fn membership(&self) -> Option<&Membership> {
        self.working.world.guilds[&GUILD].memberships.get(&USER)
    }
}

#[test]
fn who_was_thrown_out_while_the_session_was_lost_is_shown_nothing_and_asked_about_at_once() {
    let mut harness = watched();
    harness.lose(false);
    harness.dispatch("READY", &ready(&["1"]));
    let before = harness.working.take();
    assert_eq!(names(&before), ["gap"]);
    let mut now = guild("1");
    now["name"] = json!("another name");
    harness.dispatch("GUILD_CREATE", &now);
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["rights.reset", "guild.updated"]);
    assert_eq!(outcome.effects, [Effect::LookUpByRest(KEY)]);
    assert_eq!(harness.membership(), None);
    let is = Some(Membership::Stranger);
    harness.working.looked_up(KEY, is, harness.now, 60);
    assert_eq!(names(&harness.working.take()), ["rights"]);
}

#[test]
fn a_guild_back_from_an_outage_is_looked_up_anew_before_it_is_available() {
    let mut harness = watched();
    harness.dispatch("GUILD_DELETE", &json!({"id": "1", "unavailable": true}));
    assert_eq!(names(&harness.working.take()), ["guild.unavailable"]);
    assert!(harness.membership().is_some(), "as they were last seen");
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["rights.reset", "guild.available"]);
    assert_eq!(outcome.effects, [Effect::LookUpByRest(KEY)]);
}

#[test]
fn of_what_a_resume_replays_only_a_guild_that_was_out_is_looked_up_anew() {
    for out in [false, true] {
        let mut harness = watched();
        harness.lose(true);
        if out {
            harness.dispatch("GUILD_DELETE", &json!({"id": "1", "unavailable": true}));
        }
        harness.dispatch("GUILD_CREATE", &guild("1"));
        let outcome = harness.working.take();
        assert_eq!(
            names(&outcome).contains(&"rights.reset"),
            out,
            "{outcome:?}"
        );
        assert_eq!(harness.membership().is_some(), !out);
    }
}

#[test]
fn a_guild_that_had_not_come_when_the_connection_was_cut_is_looked_up_anew_in_the_replay() {
    let mut harness = watched();
    harness.lose(false);
    harness.dispatch("READY", &ready(&["1"]));
    harness.lose(true);
    harness.working.take();
    harness.dispatch("GUILD_CREATE", &guild("1"));
    assert_eq!(names(&harness.working.take()), ["rights.reset"]);
}

#[test]
fn the_first_word_of_a_guild_in_a_new_session_has_everybody_looked_up_anew_readable_or_not() {
    let mut damaged = guild("1");
    damaged["roles"] = json!("none");
    let voice = json!({"guild_id": "1", "user_id": "9", "channel_id": null});
    let unreadable = json!({"guild_id": "1", "user_id": []});
    for session in [ready(&["1"]), json!({"user": null, "guilds": null})] {
        for (kind, word) in [
            ("GUILD_CREATE", guild("1")),
            ("GUILD_CREATE", damaged.clone()),
            ("VOICE_STATE_UPDATE", voice.clone()),
            ("VOICE_STATE_UPDATE", unreadable.clone()),
        ] {
            let mut harness = watched();
            harness.lose(false);
            harness.dispatch("READY", &session);
            assert!(harness.membership().is_some(), "nothing is told of it yet");
            harness.dispatch(kind, &word);
            assert_eq!(harness.membership(), None, "{session} {kind} {word}");
            let effects = harness.working.take().effects;
            assert!(
                effects.contains(&Effect::LookUpByRest(KEY)),
                "{session} {kind} {word}: {effects:?}"
            );
        }
    }
}

#[test]
fn an_outage_that_a_session_begins_with_leaves_everybody_what_they_were_until_the_guild_is_back() {
    let out = json!({"id": "1", "unavailable": true});
    for kind in ["GUILD_CREATE", "GUILD_DELETE"] {
        for was_out in [false, true] {
            let mut harness = watched();
            if was_out {
                harness.dispatch("GUILD_DELETE", &out);
            }
            harness.lose(false);
            harness.dispatch("READY", &ready(&["1"]));
            harness.working.take();
            harness.dispatch(kind, &out);
            let outcome = harness.working.take();
            assert!(!names(&outcome).contains(&"rights.reset"), "{outcome:?}");
            assert_eq!(outcome.effects, [], "{kind}, {was_out}");
            assert!(harness.membership().is_some(), "as they were last seen");
            harness.dispatch("GUILD_CREATE", &guild("1"));
            let outcome = harness.working.take();
            assert_eq!(names(&outcome), ["rights.reset", "guild.available"]);
            assert_eq!(outcome.effects, [Effect::LookUpByRest(KEY)]);
        }
    }
}

#[test]
fn a_guild_back_from_an_outage_is_looked_up_anew_even_if_it_cannot_be_read() {
    let mut harness = watched();
    harness.dispatch("GUILD_DELETE", &json!({"id": "1", "unavailable": true}));
    let mut damaged = guild("1");
    damaged["owner_id"] = json!([]);
    damaged["channels"] = json!("none");
    harness.dispatch("GUILD_CREATE", &damaged);
    assert_eq!(harness.membership(), None);
}

#[test]
fn a_guild_in_which_nobody_is_watched_comes_again_without_a_word() {
    let mut harness = Harness::new(None);
    for _ in 0..2 {
        harness.dispatch("READY", &ready(&["1"]));
        harness.dispatch("GUILD_CREATE", &guild("1"));
    }
    let outcome = harness.working.take();
    assert!(!names(&outcome).contains(&"rights.reset"), "{outcome:?}");
    assert_eq!(outcome.effects, []);
}

#[test]
fn members_that_came_with_the_guild_have_their_roles_in_the_same_moment() {
    let mut harness = watched();
    harness.lose(false);
    harness.dispatch("READY", &ready(&["1"]));
    harness.working.take();
    let mut now = guild("1");
    now["members"] = json!([{"user": {"id": "7", "username": "u"}, "roles": ["4"], "flags": 0}]);
    harness.dispatch("GUILD_CREATE", &now);
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["rights.reset", "rights"]);
    assert_eq!(outcome.effects, [], "nothing is left to ask");
}

#[test]
fn an_answer_that_was_asked_before_the_guild_came_again_is_worth_nothing() {
    let mut harness = watched();
    harness.dispatch(
        "GUILD_BAN_REMOVE",
        &json!({"guild_id": "1", "user": {"id": "7"}}),
    );
    assert_eq!(harness.working.take().effects, [Effect::LookUpByRest(KEY)]);
    harness.lose(false);
    harness.dispatch("READY", &ready(&["1"]));
    harness.dispatch("GUILD_CREATE", &guild("1"));
    assert_eq!(harness.working.take().effects, [], "one at a time");
    harness.looked_up(&[4]);
    let outcome = harness.working.take();
    assert_eq!((names(&outcome), harness.membership()), (vec![], None));
    assert_eq!(outcome.effects, [Effect::LookUpByRest(KEY)]);
}

#[test]
fn what_an_earlier_process_knew_of_a_guild_is_reset_when_it_comes_in_a_fresh_session() {
    let mut harness = Harness::new(None);
    harness.working.world = guild_with_a_member();
    harness.working.begun(harness.now, harness.wall);
    harness.watch(1, &[GUILD]);
    assert_eq!(harness.working.take().effects, [Effect::LookUpByRest(KEY)]);
    harness.looked_up(&[5]);
    harness.dispatch("READY", &ready(&["1"]));
    harness.working.take();
    harness.dispatch("GUILD_CREATE", &guild("1"));
    let outcome = harness.working.take();
    assert_eq!(names(&outcome), ["rights.reset"]);
    assert_eq!(outcome.effects, [Effect::LookUpByRest(KEY)]);
}

#[test]
fn a_guild_that_the_bot_is_not_in_is_failed_at_once_as_soon_as_discord_has_named_them() {
    let mut harness = Harness::new(None);
    harness.watch(1, &[GuildId(66)]);
    assert_eq!(harness.working.take().effects, [], "nobody knows yet");
    harness.dispatch("READY", &ready(&["1", "2"]));
    let failed = |watch, guild| Effect::Answer {
        watch: WatchId(watch),
        failed: vec![GuildId(guild)],
    };
    assert_eq!(harness.working.take().effects, [failed(1, 66)]);
    harness.watch(2, &[GuildId(67)]);
    assert_eq!(harness.working.take().effects, [failed(2, 67)]);
    harness.watch(3, &[GUILD]);
    assert_eq!(harness.working.take().effects, [], "this one will come");
    harness.dispatch("GUILD_CREATE", &guild("1"));
    assert_eq!(harness.working.take().effects, [Effect::LookUpByRest(KEY)]);
}

/// A guild with two roles besides everyone's and two rooms, of which each hides or shows itself to
/// some of them.
fn guilds() -> impl Strategy<Value = Value> {
    let overwrites = || vec((0..3_usize, any::<bool>()), 0..3);
    let roles = vec(any::<bool>(), 3);
    (roles, overwrites(), overwrites()).prop_map(|(roles, first, second)| {
        let ids = ["1", "3", "4"];
        let view = |on: bool| if on { "1024" } else { "0" };
        let roles = ids.iter().zip(roles);
        let roles: Vec<Value> = roles
            .map(|(id, may)| json!({"id": id, "permissions": view(may)}))
            .collect();
        let room = |id: &str, overwrites: Vec<(usize, bool)>| {
            let overwrites: Vec<Value> = overwrites
                .into_iter()
                .map(|(role, may)| {
                    json!({"id": ids[role], "type": 0, "allow": view(may), "deny": view(!may)})
                })
                .collect();
            json!({"id": id, "type": 2, "name": id, "permission_overwrites": overwrites})
        };
        let mut guild = guild("1");
        guild["roles"] = json!(roles);
        guild["channels"] = json!([room("9", first), room("10", second)]);
        guild
    })
}

fn roles() -> impl Strategy<Value = Vec<u64>> {
    prop::sample::subsequence(vec![3_u64, 4], 0..=2)
}

fn seen(world: &World) -> BTreeSet<ChannelId> {
    let guild = &world.guilds[&GUILD];
    let view = MemberView::of(GUILD, guild, USER);
    let rooms = guild.rooms.keys().copied();
    rooms
        .filter(|room| view.is_some_and(|view| view.sees(*room)))
        .collect()
}

proptest! {
    #[test]
    fn a_guild_that_comes_again_shows_nobody_what_neither_end_does(
        before in guilds(),
        now in guilds(),
        had in roles(),
        has in roles(),
        told in any::<bool>(),
        outage in any::<bool>(),
    ) {
        let mut harness = Harness::new(None);
        harness.dispatch("READY", &ready(&["1"]));
        harness.dispatch("GUILD_CREATE", &before);
        harness.watch(1, &[GUILD]);
        harness.looked_up(&had);
        if outage {
            harness.dispatch("GUILD_DELETE", &json!({"id": "1", "unavailable": true}));
        } else {
            harness.lose(false);
            harness.dispatch("READY", &ready(&["1"]));
        }
        harness.working.take();
        let mut world = harness.working.world.clone();
        let at_first = seen(&world);
        let mut now = now;
        if told {
            let ids: Vec<String> = has.iter().map(u64::to_string).collect();
            now["members"] = json!([{"user": {"id": "7"}, "roles": ids, "flags": 0}]);
        }
        harness.dispatch("GUILD_CREATE", &now);
        harness.looked_up(&has);
        let last = seen(&harness.working.world);
        let events = harness.working.take().events;
        let came = events.len() - usize::from(!told);
        for (index, event) in events.iter().enumerate() {
            world.apply(event);
            let shown = seen(&world);
            prop_assert!(
                shown.iter().all(|room| at_first.contains(room) || last.contains(room)),
                "{} shows {shown:?}, not {at_first:?} or {last:?}", event.change.name()
            );
            // Until the answer nothing at all.
            prop_assert!(told || index >= came || shown.is_empty(), "{}", event.change.name());
        }
        prop_assert_eq!(&world, &harness.working.world);
        prop_assert!(harness.membership().is_some());
    }
}
