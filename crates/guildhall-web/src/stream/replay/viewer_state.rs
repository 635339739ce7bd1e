//! What a viewer sees right now, for one response and no stream.

use guildhall_model::{GuildId, Position, event::StatusPayload};

use super::{JoinFrom, NotJoinable, guilds_now::guilds_now};
use crate::{
    fanout::{Fanout, StreamRegistration},
    visible::{Access, GuildSnapshot, Selector, Visible, guild_snapshot},
};

/// What a viewer sees right now, for one response and no stream.
pub(crate) struct ViewerState {
    pub(crate) position: Position,
    pub(crate) guilds: Vec<Visible<GuildSnapshot>>,
    pub(crate) status: Visible<StatusPayload>,
}

/// Takes it. Guilds in which it is not known what the viewer is are left out.
pub(crate) fn viewer_state(
    fanout: &Fanout,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    selector: &Selector,
) -> Result<ViewerState, NotJoinable> {
    let logs = fanout.replica().read();
    let now = logs.position().ok_or(NotJoinable::NoWorld)?;
    let browser = JoinFrom::Browser {
        cursor: None,
        heads: &[],
    };
    let guilds = guilds_now(&logs, registration, wanted, browser)?;
    let snapshots = guilds.iter().filter_map(|guild| {
        let rooms = guild.access.rooms()?;
        guild_snapshot(guild.id, logs.guild(guild.id)?, rooms, selector)
    });
    let snapshots: Vec<_> = snapshots.collect();
    let stranger = |id| {
        let mut guilds = guilds.iter();
        guilds.any(|guild| guild.id == id && guild.access == Access::Stranger)
    };
    let may_know = |id: GuildId| wanted.contains(&id) && !stranger(id);
    Ok(ViewerState {
        position: now,
        status: Visible::status(
            fanout
                .replica()
                .freshness()
                .payload(may_know, !snapshots.is_empty()),
        ),
        guilds: snapshots,
    })
}
