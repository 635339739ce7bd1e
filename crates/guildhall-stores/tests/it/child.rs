//! This test binary once more, in a process of its own.

use std::{
    env,
    hash::{BuildHasher, Hasher, RandomState},
    hint::spin_loop,
    io::{self, BufRead, Write},
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

/// Kills a child at some instant after so many of its answers. The number that it [said](say) last.
pub(crate) fn write_and_kill(test: &str, path: &Path, answers: u64) -> u64 {
    let (mut child, mut said) = start(command(test, path));
    let mut line = String::new();
    let (mut acknowledged, mut left) = (0, answers + 1);
    while left > 0 {
        line.clear();
        assert!(
            said.read_line(&mut line).expect("is read") > 0,
            "it ended by itself"
        );
        if let Some(head) = line.strip_prefix("at ") {
            acknowledged = head.trim().parse().expect("a number");
            left -= 1;
        }
    }
    for _ in 0..random_below(1_000_000) {
        spin_loop();
    }
    child.kill().expect("is killed");
    for line in said.lines() {
        if let Some(head) = line.expect("is read").strip_prefix("at ") {
            acknowledged = head.parse().expect("a number");
        }
    }
    let end = child.wait().expect("has ended");
    assert!(!end.success(), "it ended by itself: {end}");
    acknowledged
}

/// In the child: everything up to this number was answered.
pub(crate) fn say(head: u64) {
    let mut out = io::stdout();
    writeln!(out, "\nat {head}")
        .and_then(|()| out.flush())
        .expect("somebody listens");
}

pub(crate) fn random_below(end: u64) -> u64 {
    RandomState::new().build_hasher().finish() % end
}
