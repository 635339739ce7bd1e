//! The types of fields: what each has to be, how it is read, and its schema.

use guildhall_model::{ChannelId, GuildId, UserId};
use serde::Deserialize;
#[cfg(feature = "schema")]
use utoipa::openapi::{
    Ref, RefOr,
    schema::{ObjectBuilder, Schema, SchemaType, Type},
};

/// A value that a request may have under a name.
pub(super) trait InputField: Sized {
    /// What it has to be, behind "it must be".
    const EXPECTED: &'static str;

    /// Reads its JSON.
    fn read(json: &str) -> Option<Self>;

    /// What the document says of it.
    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema>;
}

/// A room's name.
#[derive(Debug)]
pub(super) struct RoomName(pub(super) String);

/// The line of text below a room's name; `None`: it has none.
#[derive(Debug)]
pub(super) struct StatusLine(pub(super) Option<String>);

/// How many fit into a room; 0: no limit.
#[derive(Debug)]
pub(super) struct UserLimit(pub(super) u32);

const NAME_MAX: usize = 100;
const STATUS_MAX: usize = 500;
const LIMIT_MAX: u32 = 99;

impl InputField for RoomName {
    const EXPECTED: &'static str = "text of 1 to 100 characters that are not all blank";

    fn read(json: &str) -> Option<Self> {
        let name: String = value(json)?;
        let fits = name.chars().count() <= NAME_MAX && !name.trim().is_empty();
        fits.then_some(Self(name))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        text.min_length(Some(1)).max_length(Some(NAME_MAX)).into()
    }
}

impl InputField for StatusLine {
    const EXPECTED: &'static str = "text of at most 500 characters, or null for none";

    fn read(json: &str) -> Option<Self> {
        let text: Option<String> = value(json)?;
        let text = text.filter(|text| !text.is_empty());
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        (length <= STATUS_MAX).then_some(Self(text))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let types = [Type::String, Type::Null].into_iter().collect();
        let text = ObjectBuilder::new().schema_type(SchemaType::Array(types));
        text.max_length(Some(STATUS_MAX)).into()
    }
}

impl InputField for UserLimit {
    const EXPECTED: &'static str = "a whole number from 0 (no limit) to 99";

    fn read(json: &str) -> Option<Self> {
        let limit: u32 = value(json)?;
        (limit <= LIMIT_MAX).then_some(Self(limit))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
        number.minimum(Some(0)).maximum(Some(LIMIT_MAX)).into()
    }
}

impl InputField for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(json: &str) -> Option<Self> {
        value(json)
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let truth = ObjectBuilder::new().schema_type(SchemaType::new(Type::Boolean));
        truth.into()
    }
}

/// Ids are read as the document says, as strings alone: a number that came through JavaScript may
/// be another's.
macro_rules! id_fields {
    ($($id:ident),*) => {$(
        impl InputField for $id {
            const EXPECTED: &'static str = "a Discord id: a string of digits";

            fn read(json: &str) -> Option<Self> {
                snowflake(json).map(Self)
            }

            #[cfg(feature = "schema")]
            fn schema() -> RefOr<Schema> {
                Ref::from_schema_name("Snowflake").into()
            }
        }
    )*};
}

id_fields!(GuildId, ChannelId, UserId);

fn snowflake(json: &str) -> Option<u64> {
    let digits: String = value(json)?;
    // A plus sign would be read, too.
    let only = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| only && digits.len() <= 20)
}

fn value<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}
