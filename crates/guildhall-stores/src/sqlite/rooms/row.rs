//! A record becomes a row, and a record again.

use guildhall_model::{ChannelId, UserId};
use guildhall_ports::room_store::{InviteId, InviteRecord, LobbyHabit, RoomNumber, RoomRecord};
use rusqlite::{Params, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{LOBBY_HABIT, ROOM, ROOM_INVITE};
use crate::sqlite::file::{Checksum, Reading, StorageError, Table, Writing};

pub(super) fn insert_room(
    writing: &mut Writing<'_>,
    room: &RoomRecord,
) -> Result<(), StorageError> {
    let record = json(room)?;
    let sum = room_sum(room.number, &record);
    let values = params![room.number.0.cast_signed(), record, sum.cast_signed()];
    insert(
        writing,
        &ROOM,
        "INSERT INTO room VALUES (?, ?, ?)",
        values,
        sum,
    )
}

pub(super) fn insert_invite(
    writing: &mut Writing<'_>,
    invite: &InviteRecord,
) -> Result<(), StorageError> {
    let (id, record) = (invite.id.to_string(), json(invite)?);
    let sum = invite_sum(&id, invite.room, &record);
    let room = invite.room.0.cast_signed();
    let values = params![id, room, record, sum.cast_signed()];
    let sql = "INSERT INTO room_invite VALUES (?, ?, ?, ?)";
    insert(writing, &ROOM_INVITE, sql, values, sum)
}

pub(super) fn insert_habit(
    writing: &mut Writing<'_>,
    habit: &LobbyHabit,
) -> Result<(), StorageError> {
    let record = json(habit)?;
    let sum = habit_sum(habit.lobby, habit.user_id, &record);
    let (lobby, user_id) = (habit.lobby.0.cast_signed(), habit.user_id.0.cast_signed());
    let values = params![lobby, user_id, record, sum.cast_signed()];
    let sql = "INSERT INTO lobby_habit VALUES (?, ?, ?, ?)";
    insert(writing, &LOBBY_HABIT, sql, values, sum)
}

/// Takes out the row of this room, if there is one.
pub(super) fn remove_room(
    writing: &mut Writing<'_>,
    number: RoomNumber,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM room WHERE number = ? RETURNING sum";
    remove(writing, &ROOM, sql, [number.0.cast_signed()])
}

/// Takes out the row of this invite, if there is one.
pub(super) fn remove_invite(writing: &mut Writing<'_>, id: InviteId) -> Result<(), StorageError> {
    let sql = "DELETE FROM room_invite WHERE id = ? RETURNING sum";
    remove(writing, &ROOM_INVITE, sql, [id.to_string()])
}

/// Takes out the rows of all invites of this room.
pub(super) fn remove_invites_of(
    writing: &mut Writing<'_>,
    room: RoomNumber,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM room_invite WHERE room = ? RETURNING sum";
    remove(writing, &ROOM_INVITE, sql, [room.0.cast_signed()])
}

/// Takes out the row of this person in this lobby, if there is one.
pub(super) fn remove_habit(
    writing: &mut Writing<'_>,
    lobby: ChannelId,
    user_id: UserId,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM lobby_habit WHERE lobby = ? AND user_id = ? RETURNING sum";
    let place = [lobby.0.cast_signed(), user_id.0.cast_signed()];
    remove(writing, &LOBBY_HABIT, sql, place)
}

/// Every room, by SQLite's order of their numbers.
pub(super) fn rooms(reading: &mut Reading<'_>) -> Result<Vec<RoomRecord>, StorageError> {
    let sql = "SELECT number, record, sum FROM room";
    read(reading, &ROOM, sql, |row| {
        let number = RoomNumber(row.number(0)?);
        let record: String = row.columns.get(1)?;
        let sum = room_sum(number, &record);
        let room = row.checked(2, sum, &number.0, &record)?;
        row.is_of(|room: &RoomRecord| room.number == number, room)
    })
}

/// Every invite, by id.
pub(super) fn invites(reading: &mut Reading<'_>) -> Result<Vec<InviteRecord>, StorageError> {
    let sql = "SELECT id, room, record, sum FROM room_invite ORDER BY id";
    read(reading, &ROOM_INVITE, sql, |row| {
        let (id, room) = (row.columns.get::<_, String>(0)?, RoomNumber(row.number(1)?));
        let record: String = row.columns.get(2)?;
        let sum = invite_sum(&id, room, &record);
        let invite = row.checked(3, sum, &id, &record)?;
        row.is_of(
            |invite: &InviteRecord| invite.id.to_string() == id && invite.room == room,
            invite,
        )
    })
}

/// Every habit, by SQLite's order of lobbies and people.
pub(super) fn habits(reading: &mut Reading<'_>) -> Result<Vec<LobbyHabit>, StorageError> {
    let sql = "SELECT lobby, user_id, record, sum FROM lobby_habit";
    read(reading, &LOBBY_HABIT, sql, |row| {
        let (lobby, user_id) = (ChannelId(row.number(0)?), UserId(row.number(1)?));
        let record: String = row.columns.get(2)?;
        let sum = habit_sum(lobby, user_id, &record);
        let habit = row.checked(3, sum, &user_id.0, &record)?;
        row.is_of(
            |habit: &LobbyHabit| (habit.lobby, habit.user_id) == (lobby, user_id),
            habit,
        )
    })
}

/// A row as it is read.
struct Row<'row> {
    table: &'static str,
    columns: &'row rusqlite::Row<'row>,
    /// What the checksums of all rows read so far add up to.
    sums: &'row mut u64,
}

