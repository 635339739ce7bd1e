//! What the gateway has to know of commands after its process is gone: which may have been done,
//! which wait, and what was answered.

use std::fmt::Debug;

use guildhall_model::{
    Position, UnixMs,
    command::{Before, CommandDone, CommandError, CommandRequest, CommandResult},
};
use serde::{Deserialize, Serialize};

use crate::journal::JournalFuture;

/// Keeps commands from their intent until they are forgotten.
///
/// Promises:
///
/// - **Durable.** What is answered is there after `kill -9` and after a power cut.
/// - **All or nothing.** A command is kept whole or as it was before.
/// - **In order.** Calls take effect in the order in which they were called, awaited or not.
/// - **Never guessed.** A store that is damaged is refused, and left as it is.
pub trait CommandJournal: Debug + Send + Sync {
    /// Every command that is kept, in ascending order of their ids.
    fn load(&self) -> JournalFuture<Vec<KeptCommand>>;

    /// Keeps a command as it is now. Takes the place of what was kept under its id.
    fn keep(&self, command: KeptCommand) -> JournalFuture<()>;

    /// These are needed no more. Ids that are not kept are passed over.
    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()>;
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptCommand {
    /// Chosen by the caller; a later command has a higher one.
    pub id: u64,
    /// Who, and what.
    pub request: CommandRequest,
    /// When it came.
    pub asked_at: UnixMs,
    /// How far it is.
    pub state: CommandState,
}

/// How far a command is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CommandState {
    /// It may have been done: the process was about to, or had.
    Intended(Intent),
    /// Discord makes it wait.
    Queued {
        /// It is tried again then.
        due: UnixMs,
    },
    /// The person is not in voice; it is done once they are.
    Waiting {
        /// Until then.
        until: UnixMs,
    },
    /// It has ended.
    Settled {
        /// When.
        at: UnixMs,
        /// As it was answered.
        result: Settlement,
    },
}

/// A command that may have been done, and what was so before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// What was so before, of that which it changes.
    pub before: Before,
    /// Where the guild's log stood then: what came after it may have been this command's doing, or
    /// somebody else's.
    pub at: Position,
    /// When that was.
    pub since: UnixMs,
    /// Whoever asked was told that it is done later, so it is, however long that takes.
    pub promised: bool,
}

/// A result in a shape that every format can hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Settlement {
    /// What came of it.
    Done(CommandDone),
    /// Why nothing did.
    Failed(CommandError),
}

impl From<CommandResult> for Settlement {
    fn from(result: CommandResult) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<Settlement> for CommandResult {
    fn from(settlement: Settlement) -> Self {
        match settlement {
            Settlement::Done(done) => Ok(done),
            Settlement::Failed(error) => Err(error),
        }
    }
}
