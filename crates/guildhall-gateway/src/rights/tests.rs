#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

/// The machine with a world that follows what it puts out.
mod harness;
/// Look-ups that go together.
mod op8;
/// Many users at one time, with a Discord that answers after a while.
mod storm;
/// Who asks for much, and who comes meanwhile.
mod fairness;
/// Guilds whose changes may have been missed.
mod reset;
/// Whatever happens.
mod random;

use std::time::Duration;

use guildhall_model::RoleId;

use super::{
    rest::{REST_AT_ONCE, REST_OF_ONE, REST_REFRESHES},
    *,
};
use harness::Harness;

const GUILD: GuildId = GuildId(1);
const OTHER: GuildId = GuildId(2);
const USER: UserId = UserId(7);
const KEY: MemberKey = (GUILD, USER);
const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_first_watch_is_looked_up_and_answered_behind_the_event_it_needed() {
    let mut harness = Harness::new(&[GUILD]);
    assert_eq!(harness.watch(1, &[GUILD]), [Output::LookUpByRest(KEY)]);
    let outputs = harness.looked_up(KEY, Some(member(5)));
    assert_eq!(outputs, [changed(Some(member(5))), answered(1, &[])]);
}

#[test]
fn a_user_watched_without_a_break_is_answered_at_once_and_looked_up_after_one() {
    let mut harness = Harness::known();
    for _ in 0..10 {
        assert_eq!(
            harness.wait(4 * MINUTE),
            [Output::LookUpByRest(KEY)],
            "kept fresh meanwhile"
        );
        assert_eq!(harness.watch(2, &[GUILD]), [answered(2, &[])]);
        assert_eq!(harness.looked_up(KEY, Some(member(5))), []);
    }
    harness.wait(6 * MINUTE);
    assert_eq!(harness.watch(3, &[GUILD]), [Output::LookUpByRest(KEY)]);
    assert_eq!(
        harness.looked_up(KEY, Some(member(5))),
        [answered(3, &[])],
        "nothing changed"
    );
}

#[test]
fn two_watches_of_one_user_share_one_look_up() {
    let mut harness = Harness::new(&[GUILD]);
    assert_eq!(harness.watch(1, &[GUILD]), [Output::LookUpByRest(KEY)]);
    assert_eq!(harness.watch(2, &[GUILD]), []);
    let outputs = harness.looked_up(KEY, Some(Membership::Stranger));
    let stranger = changed(Some(Membership::Stranger));
    assert_eq!(outputs, [stranger, answered(1, &[]), answered(2, &[])]);
}

#[test]
fn an_answer_that_a_dispatch_overtook_is_dropped() {
    let mut harness = Harness::new(&[GUILD]);
    harness.watch(1, &[GUILD]);
    let told = harness.told(KEY, MembershipUpdate::Is(member(9)));
    assert_eq!(
        told,
        [changed(Some(member(9))), answered(1, &[])],
        "the dispatch is the answer"
    );
    assert_eq!(harness.looked_up(KEY, Some(member(5))), []);
    assert_eq!(harness.membership(), Some(member(9)));
}

#[test]
fn a_hint_during_a_look_up_has_it_asked_again() {
    let mut harness = Harness::new(&[GUILD]);
    harness.watch(1, &[GUILD]);
    assert_eq!(harness.told(KEY, MembershipUpdate::Invalidated), []);
    assert_eq!(
        harness.looked_up(KEY, Some(member(5))),
        [Output::LookUpByRest(KEY)]
    );
    let outputs = harness.looked_up(KEY, Some(Membership::Stranger));
    assert_eq!(
        outputs,
        [changed(Some(Membership::Stranger)), answered(1, &[])]
    );
}

#[test]
fn a_hint_about_a_watched_user_is_looked_up_at_once_and_about_others_never() {
    let mut harness = Harness::known();
    assert_eq!(
        harness.told(KEY, MembershipUpdate::Invalidated),
        [Output::LookUpByRest(KEY)]
    );
    assert_eq!(
        harness.told((GUILD, UserId(8)), MembershipUpdate::Invalidated),
        []
    );
}

#[test]
fn dispatches_about_people_nobody_watches_leave_no_trace() {
    let mut harness = Harness::new(&[GUILD]);
    assert_eq!(harness.told(KEY, MembershipUpdate::Is(member(5))), []);
    assert_eq!(harness.rights.deadline(), None);
}

