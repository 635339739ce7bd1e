//! Adapters that keep what they keep in a SQLite file.

/// A file with one owner: who opens it, and how tables, sums and versions of it are kept.
mod file;
/// The journal's part of a file.
mod journal;
/// The commands' part of a file.
mod commands;
/// The rooms' part of a file.
mod rooms;
/// The revocations' part of a file.
mod revocations;
/// The gateway's file: what is in it, and the handles on it.
mod gateway;

pub use gateway::{SqliteJournal, SqliteJournals};
