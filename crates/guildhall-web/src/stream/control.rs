//! Control events: what a stream says about itself (design, "Events").

use guildhall_model::UnixMs;
use serde::{Serialize, Serializer};

use super::filter::Common;
use crate::replica::StatusPayload;

/// Why a picture is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotReason {
    /// None came, none that is of this log, or one from before the login.
    NoCursor,
    /// The log has begun a new life.
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
    /// Streams do not live for ever.
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

impl ByeReason {
    /// How long the browser waits before it comes back, Unix ms. `chance`: 0 to 1, so that they
    /// do not all come at once.
    pub(crate) fn retry_ms(self, chance: f64) -> u64 {
        let (least, most) = match self {
            Self::MaxAge => (100, 1_000),
            Self::Draining | Self::SessionExpired | Self::SessionRevoked => (500, 3_000),
            Self::Unavailable => (2_000, 5_000),
            Self::TooManyStreams => (15_000, 30_000),
        };
        between(least, most, chance)
    }
}

/// What a browser waits after a connection that broke without a word, in ms.
pub(crate) fn retry_ms(chance: f64) -> u64 {
    between(1_000, 2_000, chance)
}

fn between(least: u64, most: u64, chance: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few thousand milliseconds"
    )]
    let share = ((most - least) as f64 * chance.clamp(0.0, 1.0)) as u64;
    least + share
}

/// `resumed`.
#[derive(Debug, Serialize)]
pub(crate) struct Resumed {
    /// Records that follow at once.
    pub(crate) replayed: usize,
    pub(crate) status: StatusPayload,
}

/// `checkpoint`.
#[derive(Debug, Serialize)]
pub(crate) struct Checkpoint {
    /// The server's time, Unix ms.
    pub(crate) now: UnixMs,
}

/// `bye`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bye {
    pub(crate) reason: ByeReason,
    pub(crate) retry_ms: u64,
}

impl Common for Resumed {}
impl Common for Checkpoint {}
impl Common for Bye {}
impl Common for StatusPayload {}
