//! Frames are written and read.

use std::borrow::Cow;

use guildhall_model::{
    Cursor, Envelope, Event, Position, SealedEvent, UnixMs,
    event::{EVENTS, EventTable, LiveEvent},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Frame, FrameError, Opening, Reply, Request, Tell, VERSION};

impl Frame {
    /// The frame as a text message. `ts`: the sender's clock; an event carries its own.
    #[must_use]
    pub fn encode(&self, ts: UnixMs) -> String {
        let say = Says {
            frame: self.name(),
            id: None,
            data: &(),
            request_id: None,
            ts,
        };
        match self {
            Self::Hello { heads } => say.with(&HelloData {
                version: VERSION,
                heads: Some(Cow::Borrowed(heads)),
                head: heads.positions().first().copied(),
            }),
            Self::Subscribe { after } => say.with(&SubscribeData {
                version: Some(VERSION),
                after: after.as_ref().map(Cow::Borrowed),
            }),
            Self::OtherVersion { version, .. } => say.with(&VersionData {
                version: Some(*version),
            }),
            Self::Snapshot(base) => Says {
                id: Some(base.floor),
                ..say
            }
            .with(base),
            Self::SnapshotEnd { at } | Self::Heads { at } => say.with(&CursorData {
                at: Cow::Borrowed(at),
            }),
            Self::Event(envelope) => {
                let sealed = SealedEvent::new(envelope.clone());
                String::from_utf8_lossy(sealed.frame()).into_owned()
            }
            Self::Live(event) => say.with(&**event),
            Self::Status(status) => say.with(status),
            Self::Request(request) => Says {
                request_id: Some(request.id),
                ..say
            }
            .with(request),
            Self::Reply(reply) => Says {
                request_id: Some(reply.id),
                ..say
            }
            .with(reply),
            Self::Tell(tell) => say.with(tell),
            Self::Error { code, message } => say.with(&ErrorData {
                code: Cow::Borrowed(code),
                message: Cow::Borrowed(message),
            }),
            Self::Unknown => say.with(&()),
        }
    }

    /// Reads a text message. Total: any text is a frame or an error, and fields and types that
    /// this build does not know are passed over.
    pub fn decode(message: &str) -> Result<Self, FrameError> {
        Self::decode_by(EVENTS, message)
    }

    /// [`Frame::decode`], with the events of a table.
    pub fn decode_by(table: EventTable, message: &str) -> Result<Self, FrameError> {
        if let Some(envelope) = event_as_we_write_it(table, message) {
            return Ok(Self::Event(envelope));
        }
        Self::decode_in_any_order(table, message)
    }

