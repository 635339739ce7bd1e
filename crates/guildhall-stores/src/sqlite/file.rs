//! One SQLite file that this process has for itself, shared by stores.
//!
//! Each store is a [`Module`]: its tables, the checksums of their rows, and how they are brought up
//! to date. The file knows no store: it opens and checks, counts the versions, keeps one sum for
//! each table, and does what several stores change in one transaction.

/// Why a file cannot be used, and the sentence for whoever has to do something about it.
mod error;
/// A checksum for each row.
mod checksum;
/// A table, with the versions of the file that have it.
mod table;
/// One sum for each table.
mod row_sums;
/// Rows are read or changed, with their sums.
mod rows;
/// What a store brings: its tables, how they came to be, and who checks them.
mod module;
/// What SQLite would pass over in silence.
mod wal;
/// A file of an earlier version becomes one of this.
mod migrate;
/// A file is opened, or refused as it is.
mod open;
/// The open file: read, and written to.
mod database;
/// A thread that owns the open file, and the handle on it.
mod owner;

pub(super) use checksum::Checksum;
pub(super) use database::Database;
pub(super) use error::{FileError, StorageError};
pub(super) use module::{Migration, Module, Modules};
pub(super) use owner::Owner;
pub(super) use rows::{Reading, Writing};
pub(super) use table::{NOW, Table};
