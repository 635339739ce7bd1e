//! A store that moves into the file: its table, rows and migration are its own, and nothing of the
//! journal's knows of it.

use std::sync::Arc;

use guildhall_model::{Change, ChannelId, Envelope, Event, GuildId, LogId, Position, SealedEvent};
use guildhall_ports::journal::JournalState;

use super::*;
use crate::sqlite::{
    commands,
    file::{Checksum, Migration, Module, NOW, Reading, StorageError, Table, Writing},
    revocations, rooms,
};

const NOTE: Table = Table {
    name: "note",
    sql: "CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    words TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: 7..NOW,
};

static NOTES: Module = Module {
    tables: &[NOTE],
    migrations: &[Migration {
        to: 7,
        run: |writing| NOTE.create(writing.connection()),
    }],
    verify: |reading| read(reading).map(drop),
};

/// The file's list with one more at its end.
const WITH_NOTES: Modules = &[
    &journal::MODULE,
    &commands::MODULE,
    &rooms::MODULE,
    &revocations::MODULE,
    &NOTES,
];

struct StoresWithNotes {
    journal: journal::Store,
}

#[tokio::test]
async fn another_store_moves_in_and_its_rows_are_there_with_a_commit_or_not_at_all() {
    let place = Place::of_version_1();
    let owner = open(&place).expect("six migrations");
    let before = contents(&owner).await.expect("is read").expect("begun");
    let commit = next(before.head);
    let both = owner.ask(move |database, stores| {
        let end = database.write(|writing| {
            let end = stores.journal.add(writing, LogId(0), FENCE, &commit)?;
            put(writing, 1, "with the commit")?;
            Ok(end)
        })?;
        stores.journal.committed(end, &commit);
        Ok(())
    });
    both.await.expect("is written");

    // The store's part fails when the journal's is written already.
    let head = before.head.at(before.head.seq + 1);
    let commit = next(head);
    let half = owner.ask(move |database, stores| {
        database.write(|writing| {
            stores.journal.add(writing, LogId(0), FENCE, &commit)?;
            put(writing, 2, "half")?;
            Err::<(), _>(StorageError::InvalidRequest("too many notes".to_owned()))
        })
    });
    let error = half.await.expect_err("is refused");
    assert!(matches!(error, FileError::Failed(_)), "{error:?}");
    drop(owner);

    assert_eq!(place.number("PRAGMA user_version"), today() + 1);
    let owner = open(&place).expect("opens");
    let after = contents(&owner).await.expect("is read").expect("begun");
    assert_eq!(after.head, head);
    assert_eq!(after.events.len(), before.events.len() + 1);
    let notes = owner.ask(|database, _| database.read(&NOTES, read));
    let notes = notes.await.expect("are read");
    assert_eq!(notes, [(1, "with the commit".to_owned())]);
    // Each by itself, as today.
    let commit = next(head);
    let journal = owner
        .ask(move |database, stores| stores.journal.commit(database, LogId(0), FENCE, &commit));
    journal.await.expect("follows the head");
    let note = owner.ask(|database, _| database.write(|writing| put(writing, 2, "alone")));
    note.await.expect("is written");
}

#[tokio::test]
async fn a_note_that_is_missing_old_or_changed_is_refused_by_the_name_of_its_table() {
    for sql in [
        "DELETE FROM note",
        "INSERT INTO note SELECT 2, words, sum FROM note",
        "UPDATE note SET words = 'another'",
    ] {
        let place = Place::of_version_1();
        let owner = open(&place).expect("opens");
        let note = owner.ask(|database, _| database.write(|writing| put(writing, 1, "one")));
        note.await.expect("is written");
        drop(owner);
        place.forge(sql);
        let before = place.files();
        let owner = open(&place).expect("its rows are not read yet");
        contents(&owner).await.expect("nothing is wrong with it");
        // The journal's own commit would go on beside what is damaged.
        let note = owner.ask(|database, _| database.write(|writing| put(writing, 3, "three")));
        let error = note.await.expect_err("is refused");
        drop(owner);
        assert!(place.files() == before, "{sql}: it is as it was");
        assert!(
            matches!(&error, FileError::Refused(why) if why.contains("table note")),
            "{sql}: {error:?}"
        );
    }
}

