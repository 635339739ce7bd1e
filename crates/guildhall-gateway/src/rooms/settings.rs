//! How rooms are made, as data.

use std::time::Duration;

use guildhall_model::{ChannelId, RoleId};

/// How rooms are made and how long they live. Counts are per guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSettings {
    /// Categories for rooms, the first before the others; none: rooms are in no category. Those of
    /// other guilds are passed over.
    pub parents: Vec<ChannelId>,
    /// Roles that may make rooms; none: whoever may CONNECT there.
    pub creators: Vec<RoleId>,
    /// How people are let into rooms.
    pub mode: RoomMode,
    /// So many rooms may be one person's.
    pub per_user: usize,
    /// So many rooms may be in a guild.
    pub max: usize,
    /// So long may a room be empty before it is deleted.
    pub idle: Duration,
    /// Channels that make rooms for whoever joins them.
    pub lobbies: Vec<Lobby>,
    /// The page's address, for the message in a new room's chat; `None`: there is no message.
    pub page: Option<String>,
    /// Whether somebody who signs in by an invite may be let into its guild.
    pub guilds_join: bool,
}

/// How people are let into rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoomMode {
    /// By an overwrite for each.
    #[default]
    Overwrites,
    /// By a role for each room. Discord lets a guild have 250 roles, and about 250 be made in two
    /// days.
    Role,
}

/// A channel that makes rooms for whoever joins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lobby {
    /// The channel.
    pub channel: ChannelId,
    /// What rooms are called: `{name}` is the person's.
    pub template: String,
    /// How many fit into them, 0: as many as like to.
    pub limit: u32,
    /// The category for them; `None`: as for all rooms.
    pub parent: Option<ChannelId>,
    /// So long may they be empty before they are deleted.
    pub idle: Duration,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            parents: Vec::new(),
            creators: Vec::new(),
            mode: RoomMode::Overwrites,
            per_user: 1,
            max: 50,
            idle: Duration::from_hours(1),
            lobbies: Vec::new(),
            page: None,
            guilds_join: false,
        }
    }
}
