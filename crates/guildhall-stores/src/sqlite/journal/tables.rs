//! Its tables. Readable with the `sqlite3` tool while no guildhall runs.
//!
//! Unsigned numbers (ids, positions, times, sums) are SQLite's signed 64 bits with the same bits:
//! they read and sort as they are below 2^63, which Discord's ids reach in 2084. Sums are of all
//! 64 bits, so half of them look negative.

use crate::sqlite::file::{NOW, Table};

/// One row for each base. `world`: the guild at its floor, as JSON; NULL when it is unknown or was
/// removed.
pub(super) const BASE: Table = Table {
    name: "base",
    sql: "CREATE TABLE base (
    guild_id INTEGER PRIMARY KEY,
    floor INTEGER NOT NULL,
    world TEXT,
    sum INTEGER NOT NULL
) STRICT",
    versions: 1..NOW,
};

/// One row for each event of the log, in its order; `name` and `payload` as on the link. One at or
/// below its guild's floor is needed no more, and is taken out some time.
pub(super) const EVENT: Table = Table {
    name: "event",
    sql: "CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    versions: 1..NOW,
};

/// One row once an epoch of the log has begun.
pub(super) const HEAD: Table = Table {
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
    versions: 2..NOW,
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
