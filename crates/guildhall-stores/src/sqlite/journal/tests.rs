/// Files that are refused, and left as they are.
mod refused;
/// Bytes that changed on the disk.
mod damage;
/// How large the files get.
mod size;
/// A disk that is full, slow or gone.
mod disk;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::{
    Change, ChannelId, Envelope, Event, Guild, GuildId, LogId, Position, SealedEvent, UserId,
    arbitrary,
};
use guildhall_ports::{
    Fence, Journal, JournalError, Journals, conformance,
    journal::{JournalBase, JournalState},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::sqlite::{SqliteJournal, SqliteJournals};

#[tokio::test]
async fn it_keeps_the_promises_of_its_port() {
    conformance::journal(|| {
        let place = Place::new();
        async move || place.journals()
    })
    .await;
}

#[tokio::test]
async fn it_has_one_owner() {
    let place = Place::new();
    conformance::one_owner(async || {
        let journals = SqliteJournals::open(&place.path, "DATA_DIR")?;
        Ok(Arc::new(journals) as Arc<dyn Journals>)
    })
    .await;
}

/// So a file of a build that knew no groups is read as it was meant, and one of this build can be
/// read by that one.
#[tokio::test]
async fn a_row_that_says_nothing_of_a_group_is_one_of_its_own() {
    let place = Place::new();
    let journal = place.open();
    let new_epoch = NewEpoch {
        start: start(),
        guilds: Vec::new(),
        state: JournalState::default(),
    };
    journal.begin(new_epoch).await.expect("begins");
    let mut commit = commit(1, 2, Vec::new());
    let first = SealedEvent::clone(&commit.events[0]).into_envelope();
    commit.events[0] = Arc::new(SealedEvent::new(Envelope {
        more: true,
        ..first
    }));
    journal.commit(commit).await.expect("is at the head");
    drop(journal);

    let connection = Connection::open(&place.path).expect("opens");
    let rows =
        "SELECT group_concat(payload, char(10)) FROM (SELECT payload FROM event ORDER BY place)";
    let rows: String = connection
        .query_row(rows, [], |row| row.get(0))
        .expect("rows");
    let expected = [
        r#"{"guildId":"2","ts":1700000000001,"channelId":"7","more":true}"#,
        r#"{"guildId":"3","ts":1700000000002,"channelId":"7"}"#,
    ];
    assert_eq!(rows.lines().collect::<Vec<_>>(), expected);
    drop(connection);
    let more = load(&place.open()).await.events;
    let more: Vec<bool> = more.iter().map(|event| event.more).collect();
    assert_eq!(more, [true, false]);
}

/// At once: whoever takes over from somebody looks again and again.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is asked")]
async fn whoever_comes_second_is_told_at_once_whose_it_is() {
    let place = Place::new();
    let first = place.open();
    let asked = Instant::now();
    let sentence = opened(&place.path).expect_err("is open").to_string();
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(
        sentence.starts_with(&place.path.display().to_string()),
        "{sentence}"
    );
    assert!(
        sentence.contains("another guildhall runs on this DATA_DIR"),
        "{sentence}"
    );
    drop(first);
    drop(place.open());
}

#[tokio::test]
async fn nobody_else_may_read_its_files() {
    let place = Place::new();
    let journal = place.written().await;
    for name in ["guildhall.db", "guildhall.db-wal"] {
        let found = fs::metadata(place.folder.path().join(name)).expect("is there");
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(journal);
    let names: Vec<String> = place.files().into_keys().collect();
    assert_eq!(names, ["guildhall.db"], "what was beside it is in it");
}

#[tokio::test]
async fn its_tables_can_be_read_by_hand() {
    let place = Place::new();
    drop(place.written().await);
    let connection = Connection::open(&place.path).expect("opens");
    let read = |question: &str| -> String {
        connection
            .query_row(question, [], |row| row.get(0))
            .expect("is answered")
    };
    assert_eq!(
        read(
            "SELECT place || ' ' || guild_id || ' ' || name || ' ' || payload FROM event WHERE place = 11"
        ),
        r#"11 3 room.deleted {"guildId":"3","ts":1700000000011,"channelId":"7"}"#
    );
    assert_eq!(
        read("SELECT log || ' ' || epoch || ' ' || seq FROM head"),
        "0 1700000000000 40"
    );
    assert_eq!(read("SELECT state ->> 'heardAt' || '' FROM head"), "40");
    assert_eq!(
        read("SELECT floor || ' ' || (world ->> '$.ownerId') FROM base LIMIT 1"),
        "13 6"
    );
}

#[tokio::test]
async fn what_was_called_before_it_is_dropped_is_there() {
    let place = Place::new();
    let journal = place.written().await;
    for seq in 41..=60 {
        drop(journal.commit(commit(seq, 1, Vec::new())));
    }
    drop(journal);
    assert_eq!(load(&place.open()).await.head, start().at(60));
}

#[tokio::test]
async fn a_path_with_anything_in_it_is_opened() {
    let place = Place::new();
    let path = place.folder.path().join("50% of #1 ? ü.db");
    drop(opened(&path).expect("is made"));
    drop(opened(&path).expect("is opened"));
    let names: Vec<String> = place.files().into_keys().collect();
    assert_eq!(names, ["50% of #1 ? ü.db"]);
}

/// A folder for a journal.
struct Place {
    folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("guildhall.db");
        Self { folder, path }
    }

    fn journals(&self) -> Arc<dyn Journals> {
        let journals = SqliteJournals::open(&self.path, "DATA_DIR");
        Arc::new(journals.expect("opens"))
    }

    fn open(&self) -> SqliteJournal {
        opened(&self.path).expect("opens")
    }

    /// A journal with something of everything, still open.
    async fn written(&self) -> SqliteJournal {
        let journal = self.open();
        let new_epoch = NewEpoch {
            start: start(),
            guilds: (1..=3).map(|id| (GuildId(id), guild(id + 3))).collect(),
            state: JournalState::default(),
        };
        journal.begin(new_epoch).await.expect("begins");
        for batch in 0..10 {
            let bases = match batch {
                4 => vec![base(1, 13, Some(guild(6)))],
                7 => vec![base(2, 8, Some(guild(7))), base(4, 20, None)],
                _ => Vec::new(),
            };
            let commit = commit(batch * 4 + 1, 4, bases);
            journal.commit(commit).await.expect("is at the head");
        }
        journal
    }

    /// As it is when its process was killed: the newest commits are beside the file.
    async fn killed() -> Self {
        let (alive, dead) = (Self::new(), Self::new());
        let journal = alive.written().await;
        for (name, bytes) in alive.files() {
            fs::write(dead.folder.path().join(name), bytes).expect("is written");
        }
        drop(journal);
        dead
    }

    /// All files by name. Not while the journal has to keep its lock: reading takes that from the
    /// whole process.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.folder.path()).expect("is a folder");
        let read = |file: std::io::Result<fs::DirEntry>| {
            let path = file.expect("is listed").path();
            let name = path.file_name().expect("has a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("is read"))
        };
        files.map(read).collect()
    }

    /// Changes it as only a stranger would.
    fn forge(&self, sql: &str) {
        let connection = Connection::open(&self.path).expect("opens");
        connection.execute_batch(sql).expect("is done");
    }

    /// The sentence with which it is refused, all files left as they are.
    async fn refused(&self) -> String {
        let before = self.files();
        let error = match opened(&self.path) {
            Err(error) => error,
            Ok(journal) => {
                let error = journal.load().await.expect_err("is refused");
                // And it stays so, whatever is tried.
                let new_epoch = NewEpoch {
                    start: start(),
                    guilds: Vec::new(),
                    state: JournalState::default(),
                };
                assert_eq!(journal.begin(new_epoch).await, Err(error.clone()));
                assert_eq!(journal.load().await, Err(error.clone()));
                error
            }
        };
        let now = self.files();
        assert!(
            now == before,
            "{:?} became {:?}",
            sizes(&before),
            sizes(&now)
        );
        assert!(matches!(error, JournalError::Refused(_)), "{error:?}");
        let sentence = error.to_string();
        assert!(
            sentence.contains(&*self.path.to_string_lossy()),
            "{sentence}"
        );
        sentence
    }
}

/// The one log of these tests, for the one writer that they have.
fn opened(path: &Path) -> Result<SqliteJournal, JournalError> {
    Ok(SqliteJournals::open(path, "DATA_DIR")?.log(LogId(0), Fence(1)))
}

fn sizes(files: &BTreeMap<String, Vec<u8>>) -> Vec<(&str, usize)> {
    let sizes = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.len()));
    sizes.collect()
}

