//! A file of an earlier version becomes one of this, in the transaction in which it was checked:
//! whatever ends it, the file is the one or the other, and one that is refused is as it was.

use rusqlite::Connection;

use super::{
    error::StorageError,
    module::{Modules, summed_at, version_of},
    row_sums::{ROW_SUM, RowSums, WITH_ROW_SUMS},
    rows::{Reading, Writing},
};

/// Runs the migrations above `from`, and has every module verify what they left.
///
/// It need not be marked as open for this: when the write-ahead file with the migration is lost,
/// the file is as it was before, and nothing is lost.
pub(super) fn migrate(
    connection: &Connection,
    modules: Modules,
    from: i32,
) -> Result<RowSums, StorageError> {
    let to = version_of(modules);
    let before = if from < WITH_ROW_SUMS {
        RowSums::of(summed_at(modules, from))
    } else {
        RowSums::read(connection, summed_at(modules, from))?
    };
    let mut writing = Writing::new(connection, before);
    for version in from + 1..=to {
        if version == WITH_ROW_SUMS {
            ROW_SUM.create(connection)?;
        }
        let migrations = modules.iter().flat_map(|module| module.migrations);
        for migration in migrations.filter(|migration| migration.to == version) {
            (migration.run)(&mut writing)?;
        }
    }
    let mut sums = writing.into_sums();
    sums.keep(summed_at(modules, to));
    connection.execute_batch("DELETE FROM row_sum")?;
    sums.put(connection, &RowSums::default())?;
    for module in modules {
        let mut reading = Reading::new(connection, &sums);
        (module.verify)(&mut reading)?;
        reading.finish(module.tables, to)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version={to}"))?;
    Ok(sums)
}
