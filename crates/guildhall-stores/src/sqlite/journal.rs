//! The journals' part of a file: their tables, and the logs as they have them.

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

use std::collections::HashMap;

use guildhall_model::{GuildId, LogId, Position};
use guildhall_ports::{
    Fence, Fenced,
    journal::{Amount, Commit, JournalContents, NewEpoch, Surplus},
};

use super::file::{Database, FileError, StorageError, Writing};
use read::Values;
use sweep::Sweep;

pub(super) use module::MODULE;

/// The journals, over an open file that has [`MODULE`] in it.
pub(super) struct Store {
    /// Beyond this it asks for bases.
    surplus: Amount,
    /// Of whoever opened the file; `None`: nobody has asked anything yet.
    fence: Option<Fence>,
    /// Whether all rows were read and none had to be refused.
    was_read: bool,
    logs: HashMap<LogId, Known>,
}

enum Known {
    /// No epoch of the log has begun.
    Empty,
    /// As it should be.
    Begun(LogEnd, Surplus),
}

/// What the next commit has to follow.
#[derive(Clone, Copy)]
pub(super) struct LogEnd {
    head: Position,
    /// The highest that was written with.
    fence: Fence,
    /// The checksum of its row.
    sum: u64,
    sweep: Sweep,
}

impl Store {
    /// One that asks for bases when more than this is kept in vain.
    pub(super) fn asking_beyond(surplus: Amount) -> Self {
        Self {
            surplus,
            fence: None,
            was_read: false,
            logs: HashMap::new(),
        }
    }

    /// Above every fence that was written with before the file was opened.
    pub(super) fn fence(&mut self, database: &mut Database) -> Result<Fence, FileError> {
        if let Some(fence) = self.fence {
            return Ok(fence);
        }
        let heads = database.look(read::heads)?;
        let highest = heads.values().map(|head| head.fence.0).max();
        let fence = Fence(highest.map_or(1, |highest| highest.saturating_add(1)));
        self.fence = Some(fence);
        Ok(fence)
    }

    /// Everything of a log as of the last commit; `None`: no epoch of it has begun.
    pub(super) fn load(
        &mut self,
        database: &mut Database,
        log: LogId,
    ) -> Result<Option<JournalContents>, FileError> {
        self.fence(database)?;
        let loaded = if self.was_read {
            database.look(|connection| read::one(connection, log))?
        } else {
            let values = Values::Of(log);
            let mut all = database.read(&MODULE, |reading| read::everything(reading, values))?;
            self.was_read = true;
            all.remove(&log)
        };
        let Some((contents, end)) = loaded else {
            self.logs.insert(log, Known::Empty);
            return Ok(None);
        };
        // Of what was told before nothing is known any more: it is needed until it is told again.
        let mut surplus = Surplus::beyond(self.surplus);
        for event in &contents.events {
            surplus.added(event.event.guild_id, event.at.seq, event.payload().len());
        }
        self.logs.insert(log, Known::Begun(end, surplus));
        Ok(Some(contents))
    }

    pub(super) fn begin(
        &mut self,
        database: &mut Database,
        log: LogId,
        fence: Fence,
        new_epoch: &NewEpoch,
    ) -> Result<(), FileError> {
        self.learn(database, log)?;
        let end = match self.logs.get(&log) {
            Some(Known::Begun(end, _)) => Some(*end),
            Some(Known::Empty) | None => None,
        };
        let begin = |writing: &mut Writing<'_>| write::begin(writing, log, fence, end, new_epoch);
        let end = database.write(begin)?;
        let fresh = Known::Begun(end, Surplus::beyond(self.surplus));
        self.logs.insert(log, fresh);
        Ok(())
    }

    /// Answers with the guilds whose bases the next commit is to bring.
    pub(super) fn commit(
        &mut self,
        database: &mut Database,
        log: LogId,
        fence: Fence,
        commit: &Commit,
    ) -> Result<Vec<GuildId>, FileError> {
        self.learn(database, log)?;
        let end = database.write(|writing| self.add(writing, log, fence, commit))?;
        Ok(self.committed(end, commit))
    }

    /// Adds a batch to what is being written, beside whatever other stores write there. Once it is
    /// committed, [`Store::committed`] has to be told. The log was loaded before, or begun.
    pub(super) fn add(
        &self,
        writing: &mut Writing<'_>,
        log: LogId,
        fence: Fence,
        commit: &Commit,
    ) -> Result<LogEnd, StorageError> {
        match self.logs.get(&log) {
            Some(Known::Begun(end, _)) => write::add(writing, fence, *end, commit),
            Some(Known::Empty) | None => Err(Fenced::NotBegun(log).into()),
        }
    }

    pub(super) fn committed(&mut self, now: LogEnd, commit: &Commit) -> Vec<GuildId> {
        match self.logs.get_mut(&now.head.log) {
            Some(Known::Begun(end, surplus)) => {
                *end = now;
                surplus.committed(commit)
            }
            Some(Known::Empty) | None => Vec::new(),
        }
    }

    /// What has to be known of a log before it is written to.
    fn learn(&mut self, database: &mut Database, log: LogId) -> Result<(), FileError> {
        if !self.logs.contains_key(&log) {
            self.load(database, log)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
