//! What whoever runs this instance may see and do beside its settings.

/// Rooms that the bot may not view.
mod blind_channels;
/// Why somebody is shown a room.
mod explain;
/// Links that the operator makes for somebody.
mod overlays;

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use guildhall_model::{ChannelId, UserId};
use guildhall_ports::{Clock, Unavailable};
use http::HeaderMap;

use crate::{
    auth::{EndReason, Sessions},
    replica::ViewerId,
    stream::{
        open_streams::{OpenStreams, StreamsReport},
        route::StreamRouteState,
    },
};

pub use blind_channels::BlindChannel;
pub(crate) use explain::Explainer;
pub use explain::{NotExplained, RoomExplanation};
pub(crate) use overlays::OverlayMaker;
pub use overlays::{NoOverlayLink, NotRevoked, OverlayLinkReport};

/// A handle for the operator's listener. It asks nobody who they are: whoever has it has let in only
/// the operator.
#[derive(Clone)]
pub struct WebAdmin(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    streams: OpenStreams,
    explainer: Explainer,
    overlays: OverlayMaker,
    stream_route: StreamRouteState,
    clock: Arc<dyn Clock>,
}

impl WebAdmin {
    pub(crate) fn new(
        stream_route: StreamRouteState,
        explainer: Explainer,
        overlays: OverlayMaker,
    ) -> Self {
        Self(Arc::new(Inner {
            sessions: stream_route.sessions.clone(),
            streams: stream_route.open_streams.clone(),
            explainer,
            overlays,
            clock: Arc::clone(&stream_route.clock),
            stream_route,
        }))
    }

    /// Who has streams open on this instance.
    #[must_use]
    pub fn streams(&self) -> StreamsReport {
        self.0.streams.report()
    }

    /// A stream like one of `GET /api/stream`, for the same query and `Last-Event-ID`: of what `person` sees, or of
    /// all that the bot sees. Nothing else in the headers is looked at.
    pub async fn stream(
        &self,
        person: Option<UserId>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Response {
        let viewer = person.map_or(ViewerId::Bot, ViewerId::Person);
        self.0
            .stream_route
            .of_operator(viewer, headers, query)
            .await
    }

    /// Why a user is shown a room on this instance, or is not. Their rights are looked up first, which
    /// takes 5 s at most.
    ///
    /// # Errors
    ///
    /// There is no such room, or no world yet.
    pub async fn explain(
        &self,
        user_id: UserId,
        channel: ChannelId,
    ) -> Result<RoomExplanation, NotExplained> {
        let now = self.0.clock.now();
        self.0.explainer.explain(user_id, channel, now).await
    }

    /// Makes a link by which stream software shows a room as this user sees it, good for so long and thirty
    /// days at most. Their rights are looked up first, which takes 5 s at most.
    ///
    /// # Errors
    ///
    /// They do not see the room, or it is not known whether they do.
    pub async fn make_overlay_link(
        &self,
        user_id: UserId,
        channel: ChannelId,
        good_for: Option<Duration>,
    ) -> Result<OverlayLinkReport, NoOverlayLink> {
        self.0.overlays.make(user_id, channel, good_for).await
    }

    /// Ends an overlay link, by its id or by what its address has as `overlay`: at once on this instance, and
    /// on all once a gateway keeps it.
    ///
    /// # Errors
    ///
    /// There is no such link; or no gateway keeps it yet: it goes to the next one there is.
    pub async fn revoke_overlay_link(&self, id: &str) -> Result<(), NotRevoked> {
        self.0.overlays.revoke(id).await
    }

    /// The rooms that the bot may not view, so that nobody is shown them, by guild and id. `None`: no
    /// world has come to this instance yet.
    #[must_use]
    pub fn blind_channels(&self) -> Option<Vec<BlindChannel>> {
        blind_channels::of(self.0.explainer.fanout())
    }

    /// Ends every session of a user: at once on this instance, and on all once a gateway keeps it.
    ///
    /// # Errors
    ///
    /// No gateway keeps it yet. It goes to the next one there is; asking again tells.
    pub async fn revoke(&self, user_id: UserId) -> Result<(), Unavailable> {
        tracing::info!(viewer.id = %user_id, "[Auth] The operator ends somebody's sessions");
        let sessions = &self.0.sessions;
        sessions.revoke_all_of(user_id, EndReason::Operator).await
    }
}

impl std::fmt::Debug for WebAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebAdmin").finish_non_exhaustive()
    }
}
