/// The live lane.
mod live;
/// Several logs.
mod logs;
/// Requests, their deadlines and their answers.
mod requests;
/// What was revoked.
mod revocations;
/// Who looks at which room.
mod viewers;

use guildhall_model::{
    Change, Envelope, Event, GuildId, LogId, Revocation, SealedEvent, UserId,
    command::CommandRequest,
};
use proptest::{collection::vec, option, prelude::*, strategy::LazyJust};

use super::*;
use crate::{
    attachment::PING_EVERY,
    frame::{
        Base, Discord, DiscordStatus, LogStatus, Reply, Request, RequestBody, WatchRequestBody,
        Watched,
    },
};

const EPOCH: u64 = 1_000;

#[test]
fn the_replay_is_events_then_status_then_its_end_then_live_events() {
    let mut driven = Driven::new(at(3), complete());
    assert_eq!(driven.take(), [said_hello(at(3))]);
    driven.subscribe(Some(at(1)));
    assert_eq!(
        driven.take(),
        [Output::Join {
            log: LogId(0),
            after: Some(at(1)),
        }]
    );
    driven.input(Input::JoinedAfter {
        after: at(1),
        head: at(3),
    });
    assert_eq!(driven.take(), [Output::Read(at(1))]);
    driven.input(read(vec![event(2), event(3)]));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(2)),
            Output::Relay(event(3)),
            said(complete(), at(3)),
            Output::Send(Frame::SnapshotEnd { at: cursor(3) }),
        ]
    );
    driven.input(Input::HeadMoved(at(4)));
    assert_eq!(driven.take(), [Output::Read(at(3))]);
    driven.input(read(vec![event(4)]));
    assert_eq!(driven.take(), [Output::Relay(event(4))]);
}

#[test]
fn the_replay_does_not_end_inside_a_group() {
    let more = |seq| {
        Arc::new(SealedEvent::new(Envelope {
            more: true,
            ..(**event(seq)).clone()
        }))
    };
    let mut driven = Driven::subscribed(at(0), coming());
    driven.input(Input::HeadMoved(at(3)));
    driven.input(Input::StatusChanged {
        status: complete(),
        head: at(1),
    });
    driven.input(Input::HeadMoved(at(3)));
    driven.take();
    driven.input(read(vec![event(1), more(2)]));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(1)),
            Output::Relay(more(2)),
            said(complete(), at(1)),
            Output::Send(Frame::SnapshotEnd { at: cursor(1) }),
            Output::Read(at(2)),
        ]
    );
    driven.input(read(vec![event(3)]));
    assert_eq!(driven.take(), [Output::Relay(event(3))]);
}

#[test]
fn without_a_usable_position_every_base_comes_first() {
    let mut driven = Driven::new(at(5), complete());
    driven.subscribe(None);
    driven.take();
    let bases = vec![base(1, 2), base(2, 0)];
    driven.input(Input::JoinedBases {
        bases: bases.clone(),
        backlog: vec![event(1), event(4)],
        head: at(5),
    });
    let mut expected: Vec<Output> = bases
        .into_iter()
        .map(|base| Output::Send(Frame::Snapshot(Box::new(base))))
        .collect();
    expected.extend([
        Output::Relay(event(1)),
        Output::Relay(event(4)),
        said(complete(), at(5)),
        Output::Send(Frame::SnapshotEnd { at: cursor(5) }),
    ]);
    assert_eq!(driven.take(), expected);
}

#[test]
fn the_end_of_the_replay_waits_for_the_guilds_that_discord_has_still_to_send() {
    let mut driven = Driven::subscribed(at(0), coming());
    assert_eq!(driven.take(), []);
    driven.input(Input::HeadMoved(at(1)));
    driven.take();
    driven.input(read(vec![event(1)]));
    assert_eq!(driven.take(), [Output::Relay(event(1))]);
    // The status overtakes the event that led to it; its head does not.
    driven.input(Input::StatusChanged {
        status: complete(),
        head: at(2),
    });
    assert_eq!(driven.take(), [Output::Read(at(1))]);
    driven.input(read(vec![event(2)]));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(2)),
            said(complete(), at(2)),
            Output::Send(Frame::SnapshotEnd { at: cursor(2) }),
        ]
    );
}

