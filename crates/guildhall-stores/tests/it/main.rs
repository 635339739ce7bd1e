//! The gateway's file among processes: they are killed, they come second, they may not write.

#![cfg(feature = "sqlite")]

mod child;

mod kill;
mod kill_commands;
mod kill_revocations;
mod kill_rooms;
mod second;
