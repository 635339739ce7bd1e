//! What a stream says by itself: of its state, of a guild's picture, of a viewer's rights.

use serde::{Deserialize, Serialize};

use crate::{
    GuildId, UnixMs,
    guild::{Occupant, RoomInfo},
};

/// How the connection to Discord is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Discord {
    /// Events arrive as they happen.
    Live,
    /// Cut a moment ago; what was missed is being fetched.
    Resuming,
    /// No connection.
    Down,
    /// Not known, because the link is down or nothing was said yet. Never sent by a gateway.
    Unknown,
}

/// Whether the link to the gateway is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum LinkState {
    /// Attached.
    Up,
    /// Not attached.
    Down,
}

/// How fresh all this is: the payload of `status`, and part of `snapshot` and `resumed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusPayload {
    /// Discord, as far as this instance can know.
    pub discord: Discord,
    /// The link to the gateway.
    pub link: LinkState,
    /// Since when it is so, Unix ms.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub since: UnixMs,
    /// Guilds behind the query that are not live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guild_ids: Vec<GuildId>,
}

/// Why a snapshot replaces what a browser has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SnapshotReason {
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

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ByeReason {
    /// This instance stops.
    Draining,
    /// The stream has reached the age at which streams end.
    MaxAge,
    /// The login is over by its age.
    SessionExpired,
    /// The login was ended before its time: its person signed out, or removed the application, or the
    /// operator said so.
    SessionRevoked,
    /// The user, or this instance, has enough.
    TooManyStreams,
    /// The world or the viewer's rights are not known now.
    Unavailable,
}

/// The payload of `snapshot`: the whole picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SnapshotPayload {
    /// Why it replaces what the browser has.
    pub reason: SnapshotReason,
    /// How fresh it is.
    pub status: StatusPayload,
    /// The guilds, each as this viewer sees it.
    pub guilds: Vec<GuildPicture>,
}

/// The answer of `/api/state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatePayload {
    /// Where a stream goes on from here.
    pub cursor: String,
    /// How fresh it is.
    pub status: StatusPayload,
    /// The guilds, each as this viewer sees it.
    pub guilds: Vec<GuildPicture>,
}

/// A guild as one viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GuildPicture {
    /// The guild.
    pub id: GuildId,
    /// Its name.
    pub name: String,
    /// Hash of its icon.
    #[cfg_attr(feature = "schema", schema(required))]
    pub icon: Option<String>,
    /// False in an outage: rooms and people are as they were last seen.
    pub available: bool,
    /// The rooms that the viewer sees, in Discord's order.
    pub rooms: Vec<RoomPicture>,
}

/// A room with the people in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomPicture {
    /// The room.
    #[serde(flatten)]
    pub info: RoomInfo,
    /// Who is in it.
    pub members: Vec<Occupant>,
}

/// The payload of `resumed`: the cursor was honoured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResumedPayload {
    /// Records that follow at once.
    pub replayed: usize,
    /// How fresh it is.
    pub status: StatusPayload,
}

/// The payload of `checkpoint`: a heartbeat, or word of commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CheckpointPayload {
    /// The server's time, Unix ms.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub now: UnixMs,
    /// The `Idempotency-Key`s of commands that this session gave and that are done: what they did,
    /// as far as the stream is about it and the viewer sees it, came before this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
}

/// The payload of `bye`: the stream ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ByePayload {
    /// Why.
    pub reason: ByeReason,
    /// How long to wait before coming back.
    pub retry_ms: u64,
}

impl ByeReason {
    /// Its word, on the wire and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::MaxAge => "max_age",
            Self::SessionExpired => "session_expired",
            Self::SessionRevoked => "session_revoked",
            Self::TooManyStreams => "too_many_streams",
            Self::Unavailable => "unavailable",
        }
    }
}

impl SnapshotReason {
    /// Its word, on the wire and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCursor => "no_cursor",
            Self::EpochChanged => "epoch_changed",
            Self::CursorExpired => "cursor_expired",
            Self::AuthzChanged => "authz_changed",
            Self::SlowConsumer => "slow_consumer",
        }
    }
}