#[test]
fn the_same_rights_again_are_no_event() {
    let mut harness = Harness::known();
    assert_eq!(harness.told(KEY, MembershipUpdate::Is(member(5))), []);
    assert_eq!(
        harness.told(KEY, MembershipUpdate::Is(member(6))),
        [changed(Some(member(6)))]
    );
}

#[test]
fn a_timeout_alone_is_an_event_when_it_comes_and_when_it_is_lifted() {
    let mut harness = Harness::known();
    for until in [Some(1_000), Some(2_000), None] {
        let is = member(5).timed_out_until(until);
        let told = harness.told(KEY, MembershipUpdate::Is(is.clone()));
        assert_eq!(told, [changed(Some(is.clone()))]);
        assert_eq!(harness.told(KEY, MembershipUpdate::Is(is)), []);
    }
}

#[test]
fn a_failed_look_up_is_answered_as_failed_and_tried_again() {
    let mut harness = Harness::new(&[GUILD]);
    harness.watch(1, &[GUILD]);
    assert_eq!(harness.looked_up(KEY, None), [answered(1, &[GUILD])]);
    assert_eq!(harness.wait(Duration::from_millis(500)), []);
    assert_eq!(harness.wait(MINUTE), [Output::LookUpByRest(KEY)]);
    assert_eq!(
        harness.looked_up(KEY, Some(member(5))),
        [changed(Some(member(5)))]
    );
}

#[test]
fn a_watch_is_answered_in_time_with_what_is_missing_as_failed() {
    let mut harness = Harness::new(&[GUILD, OTHER]);
    harness.watch(1, &[GUILD, OTHER]);
    harness.looked_up(KEY, Some(member(5)));
    let by = harness.rights.deadline().expect("somebody waits");
    assert!(by <= harness.now + Limits::default().watch_answer);
    let late = harness.wait(Limits::default().watch_answer);
    assert_eq!(late, [answered(1, &[OTHER])]);
    let nobody = |known: &WatchedMember| known.waiting.is_empty();
    assert!(harness.rights.members.values().all(nobody));
    let other = (OTHER, USER);
    let event = Output::Changed {
        key: other,
        membership: Some(member(5)),
    };
    assert_eq!(
        harness.looked_up(other, Some(member(5))),
        [event],
        "late is better than never"
    );
}

#[test]
fn a_guild_that_is_still_to_come_is_waited_for_and_one_that_will_not_is_failed() {
    let mut harness = Harness::new(&[]);
    harness.complete = false;
    assert_eq!(harness.watch(1, &[GUILD, OTHER]), []);
    harness.arrive(GUILD);
    assert_eq!(harness.guild_changed(GUILD), [Output::LookUpByRest(KEY)]);
    assert_eq!(
        harness.looked_up(KEY, Some(member(5))),
        [changed(Some(member(5)))]
    );
    harness.complete = true;
    assert_eq!(harness.guilds_changed(), [answered(1, &[OTHER])]);
    assert_eq!(
        harness.watch(2, &[OTHER]),
        [answered(2, &[OTHER])],
        "at once now"
    );
}

#[test]
fn a_guild_that_left_and_came_again_is_looked_up_again() {
    let mut harness = Harness::known();
    harness.world.guilds.clear();
    harness.guild_changed(GUILD);
    assert_eq!(harness.wait(6 * MINUTE), [], "not here any more");
    harness.arrive(GUILD);
    assert_eq!(harness.guild_changed(GUILD), []);
    assert_eq!(harness.watch(2, &[GUILD]), [Output::LookUpByRest(KEY)]);
}

#[test]
fn a_guild_that_came_again_has_who_is_here_looked_up_unasked() {
    let mut harness = Harness::known();
    harness.world.guilds.clear();
    harness.guild_changed(GUILD);
    harness.wait(Duration::from_secs(1));
    harness.arrive(GUILD);
    assert_eq!(harness.guild_changed(GUILD), [Output::LookUpByRest(KEY)]);
}

#[test]
fn rights_are_as_old_as_the_question() {
    let mut harness = Harness::new(&[GUILD]);
    harness.watch(1, &[GUILD]);
    harness.wait(Duration::from_secs(2));
    harness.looked_up(KEY, Some(member(5)));
    assert_eq!(harness.rights.oldest(harness.now), Duration::from_secs(2));
}