/// What this build does with a file of the next one.
#[tokio::test]
async fn a_build_without_the_module_refuses_the_file_with_a_sentence() {
    let place = Place::of_version_1();
    drop(open(&place).expect("is brought up to date"));
    let before = place.files();
    let error = opened(&place.path).expect_err("is newer");
    assert!(place.files() == before, "it is as it was");
    let path = place.path.display();
    let expected = format!(
        "{path} was written by a newer Guildhall (its tables have version 7, this build knows 6): \
         update Guildhall, or choose another DATA_DIR"
    );
    assert_eq!(error, JournalError::Refused(expected));
}

#[test]
fn each_version_has_a_migration_and_each_table_one_name() {
    for modules in [MODULES, WITH_NOTES] {
        let mut versions: Vec<i32> = modules
            .iter()
            .flat_map(|module| module.migrations)
            .map(|migration| migration.to)
            .collect();
        versions.sort_unstable();
        versions.dedup();
        let newest = versions.last().copied().expect("some");
        assert!(versions.into_iter().eq(2..=newest));
        for version in 1..=newest {
            let tables = modules.iter().flat_map(|module| module.tables);
            let there = tables.filter(|table| table.versions.contains(&version));
            let mut names: Vec<&str> = there.map(|table| table.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
        }
    }
}

fn open(place: &Place) -> Result<Owner<StoresWithNotes>, FileError> {
    let database = Database::open(&place.path, "DATA_DIR", WITH_NOTES)?;
    let journal = journal::Store::asking_beyond(Surplus::LEAST);
    Owner::new(database, StoresWithNotes { journal })
}

async fn contents(owner: &Owner<StoresWithNotes>) -> Result<Option<JournalContents>, FileError> {
    let load = owner.ask(|database, stores| stores.journal.load(database, LogId(0)));
    load.await
}

fn next(head: Position) -> Commit {
    assert_eq!(head.log, LogId(0));
    let event = SealedEvent::new(Envelope {
        at: head.at(head.seq + 1),
        more: false,
        event: Event {
            guild_id: GuildId(1),
            ts: 1,
            synthetic: false,
            change: Change::RoomDeleted {
                channel_id: ChannelId(7),
            },
        },
    });
    Commit {
        after: head,
        events: vec![Arc::new(event)],
        state: Arc::new(JournalState::default()),
        floors: Vec::new(),
        bases: Vec::new(),
    }
}

fn put(writing: &mut Writing<'_>, id: i64, words: &str) -> Result<(), StorageError> {
    let sum = checksum(id, words);
    let connection = writing.connection();
    let mut insert = connection.prepare_cached("INSERT INTO note VALUES (?, ?, ?)")?;
    insert.execute((id, words, sum.cast_signed()))?;
    writing.row_added(&NOTE, sum);
    Ok(())
}

fn read(reading: &mut Reading<'_>) -> Result<Vec<(i64, String)>, StorageError> {
    let mut select = reading
        .connection()
        .prepare("SELECT id, words, sum FROM note")?;
    let mut rows = select.query([])?;
    let (mut notes, mut sums) = (Vec::new(), 0_u64);
    while let Some(row) = rows.next()? {
        let (id, words, sum) = (row.get(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?);
        if checksum(id, &words) != sum.cast_unsigned() {
            let why = format!("table note: row {id} is not as it was written");
            return Err(StorageError::damaged(&why));
        }
        sums = sums.wrapping_add(sum.cast_unsigned());
        notes.push((id, words));
    }
    reading.add_up(&NOTE, sums)?;
    Ok(notes)
}

fn checksum(id: i64, words: &str) -> u64 {
    let place = Checksum::of("note").number(id.cast_unsigned());
    place.text(words).done()
}
