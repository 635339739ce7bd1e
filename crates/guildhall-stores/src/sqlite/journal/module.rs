//! Its part of a file, and how that came to be.

/// To version 3: several logs.
mod several_logs;

use guildhall_model::{LogId, Position};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    checksum::{head_checksum_1, head_checksum_2},
    read::{self, Values},
    tables::{BASE, BASE_1, EVENT, EVENT_1, HEAD, HEAD_1, HEAD_2, WITH_LOGS},
};
use crate::sqlite::file::{Migration, Module, StorageError, Writing};

/// The journal's part of a file, which was its first.
pub(in crate::sqlite) static MODULE: Module = Module {
    tables: &[BASE_1, EVENT_1, HEAD_1, HEAD_2, BASE, EVENT, HEAD],
    migrations: &[
        Migration {
            to: 2,
            run: sum_by_table,
        },
        Migration {
            to: WITH_LOGS,
            run: several_logs::run,
        },
    ],
    verify: |reading| read::everything(reading, Values::All).map(drop),
};

/// To version 2: one sum of bases and events in `head` becomes one for each table.
fn sum_by_table(writing: &mut Writing<'_>) -> Result<(), StorageError> {
    let connection = writing.connection();
    let mut both = 0_u64;
    for table in [BASE_1, EVENT_1] {
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
        Ok((OldHead::read(row)?, number(5)?, number(6)?))
    });
    let head = head.optional()?;
    connection.execute_batch("DROP TABLE head")?;
    HEAD_2.create(connection)?;
    let Some((head, rows, sum)) = head else {
        return Ok(());
    };
    if head_checksum_1(head.at, head.format, &head.state, rows) != sum {
        return Err(StorageError::damaged(
            "table head: its row is not as it was written",
        ));
    }
    if rows != both {
        return Err(StorageError::damaged(
            "tables base and event: a row is missing, old or too many",
        ));
    }
    let sum = head.put(connection)?;
    writing.row_added(&HEAD_2, sum);
    Ok(())
}

/// The row of `head` as it was in versions 1 and 2.
struct OldHead {
    at: Position,
    format: u32,
    state: String,
}

impl OldHead {
    /// Of `log, epoch, seq, world_format, state`.
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let number = |column| row.get(column).map(i64::cast_unsigned);
        Ok(Self {
            at: Position {
                log: LogId(row.get(0)?),
                epoch: number(1)?,
                seq: number(2)?,
            },
            format: row.get(3)?,
            state: row.get(4)?,
        })
    }

    /// As version 2 has it; answers with its checksum.
    fn put(&self, connection: &Connection) -> Result<u64, StorageError> {
        let Self { at, format, state } = self;
        let sum = head_checksum_2(*at, *format, state);
        let put = "INSERT INTO head VALUES (1, ?, ?, ?, ?, ?, ?)";
        let (epoch, seq) = (at.epoch.cast_signed(), at.seq.cast_signed());
        connection.prepare(put)?.execute(params![
            at.log.0,
            epoch,
            seq,
            format,
            state,
            sum.cast_signed()
        ])?;
        Ok(sum)
    }
}
