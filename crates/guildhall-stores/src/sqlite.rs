/// The gateway's journal.
mod journal;

pub use journal::SqliteJournal;
