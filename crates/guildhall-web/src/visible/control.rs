//! Control events: what a stream says about itself rather than about a guild.

use guildhall_model::UnixMs;
use serde::{Serialize, Serializer};

use crate::replica::StatusPayload;

/// Why a snapshot replaces what a browser has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotReason {
    /// None came, none that is of this log, or one from before the login.
    NoCursor,
    /// The log has begun a new epoch.
    EpochChanged,
    /// What came after the cursor is not kept any more.
    CursorExpired,
    /// What the viewer may see changed.
    AuthzChanged,
    /// The open stream fell behind what is kept.
    SlowConsumer,
}

impl SnapshotReason {
    /// Its word, on the wire and in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoCursor => "no_cursor",
            Self::EpochChanged => "epoch_changed",
            Self::CursorExpired => "cursor_expired",
            Self::AuthzChanged => "authz_changed",
            Self::SlowConsumer => "slow_consumer",
        }
    }
}

impl Serialize for SnapshotReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ByeReason {
    /// This instance stops.
    Draining,
    /// The stream has reached the age at which streams end.
    MaxAge,
    /// The login is over by its age.
    SessionExpired,
    /// Somebody signed out.
    SessionRevoked,
    /// The user, or this instance, has enough.
    TooManyStreams,
    /// The world or the viewer's rights are not known now.
    Unavailable,
}

/// An event in which no room and no person is named: words, times, counts, and ids of guilds that
/// the viewer is known to be in. The list is closed: nothing else may be shown to a viewer without
/// looking at their rights.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ControlEvent {
    /// The browser's cursor was good.
    Resumed {
        /// Records that follow at once.
        replayed: usize,
        status: StatusPayload,
    },
    /// How fresh the replica is.
    Status(StatusPayload),
    /// A cursor that moves although nothing happened that the viewer may see.
    Checkpoint {
        /// The server's time, Unix ms.
        now: UnixMs,
    },
    /// The stream ends.
    #[serde(rename_all = "camelCase")]
    Bye { reason: ByeReason, retry_ms: u64 },
}

impl ControlEvent {
    /// Its name on the wire.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Resumed { .. } => "resumed",
            Self::Status(_) => "status",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Bye { .. } => "bye",
        }
    }
}
