//! The rooms that this gateway made: what is kept of them, and the invites into them.

#![expect(dead_code, reason = "nobody makes rooms yet")]

/// How rooms are made, as data.
mod settings;
/// What is kept, with one owner.
mod table;
/// Invites' signatures.
mod invite;

pub use settings::{Lobby, RoomMode, RoomSettings};

#[expect(unused_imports, reason = "nobody makes rooms yet")]
pub(crate) use invite::{InviteError, InviteSigner};
#[expect(unused_imports, reason = "nobody makes rooms yet")]
pub(crate) use table::{NotReserved, RoomPlan, RoomTable, SeatRefused, SeatTaken};