#[test]
fn the_end_of_the_replay_waits_ten_seconds_at_most() {
    let mut driven = Driven::subscribed(at(0), coming());
    for _ in 0..9 {
        driven.pass(Duration::from_secs(1));
        driven.input(SocketInput::BeatCame);
        driven.input(SocketInput::TimePassed);
        let ping = [Output::Ping, heads(0)];
        assert!(driven.take().iter().all(|output| ping.contains(output)));
    }
    driven.pass(Duration::from_secs(1));
    driven.input(SocketInput::TimePassed);
    let outputs = driven.take();
    assert!(outputs.ends_with(&[
        said(coming(), at(0)),
        Output::Send(Frame::SnapshotEnd { at: cursor(0) }),
    ]));
}

#[test]
fn a_status_is_said_behind_the_events_that_led_to_it() {
    let mut driven = Driven::following(at(0));
    driven.input(Input::StatusChanged {
        status: coming(),
        head: at(1),
    });
    assert_eq!(driven.take(), [Output::Read(at(0))]);
    driven.input(read(vec![event(1)]));
    let expected = [Output::Relay(event(1)), said(coming(), at(1))];
    assert_eq!(driven.take(), expected);
}

#[test]
fn the_next_batch_is_read_only_when_the_last_one_was_taken() {
    let mut driven = Driven::following(at(0));
    driven.input(Input::HeadMoved(at(1_000)));
    assert_eq!(driven.take(), [Output::Read(at(0))]);
    driven.input(Input::HeadMoved(at(1_001)));
    assert_eq!(driven.take(), [], "one read at a time");
    driven.input(read((1..=256).map(event).collect()));
    for seq in 1..=256 {
        assert_eq!(
            driven.machine.poll_output(),
            Some(Output::Relay(event(seq)))
        );
    }
    assert_eq!(driven.take(), [Output::Read(at(256))]);
    driven.input(read(Vec::new()));
    assert_eq!(
        driven.take(),
        [],
        "nothing there: wait for the log to say so"
    );
}

#[test]
fn an_attachment_that_fell_behind_the_log_is_told_to_come_back() {
    let mut driven = Driven::following(at(0));
    driven.input(Input::HeadMoved(at(9)));
    driven.take();
    driven.input(Input::LogExpired);
    assert_eq!(driven.ended_with("expired"), End::Expired);
}

#[test]
fn who_does_not_subscribe_in_time_is_sent_away() {
    let mut driven = Driven::new(at(0), complete());
    driven.pass(Duration::from_millis(9_999));
    driven.input(SocketInput::BeatCame);
    driven.input(SocketInput::TimePassed);
    assert!(driven.take().contains(&Output::Ping));
    driven.pass(Duration::from_millis(1));
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.ended_with("late"), End::Late);
}

#[test]
fn it_pings_every_five_seconds_and_counts_ten_of_silence_as_a_cut() {
    let mut driven = Driven::following(at(0));
    driven.pass(PING_EVERY);
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::Ping, heads(0)]);
    driven.input(SocketInput::BeatCame);
    driven.pass(PING_EVERY);
    driven.input(Input::HeadMoved(at(3)));
    driven.input(SocketInput::TimePassed);
    let outputs = [Output::Ping, heads(3), Output::Read(at(0))];
    assert_eq!(
        driven.take(),
        outputs,
        "where the log stands, whatever was sent"
    );
    // Half of the silence has passed.
    let rest = Duration::from_secs(5);
    assert_eq!(driven.machine.deadline(), Some(driven.now + rest));
    driven.pass(rest);
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::End(End::Silent)]);
    assert_eq!(driven.machine.deadline(), None);
}

#[test]
fn frames_out_of_turn_end_the_attachment_and_others_are_dropped() {
    for (frame, subscribed) in [
        (watch(1), false),
        (Frame::SnapshotEnd { at: cursor(0) }, false),
        (Frame::Subscribe { after: None }, true),
        (Frame::Heads { at: cursor(0) }, true),
    ] {
        let mut driven = if subscribed {
            Driven::following(at(0))
        } else {
            Driven::new(at(0), complete())
        };
        driven.take();
        driven.input(SocketInput::FrameCame(Ok(frame)));
        let violation = Violation::Unexpected;
        assert_eq!(driven.ended_with("protocol"), End::Violated(violation));
    }
    let mut driven = Driven::following(at(0));
    for (text, violation) in [
        ("{", Violation::Undecodable),
        (
            r#"{"type":"request","requestId":1}"#,
            Violation::Undecodable,
        ),
        (r#"{"type":"telepathy"}"#, Violation::UnknownType),
        (
            r#"{"type":"tell","data":{"kind":"gossip"}}"#,
            Violation::UnknownTell,
        ),
    ] {
        driven.input(SocketInput::FrameCame(Frame::decode(text)));
        assert_eq!(driven.take(), [Output::Report(violation)]);
    }
}

#[test]
fn an_error_is_the_last_that_the_other_end_says() {
    let mut driven = Driven::following(at(0));
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
        let mut driven = Driven::following(at(0));
        driven.input(input);
        assert_eq!(driven.ended_with("protocol").close_code(), Some(code));
    }
}

