//! What whoever runs this instance may see and do beside its settings.

use std::sync::Arc;

use guildhall_model::UserId;
use guildhall_ports::Unavailable;

use crate::{
    auth::{EndReason, Sessions},
    stream::open_streams::{OpenStreams, StreamsReport},
};

/// A handle for the operator's listener. It asks nobody who they are: whoever has it has let in only
/// the operator.
#[derive(Clone)]
pub struct WebAdmin(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    streams: OpenStreams,
}

impl WebAdmin {
    pub(crate) fn new(sessions: Sessions, streams: OpenStreams) -> Self {
        Self(Arc::new(Inner { sessions, streams }))
    }

    /// Who has streams open on this instance.
    #[must_use]
    pub fn streams(&self) -> StreamsReport {
        self.0.streams.report()
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
