//! What the viewer is to each guild of the query at the moment of a join.

use std::collections::BTreeMap;

use guildhall_model::{GuildId, LogId};

use super::{
    JoinFrom, NotJoinable,
    cursor::{QueriedLog, QueriedLogs},
};
use crate::{
    fanout::{AccessHistory, StreamRegistration},
    replica::{GuildLog, GuildLogs, LocatedGuild, LogPositions, ViewerId},
    visible::Access,
};

/// A guild of the query that is in a log, and what the viewer is to it now.
pub(super) struct GuildNow<'a> {
    pub(super) id: GuildId,
    pub(super) log: &'a GuildLog,
    pub(super) access: Access,
    /// And was, as far as it is remembered.
    pub(super) history: Option<AccessHistory>,
    /// The answer about it is missing on this instance, whatever the log says.
    pub(super) unresolved: bool,
}

/// Those of these guilds that are in a log. `from`: who has been shown something may go on
/// without being looked up. `remembered`: what the viewer is to a guild, if that is known already.
pub(super) fn guilds_now<'a>(
    logs: &'a GuildLogs,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    from: JoinFrom<'_>,
    remembered: impl Fn(GuildId) -> Option<AccessHistory>,
) -> Result<Vec<GuildNow<'a>>, NotJoinable> {
    let here = logs.located(wanted);
    let viewer = registration.viewer();
    let unresolved = viewer.unresolved(&here);
    let mut not_asked = unresolved.logs.iter();
    if not_asked.any(|log| !from.may_go_on_without_answers(logs, *log)) {
        return Err(NotJoinable::NotLookedUp);
    }
    let known = wanted.iter().filter_map(|id| Some((*id, logs.guild(*id)?)));
    let guilds = known.map(|(id, guild)| {
        let unresolved = unresolved.guilds.contains(&id);
        let history = if unresolved { None } else { remembered(id) };
        let access = match &history {
            _ if unresolved => Access::Unknown,
            Some(history) => history.now().clone(),
            None => access(logs, id, viewer.id()),
        };
        GuildNow {
            id,
            log: guild,
            access,
            history,
            unresolved,
        }
    });
    Ok(guilds.collect())
}

impl JoinFrom<'_> {
    /// Whether a log may be joined about which nothing was asked in its present epoch: by a stream
    /// that was shown something of this epoch, or to which the log is new. What it was not asked
    /// about is unknown. To one that stands in an epoch that is over, that would take guilds away
    /// for a moment.
    fn may_go_on_without_answers(self, logs: &GuildLogs, log: LogId) -> bool {
        match self {
            Self::Browser { .. } => false,
            Self::Stream { position, .. } => match (position.in_log(log), logs.position(log)) {
                (Some(stands), Some(now)) => stands.comparable(now),
                _ => true,
            },
        }
    }
}

/// Those of these guilds of which the answer is missing.
pub(super) fn lacking(logs: &GuildLogs, guilds: &[GuildNow<'_>]) -> Vec<LocatedGuild> {
    let unresolved = guilds.iter().filter(|guild| guild.unresolved);
    let unresolved = unresolved.filter_map(|guild| {
        let at = logs.position(guild.log.log_id())?;
        Some(LocatedGuild { id: guild.id, at })
    });
    unresolved.collect()
}

/// The logs behind a query: those that its guilds are in; of a query of which no guild was ever
/// seen, the first there is, so that it has a cursor. `None`: there is no log. `wanted`: all of the
/// query, `guilds`: those of them that are in a log.
pub(super) fn queried_logs(
    logs: &GuildLogs,
    wanted: &[GuildId],
    guilds: &[GuildNow<'_>],
) -> Option<QueriedLogs> {
    let mut floors: BTreeMap<LogId, u64> = BTreeMap::new();
    for guild in guilds {
        let floor = floors.entry(guild.log.log_id()).or_default();
        *floor = logs.floor(guild.id).max(*floor);
    }
    let behind = floors.into_iter().filter_map(|(log, floor)| {
        let now = logs.position(log)?;
        Some(QueriedLog { now, floor })
    });
    let mut behind: Vec<QueriedLog> = behind.collect();
    if behind.is_empty() {
        let now = logs.first_position()?;
        behind.push(QueriedLog { now, floor: 0 });
    }
    Some(QueriedLogs {
        logs: behind,
        awaits_some: guilds.len() < wanted.len(),
    })
}

impl QueriedLogs {
    /// Where the replica stands in them.
    pub(super) fn now(&self) -> Option<LogPositions> {
        LogPositions::of(self.logs.iter().map(|log| log.now))
    }
}

/// What a viewer is to a guild as it is now.
pub(crate) fn access(logs: &GuildLogs, id: GuildId, viewer: impl Into<ViewerId>) -> Access {
    Access::of(logs.guild(id).and_then(GuildLog::guild), id, viewer)
}
