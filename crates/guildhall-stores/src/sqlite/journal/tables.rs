//! Its tables. Readable with the `sqlite3` tool while no guildhall runs.
//!
//! Unsigned numbers (ids, positions, times, sums) are SQLite's signed 64 bits with the same bits:
//! they read and sort as they are below 2^63, which Discord's ids reach in 2084. Sums are of all
//! 64 bits, so half of them look negative.

use guildhall_model::{LogId, Position};

use crate::sqlite::file::{NOW, Table};

/// The first version that had several logs.
pub(super) const WITH_LOGS: i32 = 3;

/// One row for each base. `world`: the guild at its floor, as JSON; NULL when it is unknown or was
/// removed.
pub(super) const BASE: Table = Table {
    name: "base",
    sql: "CREATE TABLE base (
    log INTEGER NOT NULL,
    guild_id INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    world TEXT,
    sum INTEGER NOT NULL,
    PRIMARY KEY (log, guild_id)
) STRICT, WITHOUT ROWID",
    versions: WITH_LOGS..NOW,
};

/// One row for each event of a log, in its order; `name` and `payload` as on the link. One at or
/// below its guild's floor is needed no more, and is taken out some time.
///
/// `place`: the log in the upper 16 bits, the event's `seq` in the others. So each log has its
/// events side by side, and the one of a single shard, which is log 0, has plain numbers.
pub(super) const EVENT: Table = Table {
    name: "event",
    sql: "CREATE TABLE event (
    place INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_LOGS..NOW,
};

/// One row for each log of which an epoch has begun. `fence`: the highest that was written with.
pub(super) const HEAD: Table = Table {
    name: "head",
    sql: "CREATE TABLE head (
    log INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    world_format INTEGER NOT NULL,
    state TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: WITH_LOGS..NOW,
};

/// When there was one log.
pub(super) const BASE_1: Table = Table {
    name: "base",
    sql: "CREATE TABLE base (
    guild_id INTEGER PRIMARY KEY,
    floor INTEGER NOT NULL,
    world TEXT,
    sum INTEGER NOT NULL
) STRICT",
    versions: 1..WITH_LOGS,
};

/// When there was one log.
pub(super) const EVENT_1: Table = Table {
    name: "event",
    sql: "CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: 1..WITH_LOGS,
};

/// One row once an epoch of the one log had begun.
pub(super) const HEAD_2: Table = Table {
    name: "head",
    sql: "CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    world_format INTEGER NOT NULL,
    state TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: 2..WITH_LOGS,
};

/// `rows`: the sums of all bases and events added up, when the file had no sums by table.
pub(super) const HEAD_1: Table = Table {
    name: "head",
    sql: "CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    world_format INTEGER NOT NULL,
    state TEXT NOT NULL,
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: 1..2,
};

/// Bits of a place that are the event's number: enough for 8,000 years of 1,000 events a second.
const SEQ_BITS: u32 = 48;

/// No event has a higher number.
pub(super) const LAST_SEQ: u64 = (1 << SEQ_BITS) - 1;

/// Where an event has its row.
pub(super) fn place(at: Position) -> u64 {
    place_in(at.log, at.seq)
}

/// The same; with 0 what is before all rows of the log.
pub(super) fn place_in(log: LogId, seq: u64) -> u64 {
    (u64::from(log.0) << SEQ_BITS) | seq.min(LAST_SEQ)
}

/// The log and the number of the event that has its row there.
pub(super) fn event_at(place: u64) -> (LogId, u64) {
    let log = place >> SEQ_BITS;
    (
        LogId(u16::try_from(log).unwrap_or(u16::MAX)),
        place & LAST_SEQ,
    )
}
