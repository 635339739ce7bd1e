//! Rows are read or changed, with their sums.

use rusqlite::Connection;

use super::{error::StorageError, row_sums::RowSums, table::Table};

/// Rows are read, all of a module.
pub(in crate::sqlite) struct Reading<'file> {
    connection: &'file Connection,
    sums: &'file RowSums,
    checked: Vec<&'static str>,
}

/// Rows are changed, of one module or of several: all of it is there after this, or nothing.
pub(in crate::sqlite) struct Writing<'file> {
    connection: &'file Connection,
    sums: RowSums,
}

impl<'file> Reading<'file> {
    pub(super) fn new(connection: &'file Connection, sums: &'file RowSums) -> Self {
        Self {
            connection,
            sums,
            checked: Vec::new(),
        }
    }

    pub(in crate::sqlite) fn connection(&self) -> &'file Connection {
        self.connection
    }

    /// All rows of a table were read, and their checksums add up to `rows`: now it shows whether a
    /// row is missing, old or too many. Best asked before what is in them is judged: the refusal
    /// names the table.
    pub(in crate::sqlite) fn add_up(
        &mut self,
        table: &Table,
        rows: u64,
    ) -> Result<(), StorageError> {
        self.sums.check(table.name, rows)?;
        self.checked.push(table.name);
        Ok(())
    }

    /// A table that no module has read could be anything.
    pub(super) fn finish(self, tables: &[Table], version: i32) -> Result<(), StorageError> {
        let mut tables = tables.iter();
        let unread = tables
            .find(|table| table.versions.contains(&version) && !self.checked.contains(&table.name));
        match unread {
            None => Ok(()),
            Some(table) => Err(StorageError::InvalidRequest(format!(
                "table {} was not read",
                table.name
            ))),
        }
    }
}

impl<'file> Writing<'file> {
    pub(super) fn new(connection: &'file Connection, sums: RowSums) -> Self {
        Self { connection, sums }
    }

    pub(in crate::sqlite) fn connection(&self) -> &'file Connection {
        self.connection
    }

    /// A row with this checksum was added.
    pub(in crate::sqlite) fn row_added(&mut self, table: &Table, sum: u64) {
        self.sums.add(table.name, sum);
    }

    /// Rows whose checksums add up to this were taken out.
    pub(in crate::sqlite) fn rows_removed(&mut self, table: &Table, sums: u64) {
        self.sums.take(table.name, sums);
    }

    /// All rows of a table were read, and their checksums add up to `rows`: for a migration that
    /// makes other rows of them.
    pub(in crate::sqlite) fn add_up(&self, table: &Table, rows: u64) -> Result<(), StorageError> {
        self.sums.check(table.name, rows)
    }

    /// Takes out all rows.
    pub(in crate::sqlite) fn clear(&mut self, table: &Table) -> Result<(), StorageError> {
        let clear = format!("DELETE FROM {}", table.name);
        self.connection.execute(&clear, [])?;
        self.sums.clear(table.name);
        Ok(())
    }

    pub(super) fn into_sums(self) -> RowSums {
        self.sums
    }
}
