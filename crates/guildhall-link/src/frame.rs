//! Frames: JSON text messages `{type, id?, data, more?, requestId?, ts}` (docs/protocol/link.md).

use std::{borrow::Cow, sync::Arc};

use guildhall_model::{
    Envelope, Event, Guild, GuildId, Position, SealedEvent, UnixMs, UserId,
    event::{EVENTS, EventTable, LiveEvent},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

pub use guildhall_model::event::Discord;

/// The version of these shapes. Sides of different versions refuse each other.
pub const VERSION: u32 = 1;

/// One message of the link.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Gateway, first: who speaks, and where its log stands.
    Hello(Hello),
    /// Web, once, after the hello: everything after this position, please.
    Subscribe {
        /// The replica's position; `None`: it has nothing.
        after: Option<Position>,
    },
    /// Gateway: one guild at its floor. Only when the subscription could not go on after its
    /// position; the first one of a run replaces everything the replica has.
    Snapshot(Box<Base>),
    /// Gateway: what was sent since the hello is complete up to this position. Sent once on
    /// every connection, with or without snapshots before it.
    SnapshotEnd {
        /// The last position sent.
        position: Position,
    },
    /// Gateway: the next event of the log.
    Event(Envelope),
    /// Gateway: the latest word about something in the live lane. Behind `snapshot_end` all of
    /// them, then each that changes; one that a later one took the place of is left out.
    Live(Arc<LiveEvent>),
    /// Gateway: how Discord is, at every change and once before `snapshot_end`.
    Status(DiscordStatus),
    /// Web: this user is here; make sure their rights in these guilds are in the log.
    Watch {
        /// Chosen by web, answered in the ack.
        request_id: u64,
        /// Who.
        user_id: UserId,
        /// Where. Guilds that the gateway does not bridge are answered as failed.
        guild_ids: Vec<GuildId>,
    },
    /// Gateway: a request is done.
    Ack(Ack),
    /// Either: said once before the connection is closed.
    Error {
        /// A word for programs, such as `version` or `protocol`.
        code: String,
        /// A sentence for people. No secrets.
        message: String,
    },
    /// A type of a newer peer. Counted and ignored.
    Unknown,
}

/// The gateway's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// See [`VERSION`].
    pub version: u32,
    /// The head of the log.
    pub head: Position,
}

/// One guild's base: its world at its floor, the place before its first record still kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Base {
    /// The guild.
    pub guild_id: GuildId,
    /// Its floor.
    pub floor: Position,
    /// `None`: it was not there yet, or no more.
    pub guild: Option<Guild>,
}

/// How the gateway stands with Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscordStatus {
    /// In a word.
    pub discord: Discord,
    /// Since when, Unix ms.
    pub since: UnixMs,
    /// Guilds that are not live although the connection is: in an outage, or still to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guild_ids: Vec<GuildId>,
    /// Every guild that READY named has come or is known to be in an outage: only now does the
    /// absence of a guild mean anything.
    pub complete: bool,
}

/// The answer to a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The request.
    pub request_id: u64,
    /// Nothing may be sent for this user before the replica has come here.
    pub at: Position,
    /// Guilds where the look-up failed: the user is invisible there, ask again later.
    pub failed: Vec<GuildId>,
}

/// Why a message is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or not the envelope.
    #[error("not a frame: {0}")]
    Envelope(serde_json::Error),
    /// A known type whose data does not fit.
    #[error("bad {frame} frame: {reason}")]
    Data {
        /// The type.
        frame: &'static str,
        /// Why.
        reason: serde_json::Error,
    },
    /// A known type without the `id` or `requestId` it needs.
    #[error("{0} frame without its id")]
    NoId(&'static str),
}