impl Row<'_> {
    fn number(&self, column: usize) -> rusqlite::Result<u64> {
        self.columns.get(column).map(i64::cast_unsigned)
    }

    /// What a row says whose checksum is in this column and would have to be `sum`.
    fn checked<T: DeserializeOwned>(
        &mut self,
        column: usize,
        sum: u64,
        name: &dyn std::fmt::Display,
        record: &str,
    ) -> Result<T, StorageError> {
        let table = self.table;
        if self.number(column)? != sum {
            return Err(StorageError::Damaged(format!(
                "table {table}: row {name} is not as it was written"
            )));
        }
        *self.sums = self.sums.wrapping_add(sum);
        // It is what was written: what this build cannot read, another one wrote.
        serde_json::from_str(record).map_err(|error| {
            StorageError::NewerFormat(format!(
                "table {table}: row {name} has what this build does not know: {error}"
            ))
        })
    }

    fn is_of<T>(&self, is: impl FnOnce(&T) -> bool, record: T) -> Result<T, StorageError> {
        if is(&record) {
            return Ok(record);
        }
        let table = self.table;
        Err(StorageError::Damaged(format!(
            "table {table}: a row is in another's place"
        )))
    }
}

fn read<T>(
    reading: &mut Reading<'_>,
    table: &'static Table,
    sql: &str,
    record: impl Fn(&mut Row<'_>) -> Result<T, StorageError>,
) -> Result<Vec<T>, StorageError> {
    let mut select = reading.connection().prepare(sql)?;
    let mut found = select.query([])?;
    let (mut records, mut sums) = (Vec::new(), 0_u64);
    while let Some(columns) = found.next()? {
        let mut row = Row {
            table: table.name,
            columns,
            sums: &mut sums,
        };
        records.push(record(&mut row)?);
    }
    reading.add_up(table, sums)?;
    Ok(records)
}

fn insert(
    writing: &mut Writing<'_>,
    table: &Table,
    sql: &str,
    values: impl Params,
    sum: u64,
) -> Result<(), StorageError> {
    writing.connection().prepare_cached(sql)?.execute(values)?;
    writing.row_added(table, sum);
    Ok(())
}

fn remove(
    writing: &mut Writing<'_>,
    table: &Table,
    sql: &str,
    of: impl Params,
) -> Result<(), StorageError> {
    let mut delete = writing.connection().prepare_cached(sql)?;
    let mut gone = delete.query(of)?;
    let mut sums = 0_u64;
    while let Some(row) = gone.next()? {
        sums = sums.wrapping_add(row.get::<_, i64>(0)?.cast_unsigned());
    }
    writing.rows_removed(table, sums);
    Ok(())
}

// Checksums are of every value. Written to disk, so they never change.

fn room_sum(number: RoomNumber, record: &str) -> u64 {
    Checksum::of("room").number(number.0).text(record).done()
}

fn invite_sum(id: &str, room: RoomNumber, record: &str) -> u64 {
    let place = Checksum::of("room_invite").text(id).number(room.0);
    place.text(record).done()
}

fn habit_sum(lobby: ChannelId, user_id: UserId, record: &str) -> u64 {
    let place = Checksum::of("lobby_habit").number(lobby.0);
    place.number(user_id.0).text(record).done()
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    let unwritable =
        |error| StorageError::InvalidRequest(format!("a record has no JSON form: {error}"));
    serde_json::to_string(value).map_err(unwritable)
}
