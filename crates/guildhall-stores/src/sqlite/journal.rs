//! The journal's part of a file: its tables, and the log as they have it.

/// Its tables.
mod tables;
/// A checksum for each row.
mod checksum;
/// Reading on several processors.
mod parallel;
/// Events that are needed no more go.
mod sweep;
/// Rows become values again, all of them or none.
mod read;
/// Values become rows.
mod write;
/// Its part of a file, and how that came to be.
mod module;

use guildhall_model::Position;
use guildhall_ports::journal::{Commit, JournalContents, NewEpoch};

use super::file::{Database, FileError, StorageError, Writing};
use sweep::Sweep;

pub(super) use module::MODULE;

/// The journal, over an open file that has [`MODULE`] in it.
#[derive(Default)]
pub(super) struct Store {
    known: Known,
}

#[derive(Clone, Copy, Default)]
enum Known {
    /// Not all of it was read yet, so it may still have to be refused.
    #[default]
    Nothing,
    /// No epoch of the log has begun.
    Empty,
    /// As it should be.
    Begun(LogEnd),
}

/// What the next commit has to follow.
#[derive(Clone, Copy)]
pub(super) struct LogEnd {
    head: Position,
    /// The checksum of its row.
    sum: u64,
    sweep: Sweep,
}

impl Store {
    /// Everything as of the last commit; `None`: no epoch of the log has begun.
    pub(super) fn load(
        &mut self,
        database: &mut Database,
    ) -> Result<Option<JournalContents>, FileError> {
        let Some((contents, end)) = database.read(&MODULE, read::everything)? else {
            self.known = Known::Empty;
            return Ok(None);
        };
        self.known = Known::Begun(end);
        Ok(Some(contents))
    }

    pub(super) fn begin(
        &mut self,
        database: &mut Database,
        new_epoch: &NewEpoch,
    ) -> Result<(), FileError> {
        let end = database.write(|writing| write::begin(writing, new_epoch))?;
        self.known = Known::Begun(end);
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        database: &mut Database,
        commit: &Commit,
    ) -> Result<(), FileError> {
        if let Known::Nothing = self.known {
            self.load(database)?;
        }
        let end = database.write(|writing| self.add(writing, commit))?;
        self.committed(end);
        Ok(())
    }

    /// Adds a batch to what is being written, beside whatever other stores write there. Once it is
    /// committed, [`Store::committed`] has to be told. The journal was loaded before, or begun.
    pub(super) fn add(
        &self,
        writing: &mut Writing<'_>,
        commit: &Commit,
    ) -> Result<LogEnd, StorageError> {
        match self.known {
            Known::Begun(end) => write::add(writing, end, commit),
            Known::Nothing | Known::Empty => Err(StorageError::InvalidRequest(
                "no epoch of the log has begun".to_owned(),
            )),
        }
    }

    pub(super) fn committed(&mut self, end: LogEnd) {
        self.known = Known::Begun(end);
    }
}

#[cfg(test)]
mod tests;
