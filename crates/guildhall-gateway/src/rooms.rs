//! The rooms that this gateway made: what is kept of them, and the invites into them.

/// How rooms are made, as data.
mod settings;
/// What a room is asked for with.
mod draft;
/// What is kept, with one owner.
mod table;
/// Invites' signatures.
mod invite;
/// How many there are, for the operator.
mod census;
/// Who is on which room's page.
mod viewers;

pub use settings::{Lobby, RoomMode, RoomSettings};

pub(crate) use census::ROOM_PHASES;
pub(crate) use draft::{RoomDraft, VoiceChannelSeen, management_of};
pub(crate) use invite::{InviteError, InviteSigner};
pub(crate) use table::{NotReserved, RoomPlan, RoomTable, SeatRefused, SeatTaken};
pub(crate) use viewers::{AttachedViewers, ViewerTables, Viewers};
