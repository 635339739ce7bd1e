//! Databases behind the ports: each adapter is one file of its database's folder, behind a
//! feature of its own, and passes its port's suite.
//!
//! This crate will never decide anything: what is kept, when and for how long is said by the
//! port's caller. Nobody else names a database.

/// One file on this machine, by SQLite, which is linked in: nothing has to be installed.
#[cfg(feature = "sqlite")]
pub mod sqlite;
