//! Overlay links that the operator makes for somebody, and ends.

use std::time::Duration;

use guildhall_model::{ChannelId, UnixMs, UserId};
use serde::Serialize;

use super::explain::guild_of;
use crate::{
    auth::{OVERLAY_LIFE_MAX, OverlayName, Sessions},
    fanout::Fanout,
    http::PublicLinks,
    stream::admission::{RequestAdmission, RoomVisibility},
};

/// A link that was made.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlayLinkReport {
    /// By which it is revoked; it opens nothing.
    id: String,
    /// The page that shows the room. Whoever has it sees the room.
    url: String,
    /// From then on it is worth nothing, Unix ms.
    expires_at: UnixMs,
}

/// Why no link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOverlayLink {
    /// There is no such room, or the user does not see it.
    NotSeen,
    /// The world has not come to this instance yet, or nobody could say what the user is.
    NotKnown,
}

/// Why a link was not revoked everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRevoked {
    /// There is no such link.
    NoSuchLink,
    /// It is over on this instance. No gateway keeps that yet.
    NotKept,
}

/// What has to be asked to make one.
#[derive(Clone)]
pub(crate) struct OverlayMaker {
    sessions: Sessions,
    links: PublicLinks,
    fanout: Fanout,
    admission: RequestAdmission,
}

impl OverlayMaker {
    pub(crate) fn new(
        sessions: Sessions,
        links: PublicLinks,
        fanout: Fanout,
        admission: RequestAdmission,
    ) -> Self {
        Self {
            sessions,
            links,
            fanout,
            admission,
        }
    }

    pub(super) async fn make(
        &self,
        user_id: UserId,
        channel_id: ChannelId,
        good_for: Option<Duration>,
    ) -> Result<OverlayLinkReport, NoOverlayLink> {
        if !self.fanout.replica().has_world() {
            return Err(NoOverlayLink::NotKnown);
        }
        let viewer = self.fanout.viewer(user_id);
        let guild_id = guild_of(&self.fanout.replica().read(), channel_id);
        let guild_id = guild_id.ok_or(NoOverlayLink::NotSeen)?;
        let asked = self.admission.ensure_asked(&viewer, &[guild_id]).await;
        asked.map_err(|_unanswered| NoOverlayLink::NotKnown)?;
        let place = (guild_id, channel_id);
        match RoomVisibility::of(&self.fanout, &viewer, place) {
            RoomVisibility::Seen => {}
            RoomVisibility::Unseen => return Err(NoOverlayLink::NotSeen),
            RoomVisibility::Unknown => return Err(NoOverlayLink::NotKnown),
        }
        tracing::info!(viewer.id = %user_id, guild.id = %guild_id, channel.id = %channel_id, "[Auth] The operator makes an overlay link");
        let good_for = good_for.unwrap_or(OVERLAY_LIFE_MAX);
        let made = self.sessions.make_overlay_link(user_id, place, good_for);
        Ok(OverlayLinkReport {
            url: self.links.overlay(made.token.expose()),
            id: made.name.0,
            expires_at: made.expires_at,
        })
    }

    pub(super) async fn revoke(&self, id: &str) -> Result<(), NotRevoked> {
        let name = OverlayName(id.to_owned());
        let link = self.sessions.overlay_link_named(&name);
        let link = link.ok_or(NotRevoked::NoSuchLink)?;
        tracing::info!(viewer.id = %link.maker, "[Auth] The operator ends an overlay link");
        let revoked = self.sessions.revoke_overlay_link(&link).await;
        revoked.map_err(|_no_gateway| NotRevoked::NotKept)
    }
}
