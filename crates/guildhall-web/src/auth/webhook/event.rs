//! What Discord tells an application, as far as it matters here.

use guildhall_model::{UnixMs, UserId};
use serde::Deserialize;
use serde_json::value::RawValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WebhookEvent {
    /// Discord looks whether somebody listens.
    Ping { application: Option<String> },
    /// A person removed the application.
    Deauthorized {
        application: Option<String>,
        user_id: UserId,
        /// When they did, if that can be read.
        at: Option<UnixMs>,
    },
    /// Something else.
    Other { application: Option<String> },
}

#[derive(Deserialize)]
struct WebhookBody<'a> {
    #[serde(rename = "type")]
    kind: u64,
    application_id: Option<String>,
    #[serde(borrow)]
    event: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Deauthorization {
    user: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: UserId,
}

const PING: u64 = 0;
const EVENT: u64 = 1;

impl WebhookEvent {
    /// The error is a sentence about what can't be read.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let unreadable = |error: serde_json::Error| format!("The body can't be read: {error}.");
        let envelope: WebhookBody<'_> = serde_json::from_slice(body).map_err(unreadable)?;
        let application = envelope.application_id;
        let event = envelope.event.filter(|_| envelope.kind == EVENT);
        Ok(match event {
            None if envelope.kind == PING => Self::Ping { application },
            Some(event) if event.kind == "APPLICATION_DEAUTHORIZED" => {
                let data = event.data.map_or("null", RawValue::get);
                let data: Deauthorization = serde_json::from_str(data).map_err(unreadable)?;
                Self::Deauthorized {
                    application,
                    user_id: data.user.id,
                    at: event.timestamp.as_deref().and_then(unix_ms),
                }
            }
            None | Some(_) => Self::Other { application },
        })
    }

    /// Whether it says that it is about another application.
    pub(super) fn is_of_another(&self, client_id: &str) -> bool {
        let (Self::Ping { application }
        | Self::Deauthorized { application, .. }
        | Self::Other { application }) = self;
        application.as_ref().is_some_and(|id| id != client_id)
    }
}

/// ISO 8601. Discord's page writes it without a zone; then it is UTC.
fn unix_ms(text: &str) -> Option<UnixMs> {
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let at = parse(text).or_else(|| parse(&format!("{text}Z")))?;
    UnixMs::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: &str = "1234560123453231555";

    /// As Discord's page prints it.
    fn event(kind: &str, timestamp: &str, data: &str) -> String {
        format!(
            r#"{{"version": 1, "application_id": "{APPLICATION}", "type": 1, "event": {{
                "type": "{kind}", "timestamp": "{timestamp}", "data": {data}}}}}"#
        )
    }

    fn read(text: &str) -> Result<WebhookEvent, String> {
        WebhookEvent::read(text.as_bytes())
    }

    #[test]
    fn a_ping_is_type_zero() {
        let ping = read(r#"{"version": 1, "application_id": "7", "type": 0}"#);
        let application = Some("7".to_owned());
        assert_eq!(ping, Ok(WebhookEvent::Ping { application }));
        let bare = read(r#"{"type": 0, "event": null}"#);
        assert_eq!(bare, Ok(WebhookEvent::Ping { application: None }));
    }

    #[test]
    fn who_removed_the_application_and_when() {
        let data = r#"{"user": {"id": "80351110224678912", "username": "ada"}}"#;
        for (timestamp, at) in [
            ("2024-10-18T14:42:53.064834", Some(1_729_262_573_064)),
            ("2024-10-18T14:42:53.064834+00:00", Some(1_729_262_573_064)),
            ("2024-10-18T16:42:53+02:00", Some(1_729_262_573_000)),
            ("2024-10-18T14:42:53Z", Some(1_729_262_573_000)),
            ("yesterday", None),
            ("1900-01-01T00:00:00Z", None),
        ] {
            let told = read(&event("APPLICATION_DEAUTHORIZED", timestamp, data));
            let expected = WebhookEvent::Deauthorized {
                application: Some(APPLICATION.to_owned()),
                user_id: UserId(80_351_110_224_678_912),
                at,
            };
            assert_eq!(told, Ok(expected), "{timestamp}");
        }
    }

    #[test]
    fn other_events_are_other_events_whatever_is_in_them() {
        let application = Some(APPLICATION.to_owned());
        let told = read(&event("LOBBY_MESSAGE_CREATE", "", "[1, 2]"));
        assert_eq!(told, Ok(WebhookEvent::Other { application }));
        for text in [
            r#"{"type": 1}"#,
            r#"{"type": 9, "event": {"type": "APPLICATION_DEAUTHORIZED"}}"#,
        ] {
            let application = None;
            assert_eq!(
                read(text),
                Ok(WebhookEvent::Other { application }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_should_tell_us_and_can_t_be_read_is_an_error() {
        for data in ["null", "{}", r#"{"user": {}}"#, r#"{"user": {"id": "me"}}"#] {
            let text = event("APPLICATION_DEAUTHORIZED", "2024-10-18T14:42:53", data);
            assert!(read(&text).is_err(), "{data}");
        }
        for text in ["", "null", "[]", "{}", r#"{"type": "0"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_says_whose_it_is() {
        let ping = |text: &str| read(text).expect("a ping");
        let ours = ping(r#"{"type": 0, "application_id": "7"}"#);
        assert!(!ours.is_of_another("7") && ours.is_of_another("8"));
        assert!(
            !ping(r#"{"type": 0}"#).is_of_another("8"),
            "it says nothing"
        );
    }
}
