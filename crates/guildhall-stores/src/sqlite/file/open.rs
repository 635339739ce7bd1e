//! A file is opened, or refused as it is.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, MAIN_DB, OpenFlags, config::DbConfig};

use super::{
    error::StorageError,
    migrate::migrate,
    module::{Modules, summed_at, tables_at, version_of},
    row_sums::RowSums,
    wal,
};

/// "Guld": tells a file of ours from anybody else's SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x4775_6c64;

/// SQLite writes back what is in the write-ahead file when that has grown to so many pages (of
/// 4 KiB); it is kept at that size then. Everything waits for that, so little at a time: with 512 the
/// p99 of 20,000 events/s was a quarter higher, with 2,048 more than double.
const WAL_PAGES: u32 = 256;

/// A file that this process has for itself.
pub(super) struct LockedFile {
    pub(super) connection: Connection,
    /// There was a write-ahead file beside it.
    had_beside: bool,
}

/// Opens the file, or makes it, and answers with the sums of its tables. A file that is there is
/// brought up to date if it is of an earlier version; otherwise nothing of it is changed yet, not
/// even when it is closed again ([`LockedFile::leave`]).
pub(super) fn open(path: &Path, modules: Modules) -> Result<(LockedFile, RowSums), StorageError> {
    let length_beside = length(&beside(path, "-wal"))?;
    match length(path)? {
        // SQLite would remove the other without a word.
        None | Some(0) if length_beside.is_some_and(|length| length > 0) => {
            let why = "it is missing or empty, and its -wal file is not";
            return Err(StorageError::Damaged(why.to_owned()));
        }
        None => make(path)?,
        Some(0) => {}
        Some(_) => peek(path)?,
    }
    // One thread at a time has it, so it needs no mutex of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = LockedFile {
        connection: Connection::open_with_flags(path, flags)?,
        had_beside: length_beside.is_some(),
    };
    match lock_and_check(&opened.connection, path, modules) {
        Ok(sums) => Ok((opened, sums)),
        Err(error) => {
            opened.leave();
            Err(error)
        }
    }
}

impl LockedFile {
    /// Closes what was not written to, and leaves all files as they are.
    pub(super) fn leave(self) {
        // Opening makes an empty write-ahead file, and closing removes it. One that was there is
        // written back by closing, which has to be left out then.
        let leave_out = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let set = self.connection.set_db_config(leave_out, self.had_beside);
        if set.is_ok() {
            // Otherwise it stays locked until the process ends, and is none the worse for it.
            drop(self.connection.close());
        }
    }
}

/// From now on closing the file tidies up.
pub(super) fn write_ahead(connection: &Connection) -> Result<(), StorageError> {
    let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let why = format!("the file system has no write-ahead log (journal mode {mode})");
        return Err(StorageError::InvalidRequest(why));
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

fn make(path: &Path) -> Result<(), StorageError> {
    // By SQLite it would be readable for everybody. Never while it may be open here: when a
    // process closes any handle on a file it loses its locks on it.
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StorageError::NoFolder),
        // What else is wrong SQLite will say.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Looks at the header without a lock, and without what SQLite does to a file whose writer died:
/// that is right for a file of ours and not for anybody else's file.
fn peek(path: &Path) -> Result<(), StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(address(path), flags)?;
    // Or a file whose writer was killed while it grew is refused.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    match number(&connection, "PRAGMA application_id")? {
        APPLICATION_ID => Ok(()),
        _ => Err(StorageError::Foreign),
    }
}

fn lock_and_check(
    connection: &Connection,
    path: &Path,
    modules: Modules,
) -> Result<RowSums, StorageError> {
    // Before anything that looks at the file: whoever has it has it for long, and rusqlite would
    // wait for 5 s each time.
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // FULL: a power cut must not take back a position that was published.
    connection.execute_batch(&format!(
        "PRAGMA locking_mode=EXCLUSIVE;
         PRAGMA synchronous=FULL;
         PRAGMA cell_size_check=ON;
         PRAGMA cache_size=-16384;
         PRAGMA temp_store=MEMORY;
         PRAGMA wal_autocheckpoint={WAL_PAGES};
         PRAGMA journal_size_limit={}",
        WAL_PAGES * 4096
    ))?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    // Begun all the same, for reading.
    if connection.is_readonly(MAIN_DB)? {
        return Err(StorageError::ReadOnly);
    }
    // Also when it was being made and its process was killed: that has been taken back by now.
    let sums = if length(path)? == Some(0) {
        lay_out(connection, modules)?
    } else {
        check(connection, path, modules)?
    };
    // The lock stays: locking_mode.
    connection.execute_batch("COMMIT")?;
    Ok(sums)
}

