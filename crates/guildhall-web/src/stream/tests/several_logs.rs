//! Streams over several logs: list cursors, and that nothing is lost or told twice, whatever is
//! cut.

use std::collections::BTreeMap;

use guildhall_link::frame::{Base, Discord, DiscordStatus};
use guildhall_model::{Change, Cursor, Envelope, GuildId, LogId, Position, UserId};
use proptest::{collection::vec, prelude::*};

use super::{
    harness::{
        ANNA, ANNEX, EPOCH, HALL, Harness, LOBBY, Listener, Sse, VAULT, hall_of, joined, left,
    },
    picture::Picture,
    simulation::truth_of,
};
use crate::visible::Selector;

const GHOST: UserId = UserId(77);
/// In the third log.
const FAR: GuildId = GuildId(1_002);

fn ids(events: &[Sse]) -> Vec<Cursor> {
    let ids = events.iter().filter_map(|event| event.id.as_ref());
    ids.map(|id| id.parse().expect("a cursor")).collect()
}

/// Which event of which guild it is: times are numbers of the guild's log.
fn number(event: &Sse) -> Option<(GuildId, u64)> {
    let guild_id = event.data.get("guildId")?.as_str()?.parse().ok()?;
    Some((GuildId(guild_id), event.data["ts"].as_u64()? - EPOCH))
}

/// Who holds what comes without an `id:` until one comes, and drops it with the connection.
#[derive(Clone, Default)]
struct Reader {
    cursor: Option<Cursor>,
    unfinished: Vec<(GuildId, u64)>,
    told: Vec<(GuildId, u64)>,
}

impl Reader {
    fn take(&mut self, event: &Sse) {
        self.unfinished.extend(number(event));
        if let Some(id) = &event.id {
            let cursor: Cursor = id.parse().expect("a cursor");
            if let Some(before) = &self.cursor {
                for position in before.positions() {
                    let now = cursor.in_log(position.log).expect("no log is lost");
                    assert!(now >= *position, "no log goes back");
                }
            }
            self.cursor = Some(cursor);
            self.told.append(&mut self.unfinished);
        }
    }

    fn cut(&mut self) {
        self.unfinished.clear();
    }
}

/// Everything that was told to a replica, to be told to another.
#[derive(Default)]
struct Told(Vec<Vec<Envelope>>);

impl Told {
    fn tell(&mut self, harness: &mut Harness, guild_id: GuildId, changes: Vec<Change>) {
        let group = harness.sealed(guild_id, changes);
        self.0.push(group.clone());
        harness.take(group);
    }

    /// A process that was killed begins with the bases, and takes the logs one after the other:
    /// between logs there is no order.
    fn restarted(&self, logs: u16) -> Harness {
        let mut fresh = Harness::spread(1_000, logs);
        let heads = fresh.writer.position().expect("a world");
        for position in heads.positions() {
            fresh.writer.begin_snapshot(position.log);
        }
        for guild_id in fresh.listed.clone() {
            if fresh.fanout.replica().read().contains(guild_id) {
                fresh.writer.add_base(Base {
                    guild_id,
                    floor: fresh.head_of(guild_id),
                    guild: Some(hall_of(guild_id)),
                });
            }
        }
        for position in heads.positions() {
            let of_log = self.0.iter().filter(|group| {
                group
                    .first()
                    .is_some_and(|first| first.at.log == position.log)
            });
            of_log.for_each(|group| fresh.take(group.clone()));
        }
        fresh.complete();
        fresh
    }
}

