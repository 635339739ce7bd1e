//! A revocation becomes a row, and a revocation again.

use std::fmt::Display;

use guildhall_model::{Revocation, SessionId, UnixMs, UserId};
use rusqlite::{OptionalExtension, Params, params};

use super::{REVOKED_HEAD, REVOKED_SESSION, REVOKED_USER};
use crate::sqlite::file::{Checksum, Reading, StorageError, Table, Writing};

pub(super) fn insert_session(
    writing: &mut Writing<'_>,
    id: &SessionId,
    user_id: UserId,
    ends_at: UnixMs,
) -> Result<(), StorageError> {
    let sum = session_sum(id.as_str(), user_id.0, ends_at);
    let [user, end, signed_sum] = [user_id.0, ends_at, sum].map(u64::cast_signed);
    let values = params![id.as_str(), user, end, signed_sum];
    let sql = "INSERT INTO revoked_session VALUES (?, ?, ?, ?)";
    insert(writing, &REVOKED_SESSION, sql, values, sum)
}

pub(super) fn insert_user(
    writing: &mut Writing<'_>,
    user_id: UserId,
    not_before: UnixMs,
) -> Result<(), StorageError> {
    let sum = user_sum(user_id.0, not_before);
    let values = [user_id.0, not_before, sum].map(u64::cast_signed);
    let sql = "INSERT INTO revoked_user VALUES (?, ?, ?)";
    insert(writing, &REVOKED_USER, sql, values, sum)
}

/// Takes the place of the row that is there.
pub(super) fn put_head(writing: &mut Writing<'_>, not_before: UnixMs) -> Result<(), StorageError> {
    writing.clear(&REVOKED_HEAD)?;
    let sum = head_sum(not_before);
    let values = [not_before, sum].map(u64::cast_signed);
    let sql = "INSERT INTO revoked_head VALUES (1, ?, ?)";
    insert(writing, &REVOKED_HEAD, sql, values, sum)
}

/// When the session of a row would have ended, if there is one.
pub(super) fn end_of_session(
    writing: &Writing<'_>,
    id: &SessionId,
) -> Result<Option<UnixMs>, StorageError> {
    let sql = "SELECT ends_at FROM revoked_session WHERE id = ?";
    time(writing, sql, [id.as_str()])
}

/// The time of this user's row, if there is one.
pub(super) fn time_of_user(
    writing: &Writing<'_>,
    user_id: UserId,
) -> Result<Option<UnixMs>, StorageError> {
    let sql = "SELECT not_before FROM revoked_user WHERE user_id = ?";
    time(writing, sql, [user_id.0.cast_signed()])
}

/// The time of the one row, if it is there.
pub(super) fn time_of_everybody(writing: &Writing<'_>) -> Result<Option<UnixMs>, StorageError> {
    time(writing, "SELECT not_before FROM revoked_head", [])
}

fn time(
    writing: &Writing<'_>,
    sql: &str,
    place: impl Params,
) -> Result<Option<UnixMs>, StorageError> {
    let mut select = writing.connection().prepare_cached(sql)?;
    let time: Option<i64> = select.query_row(place, |row| row.get(0)).optional()?;
    Ok(time.map(i64::cast_unsigned))
}

/// Takes out the row of this session, if there is one.
pub(super) fn remove_session(
    writing: &mut Writing<'_>,
    id: &SessionId,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM revoked_session WHERE id = ? RETURNING sum";
    remove(writing, &REVOKED_SESSION, sql, [id.as_str()])
}

/// Takes out the row of this user, if there is one.
pub(super) fn remove_user(writing: &mut Writing<'_>, user_id: UserId) -> Result<(), StorageError> {
    let sql = "DELETE FROM revoked_user WHERE user_id = ? RETURNING sum";
    remove(writing, &REVOKED_USER, sql, [user_id.0.cast_signed()])
}

