/// What one cause did comes in one step.
mod groups;
/// The live lane.
mod live_lane;
/// Several logs.
mod logs;
/// Requests, and their answers.
mod requests;
/// What was revoked.
mod revocations;
/// Who looks at which room.
mod viewers;
/// Watches that are too big for one request.
mod watch;

use std::time::Duration;

use guildhall_model::{Change, Event, LogId};
use proptest::{collection::vec, option, prelude::*, strategy::LazyJust};

use super::*;
use crate::{
    attachment::{PING_EVERY, SILENCE_LIMIT},
    frame::{
        Discord, DiscordStatus, Opening, Reply, ReplyBody, Request, RequestBody, WatchRequestBody,
        Watched,
    },
    pending::{REQUESTS_IN_FLIGHT, WATCH_LIMIT},
};

type Out = Output<u64>;

#[test]
fn it_goes_on_after_its_position() {
    let mut driven = Driven::greeted(Some(at(3)), at(5));
    assert_eq!(
        driven.take(),
        [Output::Send(Frame::Subscribe {
            after: Some(at(3).into())
        })]
    );
    driven.frames([event(4), event(5), status(), end_at(5), event(6)]);
    assert_eq!(
        driven.take(),
        [
            Output::Apply(vec![envelope(4)]),
            Output::Apply(vec![envelope(5)]),
            Output::Status(live()),
            Output::Complete(cursor(5)),
            Output::Apply(vec![envelope(6)]),
        ]
    );
    assert!(driven.machine.caught_up());
}

#[test]
fn nothing_missed_is_complete_at_once() {
    let mut driven = Driven::subscribed(Some(at(5)), at(5));
    driven.frames([status(), end_at(5)]);
    assert_eq!(
        driven.take(),
        [Output::Status(live()), Output::Complete(cursor(5))]
    );
}

#[test]
fn bases_begin_a_new_replica_and_numbers_may_be_left_out_before_its_end() {
    let mut driven = Driven::subscribed(Some(at(3)), at(9));
    driven.frames([
        base(1, 4),
        base(2, 0),
        event(2),
        event(7),
        status(),
        end_at(9),
        event(10),
    ]);
    assert_eq!(
        driven.take(),
        [
            Output::Begin(LogId(0)),
            Output::Base(bare(1, 4)),
            Output::Base(bare(2, 0)),
            Output::Apply(vec![envelope(2)]),
            Output::Apply(vec![envelope(7)]),
            Output::Status(live()),
            Output::Complete(cursor(9)),
            Output::Apply(vec![envelope(10)]),
        ]
    );
}

#[test]
fn a_gateway_that_knows_nothing_yet_makes_an_empty_replica() {
    let other_epoch = Position::start(LogId(0), 2_000);
    for after in [None, Some(at(3))] {
        let mut driven = Driven::subscribed(after, other_epoch);
        driven.frames([
            status(),
            Frame::SnapshotEnd {
                at: other_epoch.into(),
            },
        ]);
        let expected = [
            Output::Status(live()),
            Output::Begin(LogId(0)),
            Output::Complete(other_epoch.into()),
        ];
        assert_eq!(driven.take(), expected);
    }
}

#[test]
fn whatever_would_leave_a_hole_ends_the_attachment() {
    let other_epoch = Frame::SnapshotEnd {
        at: Position::start(LogId(0), 2_000).at(3).into(),
    };
    let cases: Vec<(Option<Position>, Vec<Frame>)> = vec![
        // Going on after 3:
        (Some(at(3)), vec![event(5)]),
        (Some(at(3)), vec![event(3)]),
        (Some(at(3)), vec![event(4), event(4)]),
        (Some(at(3)), vec![end_at(5)]),
        (Some(at(3)), vec![end_at(2)]),
        (Some(at(3)), vec![event(4), end_at(6)]),
        (Some(at(3)), vec![event(4), other_epoch.clone()]),
        // Everything:
        (None, vec![base(1, 0), event(2), event(2)]),
        (None, vec![base(1, 0), event(4), end_at(3)]),
        (None, vec![base(1, 0), other_epoch]),
        // Following:
        (Some(at(3)), vec![end_at(3), event(5)]),
        (Some(at(3)), vec![end_at(3), event(3)]),
    ];
    for (after, frames) in cases {
        let mut driven = Driven::subscribed(after, at(9));
        driven.frames(frames.clone());
        assert_eq!(
            driven.ended_with("out_of_order"),
            End::OutOfOrder,
            "{frames:?}"
        );
    }
}

