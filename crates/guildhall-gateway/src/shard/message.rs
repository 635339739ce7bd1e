//! Messages of Discord's Gateway, taken out of their envelope and not yet read.

use std::{num::NonZeroU64, time::Duration};

use guildhall_model::{UnixMs, text::replace_lone_surrogates};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::inbox::Dispatch;

/// What a message is to us. Heartbeats and the like are the library's.
#[derive(Debug)]
pub(super) enum Message {
    Dispatch(Dispatch),
    /// Op 7: please reconnect.
    Reconnect,
    /// Op 9: the session can't be started or resumed, or is over.
    InvalidSession {
        resumable: bool,
    },
    /// Op 10: the peer is a Gateway.
    Hello {
        /// How often it wants a heartbeat.
        heartbeat: Duration,
    },
    /// Op 11: it has our heartbeat.
    Acknowledged,
    /// A dispatch, or what may be one, whose envelope can't be read: something was missed.
    Unreadable {
        /// Discord's name of the event, if at least that could be read.
        name: Option<String>,
        /// `d`, if there is one.
        data: Box<RawValue>,
    },
    Other,
}

impl Message {
    /// Takes a message out of its envelope. Total: any text is a message of some kind.
    pub(super) fn read(text: &str, received_at: UnixMs) -> Self {
        #[derive(Deserialize)]
        struct Envelope {
            op: u8,
            #[serde(default)]
            t: Option<String>,
            #[serde(default)]
            s: Option<u64>,
            #[serde(default)]
            d: Option<Box<RawValue>>,
        }
        // INVARIANT(text): all that Discord's Gateway says is read from here.
        let text = &*replace_lone_surrogates(text);
        let Ok(envelope) = serde_json::from_str::<Envelope>(text) else {
            return Self::unreadable(text);
        };
        match (envelope.op, envelope.t, envelope.s) {
            (0, Some(name), number) if number.is_some() || name == "RESUMED" => {
                Self::Dispatch(Dispatch {
                    name,
                    // RESUMED ends a replay, whether it is counted or not.
                    sequence: number.and_then(NonZeroU64::new),
                    // It has been seen with `d` null and with an object.
                    data: envelope.d.unwrap_or_default(),
                    received_at,
                })
            }
            (7, ..) => Self::Reconnect,
            (9, ..) => Self::InvalidSession {
                resumable: envelope.d.is_some_and(|data| data.get() == "true"),
            },
            (10, ..) => Self::Hello {
                heartbeat: heartbeat(envelope.d.as_deref()),
            },
            (11, ..) => Self::Acknowledged,
            (0, name, _) if name.is_some() || envelope.d.is_some() => Self::Unreadable {
                name,
                data: envelope.d.unwrap_or_default(),
            },
            _ => Self::Other,
        }
    }

    /// A message whose envelope has an odd field. Of another kind than a dispatch it says nothing
    /// that the next one would not.
    fn unreadable(text: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Envelope {
            #[serde(default)]
            op: serde_json::Value,
            #[serde(default)]
            t: serde_json::Value,
            #[serde(default)]
            d: Option<Box<RawValue>>,
        }
        let Envelope { op, t, d } = serde_json::from_str(text).unwrap_or_default();
        let is_other = op.as_u64().is_some_and(|op| op != 0);
        if is_other || (!t.is_string() && d.is_none()) {
            return Self::Other;
        }
        Self::Unreadable {
            name: t.as_str().map(str::to_owned),
            data: d.unwrap_or_default(),
        }
    }
}

