//! Adapters that keep what they keep in a SQLite file.

/// The gateway's journal.
mod journal;

pub use journal::SqliteJournal;