#[test]
fn frames_out_of_turn_end_the_attachment() {
    for frames in [
        vec![hello(at(9))],
        vec![Frame::Subscribe { after: None }],
        vec![watch(1)],
        vec![event(4), base(1, 3)],
        vec![end_at(3), end_at(3)],
        vec![end_at(3), base(1, 3)],
    ] {
        let mut driven = Driven::subscribed(Some(at(3)), at(9));
        driven.frames(frames.clone());
        let end = End::Violated(Violation::Unexpected);
        assert_eq!(driven.ended_with("protocol"), end, "{frames:?}");
    }
    let mut driven = Driven::new(None);
    driven.frames([status()]);
    assert_eq!(
        driven.ended_with("protocol"),
        End::Violated(Violation::Unexpected)
    );
}

#[test]
fn another_version_is_refused_with_a_sentence() {
    let mut driven = Driven::new(None);
    driven.frames([other_version(3)]);
    let end = driven.ended_with("version");
    assert!(
        end.to_string().contains("gateway speaks version 3"),
        "{end}"
    );
    assert!(end.to_string().contains("web role version 2"), "{end}");
    assert!(!driven.machine.caught_up());
}

#[test]
fn what_cannot_be_read_is_dropped_where_nothing_is_lost_with_it() {
    let bad_event = r#"{"type":"event","id":"0.1000-4","data":{},"ts":1}"#;
    let dropped = [Output::Report(Violation::Undecodable)];

    let mut driven = Driven::subscribed(Some(at(3)), at(3));
    driven.frames([end_at(3)]);
    driven.take();
    for text in ["", "{}", r#"{"type":"status"}"#, r#"{"type":"reply"}"#] {
        driven.text(text);
        assert_eq!(driven.take(), dropped, "{text}");
    }
    for (text, violation) in [
        (r#"{"type":"telepathy","data":{}}"#, Violation::UnknownType),
        (
            r#"{"type":"tell","data":{"kind":"gossip"}}"#,
            Violation::UnknownTell,
        ),
        (
            r#"{"type":"reply","requestId":1,"data":{"kind":"done"}}"#,
            Violation::UnknownRequest,
        ),
    ] {
        driven.text(text);
        assert_eq!(driven.take(), [Output::Report(violation)]);
    }
    driven.text(bad_event);
    assert_eq!(driven.ended_with("out_of_order"), End::OutOfOrder);

    // Nothing better would come of asking for everything once more.
    let mut driven = Driven::subscribed(None, at(5));
    driven.frames([base(1, 0)]);
    driven.take();
    driven.text(bad_event);
    assert_eq!(driven.take(), dropped);

    let mut driven = Driven::new(None);
    driven.text(r#"{"type":"hello","data":{}}"#);
    let end = End::Violated(Violation::Undecodable);
    assert_eq!(driven.ended_with("protocol"), end);
}

#[test]
fn an_error_is_the_last_that_the_other_end_says() {
    let mut driven = Driven::subscribed(None, at(0));
    let (code, message) = ("late".to_owned(), "too late".to_owned());
    let error = Frame::Error {
        code: code.clone(),
        message: message.clone(),
    };
    driven.input(SocketInput::FrameCame(Ok(error)));
    let said = Output::PeerFailed { code, message };
    assert_eq!(driven.take(), [said, Output::End(End::Lost)]);
}

#[test]
fn binary_and_oversized_messages_end_it_with_their_own_codes() {
    for (input, code) in [
        (SocketInput::BinaryCame, 1003),
        (SocketInput::OversizedCame, 1009),
    ] {
        let mut driven = Driven::subscribed(None, at(0));
        driven.input(input);
        assert_eq!(driven.ended_with("protocol").close_code(), Some(code));
    }
}

#[test]
fn a_replica_that_refuses_an_event_ends_the_attachment() {
    let mut driven = Driven::subscribed(Some(at(3)), at(4));
    driven.frames([event(4)]);
    driven.input(Input::ReplicaRefused);
    assert_eq!(driven.ended_with("out_of_order"), End::OutOfOrder);
}

#[test]
fn a_gateway_that_says_no_hello_in_time_is_left() {
    let mut driven = Driven::new(None);
    assert_eq!(driven.machine.deadline(), Some(driven.now + PING_EVERY));
    driven.now += Duration::from_millis(9_999);
    driven.input(SocketInput::BeatCame);
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::Ping]);
    driven.now += Duration::from_millis(1);
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.ended_with("late"), End::Late);
}

