//! The gateway's journal in one SQLite file: a thread of its own does what the handle asks for.

/// What is in the file.
mod schema;
/// A file is opened, or refused as it is.
mod open;
/// The open database: read, and added to.
mod database;
/// Rows become values again, all of them or none.
mod read;
/// Reading on several processors.
mod parallel;
/// Events that are needed no more go.
mod sweep;
/// A checksum for each row.
mod checksum;
/// What SQLite would pass over in silence.
mod wal;
/// Why a file cannot be used, and the sentence for whoever has to do something about it.
mod error;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use guildhall_ports::journal::{
    Commit, Journal, JournalContents, JournalError, JournalFuture, NewEpoch,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use database::Database;

/// So many calls may wait for the disk. The gateway has one commit under way at a time; a caller
/// that does not wait for answers is told that its commit failed rather than kept in memory.
const ASKS_WAITING: usize = 64;

/// Closing the file takes as long as what was called before and moving one write-ahead file; on a
/// disk that hangs, whoever drops the journal goes on after this and the file stays locked.
const CLOSING_TIME: Duration = Duration::from_secs(10);

/// A [`Journal`] in one SQLite file that this process has for itself (`docs/decisions/0004`).
///
/// A thread of its own owns the file, so no async thread waits for the disk, and no runtime is
/// needed. Dropping it ends the thread after what was called before, and closes the file: then
/// the next one can open it. Dropping waits for that, 10 s at most.
pub struct SqliteJournal {
    path: PathBuf,
    asks: Option<SyncSender<Ask>>,
    thread: Option<JoinHandle<()>>,
    /// Nothing ever comes; the other end is dropped when the file is closed.
    closed: Mutex<Receiver<()>>,
}

enum Ask {
    Load(ReplySender<Option<JournalContents>>),
    Begin(Box<NewEpoch>, ReplySender<()>),
    Commit(Commit, ReplySender<()>),
}

type ReplySender<T> = oneshot::Sender<Result<T, JournalError>>;

impl SqliteJournal {
    /// Opens the journal at `path`, and makes one if there is no file. Its folder has to be there.
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
        let database = Database::open(path, folder_setting)?;
        let (asks, inbox) = sync_channel(ASKS_WAITING);
        let (open, closed) = sync_channel(0);
        let run = move || {
            serve(database, &inbox);
            drop(open);
        };
        let thread = Builder::new().name("journal".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            JournalError::Failed(format!("the journal's thread does not start: {error}"))
        })?;
        Ok(Self {
            path: path.to_owned(),
            asks: Some(asks),
            thread: Some(thread),
            closed: Mutex::new(closed),
        })
    }

    fn ask<T: Send + 'static>(&self, ask: impl FnOnce(ReplySender<T>) -> Ask) -> JournalFuture<T> {
        let (reply, replied) = oneshot::channel();
        let sent = match &self.asks {
            Some(asks) => asks.try_send(ask(reply)),
            None => Err(TrySendError::Disconnected(ask(reply))),
        };
        let refusal = match sent {
            Ok(()) => None,
            Err(TrySendError::Full(_)) => Some("the disk is slower than what is asked of it"),
            Err(TrySendError::Disconnected(_)) => Some("its thread has ended"),
        };
        let path = self.path.clone();
        let failed = move |why| JournalError::Failed(format!("{}: {why}", path.display()));
        Box::pin(async move {
            if let Some(why) = refusal {
                return Err(failed(why));
            }
            let ended = |_| Err(failed("its thread has ended"));
            replied.await.unwrap_or_else(ended)
        })
    }
}

impl Journal for SqliteJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        self.ask(Ask::Load)
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        self.ask(|reply| Ask::Begin(Box::new(new_epoch), reply))
    }

    fn commit(&self, commit: Commit) -> JournalFuture<()> {
        self.ask(|reply| Ask::Commit(commit, reply))
    }
}

fn serve(mut database: Database, inbox: &Receiver<Ask>) {
    for ask in inbox {
        // Whoever asked may have gone: what was asked is done all the same.
        match ask {
            Ask::Load(reply) => drop(reply.send(database.load())),
            Ask::Begin(new_epoch, reply) => drop(reply.send(database.begin(&new_epoch))),
            Ask::Commit(commit, reply) => drop(reply.send(database.commit(&commit))),
        }
    }
    database.close();
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        drop(self.asks.take());
        let closed = self.closed.get_mut().recv_timeout(CLOSING_TIME);
        if let Err(RecvTimeoutError::Disconnected) = closed {
            // It has nothing left to do but to return. A panic of its own was told to whoever
            // had asked.
            drop(self.thread.take().map(JoinHandle::join));
        }
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteJournal").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests;
