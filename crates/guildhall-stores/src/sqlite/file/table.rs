//! A table, with the versions of the file that have it.

use std::ops::Range;

use rusqlite::Connection;

use super::error::StorageError;

/// A table as SQLite has it.
pub(in crate::sqlite) struct Table {
    /// Its name, which no other table of the file has.
    pub(in crate::sqlite) name: &'static str,
    /// As SQLite keeps its text.
    pub(in crate::sqlite) sql: &'static str,
    /// The versions of the file that have it like this. What ended stays in the list: a file that
    /// has it is checked before it is brought up to date.
    pub(in crate::sqlite) versions: Range<i32>,
}

/// Ends the versions of a table that is there today.
pub(in crate::sqlite) const NOW: i32 = i32::MAX;

impl Table {
    pub(in crate::sqlite) fn create(&self, connection: &Connection) -> Result<(), StorageError> {
        Ok(connection.execute_batch(self.sql)?)
    }
}
