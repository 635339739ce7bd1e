//! The body of a request, field by field. Whoever sent a wrong one is told all that is wrong with
//! it at once, each by its name.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use utoipa::openapi::{RefOr, schema::Schema};

use super::field::InputField;
use crate::http::ApiError;

/// Complaints about one request. More fields than that are no mistake.
const COMPLAINTS_MAX: usize = 20;

/// A name that is not ours is repeated up to so many characters.
const NAME_SAID: usize = 40;

/// What one command or question is told.
pub(super) trait Input: Sized {
    /// Takes its fields, each once. `None`: one of them is missing or wrong, which `fields` knows.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;
}

/// The fields of one body.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    /// Those that nobody took yet.
    given: Vec<(String, &'a RawValue)>,
    taken: Vec<FieldDescription>,
    wrong: Complaints,
}

/// One field of an input, as it was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldDescription {
    pub(crate) name: &'static str,
    #[cfg_attr(
        not(feature = "schema"),
        expect(dead_code, reason = "for the document alone")
    )]
    pub(crate) required: bool,
    /// In a sentence.
    #[cfg_attr(
        not(feature = "schema"),
        expect(dead_code, reason = "for the document alone")
    )]
    pub(crate) says: &'static str,
    #[cfg(feature = "schema")]
    pub(crate) schema: fn() -> RefOr<Schema>,
}

/// What is wrong with each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Complaints(BTreeMap<String, String>);

/// A body that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputError {
    /// It is no JSON object.
    NotAnObject(String),
    /// Fields of it are wrong.
    Fields(Complaints),
}

/// Reads a body.
pub(super) fn read<T: Input>(body: &[u8]) -> Result<T, InputError> {
    let object = str::from_utf8(body).map_err(|_| InputError::no_object(&"it is not UTF-8"))?;
    let object: Object<'_> =
        serde_json::from_str(object).map_err(|error| InputError::no_object(&error))?;
    let mut fields = Fields {
        given: object.0,
        ..Fields::default()
    };
    let input = T::read(&mut fields);
    fields.end(input)
}

/// The fields that an input takes.
#[cfg(feature = "schema")]
pub(super) fn describe<T: Input>() -> Vec<FieldDescription> {
    let mut fields = Fields::default();
    // Of nothing it is made of nothing, and says what it misses.
    let _nothing = T::read(&mut fields);
    fields.taken
}

impl<'a> Fields<'a> {
    /// A field that has to be there.
    pub(super) fn required<T: InputField>(
        &mut self,
        name: &'static str,
        says: &'static str,
    ) -> Option<T> {
        self.note::<T>(name, true, says);
        let Some(json) = self.take(name) else {
            let missing = format!("is missing; it must be {}", T::EXPECTED);
            self.wrong.add(name, missing);
            return None;
        };
        self.value(name, json)
    }

    /// A field that may be left out.
    pub(super) fn optional<T: InputField>(
        &mut self,
        name: &'static str,
        says: &'static str,
    ) -> Option<T> {
        self.note::<T>(name, false, says);
        let json = self.take(name)?;
        self.value(name, json)
    }

    /// Something is wrong with a field beside its type.
    pub(super) fn complain(&mut self, name: &'static str, complaint: &str) {
        self.wrong.add(name, complaint.to_owned());
    }

    fn note<T: InputField>(&mut self, name: &'static str, required: bool, says: &'static str) {
        self.taken.push(FieldDescription {
            name,
            required,
            says,
            #[cfg(feature = "schema")]
            schema: T::schema,
        });
    }

    fn take(&mut self, name: &'static str) -> Option<&'a RawValue> {
        let index = self.given.iter().position(|(given, _)| given == name)?;
        let (_, json) = self.given.remove(index);
        let given = self.given.len();
        self.given.retain(|(again, _)| again != name);
        if self.given.len() < given {
            // Which of them is meant, readers of JSON disagree about.
            self.wrong.add(name, "is there twice".to_owned());
        }
        Some(json)
    }

    fn value<T: InputField>(&mut self, name: &'static str, json: &RawValue) -> Option<T> {
        let value = T::read(json.get());
        if value.is_none() {
            self.wrong.add(name, format!("must be {}", T::EXPECTED));
        }
        value
    }

    /// All fields were taken; others are wrong.
    fn end<T>(mut self, input: Option<T>) -> Result<T, InputError> {
        let names: Vec<&str> = self.taken.iter().map(|field| field.name).collect();
        let known = names.join(", ");
        for (name, _) in &self.given {
            let unknown = format!("is no field of this request; its fields are {known}");
            self.wrong.add(name, unknown);
        }
        match input {
            Some(input) if self.wrong.0.is_empty() => Ok(input),
            _ => Err(InputError::Fields(self.wrong)),
        }
    }
}

impl Complaints {
    /// One more, if there are not too many. The first about a field counts.
    pub(super) fn add(&mut self, name: &str, complaint: String) {
        if self.0.len() < COMPLAINTS_MAX {
            let name = name.chars().take(NAME_SAID).collect();
            self.0.entry(name).or_insert(complaint);
        }
    }
}

impl InputError {
    fn no_object(why: &dyn fmt::Display) -> Self {
        Self::NotAnObject(format!("The body must be a JSON object: {why}."))
    }

    /// A complaint about a header.
    pub(super) fn of(name: &str, complaint: String) -> Self {
        Self::Fields(Complaints::default()).and(name, complaint)
    }

    /// The same with a complaint about a header.
    pub(super) fn and(self, name: &str, complaint: String) -> Self {
        match self {
            Self::NotAnObject(_) => self,
            Self::Fields(mut wrong) => {
                wrong.add(name, complaint);
                Self::Fields(wrong)
            }
        }
    }
}

impl From<InputError> for ApiError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::NotAnObject(message) => Self::refused(message),
            InputError::Fields(Complaints(fields)) => {
                let said = fields.iter().map(|(name, wrong)| format!("{name} {wrong}"));
                let message = said.collect::<Vec<_>>().join(". ") + ".";
                Self {
                    fields,
                    ..Self::refused(message)
                }
            }
        }
    }
}

/// A JSON object whose values are not read yet, with each of its names as often as it is there.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            fields.push((name, value));
        }
        Ok(Object(fields))
    }
}
