//! To version 3: the one log that a file had becomes one of several, by the number that it had.

use guildhall_model::{GuildId, LogId};
use guildhall_ports::Fence;
use rusqlite::{OptionalExtension, params};

use super::OldHead;
use crate::sqlite::{
    file::{StorageError, Writing},
    journal::{
        checksum::{base_checksum_2, event_checksum, head_checksum_2},
        tables::{BASE, EVENT, HEAD, place_in},
        write::{insert_base, insert_head},
    },
};

pub(super) fn run(writing: &mut Writing<'_>) -> Result<(), StorageError> {
    let log = head(writing)?;
    bases(writing, log)?;
    events(writing, log)
}

/// Answers with the number of the log.
fn head(writing: &mut Writing<'_>) -> Result<LogId, StorageError> {
    let connection = writing.connection();
    let all = "SELECT log, epoch, seq, world_format, state, sum FROM head";
    let head = connection.query_row(all, [], |row| {
        let sum = row.get(5).map(i64::cast_unsigned)?;
        Ok((OldHead::read(row)?, sum))
    });
    let head = head.optional()?;
    writing.add_up(&HEAD, head.as_ref().map_or(0, |(_, sum)| *sum))?;
    connection.execute_batch("DROP TABLE head")?;
    HEAD.create(connection)?;
    writing.clear(&HEAD)?;
    let Some((OldHead { at, format, state }, sum)) = head else {
        return Ok(LogId(0));
    };
    if head_checksum_2(at, format, &state) != sum {
        return Err(StorageError::damaged(
            "table head: its row is not as it was written",
        ));
    }
    // Whoever opens it next has a higher one.
    insert_head(writing, at, Fence(0), format, &state)?;
    Ok(at.log)
}

fn bases(writing: &mut Writing<'_>, log: LogId) -> Result<(), StorageError> {
    let connection = writing.connection();
    let mut select = connection.prepare("SELECT guild_id, floor, world, sum FROM base")?;
    let rows = select.query_map([], |row| {
        let number = |column| row.get(column).map(i64::cast_unsigned);
        let world: Option<String> = row.get(2)?;
        Ok((GuildId(number(0)?), number(1)?, world, number(3)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    drop(select);
    let mut sums = 0_u64;
    for (guild_id, floor, world, sum) in &rows {
        if base_checksum_2(*guild_id, *floor, world.as_deref()) != *sum {
            return Err(StorageError::Damaged(format!(
                "table base: the row of guild {guild_id} is not as it was written"
            )));
        }
        sums = sums.wrapping_add(*sum);
    }
    writing.add_up(&BASE, sums)?;
    connection.execute_batch("DROP TABLE base")?;
    BASE.create(connection)?;
    writing.clear(&BASE)?;
    for (guild_id, floor, world, _) in rows {
        insert_base(writing, log, guild_id, floor, world.as_deref())?;
    }
    Ok(())
}

/// In log 0, where every gateway had its events, rows and sums stay as they are.
fn events(writing: &mut Writing<'_>, log: LogId) -> Result<(), StorageError> {
    let connection = writing.connection();
    connection.execute_batch("ALTER TABLE event RENAME COLUMN seq TO place")?;
    if log == LogId(0) {
        return Ok(());
    }
    let mut places = connection.prepare("SELECT place FROM event")?;
    let places = places.query_map([], |row| row.get(0))?;
    let places: Vec<i64> = places.collect::<Result<_, _>>()?;
    let mut sums = 0_u64;
    let mut moved_sums = Vec::with_capacity(places.len());
    let one = "SELECT guild_id, ts, name, payload, sum FROM event WHERE place = ?";
    let mut one = connection.prepare(one)?;
    let mut update = connection.prepare("UPDATE event SET place = ?, sum = ? WHERE place = ?")?;
    // No two rows are ever at one place: all go up by the same.
    for old in places {
        let seq = old.cast_unsigned();
        let place = place_in(log, seq);
        let (sum, moved) = one.query_row([old], |row| {
            let number = |column| row.get(column).map(i64::cast_unsigned);
            let (guild_id, ts, sum) = (GuildId(number(0)?), number(1)?, number(4)?);
            let (name, payload) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
            let as_written = event_checksum(seq, guild_id, ts, name, payload) == sum;
            let moved = event_checksum(place, guild_id, ts, name, payload);
            Ok((sum, as_written.then_some(moved)))
        })?;
        let moved = moved.ok_or_else(|| {
            StorageError::Damaged(format!("table event: row {seq} is not as it was written"))
        })?;
        sums = sums.wrapping_add(sum);
        moved_sums.push(moved);
        update.execute(params![place.cast_signed(), moved.cast_signed(), old])?;
    }
    drop((one, update));
    writing.add_up(&EVENT, sums)?;
    writing.rows_removed(&EVENT, sums);
    for sum in moved_sums {
        writing.row_added(&EVENT, sum);
    }
    Ok(())
}
