//! The gateway's file: what is in it, and the handles on it.

use std::{fmt, path::Path, sync::Arc};

use guildhall_model::{GuildId, LogId, Revocation, UnixMs};
use guildhall_ports::{
    CommandJournal, Fence, KeptCommand, RevocationChange, RevocationStore, RoomStore,
    journal::{
        Amount, Commit, Journal, JournalContents, JournalError, JournalFuture, Journals, NewEpoch,
        Surplus,
    },
    room_store::{KeptRooms, RoomChange, SigningKey},
};

use super::{
    commands::{self, CommandChange, GatheredChanges},
    file::{Database, FileError, Modules, Owner},
    journal, revocations, rooms,
};

/// Every store in the file, in the order in which they came. The next one goes to the end.
pub(super) const MODULES: Modules = &[
    &journal::MODULE,
    &commands::MODULE,
    &rooms::MODULE,
    &revocations::MODULE,
];

/// What the stores know beside their rows.
struct Stores {
    journal: journal::Store,
}

/// [`Journals`], the [`CommandJournal`], the [`RoomStore`] and the [`RevocationStore`] in one SQLite
/// file that this process has for itself (`docs/decisions/0004`).
///
/// A thread of its own owns the file, so no async thread waits for the disk, and no runtime is
/// needed. Dropping the last handle, on the file or on one of its journals, ends the thread after
/// what was called before, and closes the file: then the next one can open it. Dropping waits for
/// that, 10 s at most.
#[derive(Clone)]
pub struct SqliteJournals {
    owner: Arc<Owner<Stores>>,
    gathered: Arc<GatheredChanges>,
}

/// The journal of one log, for one writer.
#[derive(Clone)]
pub struct SqliteJournal {
    all: SqliteJournals,
    log: LogId,
    fence: Fence,
}

impl SqliteJournals {
    /// Opens the file at `path`, and makes one if there is none. Its folder has to be there.
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
        Self::open_asking_beyond(path, folder_setting, Surplus::LEAST)
    }

    /// The same, with journals that ask for bases when more than this is kept in vain.
    ///
    /// # Errors
    ///
    /// As [`SqliteJournals::open`].
    pub fn open_asking_beyond(
        path: &Path,
        folder_setting: &'static str,
        surplus: Amount,
    ) -> Result<Self, JournalError> {
        let database = Database::open(path, folder_setting, MODULES)?;
        let journal = journal::Store::asking_beyond(surplus);
        Ok(Self {
            owner: Arc::new(Owner::new(database, Stores { journal })?),
            gathered: Arc::default(),
        })
    }

    /// The journal of a log, for a writer with this fence.
    #[must_use]
    pub fn log(&self, log: LogId, fence: Fence) -> SqliteJournal {
        let all = self.clone();
        SqliteJournal { all, log, fence }
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Database, &mut Stores) -> Result<T, FileError> + Send + 'static,
    ) -> JournalFuture<T> {
        let answered = self.owner.ask(ask);
        Box::pin(async move { Ok(answered.await?) })
    }

    fn change(&self, change: CommandChange) -> JournalFuture<()> {
        let added = self.gathered.add(change, &self.owner);
        let answered = self.owner.answered(added);
        Box::pin(async move { Ok(answered.await?) })
    }
}

impl Journals for SqliteJournals {
    fn fence(&self) -> JournalFuture<Fence> {
        self.ask(|database, stores| stores.journal.fence(database))
    }

    fn journal(&self, log: LogId, fence: Fence) -> Arc<dyn Journal> {
        Arc::new(self.log(log, fence))
    }
}

impl CommandJournal for SqliteJournals {
    fn load(&self) -> JournalFuture<Vec<KeptCommand>> {
        self.gathered.end();
        self.ask(|database, _| commands::load(database))
    }

    fn keep(&self, command: KeptCommand) -> JournalFuture<()> {
        self.change(CommandChange::Keep(Box::new(command)))
    }

    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()> {
        self.change(CommandChange::Forget(ids))
    }
}

impl RoomStore for SqliteJournals {
    fn load(&self, fresh_key: SigningKey) -> JournalFuture<KeptRooms> {
        self.ask(move |database, _| rooms::load(database, fresh_key))
    }

    fn save(&self, changes: Vec<RoomChange>) -> JournalFuture<()> {
        self.ask(move |database, _| rooms::save(database, &changes))
    }
}

impl RevocationStore for SqliteJournals {
    fn load(&self, not_before: UnixMs) -> JournalFuture<Vec<Revocation>> {
        self.ask(move |database, _| revocations::load(database, not_before))
    }

    fn record(&self, changes: Vec<RevocationChange>) -> JournalFuture<()> {
        self.ask(move |database, _| revocations::record(database, &changes))
    }
}

impl Journal for SqliteJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        let log = self.log;
        self.all
            .ask(move |database, stores| stores.journal.load(database, log))
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        let (log, fence) = (self.log, self.fence);
        self.all
            .ask(move |database, stores| stores.journal.begin(database, log, fence, &new_epoch))
    }

    fn commit(&self, commit: Commit) -> JournalFuture<Vec<GuildId>> {
        let (log, fence) = (self.log, self.fence);
        self.all
            .ask(move |database, stores| stores.journal.commit(database, log, fence, &commit))
    }
}

impl From<FileError> for JournalError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::InUse(why) => Self::InUse(why),
            FileError::Refused(why) => Self::Refused(why),
            FileError::Fenced(fenced) => Self::Fenced(fenced),
            FileError::Failed(why) => Self::Failed(why),
        }
    }
}

impl fmt::Debug for SqliteJournals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteJournals").field(&self.owner).finish()
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut journal = f.debug_struct("SqliteJournal");
        journal.field("in", &self.all).field("log", &self.log.0);
        journal.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
