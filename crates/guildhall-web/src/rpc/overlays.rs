//! Overlay links: made and taken back here, without the gateway's doing but for what it remembers.

use std::time::Duration;

use guildhall_model::{
    ChannelId, UnixMs, UserId,
    command::{CommandErrorCode, judge_management},
};
use tracing::info;
#[cfg(feature = "schema")]
use utoipa::ToSchema;

use super::{
    authorise::{CallPlace, guild, guild_of},
    failure::{NOWHERE, refused},
    field::LinkLifetime,
    input::{Fields, Input},
};
use crate::{
    auth::{MadeOverlayLink, OVERLAY_LIFE_MAX, OverlayLink, OverlayName, Requester, Sessions},
    fanout::{Fanout, Viewer},
    http::{ApiError, PublicLinks},
    stream::admission::{AdmissionError, RequestAdmission, guilds_of},
    visible::{CommandOutcome, CreatedOverlayLink, Visible},
};

/// Something that is done with overlay links.
pub(super) trait OverlayInput: Input + Send {
    /// What is answered when it was not refused.
    #[cfg(feature = "schema")]
    type Answer: ToSchema;

    /// As it is carried out.
    fn call(self) -> OverlayCall;
}

/// Something that is done with overlay links, as it was read.
#[derive(Debug)]
pub(super) enum OverlayCall {
    /// To a room.
    Create {
        channel_id: ChannelId,
        good_for: Duration,
    },
    /// That one.
    Revoke(OverlayName),
}

/// `createOverlayLink`.
#[derive(Debug)]
pub(super) struct CreateOverlayLinkInput {
    channel_id: ChannelId,
    expires_in_seconds: Option<LinkLifetime>,
}

/// `revokeOverlayLink`.
#[derive(Debug)]
pub(super) struct RevokeOverlayLinkInput {
    id: OverlayName,
}

impl Input for CreateOverlayLinkInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room it shows.");
        let expires_in_seconds = fields.optional(
            "expiresInSeconds",
            "How long it is good; left out: thirty days.",
        );
        Some(Self {
            channel_id: channel_id?,
            expires_in_seconds,
        })
    }
}

impl OverlayInput for CreateOverlayLinkInput {
    #[cfg(feature = "schema")]
    type Answer = CreatedOverlayLink;

    fn call(self) -> OverlayCall {
        let seconds = self.expires_in_seconds;
        OverlayCall::Create {
            channel_id: self.channel_id,
            good_for: seconds.map_or(OVERLAY_LIFE_MAX, |life| Duration::from_secs(life.0)),
        }
    }
}

impl Input for RevokeOverlayLinkInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields.required(
            "id",
            "Which: its id, as it was made with, or what its address has as `overlay`.",
        );
        Some(Self { id: id? })
    }
}

impl OverlayInput for RevokeOverlayLinkInput {
    #[cfg(feature = "schema")]
    type Answer = CommandOutcome;

    fn call(self) -> OverlayCall {
        OverlayCall::Revoke(self.id)
    }
}

/// What making and revoking needs.
pub(super) struct OverlayLinks<'a> {
    pub(super) sessions: Sessions,
    pub(super) fanout: &'a Fanout,
    pub(super) admission: &'a RequestAdmission,
    pub(super) links: &'a PublicLinks,
    /// For timeouts.
    pub(super) now: UnixMs,
}

impl OverlayLinks<'_> {
    /// Done as soon as it is answered.
    pub(super) async fn carry_out(
        &self,
        call: OverlayCall,
        requester: &Requester,
        viewer: &Viewer,
    ) -> Result<Visible<Vec<u8>>, ApiError> {
        match call {
            OverlayCall::Create {
                channel_id,
                good_for,
            } => {
                let made = self.create(channel_id, good_for, requester, viewer).await?;
                Ok(CreatedOverlayLink::of(&made, self.links).into_json())
            }
            OverlayCall::Revoke(name) => {
                self.revoke(&name, requester, viewer).await?;
                Ok(CommandOutcome::done().into_json())
            }
        }
    }

    async fn create(
        &self,
        channel_id: ChannelId,
        good_for: Duration,
        requester: &Requester,
        viewer: &Viewer,
    ) -> Result<MadeOverlayLink, ApiError> {
        let maker = requester.actor()?;
        let searched = (self.fanout, self.admission);
        let own = guilds_of(requester, self.fanout);
        let place = CallPlace::Room(channel_id);
        let guild_id = guild_of(&place, &own, viewer, searched).await?;
        let guild_id = guild_id.ok_or(NOWHERE)?;
        self.sessions.check_requester(requester)?;
        info!(viewer.id = %maker, guild.id = %guild_id, channel.id = %channel_id, "[RPC] Overlay link made");
        let place = (guild_id, channel_id);
        Ok(self.sessions.make_overlay_link(maker, place, good_for))
    }

    /// Whoever made it may, whatever they see by now, and whoever manages its room.
    async fn revoke(
        &self,
        name: &OverlayName,
        requester: &Requester,
        viewer: &Viewer,
    ) -> Result<(), ApiError> {
        let actor = requester.actor()?;
        let link = self.sessions.overlay_link_named(name);
        let link = link.ok_or(NO_SUCH_LINK)?;
        if link.maker != actor {
            self.manages_room_of(&link, actor, viewer).await?;
        }
        self.sessions.check_requester(requester)?;
        let (guild_id, channel_id) = (link.guild_id, link.channel_id);
        info!(viewer.id = %actor, guild.id = %guild_id, channel.id = %channel_id, "[RPC] Overlay link revoked");
        let revoked = self.sessions.revoke_overlay_link(&link).await;
        revoked.map_err(|_no_gateway| NOT_KEPT)
    }

    async fn manages_room_of(
        &self,
        link: &OverlayLink,
        actor: UserId,
        viewer: &Viewer,
    ) -> Result<(), ApiError> {
        match self.admission.of_guild(viewer, link.guild_id).await {
            Ok(()) => {}
            Err(AdmissionError::Unavailable) => return Err(AdmissionError::Unavailable.into()),
            Err(_) => return Err(NO_SUCH_LINK),
        }
        let logs = self.fanout.replica().read();
        let there = guild(&logs, link.guild_id).ok_or(NO_SUCH_LINK)?;
        let room = link.channel_id;
        let judged = judge_management(link.guild_id, there, actor, room, self.now);
        judged.map_err(|error| match error.code {
            // What is said of a link to what they do not see is said of one that is none.
            CommandErrorCode::NotFound => NO_SUCH_LINK,
            _ => refused(error),
        })
    }
}

const NO_SUCH_LINK: ApiError =
    ApiError::not_found("There is no such overlay link, or its room is none that you see.");
const NOT_KEPT: ApiError = ApiError::unavailable(
    "It has ended on this instance, and others can't be told now. Try again.",
);
