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
        /// How often it wants a heartbeat.
        heartbeat: HeartbeatInterval,
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
                heartbeat: HeartbeatInterval::read(envelope.d),
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

/// How often Discord wants a heartbeat, within what can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeartbeatInterval {
    pub(super) every: Duration,
    /// It is not as Discord said it: what that said is no such time, or one out of all bounds.
    pub(super) is_odd: bool,
}

impl HeartbeatInterval {
    /// Discord's documentation has this as its example.
    pub(super) const DEFAULT: Duration = Duration::from_secs(45);
    /// Heartbeats are sends too, of which there may be 120 in a minute: more often than this would
    /// leave too few for anything else.
    pub(super) const SHORTEST: Duration = Duration::from_secs(1);
    /// A connection that is dead is noticed by its heartbeats.
    pub(super) const LONGEST: Duration = Duration::from_mins(5);

    fn read(data: Option<&RawValue>) -> Self {
        #[derive(Deserialize)]
        struct Hello {
            heartbeat_interval: Value,
        }
        let hello = data.and_then(|data| serde_json::from_str::<Hello>(data.get()).ok());
        let said = hello.map(|hello| hello.heartbeat_interval);
        let whole = said.as_ref().and_then(Value::as_u64);
        let whole = whole.map(Duration::from_millis);
        if let Some(every) = whole.filter(|every| (Self::SHORTEST..=Self::LONGEST).contains(every))
        {
            let is_odd = false;
            return Self { every, is_odd };
        }
        let every = match said.as_ref().and_then(Value::as_f64) {
            Some(millis) if millis > 0.0 => Duration::from_secs_f64(millis.min(1e9) / 1_000.0)
                .clamp(Self::SHORTEST, Self::LONGEST),
            _ => Self::DEFAULT,
        };
        let is_odd = true;
        Self { every, is_odd }
    }
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
    fn an_interval_that_is_none_or_cannot_be_kept_is_replaced_and_said() {
        for (said, every, is_odd) in [
            ("41250", 41_250, false),
            ("1000", 1_000, false),
            ("300000", 300_000, false),
            ("0", 45_000, true),
            ("1", 1_000, true),
            ("9e18", 300_000, true),
            ("1e308", 300_000, true),
            ("18446744073709551615", 300_000, true),
            ("-1", 45_000, true),
            ("41250.5", 41_250, true),
            ("\"41250\"", 45_000, true),
            ("null", 45_000, true),
            ("[]", 45_000, true),
        ] {
            let hello = format!(r#"{{"op":10,"d":{{"heartbeat_interval":{said}}}}}"#);
            let Message::Hello { heartbeat } = Message::read(&hello, 7) else {
                panic!("a HELLO: {said}")
            };
            let millis = heartbeat.every.as_millis();
            assert_eq!((millis, heartbeat.is_odd), (every, is_odd), "{said}");
        }
        for hello in [r#"{"op":10,"d":{}}"#, r#"{"op":10}"#, r#"{"op":10,"d":7}"#] {
            let Message::Hello { heartbeat } = Message::read(hello, 7) else {
                panic!("a HELLO: {hello}")
            };
            assert_eq!(heartbeat.every, HeartbeatInterval::DEFAULT, "{hello}");
        }
    }
}