#[test]
fn ten_seconds_of_silence_are_a_cut_and_any_message_is_a_sign_of_life() {
    let mut driven = Driven::subscribed(None, at(0));
    for alive in [
        SocketInput::BeatCame,
        SocketInput::FrameCame(Ok(Frame::Unknown)),
    ] {
        driven.now += Duration::from_millis(9_999);
        driven.input(alive);
        driven.input(SocketInput::TimePassed);
        assert!(driven.take().contains(&Output::Ping));
    }
    driven.now += SILENCE_LIMIT;
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::End(End::Silent)]);
    assert_eq!(driven.machine.deadline(), None);
}

proptest! {
    #[test]
    fn any_inputs_lead_to_legal_outputs_and_every_ask_to_one_answer(
        after in option::of(positions().prop_map(Cursor::from)),
        greeted in prop::bool::weighted(0.9),
        inputs in vec((inputs(), 0..4_000_u64), 0..80),
    ) {
        let mut driven = Driven::new(after);
        let mut legal = Legal::default();
        let mut asked = 0;
        if greeted {
            driven.frames([hello(at(2))]);
        }
        for (input, millis) in inputs {
            driven.now += Duration::from_millis(millis);
            asked += u64::from(matches!(input, Input::WatchAsked { .. }));
            driven.input(input);
            driven.take().iter().for_each(|output| legal.check(output));
        }
        driven.input(SocketInput::ConnectionLost);
        driven.take().iter().for_each(|output| legal.check(output));
        prop_assert!(legal.ended);
        prop_assert_eq!(legal.answers, asked);
        prop_assert_eq!(driven.machine.deadline(), None);
    }
}

/// What a driver may rely on.
#[derive(Default)]
struct Legal {
    begun: bool,
    complete: Option<Position>,
    answers: u64,
    ended: bool,
}

impl Legal {
    fn check(&mut self, output: &Out) {
        let answer = matches!(output, Output::Answer { .. });
        assert!(!self.ended || answer, "after the end: {output:?}");
        match output {
            Output::Begin(_) => assert!(!std::mem::replace(&mut self.begun, true), "begun twice"),
            Output::Base(_) => assert!(self.begun && self.complete.is_none(), "a base nowhere"),
            Output::Complete(position) => {
                let position = position.in_log(LogId(0)).expect("its log");
                assert!(self.complete.replace(position).is_none(), "complete twice");
            }
            Output::Apply(group) => {
                let (last, others) = group.split_last().expect("never empty");
                assert!(others.iter().all(|envelope| envelope.more), "two groups");
                let follow = |pair: &[Envelope]| pair[1].at == pair[0].at.at(pair[0].at.seq + 1);
                assert!(group.windows(2).all(follow), "a hole in a group");
                if let Some(complete) = &mut self.complete {
                    assert!(!last.more, "half a group");
                    assert_eq!(group[0].at, complete.at(complete.seq + 1), "a hole");
                    *complete = last.at;
                }
            }
            Output::Answer { .. } => self.answers += 1,
            Output::End(_) => self.ended = true,
            _ => {}
        }
    }
}

fn inputs() -> impl Strategy<Value = Input<u64>> {
    let frames = prop_oneof![
        1 => Just(hello(at(2))),
        1 => Just(other_version(9)),
        4 => (0..3_u64, positions()).prop_map(|(guild, floor)| Frame::Snapshot(Box::new(Base {
            guild_id: GuildId(guild),
            floor,
            guild: None,
        }))),
        8 => (positions(), any::<bool>()).prop_map(|(at, more)| {
            Frame::Event(Envelope { at, more, ..envelope(0) })
        }),
        4 => positions().prop_map(|at| Frame::SnapshotEnd { at: at.into() }),
        2 => Just(status()),
        2 => (0..6_u64).prop_map(watched),
        1 => Just(Frame::Heads { at: cursor(9) }),
        1 => Just(watch(1)),
        1 => Just(Frame::Unknown),
    ];
    let texts = prop::sample::select(vec![
        "",
        r#"{"type":"event","data":{}}"#,
        r#"{"type":"snapshot","data":{}}"#,
        r#"{"type":"snapshot_end","data":{}}"#,
        r#"{"type":"hello"}"#,
    ]);
    prop_oneof![
        20 => frames.prop_map(|frame| SocketInput::FrameCame(Ok(frame)).into()),
        2 => texts.prop_map(|text| SocketInput::FrameCame(Frame::decode(text)).into()),
        3 => LazyJust::new(|| SocketInput::BeatCame.into()),
        3 => LazyJust::new(|| SocketInput::TimePassed.into()),
        4 => any::<u64>().prop_map(|reply| asked(reply, due())),
        1 => LazyJust::new(|| SocketInput::BinaryCame.into()),
        1 => LazyJust::new(|| Input::ReplicaRefused),
        1 => LazyJust::new(|| Input::ViewersChanged),
    ]
}

