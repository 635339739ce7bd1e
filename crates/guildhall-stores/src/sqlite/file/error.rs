//! Why a file cannot be used, and the sentence for whoever has to do something about it.

use std::path::Path;

use guildhall_ports::Fenced;
use rusqlite::{Error, ErrorCode};

/// Why a file does not do as it is told: sentences for whoever has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sqlite) enum FileError {
    /// Another process has it open: try again when that one is gone.
    InUse(String),
    /// It is damaged, of a newer build or of something else; no retry helps.
    Refused(String),
    /// Whoever asks is not who writes.
    Fenced(Fenced),
    /// The disk failed, or what was asked cannot be.
    Failed(String),
}

/// Why a file cannot be used, or was not written.
#[derive(Debug)]
pub(in crate::sqlite) enum StorageError {
    /// What SQLite says.
    Sqlite(Error),
    /// It is not what was written.
    Damaged(String),
    /// The newest commits were in a write-ahead file that is gone.
    WalTruncated,
    /// A database, and none of ours.
    Foreign,
    /// Tables of a later version.
    NewerTables {
        /// The file's.
        version: i32,
        /// This build's.
        known: i32,
    },
    /// A world or an event of a later build.
    NewerFormat(String),
    /// It can be read and not be written.
    ReadOnly,
    /// No folder to put it into.
    NoFolder,
    /// A folder, a socket or the like.
    NoFile,
    /// Whoever asks is not who writes.
    Fenced(Fenced),
    /// The caller asks for what cannot be.
    InvalidRequest(String),
}

impl From<Fenced> for StorageError {
    fn from(fenced: Fenced) -> Self {
        Self::Fenced(fenced)
    }
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl StorageError {
    pub(in crate::sqlite) fn damaged(what: &str) -> Self {
        Self::Damaged(what.to_owned())
    }

    /// The sentence for somebody who wanted to open or read it; `folder_setting` is what the operator
    /// calls the setting that says in which folder it is.
    pub(super) fn reading(self, path: &Path, folder_setting: &str) -> FileError {
        let path = path.display();
        let damaged = |what: &str| {
            FileError::Refused(format!(
                "{path} is damaged ({what}): move it and the files whose names begin with its own \
                 out of the way, and Guildhall begins a new log"
            ))
        };
        let not_writable = |why: &str| {
            FileError::Refused(format!(
                "{path} cannot be opened for writing ({why}): give the user that Guildhall runs \
                 as the right to write it and its folder"
            ))
        };
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    FileError::InUse(format!(
                        "{path} is open elsewhere: another guildhall runs on this {folder_setting} (or \
                         a tool reads the file); stop that one, or choose another \
                         {folder_setting}"
                    ))
                }
                Some(
                    ErrorCode::PermissionDenied
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::AuthorizationForStatementDenied,
                ) => not_writable(&error.to_string()),
                Some(ErrorCode::NotADatabase) => FileError::Refused(format!(
                    "{path} is no journal of Guildhall's (not an SQLite file, or its beginning is \
                     damaged): choose another {folder_setting}, or move the file out of the way"
                )),
                Some(
                    ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::OutOfMemory
                    | ErrorCode::OperationInterrupted,
                ) => FileError::Failed(format!("{path} could not be read: {error}")),
                _ => damaged(&error.to_string()),
            },
            Self::ReadOnly => not_writable("it can only be read"),
            Self::Damaged(what) => damaged(&what),
            Self::WalTruncated => FileError::Refused(format!(
                "{path}-wal is missing or cut off, and the newest events were in it: put it back, \
                 or move {path} out of the way, and Guildhall begins a new log"
            )),
            Self::Foreign => FileError::Refused(format!(
                "{path} is no journal of Guildhall's but another program's SQLite file: choose \
                 another {folder_setting}, or move the file out of the way"
            )),
            Self::NewerTables { version, known } => FileError::Refused(format!(
                "{path} was written by a newer Guildhall (its tables have version {version}, this \
                 build knows {known}): update Guildhall, or choose another {folder_setting}"
            )),
            Self::NewerFormat(what) => FileError::Refused(format!(
                "{path} was written by a newer Guildhall ({what}): update Guildhall, or choose \
                 another {folder_setting}"
            )),
            Self::NoFolder => FileError::Refused(format!(
                "{path} cannot be made: its folder is not there, make it or choose another \
                 {folder_setting}"
            )),
            Self::NoFile => FileError::Refused(format!(
                "{path} is no file: move it out of the way, or choose another {folder_setting}"
            )),
            Self::Fenced(fenced) => FileError::Fenced(fenced),
            Self::InvalidRequest(what) => FileError::Failed(format!("{path}: {what}")),
        }
    }

    /// The sentence for somebody who wanted to add to it.
    pub(super) fn writing(self, path: &Path, folder_setting: &str) -> FileError {
        match self {
            Self::Sqlite(error) => {
                FileError::Failed(format!("{} could not be written: {error}", path.display()))
            }
            other => other.reading(path, folder_setting),
        }
    }

    /// Nothing is known of the disk after this: what is asked later may be answered falsely.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() != Some(ErrorCode::DiskFull),
            Self::InvalidRequest(_) | Self::Fenced(_) => false,
            _ => true,
        }
    }
}
