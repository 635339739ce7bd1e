//! `fixtures/journals/version-1.sqlite3` was written by a commit whose files have version 1, from
//! [`new_epoch`] and [`commits`]; those of later versions from the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    guild::{Category, GuildInfo, Occupant, RoomRights, VoiceFlags},
};
use guildhall_ports::{
    journal::{JournalBase, JournalState, ResumeState, Terms},
    memory::MemoryJournals,
};

use super::*;

const ONE: GuildId = GuildId(1);
const TWO: GuildId = GuildId(2);
const THREE: GuildId = GuildId(3);

#[tokio::test]
async fn a_file_of_version_1_has_all_that_was_written_and_goes_on() {
    goes_on(Place::of_version_1()).await;
}

/// All that was written is there, in a file of today's version, and more is written.
pub(super) async fn goes_on(place: Place) {
    let expected = written().await;
    assert!(expected.bases.iter().any(|base| base.floor > 0));
    assert!(expected.events.iter().any(|event| event.more));
    let journal = opened(&place.path).expect("is brought up to date");
    assert_eq!(journal.load().await, Ok(Some(expected.clone())));
    drop(journal);
    assert_eq!(place.number("PRAGMA user_version"), today());
    let summed = "SELECT count(*) FROM row_sum WHERE name IN ('base', 'event', 'head')";
    assert_eq!(place.number(summed), 3);

    let journal = opened(&place.path).expect("is of this version");
    assert_eq!(journal.load().await, Ok(Some(expected)));
    let commit = Commit {
        after: start().at(60),
        events: vec![sealed(61)],
        state: Arc::new(state(61)),
        floors: Vec::new(),
        bases: vec![base(ONE, 60, None)],
    };
    journal.commit(commit).await.expect("follows the head");
    drop(journal);
    let journal = opened(&place.path).expect("opens");
    let head = journal.load().await.expect("is read").expect("begun").head;
    assert_eq!(head, start().at(61));
}

/// Its process was killed: the newest commit is beside it.
#[tokio::test]
async fn a_file_of_version_1_whose_process_was_killed_is_brought_up_to_date() {
    let (alive, place) = (Place::of_version_1(), Place::of_version_1());
    let connection = Connection::open(&alive.path).expect("opens");
    let marked = "UPDATE writer SET open = 1";
    connection.execute(marked, []).expect("is marked");
    let moved = "PRAGMA wal_checkpoint";
    let moved: i64 = connection
        .query_row(moved, [], |row| row.get(2))
        .expect("is moved");
    assert!(moved > 0);
    let newest = "UPDATE head SET state = state";
    connection.execute(newest, []).expect("is beside it");
    place.put(&alive.files());
    assert!(fs::metadata(place.beside()).expect("is there").len() > 0);

    let expected = written().await;
    for _ in 0..2 {
        let journal = opened(&place.path).expect("opens");
        assert_eq!(journal.load().await, Ok(Some(expected.clone())));
    }
    let beside = place.beside();
    assert!(beside.exists(), "nothing was written since");
    fs::remove_file(beside).expect("is removed");
    let error = opened(&place.path).expect_err("the newest are gone");
    assert!(error.to_string().contains("missing or cut off"), "{error}");
}

/// Whatever of the migration has reached the disk.
#[tokio::test]
async fn a_migration_that_was_cut_short_was_never_begun() {
    const FRAME: usize = 24 + 4096;
    let place = Place::of_version_1();
    let journal = opened(&place.path).expect("opens");
    let [file, beside] = place.files();
    drop(journal);
    let beside = beside.expect("the migration is beside the file");
    let frames = beside.len() / FRAME;
    assert!(frames > 1, "{frames} pages");
    let expected = written().await;
    let cuts = (0..=frames).flat_map(|frame| [32 + frame * FRAME, 32 + frame * FRAME + 999]);
    for length in cuts.filter(|length| *length <= beside.len()) {
        let place = Place::of_version_1();
        place.put(&[file.clone(), Some(beside[..length].to_vec())]);
        let version = version_of(file.clone(), &beside[..length]);
        let whole = length >= beside.len();
        let expected_version = if whole { today() } else { 1 };
        assert_eq!(version, expected_version, "cut at {length}");
        let journal = opened(&place.path).expect("opens");
        assert_eq!(journal.load().await, Ok(Some(expected.clone())));
        drop(journal);
    }
    // It was not yet marked as open, so the file beside it may even be gone.
    let place = Place::of_version_1();
    place.put(&[file, None]);
    let journal = opened(&place.path).expect("opens");
    assert_eq!(journal.load().await, Ok(Some(expected)));
}

#[test]
fn a_damaged_file_of_version_1_is_refused_and_left_as_it_is() {
    let forgeries = [
        ("DELETE FROM event WHERE seq = 2", "tables base and event"),
        (
            "DELETE FROM base WHERE guild_id = 2",
            "tables base and event",
        ),
        ("UPDATE head SET rows = rows + 1", "table head"),
        ("UPDATE head SET seq = seq + 1", "table head"),
        ("DELETE FROM head", "table head"),
        ("UPDATE event SET ts = ts + 1 WHERE seq = 60", "table event"),
        ("UPDATE base SET floor = floor + 1", "table base"),
        ("CREATE TABLE yet_another (name)", "table too many"),
        ("DROP TABLE writer", "table writer"),
    ];
    damage_is_refused(Place::of_version_1, &forgeries);
}