    /// Reads the envelope first and its data after it, so that the fields may stand in any order.
    pub(super) fn decode_in_any_order(
        table: EventTable,
        message: &str,
    ) -> Result<Self, FrameError> {
        let raw: RawFrame<'_> = serde_json::from_str(message).map_err(FrameError::Envelope)?;
        Ok(match &*raw.frame {
            "hello" => raw.hello()?,
            "subscribe" => raw.subscribe()?,
            "snapshot" => Self::Snapshot(raw.data("snapshot")?),
            "snapshot_end" => Self::SnapshotEnd {
                at: raw.data::<CursorData<'_>>("snapshot_end")?.at.into_owned(),
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
            "heads" => Self::Heads {
                at: raw.data::<CursorData<'_>>("heads")?.at.into_owned(),
            },
            "request" => Self::Request(raw.request_of("request", Request::read)?),
            "reply" => Self::Reply(raw.request_of("reply", Reply::read)?),
            "tell" => Self::Tell(raw.tell()?),
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

/// Reads an event in one walk over its JSON, if its fields stand as [`SealedEvent`] writes them.
/// `None`: it is something else, or there is something wrong with it, and what that is has to be
/// found out. Nearly all that a web role reads is such an event.
fn event_as_we_write_it(table: EventTable, message: &str) -> Option<Envelope> {
    let rest = message.strip_prefix(r#"{"type":"event","id":""#)?;
    let (id, rest) = rest.split_once('"')?;
    let rest = rest.strip_prefix(r#","data":{"event":""#)?;
    let (name, rest) = rest.split_once('"')?;
    let payload = rest.strip_prefix(r#","payload":"#)?;
    // With an escape in it it would be another name, and with other odd letters no JSON.
    let plain = |byte: u8| byte.is_ascii_lowercase() || b"._".contains(&byte);
    if !name.bytes().all(plain) {
        return None;
    }
    let (event, end) = Event::read_first(table, name, payload).ok()?;
    let rest = payload[end..].strip_prefix('}')?;
    let (more, rest) = match rest.strip_prefix(r#","more":true"#) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let ts = rest.strip_prefix(r#","ts":"#)?.strip_suffix('}')?;
    let is_number = ts.bytes().all(|byte| byte.is_ascii_digit()) && !ts.is_empty();
    if !is_number || ts.len() > 1 && ts.starts_with('0') {
        return None;
    }
    let at = id.parse().ok()?;
    Some(Envelope { at, more, event })
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

impl Says<'_, ()> {
    fn with<T: Serialize>(self, data: &T) -> String {
        let Self {
            frame,
            id,
            request_id,
            ts,
            data: (),
        } = self;
        guildhall_model::json::to_string(&Says {
            frame,
            id,
            data,
            request_id,
            ts,
        })
    }
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
    /// The version is read before what it says the rest to be.
    fn hello(&self) -> Result<Frame, FrameError> {
        let VersionData { version } = self.data("hello")?;
        if let Some(version) = version.filter(|version| *version != VERSION) {
            return Ok(Frame::OtherVersion {
                opening: Opening::Hello,
                version,
            });
        }
        let HelloData { heads, .. } = self.data("hello")?;
        let missing = || FrameError::Data {
            frame: "hello",
            reason: serde::de::Error::missing_field("heads"),
        };
        let heads = heads.filter(|_| version.is_some()).ok_or_else(missing)?;
        Ok(Frame::Hello {
            heads: heads.into_owned(),
        })
    }

    /// A web role of version 1 does not name it.
    fn subscribe(&self) -> Result<Frame, FrameError> {
        let VersionData { version } = self.data("subscribe")?;
        let version = version.unwrap_or(1);
        if version != VERSION {
            return Ok(Frame::OtherVersion {
                opening: Opening::Subscribe,
                version,
            });
        }
        let SubscribeData { after, .. } = self.data("subscribe")?;
        Ok(Frame::Subscribe {
            after: after.map(Cow::into_owned),
        })
    }

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

    fn tell(&self) -> Result<Tell, FrameError> {
        let bad = |reason| FrameError::Data {
            frame: "tell",
            reason,
        };
        Tell::read(self.data.unwrap_or(RawValue::NULL)).map_err(bad)
    }

    fn request_of<T>(
        &self,
        frame: &'static str,
        read: impl Fn(u64, &RawValue) -> Result<T, serde_json::Error>,
    ) -> Result<T, FrameError> {
        let id = self.request_id.ok_or(FrameError::NoId(frame))?;
        read(id, self.data.unwrap_or(RawValue::NULL))
            .map_err(|reason| FrameError::Data { frame, reason })
    }

    fn data<T: DeserializeOwned>(&self, frame: &'static str) -> Result<T, FrameError> {
        let data = self.data.map_or("null", RawValue::get);
        serde_json::from_str(data).map_err(|reason| FrameError::Data { frame, reason })
    }
}

/// What every version's opening has.
#[derive(Serialize, Deserialize)]
struct VersionData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct HelloData<'a> {
    version: u32,
    #[serde(default)]
    heads: Option<Cow<'a, Cursor>>,
    /// For a web role of version 1 alone, which reads no hello without it and would not come to say
    /// that the versions differ.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    head: Option<Position>,
}

#[derive(Serialize, Deserialize)]
struct SubscribeData<'a> {
    #[serde(default)]
    version: Option<u32>,
    after: Option<Cow<'a, Cursor>>,
}

#[derive(Serialize, Deserialize)]
struct CursorData<'a> {
    at: Cow<'a, Cursor>,
}

#[derive(Serialize, Deserialize)]
struct ErrorData<'a> {
    code: Cow<'a, str>,
    message: Cow<'a, str>,
}
