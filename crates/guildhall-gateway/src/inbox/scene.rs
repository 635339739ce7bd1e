//! What whoever carries out a command about rooms has to know of its guild, beyond whether it may be
//! done.

use std::collections::BTreeSet;

use guildhall_model::{
    ChannelId, Permissions, RoleId, UserId,
    command::{CommandError, CommandRequest},
    guild::Overwrite,
};

/// What is asked.
#[derive(Debug)]
pub(crate) struct SceneQuestion {
    pub(crate) request: CommandRequest,
    /// Categories in which a room may be made, the first before the others.
    pub(crate) parents: Vec<ChannelId>,
    /// Roles that may make rooms; none: whoever may CONNECT there.
    pub(crate) creators: Vec<RoleId>,
}

/// What is so in the guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scene {
    /// Whether that is what Discord holds.
    pub(crate) live: bool,
    /// `None`: Discord has not said yet.
    pub(crate) bot: Option<UserId>,
    /// What the bot may in the guild; nothing while that is not known.
    pub(crate) bot_may: Permissions,
    /// What it lacks for the command.
    pub(crate) missing: Vec<&'static str>,
    /// The guild's roles.
    pub(crate) roles: BTreeSet<RoleId>,
    /// The room that the command is about.
    pub(crate) room: Option<SceneRoom>,
    /// In which of the categories the actor may make a room, in their order; none: outside of all.
    pub(crate) creation: Result<Vec<SceneCategory>, CommandError>,
    /// Categories were asked about: outside of all no room may be made.
    pub(crate) needs_category: bool,
    /// The guild's rooms, as far as the world knows.
    pub(crate) rooms: Vec<ChannelId>,
    /// The room in which the actor is.
    pub(crate) actor_in: Option<ChannelId>,
    /// What the actor is called there, as far as it is known: from a room that they are in.
    pub(crate) actor_name: Option<String>,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SceneRoom {
    /// Without those of roles that are gone: Discord lets none of them be set.
    pub(crate) overwrites: Vec<Overwrite>,
    /// The bot may not view it: its overwrites are false.
    pub(crate) obfuscated: bool,
    /// Those of its category.
    pub(crate) parent_overwrites: Vec<Overwrite>,
    /// Who is in it.
    pub(crate) occupants: Vec<UserId>,
}

/// A category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SceneCategory {
    pub(crate) channel_id: ChannelId,
    pub(crate) overwrites: Vec<Overwrite>,
}
