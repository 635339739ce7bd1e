//! Identifiers. Discord's snowflakes are 64 bits wide and travel as JSON strings, because
//! JavaScript's numbers lose everything above 2^53.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! snowflake {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Written as a decimal string; read from a string or an integer, since Discord has been
        /// seen to answer with both.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                snowflake_schema()
            }
        }

        #[cfg(feature = "schema")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                "Snowflake".into()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(DecimalVisitor).map(Self)
            }
        }
    };
}

snowflake! {
    /// A Discord guild ("server" in Discord's own client).
    GuildId
}
snowflake! {
    /// A Discord channel. Guildhall calls voice and stage channels *rooms*.
    ChannelId
}
snowflake! {
    /// A Discord user, person or bot.
    UserId
}
snowflake! {
    /// A role of a guild. The role with the guild's own id is `@everyone`.
    RoleId
}

impl GuildId {
    /// The `@everyone` role: it shares the guild's id.
    #[must_use]
    pub fn everyone(self) -> RoleId {
        RoleId(self.0)
    }
}

/// All four are one to whoever reads our JSON.
#[cfg(feature = "schema")]
fn snowflake_schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .pattern(Some(r"^\d{1,20}$"))
        .description(Some(
            "A Discord id: a string, since it does not fit a double.",
        ));
    schema.into()
}

/// One ordered log: one for each Discord shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub u16);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a `u64` from a decimal string or an integer.
pub(crate) struct DecimalVisitor;

impl de::Visitor<'_> for DecimalVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit number as a decimal string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        text.parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_travels_as_a_string_and_is_read_from_either() {
        let id = ChannelId(9_223_372_036_854_775_808);
        let json = serde_json::to_string(&id).expect("ids serialise");
        assert_eq!(json, "\"9223372036854775808\"");
        for text in [json.as_str(), "9223372036854775808"] {
            assert_eq!(serde_json::from_str::<ChannelId>(text).ok(), Some(id));
        }
        for text in [
            "\"\"",
            "\"12x\"",
            "-1",
            "1.5",
            "null",
            "\"99999999999999999999\"",
        ] {
            assert!(serde_json::from_str::<ChannelId>(text).is_err(), "{text}");
        }
    }
}
