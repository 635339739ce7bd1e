//! This test binary once more, in a process of its own.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use guildhall_model::LogId;
use guildhall_ports::{Fence, JournalError};
use guildhall_stores::sqlite::{SqliteJournal, SqliteJournals};

/// Tells the child that it is one, and which journal is meant.
const JOURNAL: &str = "JOURNAL_OF_THE_CHILD";

/// In the child: the journal it was started for.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's process tells itself in its child what to do; arguments are the harness's"
)]
pub(crate) fn journal() -> Option<PathBuf> {
    env::var_os(JOURNAL).map(PathBuf::from)
}

/// Runs `test`, which asks [`journal`] at once, in another process.
pub(crate) fn command(test: &str, journal: &Path) -> Command {
    // Also for somebody who may not enter the folder that this program is in.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(JOURNAL, journal).stdout(Stdio::piped());
    command
}

/// A child that has started, and what it says.
pub(crate) fn start(mut command: Command) -> (Child, io::BufReader<ChildStdout>) {
    let mut child = command.spawn().expect("starts");
    let said = child.stdout.take().expect("is piped");
    (child, io::BufReader::new(said))
}

/// The log that every file here has, for its one writer.
pub(crate) fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
    Ok(SqliteJournals::open(path, "DATA_DIR")?.log(LogId(0), Fence(1)))
}