fn open(harness: &Harness, cursor: Option<Cursor>) -> Listener {
    harness.open_at(ANNA, &harness.listed, Selector::ALL, cursor)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_over_several_logs_is_cut_anywhere_and_loses_nothing(
        acts in vec((any::<u8>(), 1..4_usize, any::<u8>()), 1..80),
        logs in prop_oneof![Just(1_u16), Just(3), Just(17)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let mut harness = Harness::spread(1_000, logs);
        let guilds: Vec<GuildId> = harness.fanout.replica().read().guild_ids().collect();
        let mut told = Told::default();
        let mut expected: BTreeMap<GuildId, Vec<u64>> = BTreeMap::new();
        let mut stream = open(&harness, None);
        let mut reader = Reader::default();
        stream.events().iter().for_each(|event| reader.take(event));
        reader.told.clear();

        for (which, length, act) in acts {
            let guild = guilds[usize::from(which) % guilds.len()];
            // A ghost comes and goes; what it does in the vault Anna does not see.
            let room = |number: usize| {
                let hidden = (number + usize::from(act)).is_multiple_of(5);
                if hidden { VAULT } else { LOBBY }
            };
            let group: Vec<Change> = (0..length).map(|number| joined(GHOST, room(number))).collect();
            let head = harness.head_of(guild).seq;
            let seen = (0..length).filter(|number| room(*number) == LOBBY);
            expected.entry(guild).or_default().extend(seen.map(|number| head + 1 + number as u64));
            told.tell(&mut harness, guild, group);
            if act % 4 == 0 {
                continue;
            }
            // It reads what there is, up to where the connection is cut.
            let events = stream.events();
            let kept = if act % 3 == 0 { usize::from(act) % (events.len() + 1) } else { events.len() };
            events[..kept].iter().for_each(|event| reader.take(event));
            if kept < events.len() || act % 7 == 0 {
                reader.cut();
                if act % 2 == 0 {
                    harness = told.restarted(logs);
                }
                stream = open(&harness, reader.cursor.clone());
                let first = stream.events();
                prop_assert_eq!(&first[0].event, "resumed");
                for event in &first {
                    reader.take(event);
                }
            }
        }
        stream.events().iter().for_each(|event| reader.take(event));
        prop_assert!(reader.unfinished.is_empty());
        let mut heard: BTreeMap<GuildId, Vec<u64>> = BTreeMap::new();
        for (guild, number) in reader.told {
            heard.entry(guild).or_default().push(number);
        }
        expected.retain(|_, numbers| !numbers.is_empty());
        prop_assert_eq!(heard, expected);
    }

    #[test]
    fn a_cursor_of_a_wider_or_narrower_query_never_lies(
        acts in vec((any::<u8>(), any::<u8>()), 1..40),
        logs in prop_oneof![Just(3_u16), Just(17)],
        of_cursor in any::<u32>(),
        of_query in any::<u32>(),
        taken_at in 0..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _entered = runtime.as_ref().expect("a runtime").enter();
        let mut harness = Harness::spread(1_000, logs);
        let listed = harness.listed.clone();
        let some = |bits: u32| {
            let asked = listed.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            let asked: Vec<GuildId> = asked.map(|(_, id)| *id).collect();
            if asked.is_empty() { vec![HALL] } else { asked }
        };
        // One that is there: the cursor of a query of none names a log all the same.
        let far = listed.iter().position(|id| *id == FAR).expect("there");
        let (given_for, asked) = (some(of_cursor | 1 << far), some(of_query));
        let guilds: Vec<GuildId> = harness.fanout.replica().read().guild_ids().collect();
        harness.answer(ANNA, &listed, &[]);
        let mut before = harness.open_at(ANNA, &given_for, Selector::ALL, None);
        let (mut picture, mut cursor) = (Picture::default(), None);
        for (index, (which, act)) in acts.iter().enumerate() {
            if index <= taken_at {
                for event in before.events() {
                    picture.take(&event);
                    cursor = event.id.as_ref().map(|id| id.parse::<Cursor>().expect("a cursor"));
                }
            }
            let guild = guilds[usize::from(*which) % guilds.len()];
            if *act % 16 == 0 {
                let annex = Change::GuildAvailable(Some(Box::new(hall_of(ANNEX))));
                harness.tell_in(ANNEX, annex);
                harness.answer(ANNA, &[ANNEX], &[]);
            }
            let change = if act % 3 == 0 { left(GHOST, LOBBY) } else { joined(GHOST, LOBBY) };
            let inside = truth_of(&harness, ANNA, &[guild], &Selector::ALL).has(guild, LOBBY, GHOST);
            if inside == (act % 3 == 0) {
                harness.tell_in(guild, change);
            }
        }
        picture.retain(&asked);
        let mut after = harness.open_at(ANNA, &asked, Selector::ALL, cursor);
        after.events().iter().for_each(|event| picture.take(event));
        prop_assert_eq!(picture, truth_of(&harness, ANNA, &asked, &Selector::ALL));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_names_the_logs_behind_its_query_and_one_log_keeps_its_text() {
    let mut harness = Harness::spread(64, 17);
    let mut all = open(&harness, None);
    let mut one = harness.open_on(ANNA, &[FAR], Selector::ALL, None);
    let (first, alone) = (ids(&all.events()), ids(&one.events()));
    assert_eq!(first[0].positions().len(), 16, "the annex is in none");
    assert_eq!(alone[0], Cursor::from(harness.head_of(FAR)));

    harness.tell_in(FAR, joined(GHOST, LOBBY));
    harness.tell_in(HALL, joined(GHOST, LOBBY));
    let moved_on = [harness.head_of(HALL), harness.head_of(FAR)];
    let told = ids(&all.events());
    let with_hall = first[0].with(moved_on[0]).expect("few");
    assert_eq!(
        told,
        [with_hall.clone(), with_hall.with(moved_on[1]).expect("few")]
    );
    let text = one.text();
    assert!(
        text.ends_with(&format!("\nid: {}\n\n", moved_on[1])),
        "{text}"
    );

    let annex = Change::GuildAvailable(Some(Box::new(hall_of(ANNEX))));
    harness.tell_in(ANNEX, annex);
    harness.answer(ANNA, &[ANNEX], &[]);
    let came = all.events();
    assert_eq!(came[0].event, "guild.available");
    let cursor = ids(&came)[0].clone();
    assert_eq!(cursor.positions().len(), 17);
    let mut again = open(&harness, Some(cursor.clone()));
    let resumed = again.events();
    assert_eq!((resumed.len(), &*resumed[0].event), (1, "resumed"));
    assert_eq!(ids(&resumed), [cursor]);
    let mut older = open(&harness, Some(told[1].clone()));
    assert_eq!(older.events()[0].data["reason"], "authz_changed");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_anew_concerns_who_is_about_its_guilds_and_nobody_else() {
    let mut harness = Harness::spread(64, 3);
    let mut all = open(&harness, None);
    let mut hall = harness.open_on(ANNA, &[HALL], Selector::ALL, None);
    let cursors = [ids(&all.events()), ids(&hall.events())];
    let reborn = Position {
        epoch: EPOCH + 5,
        ..harness.head_of(FAR)
    };
    harness.load(vec![(FAR, hall_of(FAR))], reborn);
    assert_eq!(hall.names(), [""; 0], "hers goes on");
    assert_eq!(
        all.names(),
        [""; 0],
        "nobody was looked up in this epoch yet"
    );
    harness.tell_in(HALL, joined(GHOST, LOBBY));
    assert_eq!(hall.names(), ["voice.joined"]);

    harness.answer(ANNA, &[FAR], &[]);
    let events = all.events();
    assert_eq!((events.len(), &*events[0].event), (1, "snapshot"));
    assert_eq!(events[0].data["reason"], "epoch_changed");
    let at = ids(&events)[0].clone();
    assert_eq!(at.in_log(reborn.log), Some(reborn));
    assert_eq!(at.in_log(LogId(0)), Some(harness.head_of(HALL)));

    let reason = |cursor: &Cursor, guilds: &[GuildId]| {
        let mut stream = harness.open_at(ANNA, guilds, Selector::ALL, Some(cursor.clone()));
        let first = stream.events().remove(0);
        first
            .data
            .get("reason")
            .map(|reason| reason.as_str().map(str::to_owned))
    };
    let epoch_changed = Some(Some("epoch_changed".to_owned()));
    assert_eq!(reason(&cursors[0][0], &harness.listed), epoch_changed);
    assert_eq!(reason(&cursors[0][0], &[HALL]), None, "resumed");
    assert_eq!(reason(&cursors[1][0], &[HALL]), None, "resumed");
}

#[tokio::test(start_paused = true)]
async fn a_stream_behind_one_of_its_logs_gets_a_snapshot_of_all() {
    let mut harness = Harness::spread(4, 3);
    let mut all = open(&harness, None);
    let mut hall = harness.open_on(ANNA, &[HALL], Selector::ALL, None);
    let cursor = ids(&all.events())[0].clone();
    hall.pieces();
    harness.tell_in(HALL, joined(GHOST, LOBBY));
    for _ in 0..5 {
        harness.tell_in(FAR, joined(GHOST, LOBBY));
        harness.tell_in(FAR, left(GHOST, LOBBY));
    }
    let events = all.events();
    assert_eq!(events.last().expect("some").data["reason"], "slow_consumer");
    assert_eq!(hall.names(), ["voice.joined"], "nobody else notices");
    let mut late = open(&harness, Some(cursor));
    assert_eq!(late.events()[0].data["reason"], "cursor_expired");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_no_more_takes_its_guilds_along() {
    let mut harness = Harness::spread(64, 3);
    let mut all = open(&harness, None);
    all.pieces();
    let left = harness.writer.position().expect("a world");
    let left = left
        .positions()
        .iter()
        .copied()
        .filter(|at| at.log != harness.head_of(FAR).log);
    let left = Cursor::new(left).expect("two");
    harness.writer.complete_snapshot(&left);
    let events = all.events();
    assert_eq!((events.len(), &*events[0].event), (1, "guild.removed"));
    assert_eq!(events[0].data["guildId"], FAR.to_string());
    assert_eq!(ids(&events)[0].in_log(harness.head_of(FAR).log), None);
}

#[tokio::test(start_paused = true)]
async fn the_status_is_of_the_logs_behind_the_query() {
    let mut harness = Harness::spread(64, 3);
    let mut all = open(&harness, None);
    let mut hall = harness.open_on(ANNA, &[HALL], Selector::ALL, None);
    all.pieces();
    hall.pieces();
    let down = DiscordStatus {
        discord: Discord::Down,
        since: EPOCH + 9,
        guild_ids: Vec::new(),
        complete: true,
    };
    harness.writer.status(harness.head_of(FAR).log, down);
    assert_eq!(hall.names(), [""; 0]);
    let told = all.events();
    assert_eq!(told[0].data["discord"], "down");
    assert_eq!(told[0].data["since"], EPOCH + 9);
    assert_eq!(
        told[0].data["guildIds"],
        serde_json::json!([FAR.to_string()])
    );
}
