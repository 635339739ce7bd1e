//! The commands' part of a file: each is a row, from its intent until it is forgotten.

/// Changes that wait for the disk together.
mod gathered_changes;
/// A command becomes a row, and a command again.
mod row;

use guildhall_ports::KeptCommand;

use super::file::{
    Database, FileError, Migration, Module, NOW, Reading, StorageError, Table, Writing,
};
use row::CommandRow;

pub(super) use gathered_changes::GatheredChanges;

/// The first version that kept commands.
const WITH_COMMANDS: i32 = 4;

/// One row for each command; `request` and `state` as JSON. Numbers are as in the journal's tables:
/// unsigned, with the same bits.
const COMMAND: Table = Table {
    name: "command",
    sql: "CREATE TABLE command (
    id INTEGER PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_COMMANDS..NOW,
};

/// The commands' part of a file.
pub(in crate::sqlite) static MODULE: Module = Module {
    tables: &[COMMAND],
    migrations: &[Migration {
        to: WITH_COMMANDS,
        run: |writing| COMMAND.create(writing.connection()),
    }],
    verify: |reading| read(reading).map(drop),
};

/// Something that is done to commands.
pub(super) enum CommandChange {
    /// It is kept like this from now on.
    Keep(Box<KeptCommand>),
    /// They are not kept any more.
    Forget(Vec<u64>),
}

/// Every command that is kept, in ascending order of their ids.
pub(super) fn load(database: &mut Database) -> Result<Vec<KeptCommand>, FileError> {
    database.read(&MODULE, read)
}

impl CommandChange {
    fn write(&self, writing: &mut Writing<'_>) -> Result<(), StorageError> {
        match self {
            Self::Keep(command) => {
                row::remove(writing, command.id)?;
                CommandRow::of(command)?.insert(writing)
            }
            Self::Forget(ids) => ids.iter().try_for_each(|id| row::remove(writing, *id)),
        }
    }
}

fn read(reading: &mut Reading<'_>) -> Result<Vec<KeptCommand>, StorageError> {
    let (rows, sums) = CommandRow::all(reading.connection())?;
    reading.add_up(&COMMAND, sums)?;
    let mut commands: Vec<KeptCommand> = rows
        .iter()
        .map(CommandRow::command)
        .collect::<Result<_, _>>()?;
    // SQLite's order is another one from 2^63 on.
    commands.sort_unstable_by_key(|command| command.id);
    Ok(commands)
}
