//! Reads a payload in one walk: where and when it was are fields of the same object as the rest,
//! and are taken out on the way.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, StringDeserializer},
    },
};
use serde_json::Error;

use crate::{GuildId, UnixMs};

/// A payload that is about to be read, and whatever stands behind it.
#[derive(Debug)]
pub struct PayloadReader<'a> {
    text: &'a str,
    read: Option<(Meta, usize)>,
}

impl<'a> PayloadReader<'a> {
    /// The payload is an object at the beginning of the text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, read: None }
    }

    /// Reads it as this type.
    pub fn read<T: Deserialize<'a>>(&mut self) -> Result<T, Error> {
        let mut values = serde_json::Deserializer::from_str(self.text).into_iter();
        let missing = || Error::custom("there is no payload");
        let WithMeta { meta, rest } = values.next().ok_or_else(missing)??;
        self.read = Some((meta, values.byte_offset()));
        Ok(rest)
    }

    /// Where and when it was, and how long the payload is.
    pub(super) fn end(mut self) -> Result<(Meta, usize), Error> {
        if self.read.is_none() {
            // Of an event that is not known nothing else is.
            let IgnoredAny = self.read()?;
        }
        self.read.ok_or_else(|| Error::custom("it was not read"))
    }
}

/// Where and when.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) guild_id: GuildId,
    pub(super) ts: UnixMs,
    #[serde(default)]
    pub(super) synthetic: bool,
}

struct WithMeta<T> {
    meta: Meta,
    rest: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithMeta<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WithMetaVisitor(PhantomData))
    }
}

struct WithMetaVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WithMetaVisitor<T> {
    type Value = WithMeta<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WithMeta<T>, A::Error> {
        let mut said = MetaSaid::default();
        let others = WithoutMeta {
            map,
            said: &mut said,
        };
        let rest = T::deserialize(MapAccessDeserializer::new(others))?;
        let missing = A::Error::missing_field;
        let meta = Meta {
            guild_id: said.guild_id.ok_or_else(|| missing("guildId"))?,
            ts: said.ts.ok_or_else(|| missing("ts"))?,
            synthetic: said.synthetic.unwrap_or(false),
        };
        Ok(WithMeta { meta, rest })
    }
}

#[derive(Default)]
struct MetaSaid {
    guild_id: Option<GuildId>,
    ts: Option<UnixMs>,
    synthetic: Option<bool>,
}

/// The fields of an object but for those that are taken out.
struct WithoutMeta<'a, A> {
    map: A,
    said: &'a mut MetaSaid,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutMeta<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.map.next_key::<Key<'de>>()? {
                None => return Ok(None),
                Some(Key::GuildId) => once("guildId", &mut self.said.guild_id, &mut self.map)?,
                Some(Key::Ts) => once("ts", &mut self.said.ts, &mut self.map)?,
                Some(Key::Synthetic) => once("synthetic", &mut self.said.synthetic, &mut self.map)?,
                Some(Key::Other(key)) => {
                    return seed
                        .deserialize(BorrowedStrDeserializer::new(key))
                        .map(Some);
                }
                Some(Key::Escaped(key)) => {
                    return seed.deserialize(StringDeserializer::new(key)).map(Some);
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    name: &'static str,
    said: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    if said.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *said = Some(map.next_value()?);
    Ok(())
}

enum Key<'de> {
    GuildId,
    Ts,
    Synthetic,
    Other(&'de str),
    Escaped(String),
}

impl Key<'_> {
    fn known(name: &str) -> Option<Self> {
        match name {
            "guildId" => Some(Self::GuildId),
            "ts" => Some(Self::Ts),
            "synthetic" => Some(Self::Synthetic),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(Key::known(name).unwrap_or(Key::Other(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(Key::known(name).unwrap_or_else(|| Key::Escaped(name.to_owned())))
    }
}
