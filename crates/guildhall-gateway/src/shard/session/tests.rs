#![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

/// Whatever happens, in whatever order.
mod properties;

use std::num::NonZeroU64;

use guildhall_model::{GuildId, UserId};
use serde_json::{Value, json};

use super::*;
use crate::inbox::{MembersRequest, Nonce};

const INTERVAL: Duration = Duration::from_millis(41_250);
const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}"#;
const READY: &str = r#"{"op":0,"t":"READY","s":1,"d":{"session_id":"a-session"}}"#;
const RESUMED: &str = r#"{"op":0,"t":"RESUMED","s":9,"d":{}}"#;
const ACK: &str = r#"{"op":11}"#;

#[test]
fn hello_is_answered_by_one_identify_once_it_may_be_sent() {
    let mut run = Run::new(None);
    assert_eq!(run.text(HELLO), ["greeted", "ask"]);
    let from = run.now + Duration::from_secs(5);
    assert_eq!(run.handle(Input::MayIdentify { from }), [""; 0]);
    assert_eq!(
        run.session.deadline(),
        Some(from),
        "before the first heartbeat"
    );
    run.now = from;
    let [identify] = &run.handle(Input::TimePassed)[..] else {
        panic!("one message")
    };
    let identify: Value = serde_json::from_str(identify).expect("JSON");
    let data = &identify["d"];
    assert_eq!(identify["op"], 2);
    assert_eq!(
        (&data["token"], &data["intents"]),
        (&json!("a-token"), &json!(129))
    );
    assert_eq!(
        (&data["shard"], &data["presence"]),
        (&json!([0, 1]), &json!({"status": "idle"}))
    );
    assert_eq!(data["properties"]["browser"], "guildhall");
    for again in [Input::MayIdentify { from }, Input::TimePassed] {
        assert_eq!(run.handle(again), [""; 0]);
    }
    assert_eq!(
        run.text(HELLO),
        ["bad message"],
        "a second one changes nothing"
    );
    assert_eq!(run.text(READY), ["READY 1", "Identified a-session"]);
}

#[test]
fn a_session_that_was_not_asked_for_does_not_stand() {
    let mut run = Run::new(None);
    run.text(HELLO);
    for early in [READY, RESUMED, r#"{"op":0,"t":"X","s":"odd","d":1}"#] {
        assert_eq!(run.text(early), ["bad message"], "before IDENTIFY");
    }
    let from = run.now;
    assert_eq!(run.handle(Input::MayIdentify { from }).len(), 1);
    assert_eq!(run.text(RESUMED), ["bad message"], "none is resumed");
    assert_eq!(run.text(READY), ["READY 1", "Identified a-session"]);
    assert_eq!(run.text(RESUMED), ["bad message"], "once it stands");
}