/// Discord's documentation names 45 seconds as an example.
fn heartbeat(data: Option<&RawValue>) -> Duration {
    #[derive(Deserialize)]
    struct Hello {
        heartbeat_interval: u64,
    }
    let hello = data.and_then(|data| serde_json::from_str::<Hello>(data.get()).ok());
    Duration::from_millis(hello.map_or(45_000, |hello| hello.heartbeat_interval))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_message_of_some_kind(text in "\\PC{0,80}|\\{\"op\":[0-9]{1,3},\"[tsd]\":\\PC{0,20}\\}") {
            let message = Message::read(&text, 1);
            prop_assert!(!matches!(message, Message::Dispatch(_)) || text.contains("\"op\""));
        }
    }

    proptest! {
        #[test]
        fn a_name_of_any_utf16_is_read(units in proptest::collection::vec(0xd7f0_u16..0xe010, 0..6)) {
            let escaped = units.iter().fold(String::new(), |text, unit| text + &format!("\\u{unit:04X}"));
            let text = format!(r#"{{"op":0,"t":"X","s":3,"d":"{escaped}"}}"#);
            let Message::Dispatch(dispatch) = Message::read(&text, 7) else {
                return Err(TestCaseError::fail("a dispatch"));
            };
            let name: Result<String, _> = serde_json::from_str(dispatch.data.get());
            prop_assert_eq!(name.ok(), Some(String::from_utf16_lossy(&units)));
        }
    }

    #[test]
    fn a_dispatch_with_an_odd_envelope_is_not_passed_over() {
        for odd in [
            r#"{"op":0,"t":"X","s":"500","d":{"guild_id":"1"}}"#,
            r#"{"op":0,"t":"X","s":null,"d":{"guild_id":"1"}}"#,
            r#"{"op":0,"t":"X","s":1.5e2,"d":{"guild_id":"1"}}"#,
            r#"{"op":0,"t":"X","s":-3,"d":{"guild_id":"1"}}"#,
            r#"{"op":"0","t":"X","s":7,"d":{"guild_id":"1"}}"#,
            r#"{"t":"X","s":7,"d":{"guild_id":"1"}}"#,
            r#"{"op":0,"s":7,"d":{"guild_id":"1"}}"#,
            r#"{"op":0,"t":9,"s":7,"d":{"guild_id":"1"}}"#,
        ] {
            let Message::Unreadable { name, data } = Message::read(odd, 1) else {
                panic!("{odd}")
            };
            assert_eq!(
                name.as_deref(),
                odd.contains("\"X\"").then_some("X"),
                "{odd}"
            );
            assert_eq!(data.get(), r#"{"guild_id":"1"}"#, "{odd}");
        }
        for other in ["no JSON", "[]", "{}", r#"{"op":11,"s":"x"}"#, r#"{"op":3}"#] {
            assert!(
                matches!(
                    Message::read(other, 1),
                    Message::Other | Message::Acknowledged
                ),
                "{other}"
            );
        }
    }

    #[test]
    fn half_a_surrogate_pair_does_not_make_a_dispatch_unreadable() {
        let text = r#"{"op":0,"t":"X","s":3,"d":{"name":"a\ud83d","nick":"\ud83d\ude00"}}"#;
        let Message::Dispatch(dispatch) = Message::read(text, 7) else {
            panic!("a dispatch")
        };
        let data: serde_json::Value = serde_json::from_str(dispatch.data.get()).expect("JSON");
        assert_eq!(data["name"], "a\u{fffd}");
        assert_eq!(data["nick"], "\u{1f600}");
    }

    #[test]
    fn messages_are_told_apart_by_their_op() {
        let read = |text| Message::read(text, 7);
        let Message::Dispatch(dispatch) = read(r#"{"op":0,"t":"X","s":3,"d":{"a":[1]},"new":1}"#)
        else {
            panic!("a dispatch")
        };
        assert_eq!(dispatch.name, "X");
        assert_eq!(dispatch.sequence, NonZeroU64::new(3));
        assert_eq!(
            (dispatch.data.get(), dispatch.received_at),
            (r#"{"a":[1]}"#, 7)
        );
        assert!(matches!(
            read(r#"{"op":0,"t":"RESUMED","s":3,"d":null}"#),
            Message::Dispatch(_)
        ));
        assert!(matches!(
            read(r#"{"op":0,"t":"RESUMED","s":null,"d":{}}"#),
            Message::Dispatch(_)
        ));
        assert!(matches!(read(r#"{"op":7,"d":null}"#), Message::Reconnect));
        assert!(matches!(
            read(r#"{"op":9,"d":true}"#),
            Message::InvalidSession { resumable: true }
        ));
        assert!(matches!(
            read(r#"{"op":9,"d":false}"#),
            Message::InvalidSession { resumable: false }
        ));
        for (hello, interval) in [
            (r#"{"op":10,"d":{"heartbeat_interval":41250}}"#, 41_250),
            (r#"{"op":10,"d":{}}"#, 45_000),
        ] {
            let Message::Hello { heartbeat } = read(hello) else {
                panic!("a HELLO")
            };
            assert_eq!(heartbeat, Duration::from_millis(interval));
        }
        assert!(matches!(read(r#"{"op":11}"#), Message::Acknowledged));
        assert!(matches!(read(r#"{"op":12}"#), Message::Other));
    }
}
