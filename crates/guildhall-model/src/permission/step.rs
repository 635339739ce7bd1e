//! What the deciding functions say on their way.

use serde::Serialize;

use crate::{Permissions, RoleId, guild::Overwrite};

/// One step of Discord's algorithm, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "step",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RightsStep {
    /// They own the guild: everything is allowed.
    OwnsGuild,
    /// What one of their roles gives in the whole guild; `@everyone` is the first.
    Role {
        /// The role.
        role_id: RoleId,
        /// What it gives.
        permissions: Permissions,
        /// Whether the guild has it. A deleted role gives nothing.
        known: bool,
    },
    /// One of their roles has ADMINISTRATOR: everything is allowed.
    Administrator,
    /// What their roles give together.
    Base {
        /// It.
        permissions: Permissions,
    },
    /// The bot itself can't view the room, so its true overwrites are not known, and nobody is
    /// shown it.
    Obfuscated,
    /// They never joined the guild and were invited to one room: they see the one they are in.
    Guest {
        /// Whether that is this one.
        connected: bool,
    },
    /// An overwrite of the room that is about them.
    Overwrite {
        /// With which others it counts.
        stage: OverwriteStage,
        /// It.
        #[serde(flatten)]
        overwrite: Overwrite,
    },
    /// What is left after the overwrites of one stage: what they deny is taken, then what they
    /// allow is given.
    Overwritten {
        /// Which.
        stage: OverwriteStage,
        /// What they deny together.
        deny: Permissions,
        /// What they allow together.
        allow: Permissions,
        /// What is left.
        permissions: Permissions,
    },
    /// They are connected to the room, which lets them see it whatever the overwrites say.
    Connected,
    /// Without VIEW_CHANNEL nothing else counts.
    NotSeen,
    /// They are in a timeout, which leaves seeing and reading.
    TimedOut,
}

/// Overwrites of one stage count together; a later stage beats an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OverwriteStage {
    /// That of `@everyone`.
    Everyone,
    /// Those of all their roles: what one allows beats what another denies.
    Roles,
    /// Their own.
    Member,
}

impl OverwriteStage {
    /// In the order in which they count.
    pub(super) const ORDER: [Self; 3] = [Self::Everyone, Self::Roles, Self::Member];
}