/// Long over.
#[expect(clippy::disallowed_methods, reason = "any instant will do")]
fn due() -> Instant {
    Instant::now()
}

fn positions() -> impl Strategy<Value = Position> {
    // Few and close together, so that they often follow each other.
    let seqs = prop_oneof![6 => 0..6_u64, 1 => Just(u64::MAX)];
    (prop_oneof![9 => Just(1_000_u64), 1 => Just(2_000)], seqs)
        .prop_map(|(epoch, seq)| Position::start(LogId(0), epoch).at(seq))
}

struct Driven {
    machine: Receiver<u64>,
    now: Instant,
}

impl Driven {
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn new(after: Option<Cursor>) -> Self {
        let now = Instant::now();
        let machine = Receiver::new(after, now);
        Self { machine, now }
    }

    fn greeted(after: Option<Position>, head: Position) -> Self {
        let mut driven = Self::new(after.map(Cursor::from));
        driven.frames([hello(head)]);
        driven
    }

    fn subscribed(after: Option<Position>, head: Position) -> Self {
        let mut driven = Self::greeted(after, head);
        driven.take();
        driven
    }

    fn frames(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            self.input(SocketInput::FrameCame(Ok(frame)));
        }
    }

    fn text(&mut self, text: &str) {
        self.input(SocketInput::FrameCame(Frame::decode(text)));
    }

    fn ask(&mut self, reply: u64) {
        let due = self.now + WATCH_LIMIT;
        self.input(asked(reply, due));
    }

    fn input(&mut self, input: impl Into<Input<u64>>) {
        self.machine.handle(input, self.now);
    }

    fn take(&mut self) -> Vec<Out> {
        std::iter::from_fn(|| self.machine.poll_output()).collect()
    }

    fn ended_with(&mut self, code: &str) -> End {
        let outputs = self.take();
        let [
            ..,
            Output::Send(Frame::Error { code: said, .. }),
            Output::End(end),
        ] = &outputs[..]
        else {
            panic!("no error and end: {outputs:?}");
        };
        assert_eq!(said, code);
        *end
    }
}

fn asked(reply: u64, due: Instant) -> Input<u64> {
    Input::WatchAsked {
        user_id: UserId(5),
        guild_ids: vec![GuildId(1)],
        due,
        reply,
    }
}

fn watch(id: u64) -> Frame {
    watch_for(id, WATCH_LIMIT)
}

fn watch_for(id: u64, deadline: Duration) -> Frame {
    let watch = WatchRequestBody {
        user_id: UserId(5),
        guild_ids: vec![GuildId(1)],
    };
    Frame::Request(Request {
        id,
        deadline,
        body: RequestBody::Watch(watch),
    })
}

fn answer() -> Watched {
    Watched {
        at: cursor(0),
        failed: Vec::new(),
    }
}

fn watched(id: u64) -> Frame {
    let result = Ok(ReplyBody::Watched(answer()));
    Frame::Reply(Reply { id, result })
}

fn hello(head: Position) -> Frame {
    let heads = head.into();
    Frame::Hello { heads }
}

fn other_version(version: u32) -> Frame {
    let opening = Opening::Hello;
    Frame::OtherVersion { opening, version }
}

fn bare(guild: u64, floor: u64) -> Box<Base> {
    Box::new(Base {
        guild_id: GuildId(guild),
        floor: at(floor),
        guild: None,
    })
}

fn base(guild: u64, floor: u64) -> Frame {
    Frame::Snapshot(bare(guild, floor))
}

fn envelope(seq: u64) -> Envelope {
    Envelope {
        at: at(seq),
        more: false,
        event: Event {
            guild_id: GuildId(1),
            ts: 1,
            synthetic: false,
            change: Change::GuildUnavailable,
        },
    }
}

fn event(seq: u64) -> Frame {
    Frame::Event(envelope(seq))
}

fn end_at(seq: u64) -> Frame {
    Frame::SnapshotEnd { at: cursor(seq) }
}

fn live() -> LogStatus {
    let status = DiscordStatus {
        discord: Discord::Live,
        since: 1,
        guild_ids: Vec::new(),
        complete: true,
    };
    LogStatus { at: at(0), status }
}

fn status() -> Frame {
    Frame::Status(live())
}

fn at(seq: u64) -> Position {
    Position::start(LogId(0), 1_000).at(seq)
}

fn cursor(seq: u64) -> Cursor {
    at(seq).into()
}
