//! The role that holds Discord's Gateway connection and writes the log.
//!
//! Dispatches come in by one shard or several, are turned into our events against the shard's world,
//! get their positions in its log, and are followed from there by the web roles over the link. This is the only crate
//! that knows Discord's Gateway protocol, the only one that owns the bot's token, and the only
//! writer of the log.
//!
//! It will never serve a browser, decide who may see what, or hold a queue for a reader: readers
//! follow the log at their own pace. Types of Discord's library do not leave `shard`.

/// Settings, and the two public errors: what stops `build`, what ends `run`.
mod config;
/// Hop 1, Discord to us: the task that keeps the connection up for ever.
mod shard;
/// Hop 1b, between the two tasks: the bounded queue of what is to happen to the world.
mod inbox;
/// Times as Discord writes them.
mod timestamp;
/// Hop 2, Discord's words to ours: pure translation, by comparing with the world.
mod normalise;
/// Hop 3, the one task that owns the working world: order, journal, log.
mod sequencer;
/// The log as this gateway keeps it: retained events, floors, and each guild's base.
mod log;
/// Hop 4, gateway to web: the listener, and one task for each attachment.
mod link;
/// What is known of watched users' membership and roles, what has to be asked, and when.
mod rights;
/// Discord's REST interface, as little of it as this role needs, within its rate limits.
mod discord_rest;
/// What is kept of the rooms that this gateway made, and the invites into them.
mod rooms;
/// Which sessions are over: kept, and told to every web role.
mod revocations;
/// The way back: commands of web roles are carried out in Discord.
mod execute;
/// How long rooms live, and lobbies: what the gateway has done of its own accord.
mod upkeep;
/// Beside the road: a follower of each log for whatever keeps history.
mod history;
/// The start: what the journal holds becomes the log, the world and the session to resume.
mod restore;
/// The role's lines of `/readyz`.
mod health;
/// What is measured, described and there from the start.
mod metrics;
/// The built role, and the tasks it is made of.
mod run;

pub use config::{
    Config, GatewayBuildError, GatewayPorts, GatewayRunError, GatewaySettingNames, Intents, Limits,
    ShardId,
};
pub use rooms::{Lobby, RoomMode, RoomSettings};
pub use run::Gateway;
