//! The driver against a web role that is the other machine on a real loopback socket.

/// Several logs.
mod logs;
/// What was revoked.
mod revocations;
/// A web role of version 1.
mod version_1;

use std::net::SocketAddr;

use axum::{Router, extract::WebSocketUpgrade, routing::any};
use futures_util::StreamExt;
use guildhall_link::{
    attachment::MESSAGE_BYTES_TO_GATEWAY,
    frame::{Discord, DiscordStatus, LogStatus, ReplyBody},
    receiver::{self, Receiver},
};
use guildhall_model::{
    Change, Cursor, Envelope, Event, GuildId, LogId, Position, UserId, guild::GuildInfo,
};
use guildhall_ports::ManualClock;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as ClientMessage,
};
use tokio_util::task::TaskTracker;

use super::*;
use crate::{
    ShardId, inbox,
    link::AttachedLog,
    log::{Log, Retention, tests::write},
    revocations::{RevocationWriterExit, tests::NOW},
    sequencer::Sequencer,
};

const PATIENCE: Duration = Duration::from_secs(20);

type Output = receiver::Output<u64>;

#[tokio::test]
async fn a_web_role_gets_everything_then_what_happens_then_what_it_missed() {
    let harness = Harness::open().await;
    harness.append(3);
    let mut web = harness.dial(None).await;
    assert_eq!(web.next().await, Output::Begin(LogId(0)));
    assert!(matches!(web.next().await, Output::Base(base) if base.guild_id == GuildId(1)));
    web.expect_events(1..=3).await;
    assert_eq!(web.next().await, said(true, 3));
    assert_eq!(web.next().await, Output::Complete(at(3).into()));
    harness.append(1);
    web.expect_events(4..=4).await;
    harness.status.send_replace(status(false));
    assert_eq!(web.next().await, said(false, 4));
    harness.status.send_replace(status(true));
    drop(web);

    harness.append(2);
    let mut web = harness.dial(Some(at(4))).await;
    web.expect_events(5..=6).await;
    assert_eq!(web.next().await, said(true, 6));
    assert_eq!(web.next().await, Output::Complete(at(6).into()));
}

