//! What a store brings: its tables, how they came to be, and who checks them.
//!
//! All modules of a file share its version, a number that is raised by one whenever a table of any
//! of them is new, changes or goes.

use super::{
    error::StorageError,
    row_sums::{ROW_SUM, WITH_ROW_SUMS},
    rows::{Reading, Writing},
    table::{NOW, Table},
};

/// A store's part of a file. No other module names its tables.
///
/// To bring a store into a file that has others: give it a module whose tables begin at the next
/// version, with a migration to that version, and put it at the end of the file's list.
pub(in crate::sqlite) struct Module {
    /// All there are and were. Each row has a checksum.
    pub(in crate::sqlite) tables: &'static [Table],
    /// By version.
    pub(in crate::sqlite) migrations: &'static [Migration],
    /// Reads every row of every table, and compares each with its checksum.
    pub(in crate::sqlite) verify: fn(&mut Reading<'_>) -> Result<(), StorageError>,
}

/// How the tables of a module get from one version to the next.
pub(in crate::sqlite) struct Migration {
    /// The file's version after it.
    pub(in crate::sqlite) to: i32,
    /// Does it, tables and sums. What it leaves is verified by the module before any of it counts.
    pub(in crate::sqlite) run: fn(&mut Writing<'_>) -> Result<(), StorageError>,
}

/// Tables of the file itself, whose rows have no sum by table.
static OWN: [Table; 2] = [
    // One row. `open`: 1 from the first write to the end of closing. While it is 1 the newest
    // commits are in the write-ahead file alone.
    Table {
        name: "writer",
        sql: "CREATE TABLE writer (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    open INTEGER NOT NULL
) STRICT",
        versions: 1..NOW,
    },
    ROW_SUM,
];

/// The stores of a file, in the order in which they came.
pub(in crate::sqlite) type Modules = &'static [&'static Module];

/// The version that a file of these modules has.
pub(super) fn version_of(modules: Modules) -> i32 {
    let migrations = modules.iter().flat_map(|module| module.migrations);
    let newest = migrations.map(|migration| migration.to).max();
    newest.unwrap_or(0).max(WITH_ROW_SUMS)
}

/// The tables whose rows have a sum in files of this version.
pub(super) fn summed_at(modules: Modules, version: i32) -> impl Iterator<Item = &'static Table> {
    let tables = modules.iter().flat_map(|module| module.tables);
    tables.filter(move |table| table.versions.contains(&version))
}

/// All tables in files of this version, by name.
pub(super) fn tables_at(modules: Modules, version: i32) -> Vec<&'static Table> {
    let own = OWN.iter();
    let own = own.filter(|table| table.versions.contains(&version));
    let mut tables: Vec<&Table> = own.chain(summed_at(modules, version)).collect();
    tables.sort_unstable_by_key(|table| table.name);
    tables
}