#[test]
fn the_ends_that_nobody_hears_are_not_announced() {
    for (input, end, code) in [
        (SocketInput::ConnectionLost, End::Lost, None),
        (SocketInput::WriteStalled, End::Stalled, None),
        (SocketInput::StopAsked, End::Stopped, Some(1001)),
    ] {
        let mut driven = Driven::following(at(0));
        driven.input(input);
        assert_eq!(driven.take(), [Output::End(end)]);
        assert_eq!(end.close_code(), code);
        driven.input(SocketInput::FrameCame(Ok(watch(1))));
        driven.input(Input::HeadMoved(at(9)));
        assert_eq!(driven.take(), [], "after the end there is nothing");
    }
}

proptest! {
    #[test]
    fn any_inputs_lead_to_legal_outputs(
        inputs in vec((inputs(), 0..4_000_u64, 0..8_usize), 0..80)
    ) {
        let mut driven = Driven::new(at(0), coming());
        let mut legal = Legal::default();
        for (input, millis, most) in inputs {
            driven.pass(Duration::from_millis(millis));
            driven.input(input);
            for _ in 0..most {
                driven.machine.poll_output().iter().for_each(|output| legal.check(output));
            }
        }
        driven.input(SocketInput::ConnectionLost);
        driven.take().iter().for_each(|output| legal.check(output));
        prop_assert_eq!(legal.stage, Stage::Ended);
        prop_assert_eq!(driven.machine.deadline(), None);
    }
}

/// What a driver and a web role may rely on, whatever the web role says.
#[derive(Default)]
struct Legal {
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Silent,
    Greeted,
    Joined,
    Told,
    Relaying,
    Complete,
    Ended,
}

impl Legal {
    fn check(&mut self, output: &Output) {
        let stage = self.stage;
        let (legal, next) = match output {
            Output::Send(Frame::Hello { .. }) => (stage == Stage::Silent, Stage::Greeted),
            Output::Join { .. } => (stage == Stage::Greeted, Stage::Joined),
            Output::Send(Frame::Tell(Tell::Revoked { more: false, .. })) => {
                (stage >= Stage::Joined, stage.max(Stage::Told))
            }
            Output::Send(Frame::Snapshot(_)) => (stage == Stage::Told, stage),
            Output::Relay(_) => (stage >= Stage::Told, stage.max(Stage::Relaying)),
            Output::Send(Frame::SnapshotEnd { .. }) => (
                (Stage::Told..Stage::Complete).contains(&stage),
                Stage::Complete,
            ),
            Output::End(_) => (true, Stage::Ended),
            _ => (stage >= Stage::Greeted, stage),
        };
        assert!(legal && stage < Stage::Ended, "{output:?} when {stage:?}");
        self.stage = next;
    }
}

