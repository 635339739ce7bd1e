//! Its part of a file, and how that came to be.

use guildhall_model::{LogId, Position};
use rusqlite::OptionalExtension;

use super::{
    checksum::{head_checksum, head_checksum_1},
    read,
    tables::{BASE, EVENT, HEAD, HEAD_1},
    write::insert_head,
};
use crate::sqlite::file::{Migration, Module, StorageError, Writing};

/// The journal's part of a file, which was its first.
pub(in crate::sqlite) static MODULE: Module = Module {
    tables: &[BASE, EVENT, HEAD_1, HEAD],
    migrations: &[Migration {
        to: 2,
        run: sum_by_table,
    }],
    verify: |reading| read::everything(reading).map(drop),
};

/// To version 2: one sum of bases and events in `head` becomes one for each table.
fn sum_by_table(writing: &mut Writing<'_>) -> Result<(), StorageError> {
    let connection = writing.connection();
    let mut both = 0_u64;
    for table in [BASE, EVENT] {
        let sums = format!("SELECT sum FROM {}", table.name);
        let mut sums = connection.prepare(&sums)?;
        let mut sums = sums.query([])?;
        while let Some(row) = sums.next()? {
            let sum = row.get::<_, i64>(0)?.cast_unsigned();
            both = both.wrapping_add(sum);
            writing.row_added(&table, sum);
        }
    }
    let all = "SELECT log, epoch, seq, world_format, state, rows, sum FROM head";
    let head = connection.query_row(all, [], |row| {
        let number = |column| row.get(column).map(i64::cast_unsigned);
        let at = Position {
            log: LogId(row.get(0)?),
            epoch: number(1)?,
            seq: number(2)?,
        };
        let (format, state): (u32, String) = (row.get(3)?, row.get(4)?);
        Ok((at, format, state, number(5)?, number(6)?))
    });
    let head = head.optional()?;
    connection.execute_batch("DROP TABLE head")?;
    HEAD.create(connection)?;
    let Some((at, format, state, rows, sum)) = head else {
        return Ok(());
    };
    if head_checksum_1(at, format, &state, rows) != sum {
        return Err(StorageError::damaged(
            "table head: its row is not as it was written",
        ));
    }
    if rows != both {
        return Err(StorageError::damaged(
            "tables base and event: a row is missing, old or too many",
        ));
    }
    let sum = head_checksum(at, format, &state);
    insert_head(connection, at, format, &state, sum)?;
    writing.row_added(&HEAD, sum);
    Ok(())
}