impl Frame {
    /// The frame's `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Subscribe { .. } => "subscribe",
            Self::Snapshot(_) => "snapshot",
            Self::SnapshotEnd { .. } => "snapshot_end",
            Self::Event(_) => "event",
            Self::Live(_) => "live",
            Self::Status(_) => "status",
            Self::Watch { .. } => "watch",
            Self::Ack(_) => "ack",
            Self::Error { .. } => "error",
            Self::Unknown => "unknown",
        }
    }

    /// The frame as a text message. `ts`: the sender's clock; an event carries its own.
    #[must_use]
    pub fn encode(&self, ts: UnixMs) -> String {
        match self {
            Self::Hello(hello) => text(self.name(), None, hello, None, ts),
            Self::Subscribe { after } => text(
                self.name(),
                None,
                &SubscribeData { after: *after },
                None,
                ts,
            ),
            Self::Snapshot(base) => text(self.name(), Some(base.floor), base, None, ts),
            Self::SnapshotEnd { position } => {
                let data = SnapshotEndData {
                    position: *position,
                };
                text(self.name(), Some(*position), &data, None, ts)
            }
            Self::Event(envelope) => encode_event(&SealedEvent::new(envelope.clone())),
            Self::Live(event) => text(self.name(), None, &**event, None, ts),
            Self::Status(status) => text(self.name(), None, status, None, ts),
            Self::Watch {
                request_id,
                user_id,
                guild_ids,
            } => {
                let data = WatchData {
                    user_id: *user_id,
                    guild_ids: Cow::Borrowed(guild_ids),
                };
                text(self.name(), None, &data, Some(*request_id), ts)
            }
            Self::Ack(ack) => {
                let data = AckData {
                    at: ack.at,
                    failed: Cow::Borrowed(&ack.failed),
                };
                text(self.name(), None, &data, Some(ack.request_id), ts)
            }
            Self::Error { code, message } => {
                let data = ErrorData {
                    code: Cow::Borrowed(code),
                    message: Cow::Borrowed(message),
                };
                text(self.name(), None, &data, None, ts)
            }
            Self::Unknown => text(self.name(), None, &(), None, ts),
        }
    }

    /// Reads a text message. Total: any text is a frame or an error, and fields and types that
    /// this build does not know are passed over.
    pub fn decode(message: &str) -> Result<Self, FrameError> {
        Self::decode_by(EVENTS, message)
    }

    /// [`Frame::decode`], with the events of a table.
    pub fn decode_by(table: EventTable, message: &str) -> Result<Self, FrameError> {
        let raw: RawFrame<'_> = serde_json::from_str(message).map_err(FrameError::Envelope)?;
        Ok(match &*raw.frame {
            "hello" => Self::Hello(raw.data("hello")?),
            "subscribe" => Self::Subscribe {
                after: raw.data::<SubscribeData>("subscribe")?.after,
            },
            "snapshot" => Self::Snapshot(raw.data("snapshot")?),
            "snapshot_end" => Self::SnapshotEnd {
                position: raw.data::<SnapshotEndData>("snapshot_end")?.position,
            },
            "event" => Self::Event(Envelope {
                at: raw.id.ok_or(FrameError::NoId("event"))?,
                more: raw.more,
                event: raw.event(table)?,
            }),
            "live" => raw
                .live(table)?
                .map_or(Self::Unknown, |event| Self::Live(event.into())),
            "status" => Self::Status(raw.data("status")?),
            "watch" => {
                let watch: WatchData<'_> = raw.data("watch")?;
                Self::Watch {
                    request_id: raw.request_id.ok_or(FrameError::NoId("watch"))?,
                    user_id: watch.user_id,
                    guild_ids: watch.guild_ids.into_owned(),
                }
            }
            "ack" => {
                let ack: AckData<'_> = raw.data("ack")?;
                Self::Ack(Ack {
                    request_id: raw.request_id.ok_or(FrameError::NoId("ack"))?,
                    at: ack.at,
                    failed: ack.failed.into_owned(),
                })
            }
            "error" => {
                let error: ErrorData<'_> = raw.data("error")?;
                Self::Error {
                    code: error.code.into_owned(),
                    message: error.message.into_owned(),
                }
            }
            _ => Self::Unknown,
        })
    }
}

/// The frame of an event, around the JSON that it has already.
#[must_use]
pub fn encode_event(sealed: &SealedEvent) -> String {
    let (at, data, ts) = (sealed.at, sealed.data(), sealed.event.ts);
    let more = if sealed.more { r#","more":true"# } else { "" };
    format!(r#"{{"type":"event","id":"{at}","data":{data}{more},"ts":{ts}}}"#)
}

fn text<T: Serialize>(
    frame: &'static str,
    id: Option<Position>,
    data: &T,
    request_id: Option<u64>,
    ts: UnixMs,
) -> String {
    written(&Says {
        frame,
        id,
        data,
        request_id,
        ts,
    })
}

fn written<T: Serialize>(says: &Says<'_, T>) -> String {
    guildhall_model::json::to_string(says)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Says<'a, T> {
    #[serde(rename = "type")]
    frame: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Position>,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<u64>,
    ts: UnixMs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFrame<'a> {
    #[serde(rename = "type", borrow)]
    frame: Cow<'a, str>,
    #[serde(default)]
    id: Option<Position>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    more: bool,
    #[serde(default)]
    request_id: Option<u64>,
}

impl RawFrame<'_> {
    fn live(&self, table: EventTable) -> Result<Option<LiveEvent>, FrameError> {
        let data = self.data.map_or("null", RawValue::get);
        LiveEvent::from_json_by(table, data).map_err(|reason| FrameError::Data {
            frame: "live",
            reason,
        })
    }

    fn event(&self, table: EventTable) -> Result<Event, FrameError> {
        let data = self.data.map_or("null", RawValue::get);
        Event::from_json_by(table, data).map_err(|reason| FrameError::Data {
            frame: "event",
            reason,
        })
    }

    fn data<T: DeserializeOwned>(&self, frame: &'static str) -> Result<T, FrameError> {
        let data = self.data.map_or("null", RawValue::get);
        serde_json::from_str(data).map_err(|reason| FrameError::Data { frame, reason })
    }
}

#[derive(Serialize, Deserialize)]
struct SubscribeData {
    after: Option<Position>,
}

#[derive(Serialize, Deserialize)]
struct SnapshotEndData {
    position: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WatchData<'a> {
    user_id: UserId,
    guild_ids: Cow<'a, [GuildId]>,
}

#[derive(Serialize, Deserialize)]
struct AckData<'a> {
    at: Position,
    #[serde(default, skip_serializing_if = "is_empty")]
    failed: Cow<'a, [GuildId]>,
}

#[expect(
    clippy::ptr_arg,
    reason = "serde hands over a reference to the field's own type"
)]
fn is_empty(failed: &Cow<'_, [GuildId]>) -> bool {
    failed.is_empty()
}

#[derive(Serialize, Deserialize)]
struct ErrorData<'a> {
    code: Cow<'a, str>,
    message: Cow<'a, str>,
}

#[cfg(test)]
mod tests;
