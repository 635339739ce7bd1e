//! Whether a request is served: the viewer's rights are known where it is about, and they are no
//! stranger there.

use guildhall_model::{ChannelId, GuildId};

use super::{limit::LimitReached, query::Query, replay::access, watch::WatchClient};
use crate::{
    auth::Requester,
    fanout::{Fanout, Viewer},
    http::ApiError,
    replica::ViewerId,
    visible::Access,
};

/// Has rights looked up and says whether they suffice. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RequestAdmission {
    fanout: Fanout,
    watch_client: WatchClient,
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdmissionError {
    /// The world is complete and Discord said that the viewer is no member.
    NoMember,
    /// The maker of an overlay link does not see its room.
    NoRoom,
    /// Not known at the moment.
    Unavailable,
}

impl RequestAdmission {
    /// Of requests to this instance.
    pub(crate) fn new(fanout: Fanout, watch_client: WatchClient) -> Self {
        Self {
            fanout,
            watch_client,
        }
    }

    /// Waits until the viewer's rights are known in those of a query's guilds that are there. 5 s at
    /// most.
    pub(crate) async fn of_query(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        query: &Query,
    ) -> Result<(), AdmissionError> {
        self.admit(viewer, guilds, !query.guilds.is_empty()).await
    }

    /// The same of whoever asks: of an overlay's maker it has to be known, too, that they see its room.
    pub(crate) async fn of_request(
        &self,
        requester: &Requester,
        viewer: &Viewer,
        guilds: &[GuildId],
        query: &Query,
    ) -> Result<(), AdmissionError> {
        let admitted = self.of_query(viewer, guilds, query).await;
        let Some(link) = requester.overlay() else {
            return admitted;
        };
        admitted.map_err(|error| match error {
            // That there is such a guild is none of an overlay's business.
            AdmissionError::NoMember => AdmissionError::NoRoom,
            other => other,
        })?;
        match RoomVisibility::of(&self.fanout, viewer, (link.guild_id, link.channel_id)) {
            RoomVisibility::Seen => Ok(()),
            RoomVisibility::Unseen => Err(AdmissionError::NoRoom),
            RoomVisibility::Unknown => Err(AdmissionError::Unavailable),
        }
    }

    /// Waits until there is a world, and the viewer was asked about in those of these guilds that are
    /// there, with whatever answer. 5 s at most.
    pub(crate) async fn ensure_asked(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
    ) -> Result<(), AdmissionError> {
        let asked = self.watch_client.ensure_looked_up(viewer, guilds).await;
        asked.map_err(|_| AdmissionError::Unavailable)
    }

    /// Waits until the viewer's rights are known in a guild that the request is about. 5 s at most.
    pub(crate) async fn of_guild(
        &self,
        viewer: &Viewer,
        guild: GuildId,
    ) -> Result<(), AdmissionError> {
        self.admit(viewer, &[guild], true).await
    }

    /// `named`: the request is about these guilds and nothing less.
    async fn admit(
        &self,
        viewer: &Viewer,
        guilds: &[GuildId],
        named: bool,
    ) -> Result<(), AdmissionError> {
        let looked_up = self.watch_client.ensure_looked_up(viewer, guilds).await;
        looked_up.map_err(|_| AdmissionError::Unavailable)?;
        let freshness = self.fanout.replica().freshness();
        let logs = self.fanout.replica().read();
        let here = logs.located(guilds);
        if named {
            let mut missing = guilds.iter().filter(|id| !logs.contains(**id)).peekable();
            let some_missing = missing.peek().is_some();
            if missing.any(|id| !freshness.may_come(*id)) {
                return Err(AdmissionError::NoMember);
            }
            if some_missing {
                return Err(AdmissionError::Unavailable);
            }
        }
        let unresolved = viewer.unresolved(&here);
        if !unresolved.logs.is_empty() {
            return Err(AdmissionError::Unavailable);
        }
        let unresolved = unresolved.guilds;
        let here = here.iter().map(|guild| guild.id);
        let certain = here.filter(|id| !unresolved.contains(id));
        let mut sees_any = false;
        for id in certain {
            match access(&logs, id, viewer.id()) {
                Access::Member(_) => sees_any = true,
                Access::Stranger | Access::Absent if named => {
                    return Err(if freshness.complete() {
                        AdmissionError::NoMember
                    } else {
                        AdmissionError::Unavailable
                    });
                }
                Access::Unknown if named => return Err(AdmissionError::Unavailable),
                Access::Unknown | Access::Stranger | Access::Absent => {}
            }
        }
        if !unresolved.is_empty() && (named || !sees_any) {
            return Err(AdmissionError::Unavailable);
        }
        Ok(())
    }
}

/// Whether a viewer sees a room at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoomVisibility {
    /// They do.
    Seen,
    /// They do not, or it is not there.
    Unseen,
    /// It is not known: they are being looked up, or the guild may come.
    Unknown,
}

impl RoomVisibility {
    /// Looks.
    pub(crate) fn of(
        fanout: &Fanout,
        viewer: &Viewer,
        (guild, room): (GuildId, ChannelId),
    ) -> Self {
        let freshness = fanout.replica().freshness();
        let logs = fanout.replica().read();
        let here = logs.located(&[guild]);
        if !viewer.unresolved(&here).guilds.is_empty() {
            return Self::Unknown;
        }
        match access(&logs, guild, viewer.id()) {
            Access::Member(rooms) if rooms.contains(room) => Self::Seen,
            Access::Member(_) => Self::Unseen,
            Access::Stranger if freshness.complete() => Self::Unseen,
            Access::Absent if !freshness.may_come(guild) => Self::Unseen,
            Access::Stranger | Access::Absent | Access::Unknown => Self::Unknown,
        }
    }
}

/// Guilds in which somebody is looked up of whom nobody said which they are in.
const GUILDS_LOOKED_UP: usize = 50;

/// The guilds that a request may be about which names none: those that its person was in at login, or,
/// where nobody said, the first fifty there are; for a program that sees what the bot sees all.
pub(crate) fn guilds_of(requester: &Requester, fanout: &Fanout) -> Vec<GuildId> {
    if !requester.guilds().is_empty() {
        return requester.guilds().to_vec();
    }
    let mut guilds: Vec<_> = fanout.replica().read().guild_ids().collect();
    guilds.sort_unstable();
    if requester.viewer() != ViewerId::Bot {
        guilds.truncate(GUILDS_LOOKED_UP);
    }
    guilds
}

const NO_MEMBER: ApiError = ApiError::not_found("No such guild, or you are not a member of it.");

const NO_ROOM: ApiError = ApiError::not_found(
    "The room of this overlay link is not there, or whoever made the link does not see it.",
);

const NOT_NOW: ApiError =
    ApiError::unavailable("What you may see is not known right now. Try again in a moment.");

impl From<AdmissionError> for ApiError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::NoMember => NO_MEMBER,
            AdmissionError::NoRoom => NO_ROOM,
            AdmissionError::Unavailable => NOT_NOW,
        }
    }
}

/// For whoever is over a limit of requests being answered. A moment later they are not.
impl From<LimitReached> for ApiError {
    fn from(reached: LimitReached) -> Self {
        match reached {
            LimitReached::Together => NOT_NOW,
            LimitReached::User | LimitReached::Address => Self::too_many(
                "Too many of these are being answered for you. Try again in a moment.",
            ),
        }
    }
}
