//! Bodies, read as Discord reads them: every complaint of a body comes in one answer, as a tree.

/// `multipart/form-data`.
mod multipart;

use std::{collections::HashMap, ops::RangeInclusive};

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub(super) use multipart::{NewFile, attachments};

use super::{ApiError, error::note};
use crate::{
    snowflake::Snowflake,
    world::{Edit, Permissions},
};

/// Longest body without files: a picture of 10 MiB in base64.
const LONGEST: usize = 14 * 1024 * 1024;
/// Longest body with files: ten of the largest.
const LONGEST_WITH_FILES: usize = 100 * 1024 * 1024 + LONGEST;
/// The field that carries the JSON of a body that is a form.
const PAYLOAD: &str = "payload_json";

/// An object in a body, and what is wrong with it so far. Each reader takes the
/// field out, notes what is wrong and answers `None` then.
pub(super) struct Form {
    fields: Map<String, Value>,
    errors: Map<String, Value>,
    /// Those that came beside the JSON.
    pub(super) files: Vec<NewFile>,
}

/// The same, or nothing where no body came.
pub(super) struct MaybeForm(pub(super) Form);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, body) = read(request).await?;
        Self::parse(&headers, &body)
    }
}

impl<S: Send + Sync> FromRequest<S> for MaybeForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, body) = read(request).await?;
        if body.is_empty() {
            return Ok(Self(Form::of(Map::new())));
        }
        Form::parse(&headers, &body).map(Self)
    }
}

/// A list of objects in a body, as the routes that sort things take it.
pub(super) struct Forms(pub(super) Vec<Form>);

