//! Where a request is about, and what the asker sees there. Only guilds that the asker's session
//! names are searched for a room, and a room that they do not see is not found: whatever is said of
//! one that is hidden is said of one that is not there.

use guildhall_model::{ChannelId, Guild, GuildId, VisibleRooms, command::InviteToken};

use crate::{
    fanout::{Fanout, Viewer},
    replica::{GuildLog, GuildLogs, ViewerId},
    stream::admission::{AdmissionError, RequestAdmission},
    visible::Access,
};

/// What a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallPlace {
    /// A guild.
    Guild(GuildId),
    /// A room, in whichever of the asker's guilds it is.
    Room(ChannelId),
    /// The guild of an invite, into a room that the asker need not see.
    Invite(InviteToken),
}

/// A guild as the asker sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) guild: &'a Guild,
    pub(super) rooms: &'a VisibleRooms,
}

/// Waits until the asker's rights are known where a place may be. 5 s at most. `own`: the asker's guilds. Returns the guild that
/// it is in; `None`: the place is nowhere, as far as the asker may know.
pub(super) async fn guild_of(
    place: &CallPlace,
    own: &[GuildId],
    viewer: &Viewer,
    (fanout, admission): (&Fanout, &RequestAdmission),
) -> Result<Option<GuildId>, AdmissionError> {
    let guild = match place {
        CallPlace::Guild(guild) => *guild,
        CallPlace::Invite(token) => token.claims().guild_id,
        CallPlace::Room(room) => {
            // In all of them, and not only where the room is: how long it takes, and whether it can
            // be told, must not depend on whether there is such a room.
            admission.ensure_asked(viewer, own).await?;
            return guild_with(*room, own, viewer, fanout);
        }
    };
    match admission.of_guild(viewer, guild).await {
        Ok(()) => Ok(Some(guild)),
        Err(AdmissionError::NoMember | AdmissionError::NoRoom) => Ok(None),
        Err(AdmissionError::Unavailable) => Err(AdmissionError::Unavailable),
    }
}

/// The guild among some in which the viewer sees a room. One that they do not see takes the same
/// way to the end as one that is not there: as long as it is not known of each guild what they see
/// in it, neither is known to be nowhere.
fn guild_with(
    room: ChannelId,
    among: &[GuildId],
    viewer: &Viewer,
    fanout: &Fanout,
) -> Result<Option<GuildId>, AdmissionError> {
    let freshness = fanout.replica().freshness();
    let logs = fanout.replica().read();
    let unresolved = viewer.unresolved(&logs.located(among)).guilds;
    let mut all_known = true;
    for id in among.iter().copied() {
        match Access::of(guild(&logs, id), id, viewer.id()) {
            _ if unresolved.contains(&id) => all_known = false,
            Access::Member(rooms) if rooms.contains(room) => return Ok(Some(id)),
            Access::Member(_) => {}
            Access::Unknown => all_known = false,
            Access::Stranger => all_known &= freshness.complete(),
            Access::Absent => all_known &= !freshness.may_come(id),
        }
    }
    if all_known {
        Ok(None)
    } else {
        Err(AdmissionError::Unavailable)
    }
}

/// The guild whose gateway may know a command with a key that names a room which its giver does not see
/// at this moment: it may be a repeat of one that closed the room, or hid it. Where the room was not long
/// ago, else in any of their guilds, so that how long it takes does not tell whether there is such a room.
/// `None`: they are in no guild.
pub(super) fn guild_of_repeat(
    place: &CallPlace,
    own: &[GuildId],
    viewer: &Viewer,
    fanout: &Fanout,
) -> Option<GuildId> {
    let CallPlace::Room(room) = *place else {
        return None;
    };
    let logs = fanout.replica().read();
    let is_in = |id: &GuildId| {
        let access = Access::of(guild(&logs, *id), *id, viewer.id());
        matches!(access, Access::Member(_))
    };
    let own = || own.iter().copied().filter(is_in);
    let has_or_had = |id: &GuildId| {
        let has = guild(&logs, *id).is_some_and(|guild| guild.rooms.contains_key(&room));
        has || logs.guild(*id).is_some_and(|log| log.has_had(room))
    };
    own().find(has_or_had).or_else(|| own().next())
}

/// Looks at a guild as the asker sees it at this moment. It stays so as long as `logs` is held.
pub(super) fn look(
    logs: &GuildLogs,
    id: GuildId,
    asker: ViewerId,
) -> Result<Option<(&Guild, VisibleRooms)>, AdmissionError> {
    let guild = guild(logs, id);
    match (guild, Access::of(guild, id, asker)) {
        (Some(guild), Access::Member(rooms)) => Ok(Some((guild, rooms))),
        (_, Access::Unknown) => Err(AdmissionError::Unavailable),
        _ => Ok(None),
    }
}

/// A guild as it is.
pub(super) fn guild(logs: &GuildLogs, id: GuildId) -> Option<&Guild> {
    logs.guild(id).and_then(GuildLog::guild)
}
