use futures_util::FutureExt;
use guildhall_link::frame::Base;
use guildhall_model::{Change, Envelope, Event, GuildId, LogId, Position, UserId};

use crate::{
    fanout::Fanout,
    replica::{Bounds, GuildLog},
    stream::tests::harness::{
        ANNA, EPOCH, HALL, Harness, LOBBY, VAULT, VAULT_ROLE, at, hall, joined, left, person,
    },
};

const GHOST: UserId = UserId(77);
const OTHER: GuildId = GuildId(900);

fn envelope(at: Position, guild_id: GuildId, change: Change) -> Envelope {
    Envelope {
        at,
        more: false,
        event: Event {
            guild_id,
            ts: 0,
            synthetic: false,
            change,
        },
    }
}

#[test]
fn a_hole_in_the_log_is_refused_and_changes_nothing() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    for wrong in [at(1), at(3), at(0), Position { epoch: 1, ..at(2) }] {
        let refused = harness
            .writer
            .apply_group(vec![envelope(wrong, HALL, left(GHOST, LOBBY))]);
        let refused = refused.expect_err("not the next");
        assert_eq!((refused.after, refused.got), (Some(at(1)), wrong));
    }
    assert_eq!(harness.fanout.replica().positions(), Some(at(1).into()));
    let (mut writer, _fanout) = Fanout::new(Bounds::of(8));
    assert!(
        writer
            .apply_group(vec![envelope(at(1), HALL, left(GHOST, LOBBY))])
            .is_err(),
        "no world yet"
    );
}

#[test]
fn a_group_with_a_hole_is_refused_whole() {
    let mut harness = Harness::hall();
    let group = [1, 2, 4].map(|seq| envelope(at(seq), HALL, joined(GHOST, LOBBY)));
    let refused = harness
        .writer
        .apply_group(group.to_vec())
        .expect_err("a hole");
    assert_eq!((refused.after, refused.got), (Some(at(0)), at(4)));
    assert_eq!(harness.fanout.replica().positions(), Some(at(0).into()));
    assert_eq!(
        harness
            .fanout
            .replica()
            .read()
            .guild(HALL)
            .map(GuildLog::len),
        Some(0)
    );
}

#[test]
fn groups_are_evicted_whole() {
    let mut harness = Harness::of(4, vec![(HALL, hall())]);
    harness.tell(joined(GHOST, LOBBY));
    harness.tell_group(vec![
        left(GHOST, LOBBY),
        joined(GHOST, LOBBY),
        left(GHOST, LOBBY),
    ]);
    let floor = |harness: &Harness| harness.fanout.replica().read().floor(HALL);
    assert_eq!(floor(&harness), 0);
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(floor(&harness), 1);
    harness.tell(left(GHOST, LOBBY));
    assert_eq!(floor(&harness), 4, "not inside the group");
}

#[test]
fn a_new_replica_is_built_beside_the_old_one() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, LOBBY));
    harness.writer.begin_snapshot(LogId(0));
    for (guild_id, floor) in [(HALL, 4), (OTHER, 7)] {
        harness.writer.add_base(Base {
            guild_id,
            floor: at(floor),
            guild: Some(hall()),
        });
    }
    let event = |seq, guild| envelope(at(seq), guild, joined(GHOST, LOBBY));
    harness
        .writer
        .apply_group(vec![event(5, HALL)])
        .expect("above the hall's floor");
    assert!(
        harness.writer.apply_group(vec![event(6, OTHER)]).is_err(),
        "that is in the other's base"
    );
    harness
        .writer
        .apply_group(vec![event(9, OTHER)])
        .expect("numbers below floors are skipped");
    assert_eq!(
        harness.writer.position(),
        Some(at(1).into()),
        "readers keep what they have"
    );
    assert!(harness.fanout.replica().read().guild(OTHER).is_none());

    harness.writer.complete_snapshot(&at(9).into());
    assert_eq!(harness.writer.position(), Some(at(9).into()));
    let logs = harness.fanout.replica().read();
    assert_eq!((logs.floor(HALL), logs.floor(OTHER)), (4, 7));
}

#[test]
fn a_cut_while_building_leaves_the_old_replica_to_go_on_from() {
    let mut harness = Harness::hall();
    harness.writer.begin_snapshot(LogId(0));
    harness.writer.link_down(EPOCH);
    harness.writer.link_up(EPOCH);
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(harness.fanout.replica().positions(), Some(at(1).into()));
}

#[test]
fn a_guild_keeps_its_window_and_evicts_nobody_else() {
    let mut harness = Harness::of(4, vec![(HALL, hall()), (OTHER, hall())]);
    harness.tell_in(OTHER, joined(GHOST, LOBBY));
    for _ in 0..10 {
        harness.tell(joined(GHOST, LOBBY));
    }
    let logs = harness.fanout.replica().read();
    assert_eq!((logs.floor(HALL), logs.floor(OTHER)), (7, 0));
    assert_eq!(logs.guild(HALL).map(GuildLog::len), Some(4));
}