fn lay_out(connection: &Connection, modules: Modules) -> Result<RowSums, StorageError> {
    let version = version_of(modules);
    for table in tables_at(modules, version) {
        table.create(connection)?;
    }
    let sums = RowSums::of(summed_at(modules, version));
    sums.put(connection, &RowSums::default())?;
    connection.execute_batch(&format!(
        "INSERT INTO writer VALUES (1, 0);
         PRAGMA application_id={APPLICATION_ID};
         PRAGMA user_version={version}"
    ))?;
    Ok(sums)
}

fn check(connection: &Connection, path: &Path, modules: Modules) -> Result<RowSums, StorageError> {
    if number(connection, "PRAGMA application_id")? != APPLICATION_ID {
        return Err(StorageError::Foreign);
    }
    let known = version_of(modules);
    let version = number(connection, "PRAGMA user_version")?;
    if version > known {
        return Err(StorageError::NewerTables { version, known });
    }
    if version < 1 {
        let why = format!("no version {version} was ever written");
        return Err(StorageError::Damaged(why));
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(StorageError::Damaged(found));
    }
    check_tables(connection, modules, version)?;
    check_write_ahead(connection, path)?;
    if version == known {
        return RowSums::read(connection, summed_at(modules, version));
    }
    let sums = migrate(connection, modules, version)?;
    check_tables(connection, modules, known)?;
    Ok(sums)
}

fn check_tables(
    connection: &Connection,
    modules: Modules,
    version: i32,
) -> Result<(), StorageError> {
    let mut found = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let mut found = found.query([])?;
    for table in tables_at(modules, version) {
        let row = found.next()?;
        let as_written = |row: &rusqlite::Row<'_>| -> rusqlite::Result<bool> {
            Ok(row.get_ref(0)?.as_str()? == table.name && row.get_ref(1)?.as_str()? == table.sql)
        };
        if !row.map(as_written).transpose()?.unwrap_or(false) {
            let why = format!("table {} is not as it was made", table.name);
            return Err(StorageError::Damaged(why));
        }
    }
    match found.next()? {
        None => Ok(()),
        Some(_) => Err(StorageError::Damaged("it has a table too many".to_owned())),
    }
}

/// What SQLite takes for the traces of a crash may be commits that were answered.
fn check_write_ahead(connection: &Connection, path: &Path) -> Result<(), StorageError> {
    let open = number(connection, "SELECT open FROM writer WHERE one = 1")?;
    if !(0..=1).contains(&open) {
        return Err(StorageError::Damaged(
            "table writer is not as it was written".to_owned(),
        ));
    }
    let found = match fs::File::open(beside(path, "-wal")) {
        Ok(file) => wal::read(io::BufReader::new(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(wal::Found::Nothing),
        Err(error) => Err(error),
    };
    match found {
        Ok(wal::Found::Whole) => Ok(()),
        Ok(wal::Found::Nothing) if open == 0 => Ok(()),
        Ok(wal::Found::Nothing) => Err(StorageError::WalTruncated),
        Ok(wal::Found::Broken) => Err(StorageError::Damaged(
            "its -wal file has a commit that cannot be read, and others after it".to_owned(),
        )),
        Err(error) => Err(StorageError::InvalidRequest(format!(
            "its -wal file could not be read: {error}"
        ))),
    }
}

fn number(connection: &Connection, question: &str) -> rusqlite::Result<i32> {
    connection.query_row(question, [], |row| row.get(0))
}

/// The file as SQLite's URI; `immutable`: nothing else has to be looked at, locked or made.
fn address(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // Each byte in its long form: none of them means anything in an address then.
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let bytes: String = bytes
        .map(|byte| match byte {
            b'/' => "/".to_owned(),
            other => format!("%{other:02x}"),
        })
        .collect();
    format!("file://{bytes}?immutable=1")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = OsString::from(path);
    beside.push(ending);
    beside.into()
}

fn length(path: &Path) -> Result<Option<u64>, StorageError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(StorageError::NoFile),
        Ok(found) => Ok(Some(found.len())),
        Err(_) => Ok(None),
    }
}
