//! What a client sends, read without trust.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    close::CloseCode,
    json_object::JsonObject,
    request::{self, SessionRequest, UpdatePresence},
};
use crate::world::Presence;

/// Longest payload Discord reads.
const LONGEST: usize = 4096;

/// A payload of a client, as far as it is understood here.
#[derive(Debug)]
pub(crate) enum Payload {
    Heartbeat,
    Identify(Identify),
    Resume(Resume),
    /// Something only a session may send.
    Request(SessionRequest),
}

/// `d` of IDENTIFY.
#[derive(Deserialize)]
pub(crate) struct Identify {
    pub(crate) token: String,
    pub(crate) intents: u64,
    #[serde(default)]
    pub(crate) shard: Option<[u64; 2]>,
    #[serde(default)]
    pub(crate) compress: Option<bool>,
    #[serde(default)]
    pub(crate) large_threshold: Option<usize>,
    #[serde(default)]
    presence: Option<JsonObject<UpdatePresence>>,
    /// Required by Discord; what stands in it does not matter here.
    #[serde(rename = "properties")]
    _properties: Value,
}

impl Identify {
    /// How the bot is shown from now on.
    pub(crate) fn presence(&self) -> Presence {
        match &self.presence {
            Some(JsonObject(presence)) => presence.presence(),
            None => UpdatePresence::default().presence(),
        }
    }
}

/// `d` of RESUME.
#[derive(Deserialize)]
pub(crate) struct Resume {
    pub(crate) token: String,
    pub(crate) session_id: String,
    pub(crate) seq: u64,
}

impl fmt::Debug for Identify {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { intents, shard, .. } = self;
        out.debug_struct("Identify")
            .field("intents", intents)
            .field("shard", shard)
            .finish()
    }
}

impl fmt::Debug for Resume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resume")
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}

/// Reads one text frame, or says with what the connection must be closed.
pub(crate) fn read(text: &str) -> Result<Payload, CloseCode> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        op: i64,
        #[serde(borrow, default)]
        d: Option<&'a RawValue>,
    }
    if text.len() > LONGEST {
        return Err(CloseCode::DECODE_ERROR);
    }
    let JsonObject(envelope): JsonObject<Envelope<'_>> =
        serde_json::from_str(text).map_err(|_| CloseCode::DECODE_ERROR)?;
    let data = envelope.d.map_or("null", RawValue::get);
    match envelope.op {
        1 => {
            // The last sequence or null; what it says changes nothing.
            let _: Option<u64> = serde_json::from_str(data).map_err(|_| CloseCode::DECODE_ERROR)?;
            Ok(Payload::Heartbeat)
        }
        2 => identify(data).map(Payload::Identify),
        6 => serde_json::from_str(data)
            .map(|JsonObject(resume)| Payload::Resume(resume))
            .map_err(|_| CloseCode::DECODE_ERROR),
        op => request::read(op, data).map(Payload::Request),
    }
}

/// An IDENTIFY whose intents are missing, negative or no number is refused for
/// its intents, anything else that is wrong with it as undecodable.
fn identify(data: &str) -> Result<Identify, CloseCode> {
    serde_json::from_str(data)
        .map(|JsonObject(identify)| identify)
        .map_err(|_| {
            let loose: Value = serde_json::from_str(data).unwrap_or_default();
            if loose.is_object() && loose.get("intents").and_then(Value::as_u64).is_none() {
                CloseCode::INVALID_INTENTS
            } else {
                CloseCode::DECODE_ERROR
            }
        })
}