fn inputs() -> impl Strategy<Value = Input> {
    let seqs = || 0..6_u64;
    let frames = prop_oneof![
        4 => option::of(seqs()).prop_map(|seq| Frame::Subscribe { after: seq.map(cursor) }),
        2 => any::<u64>().prop_map(watch),
        1 => Just(Frame::Unknown),
        1 => Just(Frame::Heads { at: cursor(0) }),
    ];
    prop_oneof![
        8 => frames.prop_map(|frame| SocketInput::FrameCame(Ok(frame)).into()),
        2 => LazyJust::new(|| SocketInput::FrameCame(Frame::decode("{")).into()),
        3 => LazyJust::new(|| SocketInput::BeatCame.into()),
        3 => LazyJust::new(|| SocketInput::TimePassed.into()),
        2 => (seqs(), seqs())
            .prop_map(|(after, head)| Input::JoinedAfter { after: at(after), head: at(head) }),
        2 => (vec(seqs(), 0..3), seqs(), vec(seqs(), 0..3)).prop_map(|(floors, head, events)| {
            Input::JoinedBases {
                bases: floors.into_iter().map(|floor| base(floor, floor)).collect(),
                backlog: events.into_iter().map(event).collect(),
                head: at(head),
            }
        }),
        4 => vec(seqs(), 0..4)
            .prop_map(|seqs| read(seqs.into_iter().map(event).collect())),
        4 => seqs().prop_map(|seq| Input::HeadMoved(at(seq))),
        2 => seqs().prop_map(Input::RevokedMoved),
        4 => (seqs(), any::<bool>()).prop_map(|(end, more)| Input::RevokedRead {
            revocations: vec![Revocation::Everybody { not_before: end }],
            end,
            more,
        }),
        2 => (any::<bool>(), seqs()).prop_map(|(all, head)| Input::StatusChanged {
            status: if all { complete() } else { coming() },
            head: at(head),
        }),
        1 => LazyJust::new(|| Input::LogExpired),
        1 => LazyJust::new(|| SocketInput::BinaryCame.into()),
    ]
}

struct Driven {
    machine: Sender,
    now: Instant,
}

impl Driven {
    #[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
    fn new(head: Position, status: DiscordStatus) -> Self {
        let now = Instant::now();
        let mut machine = Sender::new(head.into(), now);
        machine.handle(Input::StatusChanged { status, head }, now);
        Self { machine, now }
    }

    fn subscribed(head: Position, status: DiscordStatus) -> Self {
        let mut driven = Self::new(head, status);
        driven.subscribe(Some(head));
        driven.take();
        driven.input(Input::JoinedAfter { after: head, head });
        driven
    }

    fn following(head: Position) -> Self {
        let mut driven = Self::subscribed(head, complete());
        driven.take();
        driven
    }

    fn subscribe(&mut self, after: Option<Position>) {
        self.input(SocketInput::FrameCame(Ok(Frame::Subscribe {
            after: after.map(Cursor::from),
        })));
    }

    fn input(&mut self, input: impl Into<Input>) {
        self.machine.handle(input, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// All there is to do. Nothing was revoked, which is told once, and not shown here.
    fn take(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(output) = self.next() {
            outputs.push(output);
        }
        outputs
    }

    fn next(&mut self) -> Option<Output> {
        loop {
            match self.machine.poll_output()? {
                Output::ReadRevoked(after) => self.input(nothing_revoked(after)),
                Output::Send(Frame::Tell(Tell::Revoked { .. })) => {}
                output => return Some(output),
            }
        }
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

fn nothing_revoked(after: u64) -> Input {
    Input::RevokedRead {
        revocations: Vec::new(),
        end: after,
        more: false,
    }
}

fn said_hello(head: Position) -> Output {
    let heads = head.into();
    Output::Send(Frame::Hello { heads })
}

fn said(status: DiscordStatus, at: Position) -> Output {
    Output::Send(Frame::Status(LogStatus { at, status }))
}

fn heads(seq: u64) -> Output {
    Output::Send(Frame::Heads { at: cursor(seq) })
}

fn read(events: Vec<Arc<SealedEvent>>) -> Input {
    let log = events.first().map_or(LogId(0), |first| first.at.log);
    Input::EventsRead { log, events }
}

fn watch(id: u64) -> Frame {
    watch_until(id, Duration::from_secs(5))
}

fn watch_until(id: u64, deadline: Duration) -> Frame {
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

fn cursor(seq: u64) -> Cursor {
    at(seq).into()
}

fn base(guild: u64, floor: u64) -> Base {
    Base {
        guild_id: GuildId(guild),
        floor: at(floor),
        guild: None,
    }
}

fn event(seq: u64) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(Envelope {
        at: at(seq),
        more: false,
        event: Event {
            guild_id: GuildId(1),
            ts: seq,
            synthetic: false,
            change: Change::GuildUnavailable,
        },
    }))
}

fn complete() -> DiscordStatus {
    DiscordStatus {
        discord: Discord::Live,
        since: 1,
        guild_ids: Vec::new(),
        complete: true,
    }
}

fn coming() -> DiscordStatus {
    DiscordStatus {
        complete: false,
        guild_ids: vec![GuildId(2)],
        ..complete()
    }
}

fn at(seq: u64) -> Position {
    Position::start(LogId(0), EPOCH).at(seq)
}