#[tokio::test]
async fn thousands_of_events_come_whole_and_in_order_while_the_log_grows() {
    let harness = Harness::open().await;
    harness.append(3_000);
    let mut web = harness.dial(Some(at(0))).await;
    harness.append(1_000);
    let mut next = 1;
    while next <= 4_000 {
        match web.next().await {
            Output::Apply(group) => {
                assert_eq!(places(&group), [at(next)]);
                next += 1;
            }
            Output::Status(_) | Output::Complete(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_replay_ends_when_discord_has_sent_its_guilds() {
    let harness = Harness::open().await;
    harness.status.send_replace(status(false));
    let mut web = harness.dial(Some(at(0))).await;
    harness.append(1);
    web.expect_events(1..=1).await;
    harness.append(1);
    harness.status.send_replace(status(true));
    web.expect_events(2..=2).await;
    assert_eq!(web.next().await, said(true, 2));
    assert_eq!(web.next().await, Output::Complete(at(2).into()));
}

#[tokio::test]
async fn a_watch_without_a_sequencer_failed_everywhere() {
    let mut harness = Harness::open().await;
    let mut web = harness.dial(Some(at(0))).await;
    assert!(matches!(web.next().await, Output::Status(_)));
    assert_eq!(web.next().await, Output::Complete(at(0).into()));
    // As when the gateway is about to stop.
    harness.sequencer_inbox.take();
    let ask = receiver::Input::WatchAsked {
        user_id: UserId(1),
        guild_ids: vec![GuildId(1), GuildId(2)],
        due: now() + PATIENCE,
        reply: 70,
    };
    web.machine.handle(ask, now());
    let Output::Answer {
        reply,
        answer: Ok(ReplyBody::Watched(watched)),
    } = web.next().await
    else {
        panic!("no answer")
    };
    assert_eq!(watched.at, at(0).into());
    assert_eq!((reply, watched.failed), (70, vec![GuildId(1), GuildId(2)]));
}

#[tokio::test]
async fn what_breaks_the_rules_is_told_so_and_closed() {
    let too_big = "x".repeat(MESSAGE_BYTES_TO_GATEWAY + 1);
    let cases = [
        (ClientMessage::binary(vec![1]), 1003),
        (ClientMessage::text(too_big), 1009),
        (
            ClientMessage::text(Frame::Heads { at: at(0).into() }.encode(1)),
            1002,
        ),
    ];
    let harness = Harness::open().await;
    for (message, code) in cases {
        let mut socket = harness.connect().await;
        socket.send(message).await.expect("sent");
        let (frames, closed) = frames_until_close(&mut socket).await;
        assert!(
            matches!(&frames[..], [Frame::Hello { .. }, Frame::Error { code, .. }] if code == "protocol"),
            "{frames:?}"
        );
        assert_eq!(closed, Some(code));
    }
}

#[tokio::test]
async fn asked_to_stop_it_says_goodbye() {
    let harness = Harness::open().await;
    let mut socket = harness.connect().await;
    harness.stop.cancel();
    assert_eq!(frames_until_close(&mut socket).await.1, Some(1001));
}

#[tokio::test]
async fn a_web_role_that_reads_no_more_does_not_delay_a_stop() {
    let harness = Harness::open().await;
    // More than the kernel takes for both ends.
    harness.append_large(300, 100_000);
    let mut socket = harness.connect().await;
    let subscribe = Frame::Subscribe {
        after: Some(at(0).into()),
    };
    let subscribe = ClientMessage::text(subscribe.encode(1));
    socket.send(subscribe).await.expect("sent");
    for _hello_then_the_first_event in 0..2 {
        socket.next().await.expect("open").expect("a frame");
    }
    harness.stop.cancel();
    harness.attachments.close();
    timeout(WRITE_LIMIT / 2, harness.attachments.wait())
        .await
        .expect("ended in time");
}

/// A gateway that is nothing but its log and its listener.
struct Harness {
    address: SocketAddr,
    log: Log,
    status: watch::Sender<DiscordStatus>,
    sequencer_inbox: Option<SequencerInbox>,
    others: Vec<HarnessLog>,
    revocations: KeptRevocations,
    stop: CancellationToken,
    attachments: TaskTracker,
    _serving: JoinSet<()>,
}

/// One of its logs.
struct HarnessLog {
    log: Log,
    status: watch::Sender<DiscordStatus>,
    sequencer_inbox: Option<SequencerInbox>,
}

type SequencerInbox = mpsc::Receiver<inbox::Input>;

impl HarnessLog {
    fn new(shard: ShardId, all: &mut Vec<AttachedLog>) -> Self {
        let retention = Retention {
            records_per_guild: 10_000,
            bytes: 64 << 20,
            bytes_per_guild: 64 << 20,
        };
        let log = crate::log::tests::log(Position::start(LogId(shard.number), 1_000), retention);
        let (status, status_receiver) = watch::channel(status(true));
        let (sequencer, sequencer_inbox) = Sequencer::new();
        all.push(AttachedLog {
            shard,
            log: log.clone(),
            sequencer,
            status: status_receiver,
        });
        Self {
            log,
            status,
            sequencer_inbox: Some(sequencer_inbox),
        }
    }

    fn append(&self, guild: u64, count: usize) {
        let event = Event {
            guild_id: GuildId(guild),
            ts: 1,
            synthetic: false,
            change: Change::GuildUnavailable,
        };
        let events = std::iter::repeat_n(event, count).collect();
        write(&self.log, self.log.head(), events).expect("the only writer");
    }
}

impl Harness {
    async fn open() -> Self {
        Self::open_with(0).await
    }

    /// With so many logs more.
    async fn open_with(others: u16) -> Self {
        let mut all = Vec::new();
        let mut logs: Vec<HarnessLog> = (0..=others)
            .map(|number| {
                let count = others + 1;
                HarnessLog::new(ShardId { number, count }, &mut all)
            })
            .collect();
        let HarnessLog {
            log,
            status,
            sequencer_inbox,
        } = logs.remove(0);
        let stop = CancellationToken::new();
        let (revocations, writer) = crate::revocations::tests::begun();
        let harness = AttachmentContext {
            logs: AttachedLogs::new(all),
            executor: Executor::new().0,
            viewers: ViewerTables::new(),
            revocations: revocations.clone(),
            clock: Arc::new(ManualClock::at(NOW + 1)),
        };
        let attachments = TaskTracker::new();
        let (ending, attached) = (stop.clone(), attachments.clone());
        let upgrade = any(async move |upgrade: WebSocketUpgrade| {
            upgrade
                .max_message_size(MESSAGE_BYTES_TO_GATEWAY)
                .on_upgrade(move |socket| {
                    attached.track_future(serve_attachment(socket, harness, ending))
                })
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut serving = JoinSet::new();
        let keeping = writer.run(stop.clone());
        serving.spawn(async { assert_eq!(keeping.await, RevocationWriterExit::Stopped) });
        serving.spawn(async move {
            let router = Router::new().route("/link", upgrade);
            axum::serve(listener, router).await.expect("served");
        });
        Self {
            address,
            log,
            status,
            sequencer_inbox,
            others: logs,
            revocations,
            stop,
            attachments,
            _serving: serving,
        }
    }

    fn append(&self, count: usize) {
        self.append_each(count, Change::GuildUnavailable);
    }

    fn append_large(&self, count: usize, bytes: usize) {
        let info = GuildInfo {
            name: "x".repeat(bytes),
            icon: None,
        };
        self.append_each(count, Change::GuildUpdated(info));
    }

    fn append_each(&self, count: usize, change: Change) {
        let event = Event {
            guild_id: GuildId(1),
            ts: 1,
            synthetic: false,
            change,
        };
        let events = std::iter::repeat_n(event, count).collect();
        write(&self.log, self.log.head(), events).expect("the only writer");
    }

    async fn connect(&self) -> Socket {
        let url = format!("ws://{}/link", self.address);
        connect_async(url).await.expect("connected").0
    }

    async fn dial(&self, after: Option<Position>) -> WebRole {
        WebRole {
            socket: self.connect().await,
            machine: Receiver::new(after.map(Cursor::from), now()),
            revoked: Vec::new(),
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The web role's end: its machine on a socket, and the test as its replica.
struct WebRole {
    socket: Socket,
    machine: Receiver<u64>,
    /// What it was told.
    revoked: Vec<Revocation>,
}

impl WebRole {
    /// The next output that is the replica's.
    async fn next(&mut self) -> Output {
        timeout(PATIENCE, self.run()).await.expect("in time")
    }

    async fn expect_events(&mut self, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            match self.next().await {
                Output::Apply(group) => assert_eq!(places(&group), [at(seq)]),
                other => panic!("not the event {seq}: {other:?}"),
            }
        }
    }

    async fn run(&mut self) -> Output {
        loop {
            while let Some(output) = self.machine.poll_output() {
                match output {
                    Output::Send(frame) => {
                        let text = ClientMessage::text(frame.encode(1));
                        self.socket.send(text).await.expect("sent");
                    }
                    Output::Ping | Output::Heads(_) | Output::AllRevokedTold => {}
                    Output::Revoked(revocations) => self.revoked.extend(revocations),
                    output => return output,
                }
            }
            let input = match self.socket.next().await {
                Some(Ok(ClientMessage::Text(text))) => {
                    SocketInput::FrameCame(Frame::decode(text.as_str()))
                }
                Some(Ok(ClientMessage::Ping(_) | ClientMessage::Pong(_))) => SocketInput::BeatCame,
                _ => SocketInput::ConnectionLost,
            };
            self.machine.handle(input, now());
        }
    }
}

async fn frames_until_close(socket: &mut Socket) -> (Vec<Frame>, Option<u16>) {
    let mut frames = Vec::new();
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("in time");
        match message
            .expect("a close frame")
            .expect("no reset before the close frame")
        {
            ClientMessage::Text(text) => {
                frames.push(Frame::decode(text.as_str()).expect("a frame"));
            }
            ClientMessage::Close(close) => {
                return (frames, close.map(|close| close.code.into()));
            }
            _ => {}
        }
    }
}

fn status(complete: bool) -> DiscordStatus {
    DiscordStatus {
        discord: Discord::Live,
        since: 1,
        guild_ids: Vec::new(),
        complete,
    }
}

fn said(complete: bool, seq: u64) -> Output {
    Output::Status(LogStatus {
        at: at(seq),
        status: status(complete),
    })
}

fn places(group: &[Envelope]) -> Vec<Position> {
    group.iter().map(|envelope| envelope.at).collect()
}

fn at(seq: u64) -> Position {
    Position::start(LogId(0), 1_000).at(seq)
}
