//! Cargo and other programs, as xtask and the lab run them.
//!
//! A crate of its own because xtask, which is built before any task runs, must not wait for the
//! lab's HTTP and WebSocket libraries.

#![expect(
    clippy::print_stdout,
    reason = "it shows the person who started a task what is run"
)]

/// Running a program to its end.
pub mod command;

/// Cargo in the workspace.
pub mod cargo;
