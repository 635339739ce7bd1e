//! What a gateway and a web role of version 1 said to each other: recorded from the last build that
//! spoke it.

use std::time::Instant;

use super::*;
use crate::{End, Receiver, Sender, SocketInput, receiver, sender};

const GATEWAY: &str = include_str!("../../../../../fixtures/link/version-1-gateway.jsonl");
const WEB: &str = include_str!("../../../../../fixtures/link/version-1-web.jsonl");

const SENTENCE_TO_OLD_WEB: &str = "the gateway speaks version 2 of the link, the web role version \
                                   1: run the same release on both sides";
const SENTENCE_TO_OLD_GATEWAY: &str = "the gateway speaks version 1 of the link, the web role \
                                       version 2: run the same release on both sides";

#[test]
fn a_web_role_of_version_1_is_refused_with_a_sentence() {
    let now = now();
    let start = Position::start(LogId(0), 5);
    let mut machine = Sender::new(start.into(), now);
    let hello = machine.poll_output();
    assert!(matches!(
        hello,
        Some(sender::Output::Send(Frame::Hello { .. }))
    ));
    for text in WEB.lines() {
        machine.handle(SocketInput::FrameCame(Frame::decode(text)), now);
    }
    let outputs: Vec<_> = std::iter::from_fn(|| machine.poll_output()).collect();
    let end = End::Version {
        opening: Opening::Subscribe,
        theirs: 1,
    };
    assert_eq!(
        outputs,
        [
            sender::Output::Send(Frame::Error {
                code: "version".to_owned(),
                message: SENTENCE_TO_OLD_WEB.to_owned(),
            }),
            sender::Output::End(end),
        ]
    );
    assert_eq!(end.close_code(), Some(1002));
}

#[test]
fn a_gateway_of_version_1_is_refused_with_a_sentence() {
    let now = now();
    let mut machine: Receiver<()> = Receiver::new(None, now);
    for text in GATEWAY.lines() {
        machine.handle(SocketInput::FrameCame(Frame::decode(text)), now);
    }
    let outputs: Vec<_> = std::iter::from_fn(|| machine.poll_output()).collect();
    assert_eq!(
        outputs,
        [
            receiver::Output::Send(Frame::Error {
                code: "version".to_owned(),
                message: SENTENCE_TO_OLD_GATEWAY.to_owned(),
            }),
            receiver::Output::End(End::Version {
                opening: Opening::Hello,
                theirs: 1,
            }),
        ]
    );
    assert!(!machine.caught_up());
}

#[test]
fn a_web_role_of_version_1_reads_in_our_hello_that_it_is_of_version_2() {
    /// As it did.
    #[derive(serde::Deserialize)]
    struct Hello {
        version: u32,
        head: Position,
    }
    let head = Position::start(LogId(0), 5).at(3);
    let two = Cursor::new([head, Position::start(LogId(1), 5)]).expect("two");
    let text = Frame::Hello { heads: two }.encode(NOW);
    let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let hello: Hello = serde_json::from_value(message["data"].clone()).expect("what it reads");
    assert_eq!((hello.version, hello.head), (2, head));
}

#[test]
fn every_recorded_frame_is_one_of_ours_or_passed_over() {
    let read = |text: &str| Frame::decode(text).ok().map(|frame| frame.name());
    let kinds: Vec<_> = GATEWAY.lines().chain(WEB.lines()).map(read).collect();
    for name in ["hello", "snapshot", "event", "subscribe", "unknown"] {
        assert!(kinds.contains(&Some(name)), "{name}: {kinds:?}");
    }
    // A status and the end of a replay have no place in a log, or no cursor.
    assert!(kinds.contains(&None));
}

#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
fn now() -> Instant {
    Instant::now()
}
