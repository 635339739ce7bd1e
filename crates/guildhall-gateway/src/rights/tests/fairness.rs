use proptest::{collection::vec, prelude::*};

use super::{
    fair_queue::{PER_ROUND, Via},
    storm::Storm,
    watch::AWAITING_GUILD,
    watched_member::GUILDS_PER_USER,
    *,
};

const SECOND: Duration = Duration::from_secs(1);
const GREEDY: u64 = 1;

/// Newcomers, one every 300 ms, each of one guild, while something goes on; how long each waited.
fn newcomers(
    storm: &mut Storm,
    guild: impl Fn(u64) -> GuildId,
    meanwhile: impl Fn(&mut Storm, u64),
) -> Vec<Duration> {
    let mut waited = Vec::new();
    for moment in 0..100 {
        meanwhile(storm, moment);
        let watch = storm.login(1_000_000 + moment, guild(moment));
        storm.run(Duration::from_millis(300));
        waited.push(watch);
    }
    storm.run(Limits::default().watch_answer);
    let answer = |watch: WatchId| {
        let (time, failed) = &storm.answers[&watch];
        assert!(failed.is_empty(), "{watch:?} failed after {time:?}");
        *time
    };
    let mut waited: Vec<Duration> = waited.into_iter().map(answer).collect();
    waited.sort();
    waited
}

fn figures(what: &str, quiet: &[Duration], flood: &[Duration]) {
    println!(
        "{what}: p50 {:?}, p99 {:?}, worst {:?}; quiet: p50 {:?}, worst {:?}",
        flood[49], flood[98], flood[99], quiet[49], quiet[99]
    );
}

#[test]
fn who_is_new_is_served_within_a_second_whatever_one_user_asks_for() {
    let guilds: Vec<GuildId> = (1..=1_500).map(GuildId).collect();
    let of = |moment: u64| GuildId(moment * 13 % 1_500 + 1);
    let mut harness = Storm::new(Limits::default(), &guilds);
    let quiet = newcomers(&mut harness, of, |_, _| {});
    let mut harness = Storm::new(Limits::default(), &guilds);
    let flood = newcomers(&mut harness, of, |storm, moment| {
        // All of them in turn, by many requests at one time, again and again.
        for request in 0..3 {
            let first = usize::try_from(moment * 3 + request).expect("few") * 100 % 1_500;
            storm.watch(GREEDY, &guilds[first..first + 100]);
        }
    });
    figures("one user asks for 1,500 guilds", &quiet, &flood);
    assert!(flood[99] < SECOND, "{:?}", flood[99]);
    let greedy = harness
        .harness
        .rights
        .members
        .keys()
        .filter(|key| key.1 == UserId(GREEDY));
    assert!(greedy.count() <= GUILDS_PER_USER);
    assert!(harness.refused > 0, "and it is said");
}

#[test]
fn who_is_new_is_served_within_a_second_whatever_twenty_users_ask_for() {
    let guilds: Vec<GuildId> = (1..=1_500).map(GuildId).collect();
    let mut harness = Storm::new(Limits::default(), &guilds);
    let of = |moment: u64| GuildId(moment * 13 % 1_500 + 1);
    let ask = |storm: &mut Storm| {
        for user in 1..=20_u64 {
            let first = usize::try_from(user).expect("few") * 65;
            storm.watch(user, &guilds[first..first + 200]);
        }
    };
    // In the first moment they are new themselves, each with eight.
    ask(&mut harness);
    harness.run(8 * SECOND);
    let flood = newcomers(&mut harness, of, |storm, _| ask(storm));
    figures("twenty users ask for 200 guilds each", &flood, &flood);
    assert!(flood[98] < 2 * SECOND, "{:?}", flood[98]);
}

#[test]
fn a_storm_on_a_guild_whose_calls_fail_does_not_hold_up_visitors_of_another() {
    let mut harness = Storm::new(Limits::default(), &[GUILD, OTHER]);
    harness.calls_fail = true;
    for user in 1..=5_000 {
        harness.login(user, GUILD);
    }
    harness.run(3 * SECOND);
    let flood = newcomers(&mut harness, |_| OTHER, |_, _| {});
    figures("5,000 of another guild wait to go alone", &flood, &flood);
    assert!(flood[99] < SECOND, "{:?}", flood[99]);
}

#[test]
fn look_ups_of_a_guild_that_hang_leave_places_to_others() {
    let mut harness = Harness::new(&[GUILD, OTHER]);
    harness.live(false);
    for user in 1..=50 {
        harness.watch_as(user, UserId(user), &[GUILD]);
    }
    for user in 51..=52 {
        let visitor = (OTHER, UserId(user));
        assert_eq!(
            harness.watch_as(user, visitor.1, &[OTHER]),
            [Output::LookUpByRest(visitor)]
        );
        harness.looked_up(visitor, Some(member(5)));
    }
}

