//! What a client sends, read without trust.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Value, value::RawValue};

use crate::{
    gateway_ws::{
        ask::{self, Ask, Presence},
        close::CloseCode,
    },
    snowflake::Snowflake,
};

/// Longest payload Discord reads.
const LONGEST: usize = 4096;

/// A payload of a client, as far as it is understood here.
#[derive(Debug)]
pub(crate) enum Sent {
    Heartbeat,
    Identify(Identify),
    Resume(Resume),
    /// Something only a session may send.
    Ask(Ask),
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
    #[serde(default, rename = "presence")]
    _presence: Option<Object<Presence>>,
    /// Required by Discord; what stands in it does not matter here.
    #[serde(rename = "properties")]
    _properties: Value,
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
pub(crate) fn read(text: &str) -> Result<Sent, CloseCode> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        op: i64,
        #[serde(borrow, default)]
        d: Option<&'a RawValue>,
    }
    if text.len() > LONGEST {
        return Err(CloseCode::DECODE_ERROR);
    }
    let Object(envelope): Object<Envelope<'_>> =
        serde_json::from_str(text).map_err(|_| CloseCode::DECODE_ERROR)?;
    let data = envelope.d.map_or("null", RawValue::get);
    match envelope.op {
        1 => {
            // The last sequence or null; what it says changes nothing.
            let _: Option<u64> = serde_json::from_str(data).map_err(|_| CloseCode::DECODE_ERROR)?;
            Ok(Sent::Heartbeat)
        }
        2 => identify(data).map(Sent::Identify),
        6 => serde_json::from_str(data)
            .map(|Object(resume)| Sent::Resume(resume))
            .map_err(|_| CloseCode::DECODE_ERROR),
        op => ask::read(op, data).map(Sent::Ask),
    }
}

/// An IDENTIFY whose intents are missing, negative or no number is refused for
/// its intents, anything else that is wrong with it as undecodable.
fn identify(data: &str) -> Result<Identify, CloseCode> {
    serde_json::from_str(data)
        .map(|Object(identify)| identify)
        .map_err(|_| {
            let loose: Value = serde_json::from_str(data).unwrap_or_default();
            if loose.is_object() && loose.get("intents").and_then(Value::as_u64).is_none() {
                CloseCode::INVALID_INTENTS
            } else {
                CloseCode::DECODE_ERROR
            }
        })
}

/// Something that is a JSON object and nothing else: on its own, what serde derives
/// would also take the fields in a row, as an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfFields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfFields<T> {
            type Value = Object<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(OfFields(PhantomData))
    }
}

/// Which guilds a session hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) id: u64,
    pub(crate) count: u64,
}

impl Shard {
    /// The shard of an IDENTIFY, or of one that names none.
    pub(crate) fn new(named: Option<[u64; 2]>) -> Result<Self, CloseCode> {
        let [id, count] = named.unwrap_or([0, 1]);
        if id < count {
            Ok(Self { id, count })
        } else {
            Err(CloseCode::INVALID_SHARD)
        }
    }

    /// Whether events of this guild are the shard's; those of none are shard 0's.
    pub(crate) fn hears(self, guild_id: Option<Snowflake>) -> bool {
        guild_id.map_or(0, |guild_id| (guild_id.get() >> 22) % self.count) == self.id
    }
}
