//! What the gateway has done of its own accord: rooms that nobody is in or looks at are deleted, and
//! whoever joins a lobby is given one.
//!
//! Two pure machines decide. What they are told comes from the logs, which are followed, and from looks
//! at who is in which room: events say that something was so for a moment, looks say what is so. So
//! nothing is missed while the gateway is away, or between two looks.

/// When rooms are idle, and when they are deleted.
mod idle_clocks;
/// Who has joined a lobby and is to be given a room.
mod lobbies;
/// What the settings name, and is in no guild.
mod unseen_names;
/// Waits for whatever happens in a log.
mod follower;
/// Which guilds are to be looked at.
mod looks;
/// What is said of idle rooms, one after the other.
mod idle_notices;
/// The task.
mod driver;

use guildhall_link::frame::DiscordStatus;
use tokio::sync::watch;

use crate::{
    ShardId,
    execute::{CommandContext, Executor},
    log::Log,
};

pub(crate) use driver::run;

/// All that the task needs.
pub(crate) struct UpkeepSetup {
    pub(crate) context: CommandContext,
    pub(crate) executor: Executor,
    pub(crate) shards: Vec<UpkeepShard>,
}

/// The log of one shard, and how Discord is behind it.
pub(crate) struct UpkeepShard {
    pub(crate) shard: ShardId,
    pub(crate) log: Log,
    pub(crate) status: watch::Receiver<DiscordStatus>,
}
