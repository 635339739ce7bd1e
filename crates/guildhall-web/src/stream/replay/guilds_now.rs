//! What the viewer is to each guild of the query at the moment of a join.

use guildhall_model::{GuildId, UserId};

use super::{JoinFrom, NotJoinable};
use crate::{
    fanout::StreamRegistration,
    replica::{GuildLog, GuildLogs},
    visible::Access,
};

/// A guild of the query that is in the log, and what the viewer is to it now.
pub(super) struct GuildNow {
    pub(super) id: GuildId,
    pub(super) access: Access,
    /// The answer about it is missing on this instance, whatever the log says.
    pub(super) unresolved: bool,
}

/// Those of these guilds that are in the log. `from`: who has been shown something may go on
/// without being looked up.
pub(super) fn guilds_now(
    logs: &GuildLogs,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    from: JoinFrom<'_>,
) -> Result<Vec<GuildNow>, NotJoinable> {
    let here = wanted.iter().copied().filter(|id| logs.contains(*id));
    let here: Vec<GuildId> = here.collect();
    let viewer = registration.viewer();
    let now = logs.position().ok_or(NotJoinable::NoWorld)?;
    let unresolved = match (viewer.unresolved(now.epoch, &here), from) {
        (Some(unresolved), _) => unresolved,
        // It was shown something in this epoch of the log: what it was not asked about is unknown.
        (None, JoinFrom::Stream { position, .. }) if position.comparable(now) => here,
        (None, _) => return Err(NotJoinable::NotLookedUp),
    };
    let known = wanted
        .iter()
        .copied()
        .filter(|id| logs.guild(*id).is_some());
    let guilds = known.map(|id| {
        let unresolved = unresolved.contains(&id);
        let access = if unresolved {
            Access::Unknown
        } else {
            access(logs, id, viewer.id())
        };
        GuildNow {
            id,
            access,
            unresolved,
        }
    });
    Ok(guilds.collect())
}

/// What a user is to a guild as it is now.
pub(crate) fn access(logs: &GuildLogs, id: GuildId, user: UserId) -> Access {
    Access::of(logs.guild(id).and_then(GuildLog::guild), id, user)
}
