//! The open database: read, and added to.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use std::borrow::Cow;

use guildhall_model::{Guild, GuildId, Position, SealedEvent, World};
use guildhall_ports::journal::{
    Commit, JournalBase, JournalContents, JournalError, JournalState, NewEpoch,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{
    checksum::{base_checksum, event_checksum, head_checksum},
    error::StorageError,
    open::{self, LockedFile},
    read,
    sweep::Sweep,
};

/// A journal's open file. Every call waits for the disk.
pub(super) struct Database {
    pub(super) file: LockedFile,
    path: PathBuf,
    /// Of the file that was opened.
    inode: u64,
    /// What the operator calls the setting that says where the file is.
    folder_setting: &'static str,
    state: FileState,
    /// Something was written, so closing has to tidy up.
    written: bool,
}

enum FileState {
    /// Not all of it was read yet, so it may still have to be refused, untouched.
    Unread,
    /// As it should be. `None`: no epoch of the log has begun.
    Valid(Option<LogEnd>),
    /// Nothing is done to it any more.
    Failed(JournalError),
}

/// What the next commit has to follow.
#[derive(Clone, Copy)]
struct LogEnd {
    head: Position,
    /// The sums of all bases and events, added up.
    rows: u64,
    sweep: Sweep,
}

impl Database {
    pub(super) fn open(path: &Path, folder_setting: &'static str) -> Result<Self, JournalError> {
        let file = open::open(path).map_err(|error| error.reading(path, folder_setting))?;
        Ok(Self {
            file,
            inode: inode(path).map_err(|error| {
                let path = path.display();
                JournalError::Failed(format!("{path}: {error}"))
            })?,
            path: path.to_owned(),
            folder_setting,
            state: FileState::Unread,
            written: false,
        })
    }

    pub(super) fn load(&mut self) -> Result<Option<JournalContents>, JournalError> {
        if let FileState::Failed(why) = &self.state {
            return Err(why.clone());
        }
        match read::everything(&self.file.connection) {
            Ok(None) => {
                self.state = FileState::Valid(None);
                Ok(None)
            }
            Ok(Some((saved, rows))) => {
                let floors = saved.bases.iter().map(|base| base.floor);
                let highest_floor = floors.max().unwrap_or(0);
                let kept = saved.events.len() as u64;
                let dead = self
                    .rows_below(kept)
                    .map_err(|error| error.reading(&self.path, self.folder_setting))?;
                self.state = FileState::Valid(Some(LogEnd {
                    head: saved.head,
                    rows,
                    sweep: Sweep::below(highest_floor, kept, dead),
                }));
                Ok(Some(saved))
            }
            Err(error) => {
                let lasting = error.is_lasting();
                let why = error.reading(&self.path, self.folder_setting);
                Err(if lasting { self.fail(why) } else { why })
            }
        }
    }

    fn rows_below(&self, kept: u64) -> Result<u64, StorageError> {
        let count = "SELECT count(*) FROM event";
        let count: i64 = self
            .file
            .connection
            .query_row(count, [], |row| row.get(0))?;
        Ok(count.cast_unsigned().saturating_sub(kept))
    }

    /// Somebody may remove or replace a file that is open; what is written to it then is lost, and
    /// the next process would not find it locked.
    fn is_still_there(&self) -> bool {
        inode(&self.path).is_ok_and(|inode| inode == self.inode)
    }

    pub(super) fn begin(&mut self, new_epoch: &NewEpoch) -> Result<(), JournalError> {
        self.write(|connection, _| begin(connection, new_epoch))
    }

    pub(super) fn commit(&mut self, commit: &Commit) -> Result<(), JournalError> {
        self.write(|connection, end| {
            let Some(end) = end else {
                return Err(StorageError::InvalidRequest(
                    "no epoch of the log has begun".to_owned(),
                ));
            };
            add(connection, end, commit)
        })
    }

    /// Closes the file. What does not work now is made up for when it is opened again.
    pub(super) fn close(self) {
        let is_failed = matches!(self.state, FileState::Failed(_));
        if !self.written || is_failed {
            return self.file.leave();
        }
        let mark = self
            .file
            .connection
            .execute("UPDATE writer SET open = 0", []);
        if mark.is_ok() {
            drop(self.file.connection.close());
        }
    }

    fn write(
        &mut self,
        change: impl FnOnce(&mut Connection, Option<LogEnd>) -> Result<LogEnd, StorageError>,
    ) -> Result<(), JournalError> {
        if !self.is_still_there() {
            let path = self.path.display();
            let why = format!("{path} was removed or replaced while it was open");
            return Err(self.fail(JournalError::Failed(why)));
        }
        if let FileState::Unread = self.state {
            self.load()?;
        }
        let end = match &self.state {
            FileState::Failed(why) => return Err(why.clone()),
            FileState::Valid(end) => *end,
            FileState::Unread => None,
        };
        let connection = &mut self.file.connection;
        let marked = if self.written {
            Ok(())
        } else {
            mark(connection)
        };
        self.written |= marked.is_ok();
        match marked.and_then(|()| change(connection, end)) {
            Ok(end) => {
                self.state = FileState::Valid(Some(end));
                Ok(())
            }
            Err(error) => {
                // Where SQLite could not even take back what it had begun it says so here.
                let lasting = error.is_lasting() || !self.file.connection.is_autocommit();
                let why = error.writing(&self.path, self.folder_setting);
                Err(if lasting { self.fail(why) } else { why })
            }
        }
    }

    fn fail(&mut self, why: JournalError) -> JournalError {
        self.state = FileState::Failed(why.clone());
        why
    }
}

fn inode(path: &Path) -> io::Result<u64> {
    fs::metadata(path).map(|metadata| metadata.ino())
}

/// Says in the file, and not only beside it, that the newest commits are beside it.
fn mark(connection: &Connection) -> Result<(), StorageError> {
    open::write_ahead(connection)?;
    connection.execute("UPDATE writer SET open = 1", [])?;
    let question = "PRAGMA wal_checkpoint(PASSIVE)";
    let (frames, moved): (i64, i64) =
        connection.query_row(question, [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    if frames != moved {
        return Err(StorageError::InvalidRequest(
            "its -wal file could not be written back".to_owned(),
        ));
    }
    Ok(())
}

fn begin(connection: &mut Connection, new_epoch: &NewEpoch) -> Result<LogEnd, StorageError> {
    let start = new_epoch.start;
    if start.seq != 0 {
        return Err(StorageError::InvalidRequest(format!(
            "{start} is no start of a log"
        )));
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch("DELETE FROM event; DELETE FROM base; DELETE FROM head")?;
    let mut end = LogEnd {
        head: start,
        rows: 0,
        sweep: Sweep::default(),
    };
    for (guild_id, guild) in &new_epoch.guilds {
        put_base(&transaction, &mut end, *guild_id, 0, Some(guild))?;
    }
    put_head(&transaction, end, &new_epoch.state)?;
    transaction.commit()?;
    Ok(end)
}

fn add(
    connection: &mut Connection,
    mut end: LogEnd,
    commit: &Commit,
) -> Result<LogEnd, StorageError> {
    let before = end.head;
    for event in &commit.events {
        if event.at != end.head.at(end.head.seq + 1) {
            let why = format!("an event at {} does not follow the head {before}", event.at);
            return Err(StorageError::InvalidRequest(why));
        }
        end.head = event.at;
    }
    let transaction = connection.transaction()?;
    for base in &commit.bases {
        let JournalBase {
            guild_id,
            floor,
            guild,
        } = base;
        let least = floor_of(&transaction, *guild_id)?;
        if !(least..=before.seq).contains(floor) {
            let why = format!("a floor at {floor} is not between {least} and the head {before}");
            return Err(StorageError::InvalidRequest(why));
        }
        end.sweep.floor_raised(*floor);
        put_base(&transaction, &mut end, *guild_id, *floor, guild.as_ref())?;
    }
    let mut insert = transaction.prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)")?;
    for sealed in &commit.events {
        let (event, seq) = (&sealed.event, sealed.at.seq);
        let (name, payload) = (event.change.name(), payload(sealed));
        let sum = event_checksum(seq, event.guild_id, event.ts, name, &payload);
        let guild_id = event.guild_id.0.cast_signed();
        let (seq, ts) = (seq.cast_signed(), event.ts.cast_signed());
        insert.execute(params![seq, guild_id, ts, name, payload, sum.cast_signed()])?;
        end.rows = end.rows.wrapping_add(sum);
        end.sweep.event_added(payload.len());
    }
    drop(insert);
    end.rows = end.rows.wrapping_sub(end.sweep.go_on(&transaction)?);
    put_head(&transaction, end, &commit.state)?;
    transaction.commit()?;
    Ok(end)
}

/// A row's payload: the event's, and whether its group goes on. That is absent in files of builds
/// that knew no groups, and passed over by them.
fn payload(sealed: &SealedEvent) -> Cow<'_, str> {
    let payload = sealed.payload();
    match payload.strip_suffix('}') {
        // A payload has fields always: whose guild, and when.
        Some(open) if sealed.more => format!(r#"{open},"more":true}}"#).into(),
        _ => payload.into(),
    }
}

fn floor_of(transaction: &Transaction<'_>, guild_id: GuildId) -> Result<u64, StorageError> {
    let mut select = transaction.prepare_cached("SELECT floor FROM base WHERE guild_id = ?")?;
    let floor: Option<i64> = select
        .query_row([guild_id.0.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(floor.map_or(0, i64::cast_unsigned))
}

fn put_base(
    transaction: &Transaction<'_>,
    end: &mut LogEnd,
    guild_id: GuildId,
    floor: u64,
    guild: Option<&Guild>,
) -> Result<(), StorageError> {
    let id = guild_id.0.cast_signed();
    let mut old =
        transaction.prepare_cached("DELETE FROM base WHERE guild_id = ? RETURNING sum")?;
    let old: Option<i64> = old.query_row([id], |row| row.get(0)).optional()?;
    let old = old.map_or(0, i64::cast_unsigned);

    let world = guild.map(json).transpose()?;
    let sum = base_checksum(guild_id, floor, world.as_deref());
    let mut insert = transaction.prepare_cached("INSERT INTO base VALUES (?, ?, ?, ?)")?;
    insert.execute(params![id, floor.cast_signed(), world, sum.cast_signed()])?;
    end.rows = end.rows.wrapping_sub(old).wrapping_add(sum);
    Ok(())
}

fn put_head(
    transaction: &Transaction<'_>,
    end: LogEnd,
    state: &JournalState,
) -> Result<(), StorageError> {
    let LogEnd { head, rows, .. } = end;
    let state = json(state)?;
    let sum = head_checksum(head, World::FORMAT, &state, rows);
    let put = "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?)";
    transaction.prepare_cached(put)?.execute(params![
        head.log.0,
        head.epoch.cast_signed(),
        head.seq.cast_signed(),
        World::FORMAT,
        state,
        rows.cast_signed(),
        sum.cast_signed()
    ])?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    let unwritable =
        |error| StorageError::InvalidRequest(format!("something has no JSON form: {error}"));
    serde_json::to_string(value).map_err(unwritable)
}
