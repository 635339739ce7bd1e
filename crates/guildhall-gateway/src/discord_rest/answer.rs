//! What a call answers, and why one has no answer.

use std::time::Instant;

use guildhall_model::text::readable_json;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Of Discord's own words so many characters are kept.
const WORDS: usize = 200;
/// What is wrong with a form, at most so much of it.
const FORM_ERRORS: usize = 32;
/// How deep Discord's tree of form errors is looked into.
const FORM_DEPTH: usize = 8;

/// An answer of Discord's that is a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestAnswer {
    /// HTTP status, 2xx.
    pub status: u16,
    body: Vec<u8>,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RestError {
    /// 401: the token is none. Nothing is sent any more: each further 401 brings the whole
    /// address nearer to being banned.
    #[error("Discord refused the token")]
    Unauthorised,
    /// Discord said no, and would again. Nothing was done.
    #[error("Discord refused: {0}")]
    Refused(Box<DiscordRefusal>),
    /// Discord makes it wait until then, which is longer than the call wants to. Nothing was done.
    #[error("Discord makes it wait")]
    Throttled {
        /// When it may be tried again.
        until: Instant,
    },
    /// No answer, or none that can be read: later perhaps. Nothing was done.
    #[error("Discord did not answer: {0}")]
    Unreachable(String),
    /// It was sent, and no answer says whether it was done.
    #[error("it is not known whether Discord has done it: {0}")]
    Unknown(String),
    /// Too much is under way here, or too many requests were invalid. Nothing was done.
    #[error("too many requests to Discord are under way")]
    Overloaded {
        /// When it may be tried again.
        until: Instant,
    },
}

/// A refusal in Discord's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}, code {code}")]
pub(crate) struct DiscordRefusal {
    /// HTTP status.
    pub status: u16,
    /// Discord's error code; 0: none was given.
    pub code: u64,
    /// What Discord says of it, cut where it is long; for logs.
    pub message: String,
    /// Of a form (code 50035): what is wrong with which field.
    pub form: Vec<FormError>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormError {
    /// Its name, with dots where it is inside another; empty: the whole body.
    pub field: String,
    /// Discord's word for it, such as `BASE_TYPE_BAD_LENGTH`.
    pub code: String,
    /// Discord's sentence, cut where it is long.
    pub message: String,
}

impl RestError {
    /// Discord's error code where it refused; 0: it gave none, or it was something else.
    pub(crate) fn code(&self) -> u64 {
        match self {
            Self::Refused(refusal) => refusal.code,
            _ => 0,
        }
    }
}

impl RestAnswer {
    pub(super) fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body }
    }

    /// The body of a call that only reads.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        serde_json::from_str(&readable_json(&self.body))
            .map_err(|error| RestError::Unreachable(format!("its answer can't be read: {error}")))
    }
}

impl DiscordRefusal {
    /// From an answer, of whose body nothing is certain.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            code: u64,
            #[serde(default)]
            message: String,
            #[serde(default)]
            errors: Value,
        }
        let body: Body = serde_json::from_str(&readable_json(body)).unwrap_or_default();
        let mut form = Vec::new();
        collect_form_errors(&body.errors, "", 0, &mut form);
        Self {
            status,
            code: body.code,
            message: cut(&body.message),
            form,
        }
    }
}

/// Discord's form errors are a tree of fields with `_errors` where something is wrong.
fn collect_form_errors(tree: &Value, field: &str, depth: usize, found: &mut Vec<FormError>) {
    let Some(fields) = tree.as_object().filter(|_| depth < FORM_DEPTH) else {
        return;
    };
    for (name, below) in fields {
        if name != "_errors" {
            let path = match field {
                "" => name.clone(),
                _ => format!("{field}.{name}"),
            };
            collect_form_errors(below, &cut(&path), depth + 1, found);
            continue;
        }
        for error in below.as_array().into_iter().flatten() {
            if found.len() == FORM_ERRORS {
                return;
            }
            let text = |of: &str| error.get(of).and_then(Value::as_str).unwrap_or_default();
            found.push(FormError {
                field: field.to_owned(),
                code: cut(text("code")),
                message: cut(text("message")),
            });
        }
    }
}

fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_error_names_its_fields() {
        let body = br#"{"code":50035,"message":"Invalid Form Body","errors":{
            "name":{"_errors":[{"code":"BASE_TYPE_BAD_LENGTH","message":"Must be between 1 and 100 in length."}]},
            "permission_overwrites":{"0":{"id":{"_errors":[{"code":"NUMBER_TYPE_COERCE","message":"not a snowflake"}]}}},
            "_errors":[{"code":"X","message":"all of it"}]}}"#;
        let refusal = DiscordRefusal::read(400, body);
        let form: Vec<(&str, &str)> = refusal
            .form
            .iter()
            .map(|error| (error.field.as_str(), error.code.as_str()))
            .collect();
        assert_eq!(
            form,
            [
                ("", "X"),
                ("name", "BASE_TYPE_BAD_LENGTH"),
                ("permission_overwrites.0.id", "NUMBER_TYPE_COERCE"),
            ]
        );
        assert_eq!((refusal.status, refusal.code), (400, 50_035));
        assert_eq!(refusal.message, "Invalid Form Body");
    }

    #[test]
    fn whatever_a_refusal_says_it_is_bounded() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        let long = "ü".repeat(10_000);
        let many: Vec<Value> = (0..1_000)
            .map(|_| serde_json::json!({"code": long, "message": 7}))
            .collect();
        let body = serde_json::json!({"code": 1, "message": long, "errors": {"_errors": many}});
        let refusal = DiscordRefusal::read(400, body.to_string().as_bytes());
        assert_eq!(refusal.form.len(), FORM_ERRORS);
        assert_eq!(refusal.message.chars().count(), WORDS);
        assert!(
            refusal.form[0].code.chars().count() == WORDS && refusal.form[0].message.is_empty()
        );
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"code":"x"}"#,
            r#"{"errors":[1]}"#,
            &format!(r#"{{"errors":{deep}}}"#),
        ] {
            let refusal = DiscordRefusal::read(418, body.as_bytes());
            assert_eq!((refusal.status, refusal.code), (418, 0), "{body}");
            assert!(refusal.form.is_empty(), "{body}");
        }
    }
}
