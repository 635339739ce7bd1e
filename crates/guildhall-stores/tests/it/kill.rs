use std::{collections::BTreeMap, fs, hint::spin_loop, io::BufRead, path::Path, sync::Arc};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    guild::{Category, GuildInfo},
};
use guildhall_ports::{
    Journal,
    journal::{Commit, JournalBase, JournalContents, JournalState, NewEpoch, ResumeState, Terms},
};
use guildhall_stores::sqlite::SqliteJournal;
use rusqlite::Connection;
use tempfile::tempdir;
use tokio::runtime::Builder;

use crate::child;

const KILLS: usize = 30;
const GUILDS: u64 = 5;
/// Events kept of each guild.
const WINDOW: u64 = 100;

#[test]
fn kill_9_at_any_instant_loses_nothing_and_doubles_nothing() {
    if let Some(path) = child::journal() {
        return write_until_killed(&path);
    }
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        let test = "kill::kill_9_at_any_instant_loses_nothing_and_doubles_nothing";
        let commits = child::random_below(60);
        acknowledged = acknowledged.max(child::write_and_kill(test, &path, commits));
        acknowledged = checked(&path, acknowledged);
    }
    assert!(
        acknowledged > WINDOW * GUILDS,
        "bases were put: {acknowledged}"
    );
}

#[test]
fn kill_9_while_it_is_made_leaves_one_that_can_be_opened() {
    if let Some(path) = child::journal() {
        return write_until_killed(&path);
    }
    for _ in 0..KILLS {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("guildhall.db");
        let test = "kill::kill_9_while_it_is_made_leaves_one_that_can_be_opened";
        let acknowledged = child::write_and_kill(test, &path, 0);
        checked(&path, acknowledged);
    }
}

#[test]
fn kill_9_while_it_is_brought_up_to_date_leaves_it_or_makes_it_so() {
    if let Some(path) = child::journal() {
        child::say(0);
        drop(child::open(&path).expect("opens"));
        child::say(1);
        return;
    }
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/journals");
    let before = format!("{fixtures}/version-1.sqlite3");
    let expected = {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("guildhall.db");
        fs::copy(&before, &path).expect("the fixture");
        contents(&path)
    };
    for _ in 0..KILLS {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("guildhall.db");
        fs::copy(&before, &path).expect("the fixture");
        let test = "kill::kill_9_while_it_is_brought_up_to_date_leaves_it_or_makes_it_so";
        let (mut child, mut said) = child::start(child::command(test, &path));
        let mut line = String::new();
        while !line.starts_with("at ") {
            line.clear();
            assert!(said.read_line(&mut line).expect("is read") > 0, "it began");
        }
        for _ in 0..child::random_below(400_000) {
            spin_loop();
        }
        // It may have ended by itself.
        drop(child.kill());
        child.wait().expect("has ended");
        let version = Connection::open(&path).and_then(|connection| {
            connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        });
        assert!(matches!(version, Ok(1 | 6)), "{version:?}");
        assert_eq!(contents(&path), expected);
    }
}

fn contents(path: &Path) -> Option<JournalContents> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let journal = child::open(path).expect("opens at once");
    runtime.block_on(journal.load()).expect("is read")
}

fn write_until_killed(path: &Path) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        child::say(0);
        let journal = child::open(path).expect("opens");
        let mut head = match journal.load().await.expect("is read") {
            Some(saved) => saved.head,
            None => begin(&journal).await,
        };
        loop {
            let commit = next(head);
            head = head.at(head.seq + commit.events.len() as u64);
            journal.commit(commit).await.expect("is at the head");
            child::say(head.seq);
        }
    });
}

async fn begin(journal: &SqliteJournal) -> Position {
    let start = Position::start(LogId(0), 1_700_000_000_000);
    let new_epoch = NewEpoch {
        start,
        guilds: (0..GUILDS).map(|id| (GuildId(id), guild(0))).collect(),
        state: state(0),
    };
    journal.begin(new_epoch).await.expect("begins");
    start
}

/// Everything about it follows from the head before it.
fn next(head: Position) -> Commit {
    let last = head.seq + 1 + head.seq * 7 % 40;
    let sealed = |seq| {
        SealedEvent::new(Envelope {
            at: head.at(seq),
            more: false,
            event: event(seq),
        })
    };
    let floor = head.seq.saturating_sub(WINDOW);
    let base = JournalBase {
        guild_id: GuildId(head.seq % GUILDS),
        floor,
        guild: Some(guild(floor)),
    };
    Commit {
        after: head,
        events: (head.seq + 1..=last)
            .map(|seq| Arc::new(sealed(seq)))
            .collect(),
        state: Arc::new(state(last)),
        floors: Vec::new(),
        bases: Vec::from_iter((floor > 0).then_some(base)),
    }
}

fn event(seq: u64) -> Event {
    Event {
        guild_id: GuildId(seq * seq % GUILDS),
        ts: seq,
        synthetic: seq.is_multiple_of(2),
        change: Change::CategorySet {
            channel_id: ChannelId(seq),
            category: Category {
                name: "name ".repeat(usize::try_from(seq % 100).expect("is small")),
                ..Category::default()
            },
        },
    }
}

fn guild(floor: u64) -> Guild {
    Guild {
        info: GuildInfo {
            name: format!("at {floor}"),
            icon: None,
        },
        available: true,
        owner_id: UserId(floor),
        roles: BTreeMap::new(),
        categories: BTreeMap::new(),
        rooms: BTreeMap::new(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    }
}

fn state(sequence: u64) -> JournalState {
    JournalState {
        resume: Some(ResumeState {
            session_id: "session".to_owned(),
            sequence,
            url: None,
            terms: Terms {
                shard: [0, 1],
                intents: 1,
                guilds: None,
                world_format: 1,
            },
        }),
        ..JournalState::default()
    }
}

/// Everything in it is of one moment: of the last answer, or of the one that was to come next.
fn checked(path: &Path, acknowledged: u64) -> u64 {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let journal = child::open(path).expect("opens at once");
    let Some(saved) = runtime.block_on(journal.load()).expect("is read") else {
        assert_eq!(acknowledged, 0);
        return 0;
    };
    let answered = saved.head.at(acknowledged);
    let under_way = next(answered).events.len() as u64;
    let possible = [acknowledged, acknowledged + under_way];
    assert!(
        possible.contains(&saved.head.seq),
        "{} of {possible:?}",
        saved.head
    );

    assert_eq!(saved.state, state(saved.head.seq));
    let floors: BTreeMap<GuildId, u64> = saved
        .bases
        .iter()
        .map(|base| (base.guild_id, base.floor))
        .collect();
    assert_eq!(floors.len() as u64, GUILDS);
    for base in &saved.bases {
        assert_eq!(base.guild, Some(guild(base.floor)));
    }
    let kept = (1..=saved.head.seq).map(|seq| {
        SealedEvent::new(Envelope {
            at: saved.head.at(seq),
            more: false,
            event: event(seq),
        })
    });
    let above = |sealed: &SealedEvent| sealed.at.seq > floors[&sealed.event.guild_id];
    let kept: Vec<SealedEvent> = kept.filter(above).collect();
    assert!(
        saved.events == kept,
        "{} events, not {}",
        saved.events.len(),
        kept.len()
    );
    saved.head.seq
}
