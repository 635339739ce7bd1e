//! What whoever runs this instance may see and do beside its settings.

/// Why somebody is shown a room.
mod explain;

use std::sync::Arc;

use guildhall_model::{ChannelId, UserId};
use guildhall_ports::{Clock, Unavailable};

use crate::{
    auth::{EndReason, Sessions},
    stream::open_streams::{OpenStreams, StreamsReport},
};

pub(crate) use explain::Explainer;
pub use explain::{NotExplained, RoomExplanation};

/// A handle for the operator's listener. It asks nobody who they are: whoever has it has let in only
/// the operator.
#[derive(Clone)]
pub struct WebAdmin(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    streams: OpenStreams,
    explainer: Explainer,
    clock: Arc<dyn Clock>,
}

impl WebAdmin {
    pub(crate) fn new(
        sessions: Sessions,
        streams: OpenStreams,
        explainer: Explainer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            sessions,
            streams,
            explainer,
            clock,
        }))
    }

    /// Who has streams open on this instance.
    #[must_use]
    pub fn streams(&self) -> StreamsReport {
        self.0.streams.report()
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