async fn load(journal: &SqliteJournal) -> JournalContents {
    journal
        .load()
        .await
        .expect("can be read")
        .expect("was begun")
}

fn start() -> Position {
    Position::start(LogId(0), 1_700_000_000_000)
}

fn base(guild_id: u64, floor: u64, guild: Option<Guild>) -> JournalBase {
    JournalBase {
        guild_id: GuildId(guild_id),
        floor,
        guild,
    }
}

/// The next `count` events from `first` on, in three guilds by turns.
fn commit(first: u64, count: u64, bases: Vec<JournalBase>) -> Commit {
    let event = |seq: u64| {
        SealedEvent::new(Envelope {
            at: start().at(seq),
            more: false,
            event: Event {
                guild_id: GuildId(seq % 3 + 1),
                ts: 1_700_000_000_000 + seq,
                synthetic: false,
                change: Change::RoomDeleted {
                    channel_id: ChannelId(7),
                },
            },
        })
    };
    let last = first + count - 1;
    Commit {
        after: start().at(first - 1),
        events: (first..=last).map(|seq| Arc::new(event(seq))).collect(),
        state: Arc::new(JournalState {
            heard_at: Some(last),
            ..JournalState::default()
        }),
        floors: Vec::new(),
        bases,
    }
}

/// The same one in each run.
fn guild(owner: u64) -> Guild {
    let mut runner = TestRunner::deterministic();
    let mut guild = arbitrary::guild()
        .new_tree(&mut runner)
        .expect("rejects nothing")
        .current();
    guild.owner_id = UserId(owner);
    guild
}