#[tokio::test]
async fn a_file_of_version_1_that_was_never_begun_is_brought_up_to_date() {
    let place = Place::of_version_1();
    place.forge("DELETE FROM event; DELETE FROM base; DELETE FROM head");
    let journal = opened(&place.path).expect("opens");
    assert_eq!(journal.load().await, Ok(None));
    journal.begin(new_epoch()).await.expect("begins");
}

/// The version of a file with this beside it.
fn version_of(file: Option<Vec<u8>>, beside: &[u8]) -> i64 {
    let place = Place::of_version_1();
    place.put(&[file, Some(beside.to_vec())]);
    place.number("PRAGMA user_version")
}

/// What a journal answers that was given the same.
pub(super) async fn written() -> JournalContents {
    let journal = MemoryJournals::default().journal(LogId(0), FENCE);
    journal.begin(new_epoch()).await.expect("begins");
    let mut head = start();
    for (events, state, bases) in commits() {
        let events = events.into_iter().map(SealedEvent::new).map(Arc::new);
        let commit = Commit {
            after: head,
            events: events.collect(),
            state: Arc::new(state),
            floors: Vec::new(),
            bases,
        };
        head = head.at(head.seq + commit.events.len() as u64);
        journal.commit(commit).await.expect("follows the head");
    }
    let contents = journal.load().await.expect("is there");
    contents.expect("was begun")
}

fn sealed(seq: u64) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(envelope(seq)))
}

/// An epoch that begins with two guilds of which one has somebody in a room.
pub(super) fn new_epoch() -> NewEpoch {
    NewEpoch {
        start: start(),
        guilds: vec![
            (ONE, guild("One", &[occupant(21)])),
            (TWO, guild("Two", &[])),
        ],
        state: JournalState::default(),
    }
}

/// 60 events in three guilds, some in groups, a guild that comes and one that goes, and floors
/// that rise: 10 commits of 6.
fn commits() -> Vec<(Vec<Envelope>, JournalState, Vec<JournalBase>)> {
    let commit = |number: u64| {
        let last = number * 6 + 6;
        let events = (last - 5..=last).map(envelope).collect();
        let bases = match number {
            4 => vec![base(ONE, 17, Some(guild("One at 17", &[occupant(22)])))],
            7 => vec![
                base(TWO, 30, None),
                base(THREE, 12, Some(guild("Three", &[]))),
            ],
            _ => Vec::new(),
        };
        (events, state(last), bases)
    };
    (0..10).map(commit).collect()
}

pub(super) fn start() -> Position {
    Position::start(LogId(0), 1_764_300_000_000)
}

fn envelope(seq: u64) -> Envelope {
    let change = match seq % 7 {
        0 => Change::VoiceJoined(occupant(seq)),
        1 => Change::VoiceLeft {
            previous_channel_id: ChannelId(7),
            user_id: UserId(seq),
        },
        2 => Change::GuildAvailable(Some(Box::new(guild("a \"guild\"\n\u{1f3b2}", &[])))),
        3 => Change::GuildUnavailable,
        4 => Change::Gap { from: 3, to: seq },
        5 => Change::GuildRemoved,
        _ => Change::RoomDeleted {
            channel_id: ChannelId(u64::MAX),
        },
    };
    Envelope {
        at: start().at(seq),
        more: seq % 4 == 1,
        event: Event {
            guild_id: [ONE, TWO, THREE][usize::try_from(seq / 2 % 3).expect("is small")],
            ts: 1_764_300_000_000 + seq,
            synthetic: seq.is_multiple_of(5),
            change,
        },
    }
}

fn state(sequence: u64) -> JournalState {
    JournalState {
        bot: Some(UserId(99)),
        resume: Some(ResumeState {
            session_id: "a session".to_owned(),
            sequence,
            url: Some("wss://resume.example".to_owned()),
            terms: Terms {
                shard: [0, 1],
                intents: 129,
                guilds: Some(BTreeSet::from([ONE, TWO])),
                world_format: 2,
            },
        }),
        heard_at: Some(1_764_300_000_000 + sequence),
        awaited: BTreeSet::from([GuildId(5)]),
        outages: BTreeSet::from([TWO]),
        stale: BTreeSet::from([ONE]),
        renewed_at: Some(1_764_300_000_000),
        forget_at: Some(1_764_300_900_000),
    }
}

fn base(guild_id: GuildId, floor: u64, guild: Option<Guild>) -> JournalBase {
    JournalBase {
        guild_id,
        floor,
        guild,
    }
}

/// Those versions kept no rights of categories.
fn category() -> Category {
    Category {
        name: "a category".to_owned(),
        rights: RoomRights::default(),
    }
}

fn guild(name: &str, people: &[Occupant]) -> Guild {
    Guild {
        info: GuildInfo {
            name: name.to_owned(),
            icon: None,
        },
        available: true,
        owner_id: UserId(6),
        roles: BTreeMap::new(),
        categories: BTreeMap::from([(ChannelId(8), category())]),
        rooms: BTreeMap::new(),
        voice: people
            .iter()
            .map(|one| (one.user_id, one.clone()))
            .collect(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    }
}

fn occupant(user: u64) -> Occupant {
    Occupant {
        channel_id: ChannelId(7),
        user_id: UserId(user),
        username: format!("person-{user}"),
        display_name: "Ünë".to_owned(),
        avatar: None,
        avatar_url: "https://cdn.discordapp.com/embed/avatars/0.png".to_owned(),
        bot: false,
        since: 1_764_300_000_000,
        flags: VoiceFlags::default(),
    }
}