/// Every session, by name.
pub(super) fn sessions(reading: &mut Reading<'_>) -> Result<Vec<Revocation>, StorageError> {
    let sql = "SELECT id, user_id, ends_at, sum FROM revoked_session ORDER BY id";
    read(reading, &REVOKED_SESSION, sql, |row| {
        let id: String = row.get(0)?;
        let [user_id, ends_at, sum] = numbers(row, 1)?;
        if session_sum(&id, user_id, ends_at) != sum {
            return Err(unlike(&REVOKED_SESSION, &id));
        }
        let revocation = Revocation::Session {
            id: SessionId::new(id),
            user_id: UserId(user_id),
            ends_at,
        };
        Ok((revocation, sum))
    })
}

/// Every user, by SQLite's order of their ids.
pub(super) fn users(reading: &mut Reading<'_>) -> Result<Vec<Revocation>, StorageError> {
    let sql = "SELECT user_id, not_before, sum FROM revoked_user";
    read(reading, &REVOKED_USER, sql, |row| {
        let [user_id] = numbers(row, 0)?;
        let [not_before, sum] = numbers(row, 1)?;
        if user_sum(user_id, not_before) != sum {
            return Err(unlike(&REVOKED_USER, user_id));
        }
        let user_id = UserId(user_id);
        let revocation = Revocation::User {
            user_id,
            not_before,
        };
        Ok((revocation, sum))
    })
}

/// The one row, if there is one.
pub(super) fn head(reading: &mut Reading<'_>) -> Result<Option<UnixMs>, StorageError> {
    let sql = "SELECT not_before, sum FROM revoked_head";
    let rows = read(reading, &REVOKED_HEAD, sql, |row| {
        let [not_before, sum] = numbers(row, 0)?;
        if head_sum(not_before) != sum {
            return Err(unlike(&REVOKED_HEAD, 1));
        }
        Ok((not_before, sum))
    })?;
    Ok(rows.first().copied())
}

/// Every row of a table, and what their checksums add up to is compared.
fn read<T>(
    reading: &mut Reading<'_>,
    table: &Table,
    sql: &str,
    of: impl Fn(&rusqlite::Row<'_>) -> Result<(T, u64), StorageError>,
) -> Result<Vec<T>, StorageError> {
    let mut select = reading.connection().prepare(sql)?;
    let mut found = select.query([])?;
    let (mut rows, mut sums) = (Vec::new(), 0_u64);
    while let Some(row) = found.next()? {
        let (row, sum) = of(row)?;
        sums = sums.wrapping_add(sum);
        rows.push(row);
    }
    reading.add_up(table, sums)?;
    Ok(rows)
}

fn insert(
    writing: &mut Writing<'_>,
    table: &Table,
    sql: &str,
    values: impl Params,
    sum: u64,
) -> Result<(), StorageError> {
    let mut insert = writing.connection().prepare_cached(sql)?;
    insert.execute(values)?;
    writing.row_added(table, sum);
    Ok(())
}

fn remove(
    writing: &mut Writing<'_>,
    table: &Table,
    sql: &str,
    place: impl Params,
) -> Result<(), StorageError> {
    let mut delete = writing.connection().prepare_cached(sql)?;
    let sum: Option<i64> = delete.query_row(place, |row| row.get(0)).optional()?;
    writing.rows_removed(table, sum.map_or(0, i64::cast_unsigned));
    Ok(())
}

/// Columns from this one on.
fn numbers<const N: usize>(row: &rusqlite::Row<'_>, from: usize) -> Result<[u64; N], StorageError> {
    let mut numbers = [0; N];
    for (column, number) in (from..).zip(&mut numbers) {
        *number = row.get::<_, i64>(column)?.cast_unsigned();
    }
    Ok(numbers)
}

fn unlike(table: &Table, row: impl Display) -> StorageError {
    let name = table.name;
    StorageError::damaged(&format!("table {name}: row {row} is not as it was written"))
}

/// Of every value, as are the others. Written to disk, so they never change.
fn session_sum(id: &str, user_id: u64, ends_at: UnixMs) -> u64 {
    let session = Checksum::of("revoked_session").text(id);
    session.number(user_id).number(ends_at).done()
}

fn user_sum(user_id: u64, not_before: UnixMs) -> u64 {
    let user = Checksum::of("revoked_user").number(user_id);
    user.number(not_before).done()
}

fn head_sum(not_before: UnixMs) -> u64 {
    let head = Checksum::of("revoked_head");
    head.number(not_before).done()
}