#[test]
fn of_what_one_user_may_have_no_more_is_kept_and_the_rest_is_failed_at_once() {
    let guilds: Vec<GuildId> = (1..=1_500).map(GuildId).collect();
    let mut harness = Harness::new(&guilds);
    let outputs = harness.watch(1, &guilds[..150]);
    assert_eq!(look_ups(&outputs).len(), REST_OF_ONE);
    let refused = |guilds| Output::Refused {
        user_id: USER,
        guilds,
        quota: Quota::User,
    };
    let outputs = harness.watch(2, &guilds[100..300]);
    assert_eq!(
        outputs,
        [refused(100)],
        "the first 50 of these are waited for"
    );
    assert_eq!(
        harness.watch(3, &guilds[300..301]),
        [refused(1), answered(3, &guilds[300..301])]
    );
    // Others are not concerned.
    assert_eq!(
        look_ups(&harness.watch_as(4, UserId(8), &guilds[300..301])).len(),
        1
    );
}

#[test]
fn guilds_that_do_not_exist_leave_nothing() {
    let mut harness = Harness::new(&[GUILD]);
    for round in 0..35_u64 {
        let invented: Vec<GuildId> = (0..100).map(|n| GuildId(1_000 + round * 100 + n)).collect();
        assert_eq!(
            harness.watch(round, &invented),
            [answered(round, &invented)]
        );
    }
    assert_eq!(
        harness.rights.deadline(),
        None,
        "nothing is to be done later either"
    );
    assert!(harness.rights.members.is_empty() && harness.rights.awaiting_guild.is_empty());
    assert!(harness.rights.watched_guilds.of_user(USER).is_empty());
}

#[test]
fn before_it_is_known_which_guilds_there_are_invented_ones_are_few_and_gone_with_their_watch() {
    let mut harness = Harness::new(&[]);
    harness.complete = false;
    let named = |user: u64| (0..300).map(move |n| GuildId(user * 1_000 + n));
    let users = 1 + u64::try_from(AWAITING_GUILD / GUILDS_PER_USER).expect("few");
    let mut bounds = BTreeSet::new();
    for user in 1..=users {
        let guilds: Vec<GuildId> = named(user).collect();
        for output in harness.watch_as(user, UserId(user), &guilds) {
            if let Output::Refused { quota, .. } = output {
                bounds.insert(quota);
            }
        }
    }
    assert_eq!(bounds, [Quota::User, Quota::Process].into());
    assert_eq!(harness.rights.members.len(), AWAITING_GUILD);
    // READY names one of them that has still to come.
    harness.complete = true;
    harness.awaited = [GuildId(1_000)].into();
    harness.guilds_changed();
    assert_eq!(harness.rights.members.len(), 1, "that one is waited for");
    let late = harness.wait(Limits::default().watch_answer);
    assert!(matches!(&late[..], [Output::Answered { failed, .. }] if failed.len() == 300));
    assert!(harness.rights.members.is_empty() && harness.rights.awaiting_guild.is_empty());
    assert_eq!(harness.rights.deadline(), None);
}

proptest! {
    /// Whatever came before, and whatever comes after.
    #[test]
    fn who_has_nothing_waiting_has_few_of_anybody_before_him(
        steps in vec((0..5_u8, 1..6_u64, 0..60_u64), 1..200),
    ) {
        let now = Instant::now();
        let mut queue = LookUpQueue::default();
        let mut slots = RestSlots::default();
        let mut waiting: Vec<MemberKey> = Vec::new();
        // Who had nothing waiting when they came, and who went before them.
        let mut new: BTreeMap<MemberKey, Vec<MemberKey>> = BTreeMap::new();
        for (step, user, number) in steps {
            let asked: Vec<MemberKey> = match step {
                // One user of many guilds, many users of one guild, one of one.
                0 => (0..number).map(|guild| (GuildId(guild), UserId(user))).collect(),
                1 => (0..number).map(|other| (GuildId(100 + user), UserId(100 + other))).collect(),
                2 => vec![(GuildId(1_000 + number), UserId(1_000 + number))],
                _ => {
                    for _ in 0..=number / 8 {
                        let Some(key) = slots.take_next(Priority::Awaited, &mut queue) else { break };
                        slots.ended(key);
                        waiting.retain(|other| *other != key);
                        for before in new.values_mut() {
                            before.push(key);
                        }
                        let Some(before) = new.remove(&key) else { continue };
                        let most = usize::try_from(PER_ROUND).expect("few") + before.len() / 4 + 1;
                        for other in &before {
                            let of_user = before.iter().filter(|(_, user)| *user == other.1);
                            let of_guild = before.iter().filter(|(guild, _)| *guild == other.0);
                            let count = of_user.count().max(of_guild.count());
                            prop_assert!(count <= most, "{count} of {} before {key:?}", before.len());
                        }
                    }
                    Vec::new()
                }
            };
            for key in asked {
                if waiting.contains(&key) {
                    continue;
                }
                let alone = |other: &MemberKey| other.0 != key.0 && other.1 != key.1;
                if waiting.iter().all(alone) {
                    new.insert(key, Vec::new());
                }
                waiting.push(key);
                queue.add(key, Priority::Awaited, Via::Any, now);
            }
            prop_assert_eq!(queue.len(), waiting.len());
        }
        // Nobody is forgotten.
        while let Some(key) = slots.take_next(Priority::Awaited, &mut queue) {
            slots.ended(key);
            waiting.retain(|other| *other != key);
        }
        prop_assert_eq!(waiting, []);
    }
}
