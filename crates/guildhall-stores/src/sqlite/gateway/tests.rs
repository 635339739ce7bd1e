/// Files of the first version.
mod version_1;
/// Files of the second, which had one log.
mod version_2;
/// Files of the third, which kept no commands.
mod version_3;
/// Files of the fourth, which kept no rooms.
mod version_4;
/// Files of the fifth, which kept no revocations.
mod version_5;
/// What each store beside the log is tried with.
mod beside;
/// Commands, beside journals.
mod commands;
/// Rooms, beside both.
mod rooms;
/// Revocations, beside all three.
mod revocations;
/// A store of its own, as the next ones will be.
mod another_module;

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::*;

/// Of the one writer that these tests have.
const FENCE: Fence = Fence(1);

/// The log that files had when they had one.
fn opened(path: &Path) -> Result<SqliteJournal, JournalError> {
    Ok(SqliteJournals::open(path, "DATA_DIR")?.log(LogId(0), FENCE))
}

/// The version of a file that this build has written.
fn today() -> i64 {
    let migrations = MODULES.iter().flat_map(|module| module.migrations);
    let newest = migrations.map(|migration| migration.to).max();
    newest.expect("there are some").into()
}

/// A file that was forged is refused when it is opened, with a sentence that says this, and left as
/// it is.
fn damage_is_refused(fresh: impl Fn() -> Place, forgeries: &[(&str, &str)]) {
    for (sql, why) in forgeries {
        let place = fresh();
        place.forge(sql);
        let before = place.files();
        let error = opened(&place.path).expect_err("is refused");
        assert!(place.files() == before, "{sql}: it is as it was");
        assert!(matches!(error, JournalError::Refused(_)), "{sql}: {error}");
        let sentence = error.to_string();
        let named = sentence.contains(why) && sentence.contains("guildhall.db is damaged");
        assert!(named, "{sql}: {sentence}");
    }
}

/// A folder, mostly with a copy of the file that an earlier version left (`fixtures/journals`).
struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    /// Without a file.
    fn new() -> Self {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("guildhall.db");
        Self {
            _folder: folder,
            path,
        }
    }

    fn of_version_1() -> Self {
        Self::of("version-1.sqlite3")
    }

    fn of_version_2() -> Self {
        Self::of("version-2.sqlite3")
    }

    fn of_version_3() -> Self {
        Self::of("version-3.sqlite3")
    }

    fn of_version_4() -> Self {
        Self::of("version-4.sqlite3")
    }

    fn of_version_5() -> Self {
        Self::of("version-5.sqlite3")
    }

    fn of(fixture: &str) -> Self {
        let place = Self::new();
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/journals");
        let fixture = format!("{fixtures}/{fixture}");
        fs::copy(fixture, &place.path).expect("the fixture");
        place
    }

    fn beside(&self) -> PathBuf {
        self.path.with_extension("db-wal")
    }

    /// Both files, byte by byte.
    fn files(&self) -> [Option<Vec<u8>>; 2] {
        [fs::read(&self.path).ok(), fs::read(self.beside()).ok()]
    }

    fn put(&self, files: &[Option<Vec<u8>>; 2]) {
        for (path, bytes) in [&self.path, &self.beside()].into_iter().zip(files) {
            match bytes {
                Some(bytes) => fs::write(path, bytes).expect("is written"),
                None => drop(fs::remove_file(path)),
            }
        }
    }

    /// Asks, and changes nothing; not while a journal has it open.
    fn number(&self, question: &str) -> i64 {
        let connection = Connection::open(&self.path).expect("opens");
        let answer = connection.query_row(question, [], |row| row.get(0));
        answer.expect("is answered")
    }

    /// Changes it as only a stranger would.
    fn forge(&self, sql: &str) {
        let connection = Connection::open(&self.path).expect("opens");
        connection.execute_batch(sql).expect("is done");
    }
}
