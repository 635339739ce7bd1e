//! The types of fields: what each has to be, how it is read, and its schema.

use guildhall_model::{ChannelId, GuildId, UserId, command::InviteToken};
use serde::Deserialize;
#[cfg(feature = "schema")]
use utoipa::openapi::{
    Ref, RefOr,
    schema::{ObjectBuilder, Schema, SchemaType, Type},
};

use crate::auth::OverlayName;

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

/// How many people an invite is good for.
#[derive(Debug)]
pub(super) struct InviteSeats(pub(super) u32);

/// How long a link to a room is good, in seconds: an invite, or an overlay.
#[derive(Debug)]
pub(super) struct LinkLifetime(pub(super) u64);

const NAME_MAX: usize = 100;
const STATUS_MAX: usize = 500;
const LIMIT_MAX: u32 = 99;
/// More people than are in most guilds. For each the gateway keeps a number.
const SEATS_MAX: u32 = 10_000;
/// Longer than any of ours, of which later versions may have longer ones.
const OVERLAY_NAME_MAX: usize = 500;
const LIFETIME_MIN: u64 = 1;
const LIFETIME_MAX: u64 = 30 * 24 * 60 * 60;

impl InputField for RoomName {
    const EXPECTED: &'static str = "text of 1 to 100 characters that are not all blank, without line ends and \
                                    other control characters";

    /// Without the blanks around it, as Discord takes it.
    fn read(json: &str) -> Option<Self> {
        let name: String = value(json)?;
        let name = name.trim();
        let fits = (1..=NAME_MAX).contains(&name.chars().count());
        let visible = name.chars().any(|letter| !is_invisible(letter));
        let plain = !name
            .chars()
            .any(|letter| letter.is_control() || turns_text(letter));
        (fits && visible && plain).then(|| Self(name.to_owned()))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        text.min_length(Some(1)).max_length(Some(NAME_MAX)).into()
    }
}

/// Blanks, and letters that show nothing: of them alone a name would be none.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || turns_text(letter)
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Letters that make all behind them run the other way, in a list also what is not theirs.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

impl InputField for InviteSeats {
    const EXPECTED: &'static str = "a whole number from 1 to 10000";

    fn read(json: &str) -> Option<Self> {
        let seats: u32 = value(json)?;
        (1..=SEATS_MAX).contains(&seats).then_some(Self(seats))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
        number.minimum(Some(1)).maximum(Some(SEATS_MAX)).into()
    }
}

impl InputField for LinkLifetime {
    const EXPECTED: &'static str = "a whole number of seconds from 1 to 2592000 (30 days)";

    fn read(json: &str) -> Option<Self> {
        let seconds: u64 = value(json)?;
        let fits = (LIFETIME_MIN..=LIFETIME_MAX).contains(&seconds);
        fits.then_some(Self(seconds))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
        let number = number.minimum(Some(LIFETIME_MIN));
        number.maximum(Some(LIFETIME_MAX)).into()
    }
}

/// Whether it is genuine only the gateway knows.
impl InputField for InviteToken {
    const EXPECTED: &'static str = "the token of an invite, whole and as it was given";

    fn read(json: &str) -> Option<Self> {
        let text: String = value(json)?;
        text.parse().ok()
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        let text = text.pattern(Some("^[A-Za-z0-9_-]+$"));
        let text = text.min_length(Some(Self::LETTERS));
        text.max_length(Some(Self::LETTERS)).into()
    }
}

/// Whether it names one, and whose, only its secret tells.
impl InputField for OverlayName {
    const EXPECTED: &'static str =
        "the id of an overlay link, or the link's token, as it was given";

    fn read(json: &str) -> Option<Self> {
        let text: String = value(json)?;
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=OVERLAY_NAME_MAX).contains(&text.len()) && text.bytes().all(letters);
        fits.then_some(Self(text))
    }

    #[cfg(feature = "schema")]
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        let text = text.pattern(Some("^[A-Za-z0-9_-]+$"));
        text.min_length(Some(1))
            .max_length(Some(OVERLAY_NAME_MAX))
            .into()
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
