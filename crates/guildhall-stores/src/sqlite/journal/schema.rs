//! Readable with the `sqlite3` tool while no guildhall runs.
//!
//! Unsigned numbers (ids, positions, times, sums) are SQLite's signed 64 bits with the same bits:
//! they read and sort as they are below 2^63, which Discord's ids reach in 2084. Sums are of all
//! 64 bits, so half of them look negative.

/// "Guld": tells a journal from anybody else's SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x4775_6c64;

/// Raised when a table changes. A file of a lower one is brought up to date, of a higher refused.
pub(super) const VERSION: i32 = 1;

/// The tables, by name, as SQLite keeps their text.
pub(super) const TABLES: [(&str, &str); 4] = [
    // One row for each base. `world`: the guild at its floor, as JSON; NULL when it is unknown or
    // was removed.
    (
        "base",
        "CREATE TABLE base (
    guild_id INTEGER PRIMARY KEY,
    floor INTEGER NOT NULL,
    world TEXT,
    sum INTEGER NOT NULL
) STRICT",
    ),
    // One row for each event of the log, in its order; `name` and `payload` as on the link. One at
    // or below its guild's floor is needed no more, and is taken out some time.
    (
        "event",
        "CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
    // One row once an epoch of the log has begun. `rows`: the sums of all bases and events added up,
    // so that a row that is missing, old or too many shows.
    (
        "head",
        "CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    world_format INTEGER NOT NULL,
    state TEXT NOT NULL,
    rows INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
    // One row. `open`: 1 from the first write to the end of closing. While it is 1 the newest
    // commits are in the write-ahead file alone.
    (
        "writer",
        "CREATE TABLE writer (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    open INTEGER NOT NULL
) STRICT",
    ),
];