#[test]
fn nobody_is_forgotten_while_being_looked_up() {
    let limits = Limits {
        rights_kept: Duration::from_secs(2),
        ..Limits::default()
    };
    let mut harness = Harness::with(limits, &[GUILD]);
    assert_eq!(harness.watch(1, &[GUILD]), [Output::LookUpByRest(KEY)]);
    harness.wait(Duration::from_secs(3));
    assert_eq!(harness.watch(2, &[GUILD]), [], "one look-up at a time");
    harness.wait(Duration::from_secs(3));
    harness.looked_up(KEY, Some(member(5)));
    assert_eq!(harness.wait(Duration::from_secs(1)), [changed(None)]);
}

#[test]
fn users_that_are_here_are_looked_up_again_within_every_minute_others_are_not() {
    let mut harness = Harness::known();
    assert_eq!(harness.wait(Duration::from_secs(50)), []);
    assert_eq!(
        harness.wait(Duration::from_secs(9)),
        [Output::LookUpByRest(KEY)]
    );
    harness.looked_up(KEY, Some(member(5)));
    assert!(harness.rights.oldest(harness.now) < Duration::from_secs(1));
    assert_eq!(harness.rights.count_watched(harness.now), 1);
    harness.wait(5 * MINUTE);
    harness.looked_up(KEY, Some(member(5)));
    assert_eq!(harness.wait(10 * MINUTE), [], "not here any more");
    assert_eq!(harness.rights.count_watched(harness.now), 0);
}

#[test]
fn a_day_after_the_last_watch_rights_are_forgotten() {
    let mut harness = Harness::known();
    let day = Limits::default().rights_kept;
    harness.wait(day.saturating_sub(MINUTE));
    assert!(harness.membership().is_some());
    assert_eq!(harness.wait(2 * MINUTE), [changed(None)]);
    assert_eq!(harness.rights.deadline(), None);
    assert_eq!(harness.told(KEY, MembershipUpdate::Is(member(5))), []);
}

#[test]
fn look_ups_under_way_are_few_and_refreshes_leave_places_to_who_waits() {
    let guilds: Vec<GuildId> = (1..=100).map(GuildId).collect();
    let mut harness = Harness::new(&guilds);
    let first = harness.watch(1, &guilds);
    assert_eq!(first.len(), REST_OF_ONE, "two places are left to others");
    let mut under_way: Vec<MemberKey> = look_ups(&first);
    while let Some(key) = under_way.pop() {
        let outputs = harness.looked_up(key, Some(member(5)));
        under_way.extend(look_ups(&outputs));
        assert!(under_way.len() <= REST_AT_ONCE);
    }
    let refreshes = look_ups(&harness.wait(2 * MINUTE));
    assert_eq!(refreshes.len(), REST_REFRESHES);
    let login = harness.watch_as(2, UserId(8), &[GUILD]);
    assert_eq!(login, [Output::LookUpByRest((GUILD, UserId(8)))]);
    let hinted = (GuildId(100), USER);
    assert!(!refreshes.contains(&hinted));
    let hint = harness.told(hinted, MembershipUpdate::Invalidated);
    assert_eq!(
        hint,
        [Output::LookUpByRest(hinted)],
        "it need not queue behind"
    );
}

#[test]
fn a_watch_of_too_many_guilds_is_cut_short_and_says_so() {
    let guilds: Vec<GuildId> = (1..=300).map(GuildId).collect();
    let mut harness = Harness::new(&[]);
    let Some(Output::Answered { failed, .. }) = harness.watch(1, &guilds).pop() else {
        panic!("an answer")
    };
    assert_eq!(failed.len(), 300);
    assert_eq!(harness.rights.members.len(), 0);
}

fn member(role: u64) -> Membership {
    Membership::member(vec![RoleId(role)])
}

fn changed(membership: Option<Membership>) -> Output {
    Output::Changed {
        key: KEY,
        membership,
    }
}

fn answered(watch: u64, failed: &[GuildId]) -> Output {
    Output::Answered {
        watch: WatchId(watch),
        failed: failed.to_vec(),
    }
}

fn look_ups(outputs: &[Output]) -> Vec<MemberKey> {
    let key = |output: &Output| match output {
        Output::LookUpByRest(key) => Some(*key),
        _ => None,
    };
    outputs.iter().filter_map(key).collect()
}