#[test]
fn a_session_is_resumed_from_what_was_committed_and_its_replay_handed_on() {
    let mut run = Run::new(Some(("a-session", 7)));
    let resume = r#"{"op":6,"d":{"seq":7,"session_id":"a-session","token":"a-token"}}"#;
    assert_eq!(run.text(HELLO), ["greeted", resume]);
    assert_eq!(run.text(r#"{"op":0,"t":"X","s":8,"d":1}"#), ["X 8"]);
    assert_eq!(run.text(RESUMED), ["RESUMED 9", "Resumed a-session"]);
    assert_eq!(run.beat(), r#"{"op":1,"d":9}"#);
}

#[test]
fn heartbeats_begin_at_a_random_part_of_the_interval_and_come_at_each_whole_one() {
    let mut run = Run::live();
    let hello_at = run.now;
    assert_eq!(run.beat(), r#"{"op":1,"d":1}"#);
    assert_eq!(run.now, hello_at + INTERVAL.mul_f64(0.25));
    for _ in 0..3 {
        run.text(ACK);
        let last = run.now;
        run.now += INTERVAL.mul_f64(0.999);
        assert_eq!(run.handle(Input::TimePassed), [""; 0], "not early");
        run.beat();
        assert_eq!(run.now, last + INTERVAL);
    }
}

#[test]
fn a_heartbeat_without_an_answer_by_the_next_one_ends_the_connection_and_not_the_session() {
    let mut run = Run::live();
    run.beat();
    run.text(r#"{"op":0,"t":"X","s":2,"d":1}"#);
    run.now += INTERVAL;
    assert_eq!(run.handle(Input::TimePassed), ["close 4000"]);
    assert_eq!(run.text(RESUMED), [""; 0], "nothing more is taken");
    assert_eq!(run.handle(Input::PeerClosed(None)), ["Zombie"]);
}

#[test]
fn a_heartbeat_that_discord_asks_for_is_sent_at_once_and_moves_no_other() {
    let mut run = Run::live();
    let due = run.session.deadline();
    run.now += INTERVAL.mul_f64(0.24);
    assert_eq!(run.text(r#"{"op":1,"d":null}"#), [r#"{"op":1,"d":1}"#]);
    assert_eq!(run.session.deadline(), due);
    run.beat();
    run.now += Duration::from_secs(1);
    assert_eq!(run.text(r#"{"op":1}"#).len(), 1);
    run.text(ACK);
    run.beat();
}

#[test]
fn a_flood_of_questions_for_heartbeats_is_answered_within_the_budget() {
    let mut run = Run::live();
    let answers: usize = (0..1_000).map(|_| run.text(r#"{"op":1}"#).len()).sum();
    assert_eq!(answers, 10);
    run.text(ACK);
    run.beat();
}

#[test]
fn discords_wishes_end_the_connection_in_any_state() {
    let wishes = [
        (r#"{"op":7,"d":null}"#, "close 4000", "ReconnectAsked"),
        (
            r#"{"op":9,"d":true}"#,
            "close 4000",
            "InvalidSession { resumable: true }",
        ),
        (
            r#"{"op":9,"d":false}"#,
            "close 1000",
            "InvalidSession { resumable: false }",
        ),
        (
            r#"{"op":9}"#,
            "close 1000",
            "InvalidSession { resumable: false }",
        ),
    ];
    for (wish, close, exit) in wishes {
        for state in 0..4 {
            let mut run = match state {
                0 => Run::new(None),
                1 => Run::identifying(),
                2 => Run::resuming(),
                _ => Run::live(),
            };
            assert_eq!(run.text(wish), [close], "{wish} in state {state}");
            run.now += CLOSE_TIME;
            assert_eq!(run.handle(Input::TimePassed), [exit]);
            assert_eq!(run.session.deadline(), None);
        }
    }
}

#[test]
fn an_address_that_says_no_hello_is_unreachable() {
    let mut run = Run::new(None);
    assert_eq!(run.text(READY), ["bad message"], "no session was asked for");
    run.now += Duration::from_secs(20);
    let exit = run.handle(Input::TimePassed);
    assert_eq!(exit, [r#"Unreachable("it said no HELLO")"#]);
    let mut run = Run::new(None);
    let exit = run.handle(Input::ConnectionFailed("nonsense".to_owned()));
    assert_eq!(exit, [r#"Unreachable("nonsense")"#]);
}

#[test]
fn a_dispatch_that_is_not_taken_is_the_last_one() {
    let mut run = Run::live();
    for text in [r#"{"op":0,"t":"X","s":2,"d":1}"#, READY] {
        let received_at = 1;
        run.session
            .handle(Input::TextCame { text, received_at }, run.now);
    }
    assert!(matches!(
        run.session.poll_output(),
        Some(Output::Dispatch(_))
    ));
    let full = Input::CloseAsked(CloseReason::InboxFull);
    assert_eq!(run.handle(full), ["close 4000"]);
    assert_eq!(run.handle(Input::CloseAsked(CloseReason::Stop)), [""; 0]);
    assert_eq!(run.handle(Input::PeerClosed(None)), ["InboxFull"]);
}

#[test]
fn a_stop_keeps_the_session_and_a_renewal_ends_it() {
    let mut run = Run::live();
    assert_eq!(
        run.handle(Input::CloseAsked(CloseReason::Stop)),
        ["close 4000"]
    );
    run.now += Duration::from_secs(3);
    assert_eq!(run.handle(Input::TimePassed), ["stopped"]);
    let mut run = Run::live();
    assert_eq!(
        run.handle(Input::CloseAsked(CloseReason::Renewal)),
        ["close 1000"]
    );
    assert_eq!(run.handle(Input::PeerClosed(None)), ["Renewed"]);
}

#[test]
fn requests_wait_for_room_and_heartbeats_do_not() {
    let mut run = Run::live();
    assert!(run.session.takes_requests());
    let sent: usize = (0..150)
        .map(|_| {
            run.request(7)
                .iter()
                .filter(|said| said.starts_with('{'))
                .count()
        })
        .sum();
    assert_eq!(sent, 107, "with the IDENTIFY");
    assert!(!run.session.takes_requests());
    let refused = run.request(7);
    assert_eq!(refused, ["refused 8: too many wait already"]);
    run.beat();
    run.text(ACK);
    run.now += Duration::from_secs(61);
    let said = run.handle(Input::TimePassed);
    assert_eq!(said.len(), 1 + REQUESTS_WAITING, "{said:?}");
    assert!(said[0].starts_with(r#"{"op":1,"#), "heartbeats first");
}

#[test]
fn nothing_is_asked_before_the_session_stands_and_nothing_that_is_too_long() {
    for mut run in [Run::new(None), Run::identifying(), Run::resuming()] {
        assert!(!run.session.takes_requests());
        assert_eq!(run.request(7), ["refused 8: no session stands"]);
    }
    let mut run = Run::live();
    let too_long = format!("\"{}\"", "x".repeat(command::LONGEST));
    let presence = RawValue::from_string(too_long).expect("JSON");
    let said = run.handle(Input::RequestMade(SessionRequest::Presence(presence)));
    assert!(
        said[0].starts_with("refused 3: it is longer than"),
        "{said:?}"
    );
    let said = run.handle(Input::RequestMade(SessionRequest::ChannelInfo(GuildId(1))));
    assert!(said[0].starts_with(r#"{"op":43,"#), "{said:?}");
    assert!(run.request(7)[0].starts_with(r#"{"op":8,"#));
}

#[test]
fn a_session_with_a_name_that_is_too_long_is_replaced() {
    let name = "x".repeat(command::LONGEST);
    let mut run = Run::new(Some((&name, 7)));
    assert_eq!(run.text(HELLO), ["greeted", "close 1000"]);
    let exit = run.handle(Input::PeerClosed(None));
    assert_eq!(exit, ["InvalidSession { resumable: false }"]);
}

#[test]
fn odd_envelopes_are_handed_on_and_said_once() {
    let mut run = Run::live();
    let odd = r#"{"op":"0","t":"X","s":5,"d":{"guild_id":"1"}}"#;
    assert_eq!(run.text(odd), [r#"odd envelope Some("X")"#, "X 0"]);
    assert_eq!(run.text(odd), ["X 0"]);
    assert_eq!(run.text("{"), ["bad message"]);
    assert_eq!(run.text(r#"{"op":12}"#), [""; 0]);
    assert_eq!(run.beat(), r#"{"op":1,"d":1}"#, "no number was read");
}

#[test]
fn an_interval_that_cannot_be_kept_ends_the_connection_and_not_the_session() {
    for said in ["0", "1", "9e18", "\"x\"", "null"] {
        let hello = format!(r#"{{"op":10,"d":{{"heartbeat_interval":{said}}}}}"#);
        let ended = ["greeted", "bad message", "close 4000"];
        assert_eq!(Run::new(None).text(&hello), ended, "{said}");
        assert_eq!(Run::live().text(&hello), ended, "{said}, later");
    }
}

#[test]
fn a_ready_of_another_dialect_is_survived() {
    for data in [
        "null",
        "7",
        "{}",
        r#"{"session_id":9,"resume_gateway_url":null}"#,
    ] {
        let mut run = Run::identifying();
        let ready = format!(r#"{{"op":0,"t":"READY","s":1,"d":{data}}}"#);
        assert_eq!(run.text(&ready), ["READY 1", "Identified "], "{data}");
        assert!(run.session.takes_requests());
    }
}

/// A session under test at a time of its own.
struct Run {
    session: DiscordSession,
    now: Instant,
}

impl Run {
    fn new(resume: Option<(&str, u64)>) -> Self {
        let now = Instant::now();
        let resume = resume.map(|(session_id, sequence)| ResumePoint {
            session_id: session_id.to_owned(),
            sequence,
        });
        let session = DiscordSession::new(config(resume), 0.25, now);
        Self { session, now }
    }

    fn identifying() -> Self {
        let mut run = Self::new(None);
        run.text(HELLO);
        run.handle(Input::MayIdentify { from: run.now });
        run
    }

    fn resuming() -> Self {
        let mut run = Self::new(Some(("a-session", 7)));
        run.text(HELLO);
        run
    }

    fn live() -> Self {
        let mut run = Self::identifying();
        run.text(READY);
        run
    }

    fn text(&mut self, text: &str) -> Vec<String> {
        let received_at = 1;
        self.handle(Input::TextCame { text, received_at })
    }

    fn request(&mut self, nonce: u64) -> Vec<String> {
        let request = SessionRequest::Members(MembersRequest {
            guild_id: GuildId(1),
            user_ids: vec![UserId(7)],
            nonce: Nonce(nonce),
        });
        self.handle(Input::RequestMade(request))
    }

    /// Waits for the next heartbeat.
    fn beat(&mut self) -> String {
        self.now = self.session.deadline().expect("it lives");
        let mut said = self.handle(Input::TimePassed);
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    /// The outputs, each in a few words.
    fn handle(&mut self, input: Input<'_>) -> Vec<String> {
        self.session.handle(input, self.now);
        std::iter::from_fn(|| self.session.poll_output())
            .map(shown)
            .collect()
    }
}

fn config(resume: Option<ResumePoint>) -> SessionConfig {
    let presence = RawValue::from_string(r#"{"status":"idle"}"#.to_owned());
    SessionConfig {
        token: "a-token".parse().expect("a token"),
        intents: 129,
        shard: [0, 1],
        presence: presence.ok(),
        resume,
        hello_time: Duration::from_secs(20),
        stop_time: Duration::from_secs(3),
    }
}

fn shown(output: Output) -> String {
    match output {
        Output::Send(message) => message.into_text(),
        Output::Greeted => "greeted".to_owned(),
        Output::AskToIdentify => "ask".to_owned(),
        Output::Dispatch(dispatch) => {
            let sequence = dispatch.sequence.map_or(0, NonZeroU64::get);
            format!("{} {sequence}", dispatch.name)
        }
        Output::Established { how, session_id } => format!("{how:?} {session_id}"),
        Output::Report(Oddity::BadMessage) => "bad message".to_owned(),
        Output::Report(Oddity::OddEnvelope(name)) => format!("odd envelope {name:?}"),
        Output::Report(Oddity::RequestRefused { op, why }) => format!("refused {op}: {why}"),
        Output::Close(code) => format!("close {code}"),
        Output::Ended(SessionExit::Disconnected(why)) => format!("{why:?}"),
        Output::Ended(SessionExit::Stopped) => "stopped".to_owned(),
    }
}
