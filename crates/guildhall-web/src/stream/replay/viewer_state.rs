//! What a viewer sees right now, for one response and no stream.

use guildhall_model::{Cursor, GuildId, event::StatusPayload};

use super::{
    JoinFrom, NotJoinable,
    guilds_now::{guilds_now, queried_logs},
    status_scope,
};
use crate::{
    auth::LoginHeads,
    fanout::{Fanout, StreamRegistration},
    visible::{Access, GuildSnapshot, Selector, Visible, guild_snapshot},
};

/// What a viewer sees right now, for one response and no stream.
pub(crate) struct ViewerState {
    pub(crate) cursor: Cursor,
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
    let browser = JoinFrom::Browser {
        cursor: None,
        heads: &LoginHeads::default(),
    };
    let guilds = guilds_now(&logs, registration, wanted, browser, |_| None)?;
    let now = queried_logs(&logs, wanted, &guilds).and_then(|queried| queried.now());
    let snapshots = guilds.iter().filter_map(|guild| {
        let rooms = guild.access.rooms()?;
        guild_snapshot(guild.id, guild.log, rooms, selector)
    });
    let snapshots: Vec<_> = snapshots.collect();
    let stranger = |id: GuildId| {
        let mut guilds = guilds.iter();
        guilds.any(|guild| guild.id == id && guild.access == Access::Stranger)
    };
    let may_know = wanted.iter().copied().filter(|id| !stranger(*id));
    let scope = status_scope(&logs, may_know, !snapshots.is_empty());
    Ok(ViewerState {
        cursor: now.ok_or(NotJoinable::NoWorld)?.cursor(),
        status: Visible::status(fanout.replica().freshness().payload(&scope)),
        guilds: snapshots,
    })
}
