//! The gateway's file: what is in it, and the handles on it.

use std::{fmt, path::Path};

use guildhall_ports::journal::{
    Commit, Journal, JournalContents, JournalError, JournalFuture, NewEpoch,
};

use super::{
    file::{Database, FileError, Modules, Owner},
    journal,
};

/// Every store in the file, in the order in which they came. The next one goes to the end.
const MODULES: Modules = &[&journal::MODULE];

/// What the stores know beside their rows.
#[derive(Default)]
struct Stores {
    journal: journal::Store,
}

/// A [`Journal`] in one SQLite file that this process has for itself (`docs/decisions/0004`).
///
/// A thread of its own owns the file, so no async thread waits for the disk, and no runtime is
/// needed. Dropping it ends the thread after what was called before, and closes the file: then
/// the next one can open it. Dropping waits for that, 10 s at most.
pub struct SqliteJournal {
    owner: Owner<Stores>,
}

impl SqliteJournal {
    /// Opens the journal at `path`, and makes one if there is no file. Its folder has to be there.
    /// A file of an earlier Guildhall is brought up to date first.
    ///
    /// `folder_setting` is what the operator calls the setting that says in which folder it is: a
    /// refusal names it. Waits for the disk: reads the file once.
    ///
    /// # Errors
    ///
    /// [`JournalError::InUse`] while another process has it open. [`JournalError::Refused`] if it
    /// is damaged, of a newer Guildhall, of something else or may not be written: no file is
    /// changed then, created or removed.
    pub fn open(path: &Path, folder_setting: &'static str) -> Result<Self, JournalError> {
        let database = Database::open(path, folder_setting, MODULES)?;
        let owner = Owner::new(database, Stores::default())?;
        Ok(Self { owner })
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Database, &mut Stores) -> Result<T, FileError> + Send + 'static,
    ) -> JournalFuture<T> {
        let answered = self.owner.ask(ask);
        Box::pin(async move { Ok(answered.await?) })
    }
}

impl Journal for SqliteJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        self.ask(|database, stores| stores.journal.load(database))
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        self.ask(move |database, stores| stores.journal.begin(database, &new_epoch))
    }

    fn commit(&self, commit: Commit) -> JournalFuture<()> {
        self.ask(move |database, stores| stores.journal.commit(database, &commit))
    }
}

impl From<FileError> for JournalError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::InUse(why) => Self::InUse(why),
            FileError::Refused(why) => Self::Refused(why),
            FileError::Failed(why) => Self::Failed(why),
        }
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteJournal").field(&self.owner).finish()
    }
}

#[cfg(test)]
mod tests;
