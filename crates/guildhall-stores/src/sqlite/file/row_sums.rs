//! One sum for each table: the checksums of all its rows, added up.
//!
//! A row's checksum says that it is as it was written, not that it is there, or the newest. Sums
//! are added and taken away as rows are, so nothing has to be read for them.

use rusqlite::{Connection, params};

use super::{
    checksum::Checksum,
    error::StorageError,
    table::{NOW, Table},
};

/// The first version that had sums by table.
pub(super) const WITH_ROW_SUMS: i32 = 2;

/// One row for each table of a module. `rows`: the checksums of all its rows added up, so that a
/// row that is missing, old or too many shows.
pub(super) const ROW_SUM: Table = Table {
    name: "row_sum",
    sql: "CREATE TABLE row_sum (
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
    versions: WITH_ROW_SUMS..NOW,
};

/// What the rows of each table add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSums(Vec<RowSum>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RowSum {
    table: &'static str,
    rows: u64,
}

impl RowSums {
    /// Of tables without rows.
    pub(super) fn of(tables: impl Iterator<Item = &'static Table>) -> Self {
        let empty = |table: &Table| RowSum {
            table: table.name,
            rows: 0,
        };
        Self(tables.map(empty).collect())
    }

    /// As the file has them.
    pub(super) fn read(
        connection: &Connection,
        tables: impl Iterator<Item = &'static Table>,
    ) -> Result<Self, StorageError> {
        let unlike = || StorageError::Damaged("table row_sum is not as it was written".to_owned());
        let mut sums = Self::of(tables);
        sums.0.sort_unstable_by_key(|sum| sum.table);
        let mut select = connection.prepare("SELECT name, rows, sum FROM row_sum ORDER BY name")?;
        let mut found = select.query([])?;
        for sum in &mut sums.0 {
            let row = found.next()?.ok_or_else(unlike)?;
            let name = row.get_ref(0)?.as_str();
            sum.rows = row.get::<_, i64>(1)?.cast_unsigned();
            if name != Ok(sum.table) || row.get::<_, i64>(2)?.cast_unsigned() != sum.checksum() {
                return Err(unlike());
            }
        }
        match found.next()? {
            None => Ok(sums),
            Some(_) => Err(unlike()),
        }
    }

    pub(super) fn add(&mut self, table: &'static str, sum: u64) {
        let rows = self.rows_mut(table);
        *rows = rows.wrapping_add(sum);
    }

    pub(super) fn take(&mut self, table: &'static str, sum: u64) {
        let rows = self.rows_mut(table);
        *rows = rows.wrapping_sub(sum);
    }

    pub(super) fn clear(&mut self, table: &'static str) {
        *self.rows_mut(table) = 0;
    }

    /// Whether a table's rows as they are found are those that were written.
    pub(super) fn check(&self, table: &str, rows: u64) -> Result<(), StorageError> {
        match self.0.iter().find(|sum| sum.table == table) {
            Some(sum) if sum.rows == rows => Ok(()),
            _ => Err(StorageError::Damaged(format!(
                "table {table}: a row is missing, old or too many"
            ))),
        }
    }

    /// Forgets the tables that are not among these.
    pub(super) fn keep(&mut self, tables: impl Iterator<Item = &'static Table>) {
        let names: Vec<&str> = tables.map(|table| table.name).collect();
        self.0.retain(|sum| names.contains(&sum.table));
        for name in names {
            self.rows_mut(name);
        }
    }

    /// Writes those that are not as in `written`.
    pub(super) fn put(&self, connection: &Connection, written: &Self) -> Result<(), StorageError> {
        let mut put =
            connection.prepare_cached("INSERT OR REPLACE INTO row_sum VALUES (?, ?, ?)")?;
        for sum in self.0.iter().filter(|sum| !written.0.contains(sum)) {
            put.execute(params![
                sum.table,
                sum.rows.cast_signed(),
                sum.checksum().cast_signed()
            ])?;
        }
        Ok(())
    }

    fn rows_mut(&mut self, table: &'static str) -> &mut u64 {
        let known = self.0.iter().position(|sum| sum.table == table);
        let at = known.unwrap_or_else(|| {
            self.0.push(RowSum { table, rows: 0 });
            self.0.len() - 1
        });
        &mut self.0[at].rows
    }
}

impl RowSum {
    fn checksum(self) -> u64 {
        let table = Checksum::of("row_sum").text(self.table);
        table.number(self.rows).done()
    }
}
