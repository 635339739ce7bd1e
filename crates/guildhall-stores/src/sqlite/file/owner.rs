//! A thread that owns the open file, and the handle on it.

use std::{
    fmt,
    path::{Path, PathBuf},
    pin::Pin,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{database::Database, error::FileError};

/// So many calls may wait for the disk. Each log has one commit under way at a time; a caller
/// that does not wait for answers is told that its call failed rather than kept in memory.
pub(in crate::sqlite) const ASKS_WAITING: usize = 256;

/// Closing the file takes as long as what was called before and moving one write-ahead file; on a
/// disk that hangs, whoever drops the handle goes on after this and the file stays locked.
const CLOSING_TIME: Duration = Duration::from_secs(10);

/// The one owner of an open file and of what its stores know about it, `S`.
///
/// A thread of its own does what the handle asks, in order, so no async thread waits for the disk,
/// and no runtime is needed. Dropping it ends the thread after what was called before, and closes
/// the file: then the next one can open it. Dropping waits for that, 10 s at most.
pub(in crate::sqlite) struct Owner<S> {
    path: PathBuf,
    asks: Option<SyncSender<Ask<S>>>,
    thread: Option<JoinHandle<()>>,
    /// Nothing ever comes; the other end is dropped when the file is closed.
    closed: Mutex<Receiver<()>>,
}

/// What the file's owner answers. It needs no polling to take effect.
pub(in crate::sqlite) type FileFuture<T> =
    Pin<Box<dyn Future<Output = Result<T, FileError>> + Send>>;

type Ask<S> = Box<dyn FnOnce(&mut Database, &mut S) + Send>;

impl<S: Send + 'static> Owner<S> {
    pub(in crate::sqlite) fn new(database: Database, stores: S) -> Result<Self, FileError> {
        let path = database.path().to_owned();
        let (asks, inbox) = sync_channel(ASKS_WAITING);
        let (open, closed) = sync_channel(0);
        let run = move || {
            serve(database, stores, &inbox);
            drop(open);
        };
        let thread = Builder::new().name("sqlite".to_owned()).spawn(run);
        let thread = thread.map_err(|error| {
            FileError::Failed(format!(
                "the thread of {} does not start: {error}",
                path.display()
            ))
        })?;
        Ok(Self {
            path,
            asks: Some(asks),
            thread: Some(thread),
            closed: Mutex::new(closed),
        })
    }

    /// Asked at once, whether the answer is waited for or not.
    pub(in crate::sqlite) fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Database, &mut S) -> Result<T, FileError> + Send + 'static,
    ) -> FileFuture<T> {
        let (reply, replied) = oneshot::channel();
        let given = self.give(move |database, stores| {
            // Whoever asked may have gone: what was asked is done all the same.
            drop(reply.send(ask(database, stores)));
        });
        self.answered(given.map(|()| replied))
    }

    /// The same, for what sends its answers by itself.
    pub(in crate::sqlite) fn give(
        &self,
        ask: impl FnOnce(&mut Database, &mut S) + Send + 'static,
    ) -> Result<(), FileError> {
        let ask: Ask<S> = Box::new(ask);
        let sent = match &self.asks {
            Some(asks) => asks.try_send(ask),
            None => Err(TrySendError::Disconnected(ask)),
        };
        sent.map_err(|error| match error {
            TrySendError::Full(_) => self.too_slow(),
            TrySendError::Disconnected(_) => failed(&self.path, "its thread has ended"),
        })
    }

    /// The answer to something that was given, once it comes.
    pub(in crate::sqlite) fn answered<T: Send + 'static>(
        &self,
        given: Result<oneshot::Receiver<Result<T, FileError>>, FileError>,
    ) -> FileFuture<T> {
        let path = self.path.clone();
        Box::pin(async move {
            let ended = |_| Err(failed(&path, "its thread has ended"));
            given?.await.unwrap_or_else(ended)
        })
    }

    /// What a caller is told for whom there is no room to wait.
    pub(in crate::sqlite) fn too_slow(&self) -> FileError {
        failed(&self.path, "the disk is slower than what is asked of it")
    }
}

fn failed(path: &Path, why: &str) -> FileError {
    FileError::Failed(format!("{}: {why}", path.display()))
}

fn serve<S>(mut database: Database, mut stores: S, inbox: &Receiver<Ask<S>>) {
    for ask in inbox {
        ask(&mut database, &mut stores);
    }
    database.close();
}

impl<S> Drop for Owner<S> {
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

impl<S> fmt::Debug for Owner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owner").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests;