impl<S: Send + Sync> FromRequest<S> for Forms {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, body) = read(request).await?;
        if kind(&headers) != Some("application/json") {
            return Err(wrong_kind());
        }
        let value: Value = serde_json::from_slice(&body).map_err(|_| ApiError::BAD_JSON)?;
        let Value::Array(list) = value else {
            return Err(whole(
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType",
            ));
        };
        list.into_iter()
            .map(|one| match one {
                Value::Object(fields) => Ok(Form::of(fields)),
                _ => Err(not_an_object()),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

async fn read(request: Request) -> Result<(HeaderMap, Bytes), ApiError> {
    let headers = request.headers().clone();
    let longest = match kind(&headers) {
        Some("multipart/form-data") => LONGEST_WITH_FILES,
        _ => LONGEST,
    };
    let body = to_bytes(request.into_body(), longest).await;
    Ok((headers, body.map_err(|_| ApiError::TOO_LARGE)?))
}

/// What stands for a body of JSON: the field that carries it, or else the fields themselves.
fn meant(payload: Option<&[u8]>, fields: HashMap<String, String>) -> Option<Value> {
    match payload {
        Some(json) => serde_json::from_slice(json).ok(),
        None => Some(
            fields
                .into_iter()
                .map(|(name, text)| (name, Value::from(text)))
                .collect(),
        ),
    }
}

impl Form {
    pub(super) fn of(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            errors: Map::new(),
            files: Vec::new(),
        }
    }

    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let mut files = Vec::new();
        let value = match kind(headers) {
            Some("application/json") => {
                serde_json::from_slice(body).map_err(|_| ApiError::BAD_JSON)?
            }
            Some("application/x-www-form-urlencoded") => {
                let fields = url::form_urlencoded::parse(body).into_owned();
                let mut fields: HashMap<String, String> = fields.collect();
                let payload = fields.remove(PAYLOAD);
                meant(payload.as_deref().map(str::as_bytes), fields).ok_or(ApiError::BAD_JSON)?
            }
            Some("multipart/form-data") => {
                let came = multipart::read(boundary(headers).unwrap_or_default(), body);
                if came.files.iter().any(NewFile::is_too_large) {
                    return Err(ApiError::TOO_LARGE);
                }
                files = came.files;
                came.json.ok_or(ApiError::BAD_JSON)?
            }
            _ => return Err(wrong_kind()),
        };
        match value {
            Value::Object(fields) => Ok(Self {
                files,
                ..Self::of(fields)
            }),
            _ => Err(not_an_object()),
        }
    }

    /// What was noted, or that all is well.
    pub(super) fn done(self) -> Result<(), ApiError> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Form(self.errors))
        }
    }

    pub(super) fn wrong(&mut self, path: &[&str], code: &str, message: impl Into<String>) {
        note(&mut self.errors, path, code, message.into());
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }

    /// A field that stays where it is.
    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether nothing else is said; null says nothing.
    pub(super) fn has_only(&self, names: &[&str]) -> bool {
        let mut said = self.fields.iter().filter(|(_, value)| !value.is_null());
        said.all(|(name, _)| names.contains(&name.as_str())) && self.files.is_empty()
    }

    /// Notes a field that must be there and is not.
    pub(super) fn must_have(&mut self, name: &str) {
        if !self.has(name) {
            self.wrong(&[name], "BASE_TYPE_REQUIRED", "This field is required");
        }
    }

    pub(super) fn text(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<String> {
        match self.text_or_null(name, length) {
            Edit::Set(text) => Some(text),
            Edit::Keep | Edit::Clear => None,
        }
    }

    pub(super) fn text_or_null(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Edit<String> {
        match self.take(name) {
            None => Edit::Keep,
            Some(Value::Null) => Edit::Clear,
            Some(Value::String(text)) => {
                let (least, most) = (*length.start(), *length.end());
                if length.contains(&text.chars().count()) {
                    return Edit::Set(text);
                }
                if least == 0 {
                    let message = format!("Must be {most} or fewer in length.");
                    self.wrong(&[name], "BASE_TYPE_MAX_LENGTH", message);
                } else {
                    let message = format!("Must be between {least} and {most} in length.");
                    self.wrong(&[name], "BASE_TYPE_BAD_LENGTH", message);
                }
                Edit::Keep
            }
            Some(other) => {
                let message = format!("Could not interpret \"{other}\" as string.");
                self.wrong(&[name], "STRING_TYPE_CONVERT", message);
                Edit::Keep
            }
        }
    }

    /// A picture in a data URI of base64, which nobody keeps.
    pub(super) fn picture(&mut self, name: &str) -> Edit<()> {
        match self.text_or_null(name, 0..=LONGEST) {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            Edit::Set(text) => {
                if !is_picture(&text) {
                    let message = "Unsupported image type given";
                    self.wrong(&[name], "IMAGE_INVALID", message);
                }
                Edit::Set(())
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let Some(number) = number else {
            if value.as_i64().is_some() {
                let (code, message) = too_small(range.start());
                self.wrong(&[name], code, message);
            } else {
                let message = format!("Value \"{value}\" is not int.");
                self.wrong(&[name], "NUMBER_TYPE_COERCE", message);
            }
            return None;
        };
        match out_of(number, &range) {
            None => Some(number),
            Some((code, message)) => {
                self.wrong(&[name], code, message);
                None
            }
        }
    }

    /// Takes a whole number that is written with a point for what it is.
    pub(super) fn without_fraction(&mut self, name: &str) {
        let value = self.fields.get_mut(name);
        if let Some(value) = value
            && let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0)
            && let Ok(whole) = format!("{number:.0}").parse::<u64>()
        {
            *value = whole.into();
        }
    }

    /// A number that fits where it is kept.
    pub(super) fn small(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let number = self.number(name, u64::from(*range.start())..=u64::from(*range.end()))?;
        u32::try_from(number).ok()
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Null => None,
            Value::Bool(flag) => Some(flag),
            _ => {
                self.wrong(
                    &[name],
                    "BOOLEAN_TYPE_CONVERT",
                    "Must be either true or false.",
                );
                None
            }
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Edit<Snowflake> {
        match self.take(name) {
            None => Edit::Keep,
            Some(Value::Null) => Edit::Clear,
            Some(value) => {
                if let Ok(id) = serde_json::from_value(value.clone()) {
                    return Edit::Set(id);
                }
                self.not_an_id(&[name], &value);
                Edit::Keep
            }
        }
    }

    pub(super) fn ids(&mut self, name: &str) -> Option<Vec<Snowflake>> {
        match self.take(name)? {
            Value::Null => None,
            Value::Array(list) => {
                let mut ids = Vec::new();
                for (place, value) in list.into_iter().enumerate() {
                    match serde_json::from_value(value.clone()) {
                        Ok(id) => ids.push(id),
                        Err(_) => self.not_an_id(&[name, &place.to_string()], &value),
                    }
                }
                Some(ids)
            }
            _ => {
                let message = "Only iterables may be used in a ListType";
                self.wrong(&[name], "LIST_TYPE_CONVERT", message);
                None
            }
        }
    }

    /// A list of objects, each with its place.
    pub(super) fn forms(&mut self, name: &str) -> Option<Vec<(String, Self)>> {
        let list = match self.take(name)? {
            Value::Null => return None,
            Value::Array(list) => list,
            _ => {
                let message = "Only iterables may be used in a ListType";
                self.wrong(&[name], "LIST_TYPE_CONVERT", message);
                return None;
            }
        };
        let mut forms = Vec::new();
        for (place, value) in list.into_iter().enumerate() {
            let place = place.to_string();
            if let Value::Object(fields) = value {
                forms.push((place, Self::of(fields)));
            } else {
                let message = "Only dictionaries may be used in a DictType";
                self.wrong(&[name, &place], "DICT_TYPE_CONVERT", message);
            }
        }
        Some(forms)
    }

    /// An object below this one.
    pub(super) fn form(&mut self, name: &str) -> Option<Self> {
        match self.take(name)? {
            Value::Null => None,
            Value::Object(fields) => Some(Self::of(fields)),
            _ => {
                let message = "Only dictionaries may be used in a DictType";
                self.wrong(&[name], "DICT_TYPE_CONVERT", message);
                None
            }
        }
    }

    /// Takes over the complaints of a form below this one.
    pub(super) fn absorb(&mut self, path: &[&str], below: Self) {
        if below.errors.is_empty() {
            return;
        }
        let mut errors = &mut self.errors;
        for name in path {
            let entry = errors
                .entry((*name).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = entry else {
                return;
            };
            errors = inner;
        }
        errors.extend(below.errors);
    }

    /// A set of permissions; bits that Discord has not named are dropped.
    pub(super) fn permissions(&mut self, name: &str) -> Option<Permissions> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        if let Ok(permissions) = serde_json::from_value::<Permissions>(value.clone()) {
            return Some(permissions.truncate());
        }
        let message = format!("Value \"{value}\" is not int.");
        self.wrong(&[name], "NUMBER_TYPE_COERCE", message);
        None
    }

    fn not_an_id(&mut self, path: &[&str], value: &Value) {
        let message = format!("Value {value} is not snowflake.");
        self.wrong(path, "NUMBER_TYPE_COERCE", message);
    }
}

/// What Discord says of a number that is too small or too large.
pub(super) fn out_of<N: Copy + PartialOrd + std::fmt::Display>(
    number: N,
    range: &RangeInclusive<N>,
) -> Option<(&'static str, String)> {
    if number < *range.start() {
        Some(too_small(range.start()))
    } else if number > *range.end() {
        let message = format!("int value should be less than or equal to {}.", range.end());
        Some(("NUMBER_TYPE_MAX", message))
    } else {
        None
    }
}

fn too_small(least: &impl std::fmt::Display) -> (&'static str, String) {
    (
        "NUMBER_TYPE_MIN",
        format!("int value should be greater than or equal to {least}."),
    )
}

fn kind(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

fn boundary(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = value.split(';').map(str::trim);
    let boundary = parameters.find_map(|one| one.strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"'))
}

fn whole(code: &str, message: &str) -> ApiError {
    let mut errors = Map::new();
    note(&mut errors, &[], code, message.to_owned());
    ApiError::Form(errors)
}

fn is_picture(text: &str) -> bool {
    let below = text.strip_prefix("data:image/");
    let parts = below.and_then(|below| below.split_once(";base64,"));
    parts.is_some_and(|(kind, data)| {
        matches!(kind, "png" | "jpeg" | "jpg" | "gif" | "webp" | "avif") && !data.is_empty()
    })
}

/// A time of a form, as ISO 8601 has it.
pub(super) fn as_time(form: &mut Form, field: &str, text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    if time.is_none() {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        form.wrong(&[field], "DATE_TIME_TYPE_PARSE", message);
    }
    time
}

fn not_an_object() -> ApiError {
    whole(
        "DICT_TYPE_CONVERT",
        "Only dictionaries may be used in a DictType",
    )
}

fn wrong_kind() -> ApiError {
    whole(
        "CONTENT_TYPE_INVALID",
        "Expected \"Content-Type\" header to be one of {'application/json', \
         'application/x-www-form-urlencoded', 'multipart/form-data'}.",
    )
}
