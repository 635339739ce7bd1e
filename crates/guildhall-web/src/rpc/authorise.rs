//! Where a request is about, and what the asker sees there. Only guilds that the asker's session
//! names are searched for a room, and nothing is answered before their rights are known.

use guildhall_model::{ChannelId, Guild, GuildId, UserId};

use crate::{
    auth::Session,
    fanout::{Fanout, Viewer},
    replica::{GuildLog, GuildLogs},
    stream::admission::{AdmissionError, RequestAdmission},
    visible::{Access, VisibleRooms},
};

/// What a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallPlace {
    /// A guild.
    Guild(GuildId),
    /// A room, in whichever of the asker's guilds it is.
    Room(ChannelId),
}

/// A guild as the asker sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) guild: &'a Guild,
    pub(super) rooms: &'a VisibleRooms,
}

/// Waits until the asker's rights are known in the guild that a place is in. 5 s at most. Returns
/// that guild; `None`: the place is nowhere, as far as the asker may know.
pub(super) async fn guild_of(
    place: CallPlace,
    session: &Session,
    viewer: &Viewer,
    (fanout, admission): (&Fanout, &RequestAdmission),
) -> Result<Option<GuildId>, AdmissionError> {
    let guild = match place {
        CallPlace::Guild(guild) => guild,
        CallPlace::Room(room) => {
            admission.of_world(viewer).await?;
            match guild_with(room, &session.guilds, fanout)? {
                Some(guild) => guild,
                None => return Ok(None),
            }
        }
    };
    match admission.of_guild(viewer, guild).await {
        Ok(()) => Ok(Some(guild)),
        Err(AdmissionError::NoMember) => Ok(None),
        Err(AdmissionError::Unavailable) => Err(AdmissionError::Unavailable),
    }
}

/// The guild among some that a room is in. As long as one of them may still come, a room that is
/// in none is not known to be nowhere.
fn guild_with(
    room: ChannelId,
    among: &[GuildId],
    fanout: &Fanout,
) -> Result<Option<GuildId>, AdmissionError> {
    let freshness = fanout.replica().freshness();
    let logs = fanout.replica().read();
    let has_it = |id: &&GuildId| guild(&logs, **id).is_some_and(|it| it.rooms.contains_key(&room));
    if let Some(found) = among.iter().find(has_it) {
        return Ok(Some(*found));
    }
    let mut missing = among.iter().filter(|id| !logs.contains(**id));
    if missing.any(|id| freshness.may_come(*id)) {
        return Err(AdmissionError::Unavailable);
    }
    Ok(None)
}

/// Looks at a guild as the asker sees it at this moment. It stays so as long as `logs` is held.
pub(super) fn look(
    logs: &GuildLogs,
    id: GuildId,
    asker: UserId,
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
