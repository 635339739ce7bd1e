//! Reading what another company writes: what is not understood is left out, unless leaving it out
//! would show somebody more than they may see.
//!
//! These borrow from the text, so they work with `serde_json::from_str` and not behind
//! `#[serde(flatten)]`.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Absent, null and odd are all `None`.
pub(super) fn odd_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    // Null is common, and dear as an error.
    let some = Some(raw.get()).filter(|text| *text != "null");
    Ok(some.and_then(|text| serde_json::from_str(text).ok()))
}

/// A field whose absence says less than its being null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    /// Or odd.
    Null,
    Set(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        odd_is_none(deserializer).map(|value| value.map_or(Self::Null, Self::Set))
    }
}

/// The entries of a list that can be read; `None` if it is no list.
pub(super) fn readable<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        return Ok(None);
    };
    let read = |entry: &RawValue| serde_json::from_str(entry.get()).ok();
    Ok(Some(entries.into_iter().filter_map(read).collect()))
}

/// The entries of a list that can be read, and whether that is all of them.
#[derive(Debug)]
pub(super) struct Entries<T> {
    pub(super) read: Vec<T>,
    /// Some could not be read: what is not in `read` may be there all the same.
    pub(super) odd: bool,
}

/// The entries of a list; `None` if it is no list.
pub(super) fn entries<'de, D, T>(deserializer: D) -> Result<Option<Entries<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        return Ok(None);
    };
    let all = entries.len();
    let read = |entry: &RawValue| serde_json::from_str(entry.get()).ok();
    let read: Vec<T> = entries.into_iter().filter_map(read).collect();
    let odd = read.len() < all;
    Ok(Some(Entries { read, odd }))
}

/// A set of flags. Each flag that we look at hides something, so flags that can't be read count
/// as set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u64);

impl Flags {
    pub(super) fn has(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }
}

impl<'de> Deserialize<'de> for Flags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
            None(()),
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(match serde_json::from_str(raw.get()) {
            Ok(Form::Number(number)) => number,
            Ok(Form::Text(text)) => text.parse().unwrap_or(u64::MAX),
            Ok(Form::None(())) => 0,
            Err(_) => u64::MAX,
        }))
    }
}