#[test]
fn beyond_the_bytes_of_a_log_the_largest_guild_gives_way() {
    let mut harness = Harness::of(1_000_000, vec![(HALL, hall()), (OTHER, hall())]);
    harness.fanout.replica().0.logs.write().bounds.log_bytes = 20_000;
    harness.tell_in(OTHER, joined(GHOST, LOBBY));
    for _ in 0..500 {
        harness.tell(joined(GHOST, LOBBY));
    }
    let logs = harness.fanout.replica().read();
    assert!(logs.cost() <= 20_000 && logs.cost() > 10_000);
    assert_eq!(logs.floor(OTHER), 0);
    assert!(logs.floor(HALL) > 400);
    let counted: usize = logs.guilds.values().map(GuildLog::cost).sum();
    assert_eq!(counted, logs.cost());
}

#[tokio::test(start_paused = true)]
async fn rooms_that_are_kept_to_be_told_go_before_any_record_and_with_their_own() {
    let mut full = hall();
    for user in (1_000..1_030).map(UserId) {
        full.voice.insert(user, person(user, VAULT));
    }
    let guilds = || vec![(HALL, full.clone()), (OTHER, hall())];
    let flap = |harness: &mut Harness| {
        let mut stream = harness.open(ANNA, None);
        stream.pieces();
        for _ in 0..20 {
            harness.look_up(ANNA, &[VAULT_ROLE]);
            harness.look_up(ANNA, &[]);
            let logs = harness.fanout.replica().read();
            let counted: usize = logs.guilds.values().map(GuildLog::cost).sum();
            assert_eq!(counted, logs.cost());
        }
    };
    let mut harness = Harness::of(1_000, guilds());
    harness.tell_in(OTHER, joined(GHOST, LOBBY));
    harness.fanout.replica().0.logs.write().bounds.log_bytes = 60_000;
    flap(&mut harness);
    let logs = harness.fanout.replica().read();
    assert!((30_000..=60_000).contains(&logs.cost()), "{}", logs.cost());
    assert_eq!((logs.floor(HALL), logs.floor(OTHER)), (0, 0));
    drop(logs);

    let mut harness = Harness::of(4, guilds());
    flap(&mut harness);
    let logs = harness.fanout.replica().read();
    assert_eq!(logs.floor(HALL), 36);
    assert!(logs.cost() < 30_000, "of four records: {}", logs.cost());
}

#[test]
fn each_log_has_its_bytes_and_beyond_those_of_the_process_the_largest_guild_of_any_gives_way() {
    const FAR: GuildId = GuildId(1_002);
    let mut harness = Harness::spread(1_000_000, 3);
    let of_log = |harness: &Harness, id| {
        let log = harness.head_of(id).log;
        let logs = harness.fanout.replica().read();
        let guilds = logs.guilds.values().filter(|guild| guild.log_id() == log);
        guilds.map(GuildLog::cost).sum::<usize>()
    };
    harness.fanout.replica().0.logs.write().bounds.log_bytes = 20_000;
    harness.tell_in(FAR, joined(GHOST, LOBBY));
    for _ in 0..200 {
        harness.tell_in(HALL, joined(GHOST, LOBBY));
    }
    assert!((10_000..=20_000).contains(&of_log(&harness, HALL)));
    assert_eq!(harness.fanout.replica().read().floor(FAR), 0, "another log");

    harness.fanout.replica().0.logs.write().bounds.process_bytes = 25_000;
    for _ in 0..200 {
        harness.tell_in(FAR, joined(GHOST, LOBBY));
    }
    let (hall, far) = (of_log(&harness, HALL), of_log(&harness, FAR));
    assert!((20_000..=25_000).contains(&(hall + far)), "{hall} {far}");
    assert!(hall.abs_diff(far) < 2_000, "the largest gave: {hall} {far}");
    let logs = harness.fanout.replica().read();
    assert_eq!(logs.cost(), hall + far);
}

#[test]
fn an_event_of_a_guild_in_another_log_than_its_own_is_refused() {
    let mut harness = Harness::spread(64, 3);
    let elsewhere = harness.head_of(GuildId(1_002));
    let wrong = envelope(elsewhere.at(1), HALL, joined(GHOST, LOBBY));
    let refused = harness.writer.apply_group(vec![wrong]);
    let refused = refused.expect_err("the hall is in the first log");
    assert_eq!(refused.got, elsewhere.at(1));
    harness.tell_in(GuildId(1_002), joined(GHOST, LOBBY));
}

#[test]
fn who_waits_for_a_position_is_told_when_it_is_reached_in_the_same_life() {
    let mut harness = Harness::hall();
    let replica = harness.fanout.replica().clone();
    let two = at(2).into();
    let other = Position { epoch: 1, ..at(1) }.into();
    let mut waiting = Box::pin(replica.reached(&two));
    let mut other_epoch = Box::pin(replica.reached(&other));
    harness.tell(joined(GHOST, LOBBY));
    assert!(waiting.as_mut().now_or_never().is_none());
    harness.tell(left(GHOST, LOBBY));
    assert!(waiting.as_mut().now_or_never().is_some());
    assert!(other_epoch.as_mut().now_or_never().is_none());
}
