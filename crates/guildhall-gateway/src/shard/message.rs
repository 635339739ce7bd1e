//! Messages of Discord's Gateway, taken out of their envelope and not yet read.

use std::{num::NonZeroU64, time::Duration};

use guildhall_model::{UnixMs, text::replace_lone_surrogates};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::inbox::Dispatch;

/// What a message is to us.
#[derive(Debug)]
pub(super) enum Message {
    Dispatch(Dispatch),
    /// Op 1: it wants a heartbeat now.
    HeartbeatAsked,
    /// Op 7: please reconnect.
    Reconnect,
    /// Op 9: the session can't be started or resumed, or is over.
    InvalidSession {
        resumable: bool,
    },
    /// Op 10: the peer is a Gateway.
    Hello {
        /// How often it wants a heartbeat; `None`: in a way that can't be kept.
        interval: Option<Duration>,
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
    /// No message of Discord's at all.
    Garbage,
    /// Of a kind that says nothing to us.
    Other,
}

impl Message {
    /// Takes a message out of its envelope. Total: any text is a message of some kind.
    pub(super) fn read(text: &str, received_at: UnixMs) -> Self {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            op: u8,
            #[serde(default)]
            t: Option<String>,
            #[serde(default)]
            s: Option<u64>,
            #[serde(default, borrow)]
            d: Option<&'a RawValue>,
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
                    data: envelope.d.map(RawValue::to_owned).unwrap_or_default(),
                    received_at,
                })
            }
            (1, ..) => Self::HeartbeatAsked,
            (7, ..) => Self::Reconnect,
            (9, ..) => Self::InvalidSession {
                resumable: envelope.d.is_some_and(|data| data.get() == "true"),
            },
            (10, ..) => Self::Hello {
                interval: heartbeat_interval(envelope.d),
            },
            (11, ..) => Self::Acknowledged,
            (0, name, _) if name.is_some() || envelope.d.is_some() => Self::Unreadable {
                name,
                data: envelope.d.map(RawValue::to_owned).unwrap_or_default(),
            },
            (0, ..) => Self::Garbage,
            _ => Self::Other,
        }
    }

    /// A message whose envelope has an odd field. Of another kind than a dispatch it says nothing
    /// that the next one would not.
    fn unreadable(text: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Envelope<'a> {
            #[serde(default)]
            op: Value,
            #[serde(default)]
            t: Value,
            #[serde(default, borrow)]
            d: Option<&'a RawValue>,
        }
        let Envelope { op, t, d } = serde_json::from_str(text).unwrap_or_default();
        let is_other = op.as_u64().is_some_and(|op| op != 0);
        if is_other || (!t.is_string() && d.is_none()) {
            return Self::Garbage;
        }
        Self::Unreadable {
            name: t.as_str().map(str::to_owned),
            data: d.map(RawValue::to_owned).unwrap_or_default(),
        }
    }
}

/// Whoever asks for heartbeats this often, which is more than Discord takes of all messages, has
/// no bound on them; who asks for more does not mean it.
pub(super) const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// A connection that is dead is noticed by its heartbeats.
pub(super) const LONGEST_INTERVAL: Duration = Duration::from_mins(5);

/// HELLO's `heartbeat_interval`, which is 41.25 s on Discord; `None`: it is no time that can be kept.
fn heartbeat_interval(data: Option<&RawValue>) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Hello {
        heartbeat_interval: f64,
    }
    let hello: Hello = serde_json::from_str(data?.get()).ok()?;
    let interval = Duration::try_from_secs_f64(hello.heartbeat_interval / 1_000.0).ok()?;
    (SHORTEST_INTERVAL..=LONGEST_INTERVAL)
        .contains(&interval)
        .then_some(interval)
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
                    Message::Garbage | Message::Other | Message::Acknowledged
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
        let data: Value = serde_json::from_str(dispatch.data.get()).expect("JSON");
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
        assert!(matches!(read(r#"{"op":1}"#), Message::HeartbeatAsked));
        assert!(matches!(read(r#"{"op":11}"#), Message::Acknowledged));
        assert!(matches!(read(r#"{"op":12}"#), Message::Other));
    }

    #[test]
    fn an_interval_is_a_time_that_can_be_kept_or_none() {
        let interval = |hello: &str| match Message::read(hello, 7) {
            Message::Hello { interval } => interval.map(|interval| interval.as_micros()),
            other => panic!("a HELLO: {other:?}"),
        };
        for (said, micros) in [
            ("41250", Some(41_250_000)),
            ("41250.5", Some(41_250_500)),
            ("100", Some(100_000)),
            ("300000", Some(300_000_000)),
            ("99", None),
            ("300001", None),
            ("0", None),
            ("1", None),
            ("9e18", None),
            ("1e308", None),
            ("18446744073709551615", None),
            ("-1", None),
            ("\"41250\"", None),
            ("null", None),
            ("[]", None),
        ] {
            let hello = format!(r#"{{"op":10,"d":{{"heartbeat_interval":{said}}}}}"#);
            assert_eq!(interval(&hello), micros, "{said}");
        }
        for hello in [r#"{"op":10,"d":{}}"#, r#"{"op":10}"#, r#"{"op":10,"d":7}"#] {
            assert_eq!(interval(hello), None, "{hello}");
        }
    }
}
