//! Guildhall's words: what can happen in a guild, where in the log it stands, what the world
//! looks like after it, and who may see it.
//!
//! Everything here is a value. This crate will never do IO, read a clock, draw a random number,
//! log, or know Discord's libraries: gateway, web and every test share it, so that there is one
//! reducer for the world and one decision about visibility.

/// Snowflakes by what they name, and the log's number.
pub mod id;
/// Lone surrogates in others' JSON, replaced so that it can be read.
pub mod text;
/// Our JSON, one line whatever its reader calls a line end.
pub mod json;
/// Bytes as text that fits into addresses.
mod base64url;
/// Where in the log something stands.
pub mod position;
/// What a browser keeps to go on from: positions in one log or several.
pub mod cursor;
/// A guild, its rooms, who is in them, and what decides who may see them.
pub mod guild;
/// What happened: one event, its public and its internal shape.
pub mod event;
/// All guilds at one position, and the only reducer that changes them.
pub mod world;
/// Discord's permission algorithm, and the classes of viewers who see the same.
pub mod permission;
/// What people ask to be done in Discord, who may, and what comes of it.
pub mod command;
/// Which browser sessions are over before their time.
pub mod session;

pub use cursor::Cursor;
pub use event::{Change, Envelope, Event, SealedEvent};
pub use guild::{Guild, Permissions};
pub use id::{ChannelId, GuildId, LogId, RoleId, UserId};
pub use permission::{MemberView, VisibleRooms};
pub use position::Position;
pub use session::{Revocation, SessionFacts, SessionId};
pub use world::World;

/// Any value of this crate, for property tests: here, and with feature `arbitrary` elsewhere.
#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;

/// Milliseconds since the Unix epoch.
pub type UnixMs = u64;
