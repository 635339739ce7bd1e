//! The rooms' part of a file: rooms, their invites, habits, and one row beside them.

/// The one row: the key of invites, and the last number.
mod head;
/// A record becomes a row, and a record again.
mod row;

use guildhall_ports::room_store::{KeptRooms, RoomChange, SigningKey};

use super::file::{
    Database, FileError, Migration, Module, NOW, Reading, StorageError, Table, Writing,
};
use head::Head;

/// The first version that kept rooms.
const WITH_ROOMS: i32 = 5;

/// One row for each room; `record` as JSON. Numbers are as in the journal's tables: unsigned, with
/// the same bits.
const ROOM: Table = Table {
    name: "room",
    sql: "CREATE TABLE room (
    number INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_ROOMS..NOW,
};

/// One row for each invite, by its id in hexadecimal digits; `record` as JSON.
const ROOM_INVITE: Table = Table {
    name: "room_invite",
    sql: "CREATE TABLE room_invite (
    id TEXT PRIMARY KEY,
    room INTEGER NOT NULL,
    record TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID",
    versions: WITH_ROOMS..NOW,
};

/// One row for each person in each lobby; `record` as JSON.
const LOBBY_HABIT: Table = Table {
    name: "lobby_habit",
    sql: "CREATE TABLE lobby_habit (
    lobby INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    record TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (lobby, user_id)
) STRICT, WITHOUT ROWID",
    versions: WITH_ROOMS..NOW,
};

/// One row, or none while nothing was ever kept. `signing_key`: 64 hexadecimal digits, from the
/// first start with it on.
const ROOM_HEAD: Table = Table {
    name: "room_head",
    sql: "CREATE TABLE room_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    signing_key TEXT,
    last_number INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_ROOMS..NOW,
};

/// The rooms' part of a file.
pub(in crate::sqlite) static MODULE: Module = Module {
    tables: &[ROOM, ROOM_INVITE, LOBBY_HABIT, ROOM_HEAD],
    migrations: &[Migration {
        to: WITH_ROOMS,
        run: |writing| {
            let mut tables = MODULE.tables.iter();
            tables.try_for_each(|table| table.create(writing.connection()))
        },
    }],
    verify: |reading| read(reading).map(drop),
};

/// Everything that is kept; with `fresh_key` where no key is kept yet, durable before the answer.
pub(super) fn load(database: &mut Database, fresh_key: SigningKey) -> Result<KeptRooms, FileError> {
    let (head, mut kept) = database.read(&MODULE, read)?;
    kept.signing_key = if let Some(key) = head.signing_key {
        key
    } else {
        let head = Head {
            signing_key: Some(fresh_key.clone()),
            ..head
        };
        database.write(|writing| head.put(writing))?;
        fresh_key
    };
    Ok(kept)
}

/// Changes rows, in one transaction.
pub(super) fn save(database: &mut Database, changes: &[RoomChange]) -> Result<(), FileError> {
    database.write(|writing| changes.iter().try_for_each(|change| write(writing, change)))
}

fn write(writing: &mut Writing<'_>, change: &RoomChange) -> Result<(), StorageError> {
    match change {
        RoomChange::Room(room) => {
            row::remove_room(writing, room.number)?;
            row::insert_room(writing, room)?;
            head::raise(writing, room.number)
        }
        RoomChange::RoomGone(number) => {
            row::remove_room(writing, *number)?;
            row::remove_invites_of(writing, *number)
        }
        RoomChange::Invite(invite) => {
            row::remove_invite(writing, invite.id)?;
            row::insert_invite(writing, invite)
        }
        RoomChange::InviteGone(id) => row::remove_invite(writing, *id),
        RoomChange::Habit(habit) => {
            row::remove_habit(writing, habit.lobby, habit.user_id)?;
            row::insert_habit(writing, habit)
        }
        RoomChange::HabitGone { lobby, user_id } => row::remove_habit(writing, *lobby, *user_id),
    }
}

/// The key of what is read is not looked at: there may be none yet.
fn read(reading: &mut Reading<'_>) -> Result<(Head, KeptRooms), StorageError> {
    let head = Head::read(reading)?;
    let mut rooms = row::rooms(reading)?;
    let invites = row::invites(reading)?;
    let mut habits = row::habits(reading)?;
    // SQLite's order is another one from 2^63 on.
    rooms.sort_unstable_by_key(|room| room.number);
    habits.sort_unstable_by_key(|habit| (habit.lobby, habit.user_id));
    let kept = KeptRooms {
        signing_key: SigningKey([0; 32]),
        last_number: head.last_number,
        rooms,
        invites,
        habits,
    };
    Ok((head, kept))
}
