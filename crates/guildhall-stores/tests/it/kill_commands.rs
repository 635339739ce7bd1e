//! Commands, whose process is killed.

use std::{collections::BTreeMap, path::Path};

use guildhall_model::{
    ChannelId, GuildId, LogId, Position, UserId,
    command::{Before, Command, CommandDone, CommandRequest, Outcome},
};
use guildhall_ports::{CommandJournal, CommandState, Intent, KeptCommand, journal::JournalFuture};
use guildhall_stores::sqlite::SqliteJournals;
use tempfile::tempdir;
use tokio::runtime::Builder;

use crate::child;

const KILLS: usize = 30;
/// Calls that are under way at one time.
const AT_ONCE: u64 = 6;
/// A command is forgotten when so many have come after it.
const KEPT: u64 = 20;

#[test]
fn kill_9_at_any_instant_loses_no_command_that_was_answered_and_keeps_none_by_half() {
    if let Some(path) = child::journal() {
        return keep_until_killed(&path);
    }
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("guildhall.db");
    let mut acknowledged = 0;
    for _ in 0..KILLS {
        let test = "kill_commands::\
            kill_9_at_any_instant_loses_no_command_that_was_answered_and_keeps_none_by_half";
        let answers = child::random_below(30);
        acknowledged = acknowledged.max(child::write_and_kill(test, &path, answers));
        let there = loaded(&path);
        // What was under way may be there as well, and nothing without what was called before it.
        let possible = acknowledged..=acknowledged + AT_ONCE;
        let found = possible.rev().find(|calls| after(*calls) == there);
        acknowledged = found.unwrap_or_else(|| panic!("not as after {acknowledged}: {there:#?}"));
    }
    assert!(acknowledged > 6 * KEPT, "some were forgotten");
}

fn keep_until_killed(path: &Path) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        child::say(0);
        let journal = SqliteJournals::open(path, "DATA_DIR").expect("opens");
        let kept = journal.load().await.expect("is read");
        // A command has the number of the last call about it. What may be done twice is to forget.
        let newest = kept.iter().map(|command| command.asked_at).max();
        let mut calls = newest.unwrap_or(0);
        loop {
            let next = calls + 1..=calls + AT_ONCE;
            let answers: Vec<_> = next
                .map(|number| Call::numbered(number).on(&journal))
                .collect();
            for answer in answers {
                answer.await.expect("is kept");
            }
            calls += AT_ONCE;
            child::say(calls);
        }
    });
}

/// What is called at this place: a command comes, it is settled, an earlier one is forgotten.
enum Call {
    Keep(KeptCommand),
    Forget(u64),
}

impl Call {
    fn numbered(number: u64) -> Self {
        let id = number / 3;
        let state = match number % 3 {
            0 => return Self::Forget(id.saturating_sub(KEPT)),
            1 => CommandState::Intended(Intent {
                before: Before::Unknown,
                at: Position::start(LogId(0), 1).at(number),
                since: number,
                promised: false,
            }),
            _ => {
                let (outcome, at) = (Outcome::Done, None);
                let result = Ok(CommandDone {
                    outcome,
                    at,
                    made: None,
                })
                .into();
                CommandState::Settled { at: number, result }
            }
        };
        Self::Keep(KeptCommand {
            id,
            request: CommandRequest {
                actor: UserId(number),
                key: None,
                command: Command::RenameRoom {
                    guild_id: GuildId(1),
                    channel_id: ChannelId(number),
                    name: "name ".repeat(usize::try_from(number % 19).expect("is small")),
                },
            },
            asked_at: number,
            state,
        })
    }

    fn on(self, journal: &SqliteJournals) -> JournalFuture<()> {
        match self {
            Self::Keep(command) => journal.keep(command),
            Self::Forget(id) => journal.forget(vec![id]),
        }
    }
}

/// What is there after so many calls.
fn after(calls: u64) -> Vec<KeptCommand> {
    let mut kept = BTreeMap::new();
    for number in 1..=calls {
        match Call::numbered(number) {
            Call::Keep(command) => drop(kept.insert(command.id, command)),
            Call::Forget(id) => drop(kept.remove(&id)),
        }
    }
    kept.into_values().collect()
}

fn loaded(path: &Path) -> Vec<KeptCommand> {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let journal = SqliteJournals::open(path, "DATA_DIR").expect("opens at once");
    runtime.block_on(journal.load()).expect("is read")
}
