//! Reading what another company writes: what is not understood is left out, unless leaving it out
//! would show somebody more than they may see, and it is never left out in silence.
//!
//! A field is read into a [`Field`], which keeps apart what was not said from what could not be
//! read. Each shape says in [`Checked::check`] what an odd value of each of its fields means, and
//! takes itself apart by name there, so that a new field does not compile until that is decided.
//!
//! These borrow from the text, so they work with `serde_json::from_str` and not behind
//! `#[serde(flatten)]`.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// But for a status, Discord's longest text that we keep is a channel's name, of 100 characters. What is longer is
/// no name, and would be kept in memory and journal for every event about it.
const TEXT_CHARS: usize = 200;
/// Discord's bound on a voice channel's status.
const STATUS_CHARS: usize = 500;

/// A field as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Null,
    Set(T),
    /// There is something, and it could not be read.
    Odd,
}

impl<T> Field<T> {
    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null | Self::Odd => None,
        }
    }

    pub(super) fn is_odd(&self) -> bool {
        matches!(self, Self::Odd)
    }

    /// For a field that is never null: it says something, and nothing that could be read.
    pub(super) fn is_odd_or_null(&self) -> bool {
        matches!(self, Self::Odd | Self::Null)
    }

    /// For a field that is never left out either.
    pub(super) fn is_not_set(&self) -> bool {
        !matches!(self, Self::Set(_))
    }
}

impl Field<Text> {
    pub(super) fn text(&self) -> Option<&str> {
        self.get().map(|text| text.text.as_str())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::read)
    }
}

impl<T: DeserializeOwned> Field<T> {
    fn read(raw: &RawValue) -> Self {
        // Null is common, and dear as an error.
        if raw.get() == "null" {
            return Self::Null;
        }
        serde_json::from_str(raw.get()).map_or(Self::Odd, Self::Set)
    }
}

/// A field that is an object. serde reads a list as one, too: its entries as the fields in their
/// order, and those that it does not have as absent.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<Field<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    let is_list = raw.get().starts_with('[');
    Ok(if is_list {
        Field::Odd
    } else {
        Field::read(raw)
    })
}

/// A text of some sensible length: the rest of a longer one is cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    cut: bool,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (text, cut) = shortened(text, TEXT_CHARS);
        Ok(Self { text, cut })
    }
}

/// A voice channel's status, likewise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusText {
    pub(super) text: String,
    pub(super) cut: bool,
}

impl<'de> Deserialize<'de> for StatusText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (text, cut) = shortened(text, STATUS_CHARS);
        Ok(Self { text, cut })
    }
}

/// So many characters at most, and whether there were more.
fn shortened(mut text: String, most: usize) -> (String, bool) {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    if let Some(end) = end {
        text.truncate(end);
        text.shrink_to_fit();
    }
    (text, end.is_some())
}

/// What of a dispatch could not be read, each by the name of the first such field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oddities {
    /// It decides about rights, presence or names: only a full snapshot of the guild tells.
    pub(crate) stale: Option<&'static str>,
    /// It changes how something looks, and what was known goes on.
    pub(crate) harmless: Option<&'static str>,
}

impl Oddities {
    /// Of a shape.
    pub(super) fn of(shape: &impl Checked) -> Self {
        let mut oddities = Self::default();
        shape.check(&mut oddities);
        oddities
    }

    /// The guild is stale if this is so.
    pub(super) fn stale_if(&mut self, odd: bool, field: &'static str) {
        if odd {
            self.stale.get_or_insert(field);
        }
    }

    /// It is counted if this is so.
    pub(super) fn harmless_if(&mut self, odd: bool, field: &'static str) {
        if odd {
            self.harmless.get_or_insert(field);
        }
    }

    /// A text that is shown.
    pub(super) fn text(&mut self, text: &Field<Text>, field: &'static str) {
        self.stale_if(text.is_odd(), field);
        self.harmless_if(text.get().is_some_and(|text| text.cut), field);
    }

    /// What is within a field.
    pub(super) fn within(&mut self, shape: Option<&impl Checked>) {
        if let Some(shape) = shape {
            shape.check(self);
        }
    }
}

/// A shape that knows what of it could not be read.
pub(super) trait Checked {
    /// Says what an odd value of each field means.
    fn check(&self, oddities: &mut Oddities);
}

/// The entries of a list that can be read, and whether that is all of them.
#[derive(Clone, Debug)]
pub(super) struct LenientList<T> {
    pub(super) read: Vec<T>,
    /// Some could not be read: what is not in `read` may be there all the same.
    pub(super) odd: bool,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<&RawValue>::deserialize(deserializer)?;
        let all = entries.len();
        // No entry is a list: see `object`.
        let single = entries
            .into_iter()
            .filter(|entry| !entry.get().starts_with('['));
        let read = |entry: &RawValue| serde_json::from_str(entry.get()).ok();
        let read: Vec<T> = single.filter_map(read).collect();
        let odd = read.len() < all;
        Ok(Self { read, odd })
    }
}

impl<T> Field<LenientList<T>> {
    /// Those that can be read; none if it is no list.
    pub(super) fn entries(&self) -> impl Iterator<Item = &T> {
        self.get().into_iter().flat_map(|entries| &entries.read)
    }

    /// Whether there may be more than can be read.
    pub(super) fn is_partial(&self) -> bool {
        self.is_odd_or_null() || self.get().is_some_and(|entries| entries.odd)
    }
}

impl Oddities {
    /// A list of shapes.
    pub(super) fn list<T: Checked>(&mut self, list: &Field<LenientList<T>>, field: &'static str) {
        self.stale_if(list.is_partial(), field);
        for entry in list.entries() {
            entry.check(self);
        }
    }
}

/// A set of flags. Each flag that we look at hides something, so flags that can't be read count
/// as set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    set: u64,
    odd: bool,
}

impl Flags {
    pub(super) fn has(self, bit: u32) -> bool {
        self.set >> bit & 1 == 1
    }

    pub(super) fn is_odd(self) -> bool {
        self.odd
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
        let set = match raw.get().parse() {
            // Nearly all are plain numbers, and trying one form after another is dear.
            Ok(number) => Some(number),
            Err(_) => match serde_json::from_str(raw.get()) {
                Ok(Form::Number(number)) => Some(number),
                Ok(Form::Text(text)) => text.parse().ok(),
                Ok(Form::None(())) => Some(0),
                Err(_) => None,
            },
        };
        Ok(Self {
            set: set.unwrap_or(u64::MAX),
            odd: set.is_none(),
        })
    }
}
