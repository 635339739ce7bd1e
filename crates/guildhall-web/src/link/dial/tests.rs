//! The driver against a gateway that is the other machine on a real loopback socket.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    net::SocketAddr,
};

use guildhall_http::Secret;
use guildhall_link::{
    frame::{Base, Discord, DiscordStatus, Opening, VERSION, Watched},
    sender,
};
use guildhall_model::{
    Change, Envelope, Event, Guild, GuildId, LogId, Position, Revocation, SealedEvent, UserId,
    guild::GuildInfo,
};
use guildhall_ports::{
    Condition, GatewayRegistry, LinkAddress, SessionStore, SystemClock,
    memory::SingleInstanceRegistry,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::handshake::server::{ErrorResponse, Request, Response},
};

use super::*;
use crate::{
    Config,
    config::tests::ports,
    fanout::Fanout,
    link::{Link, Tcp, open},
    replica::{Bounds, Replica},
    stream::tests::harness::config,
};

/// Registries of all kinds.
mod registries;
/// What was revoked.
mod revocations;
/// Who looks at which room.
mod viewers;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_follows_the_log_and_goes_on_from_its_position_after_a_cut() {
    let house = House::open().await;
    let mut gateway = house.accept().await;
    gateway.greet(at(2));
    assert_eq!(gateway.next().await, joins(None));
    gateway.input(sender::Input::JoinedBases {
        bases: vec![base()],
        backlog: vec![event(2)],
        head: at(2),
    });
    gateway.run_until(house.reaches(at(2))).await;
    assert!(house.replica.freshness().link_is_up());
    assert_eq!(house.link.check().condition, Condition::Passing);

    drop(gateway);
    let mut gateway = house.accept().await;
    assert!(!house.replica.freshness().link_is_up());
    gateway.greet(at(3));
    assert_eq!(gateway.next().await, joins(Some(at(2))));
    gateway.input(sender::Input::JoinedAfter {
        after: at(2),
        head: at(3),
    });
    assert_eq!(gateway.next().await, sender::Output::Read(at(2)));
    gateway.input(sender::Input::EventsRead {
        log: LogId(0),
        events: vec![event(3)],
    });
    gateway.run_until(house.is(&LinkHealth::Up)).await;
    assert_eq!(house.replica.positions(), Some(at(3).into()));
    assert_eq!(name_of(&house.replica), "name 3");
}

#[tokio::test]
async fn a_hole_in_the_log_makes_it_ask_for_everything() {
    let house = House::open().await;
    let mut gateway = house.accept().await;
    gateway.greet(at(1));
    gateway.next().await;
    gateway.input(sender::Input::JoinedBases {
        bases: vec![base()],
        backlog: Vec::new(),
        head: at(1),
    });
    gateway.run_until(house.reaches(at(1))).await;
    gateway.say(&Frame::Event((**event(3)).clone())).await;
    gateway
        .run_until(house.is(&LinkHealth::Ended(End::OutOfOrder)))
        .await;

    let mut gateway = house.accept().await;
    gateway.greet(at(3));
    assert_eq!(gateway.next().await, joins(None));
    assert_eq!(
        house.replica.positions(),
        Some(at(1).into()),
        "it serves what it has meanwhile"
    );
}

#[tokio::test]
async fn a_watch_is_answered_by_the_gateway_or_by_nobody_at_once() {
    let house = House::open().await;
    assert!(house.watch().await.is_err(), "nobody is connected yet");
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    gateway.next().await;
    gateway.input(sender::Input::JoinedBases {
        bases: Vec::new(),
        backlog: Vec::new(),
        head: at(0),
    });
    gateway.run_until(house.reaches(at(0))).await;

    let answer = || Watched {
        at: at(0).into(),
        failed: vec![GuildId(2)],
    };
    let gateway_answers = async {
        let sender::Output::Watch { request_id, .. } = gateway.next().await else {
            panic!("no watch")
        };
        gateway.input(sender::Input::Watched {
            request_id,
            watched: answer(),
        });
        gateway.run_until(pending::<()>()).await;
    };
    let watched = select! {
        watched = house.watch() => watched.expect("answered"),
        () = gateway_answers => unreachable!("it runs for ever"),
    };
    assert_eq!(watched, answer());

    let (asked, ()) = tokio::join!(house.watch(), async {
        gateway.next().await;
        drop(gateway);
    });
    assert!(asked.is_err(), "who waits when the link falls is told");
}

#[tokio::test]
async fn a_refused_token_is_named_and_it_goes_on_trying() {
    let house = House::open_with("another-token-that-is-long-enough").await;
    for _ in 0..2 {
        assert!(house.accept_or_refuse().await.is_none());
    }
    house.is(&LinkHealth::Unauthorized).await;
    let check = house.link.check();
    assert_eq!(check.condition, Condition::Degraded);
    assert!(check.detail.contains("THE_TOKEN"), "{}", check.detail);
    assert!(!check.detail.contains("another-token"), "{}", check.detail);
}

#[tokio::test]
async fn a_gateway_of_another_version_is_named_and_it_goes_on_trying() {
    let house = House::open().await;
    let (opening, version) = (Opening::Hello, VERSION + 1);
    for _ in 0..2 {
        let mut gateway = house.accept().await;
        gateway.say(&Frame::OtherVersion { opening, version }).await;
        let said = gateway
            .socket
            .next()
            .await
            .expect("an answer")
            .expect("a message");
        let said = Frame::decode(said.to_text().expect("a text")).expect("a frame");
        assert!(matches!(said, Frame::Error { code, .. } if code == "version"));
    }
    let theirs = version;
    house
        .is(&LinkHealth::Ended(End::Version { opening, theirs }))
        .await;
    assert!(house.link.check().detail.contains("same release"));
}

#[tokio::test]
async fn a_gateway_of_version_1_is_named_and_one_of_today_is_followed_after_it() {
    let house = House::open().await;
    let hello = RECORDED.lines().next().expect("it begins with its hello");
    for _ in 0..2 {
        let mut gateway = house.accept().await;
        let said = Message::text(hello);
        gateway.socket.send(said).await.expect("sent");
        let said = gateway.socket.next().await.expect("an answer");
        let said = said.expect("a message").into_text().expect("a text");
        let said = Frame::decode(&said).expect("a frame");
        assert!(matches!(said, Frame::Error { code, .. } if code == "version"));
    }
    let (opening, theirs) = (Opening::Hello, 1);
    let refused = LinkHealth::Ended(End::Version { opening, theirs });
    house.is(&refused).await;
    let detail = house.link.check().detail;
    assert!(detail.contains("gateway speaks version 1"), "{detail}");
    assert!(detail.contains("web role version 2"), "{detail}");

    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    gateway.next().await;
    gateway.input(sender::Input::JoinedBases {
        bases: Vec::new(),
        backlog: Vec::new(),
        head: at(0),
    });
    gateway.run_until(house.reaches(at(0))).await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named_as_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let house = House::dial(address, TOKEN);
    let mut health = house.link.health.clone();
    let unreachable = health.wait_for(|health| matches!(health, LinkHealth::Unreachable(_)));
    timeout(PATIENCE, unreachable)
        .await
        .expect("in time")
        .expect("the task runs");
    let detail = house.link.check().detail;
    assert!(detail.contains("THE_GATEWAY"), "{detail}");
    assert_eq!(detail.matches("refused").count(), 1, "said once: {detail}");
}

#[tokio::test]
async fn asked_to_stop_it_says_goodbye_and_ends() {
    let mut house = House::open().await;
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    gateway.next().await;
    house.stop.cancel();
    let close = loop {
        match gateway.socket.next().await {
            Some(Ok(Message::Close(close))) => break close,
            Some(Ok(_)) => {}
            other => panic!("no goodbye: {other:?}"),
        }
    };
    assert_eq!(close.map(|close| u16::from(close.code)), Some(1001));
    let ended = timeout(PATIENCE, house.tasks.join_next())
        .await
        .expect("in time");
    ended.expect("a task").expect("no panic");
}

/// What a gateway of version 1 said.
const RECORDED: &str = include_str!("../../../../../fixtures/link/version-1-gateway.jsonl");

const TOKEN: &str = "a-token-of-more-than-thirty-two-characters";

/// The web role's end, with a replica behind it.
struct House {
    listener: Option<TcpListener>,
    replica: Replica,
    viewers: RoomViewers,
    sessions: Arc<dyn SessionStore>,
    link: Link,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl House {
    async fn open() -> Self {
        Self::open_with(TOKEN).await
    }

    async fn open_with(token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut house = Self::dial(listener.local_addr().expect("bound"), token);
        house.listener = Some(listener);
        house
    }

    fn dial(address: SocketAddr, token: &str) -> Self {
        let gateway = LinkAddress::new(format!("ws://{address}/link"));
        Self::dial_by(Arc::new(SingleInstanceRegistry::at(gateway)), token)
    }

    fn dial_by(registry: Arc<dyn GatewayRegistry>, token: &str) -> Self {
        let token: Secret = token.parse().expect("visible ASCII");
        let config = Config {
            link_token: token.try_into().expect("long enough"),
            ..config()
        };
        let (publisher, fanout) = Fanout::new(Bounds::of(100));
        let mut ports = ports(Arc::new(SystemClock));
        ports.gateways = registry;
        let (link, dialler) = open(&config, publisher, &ports, Arc::new(Tcp));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(dialler.run(stop.clone()));
        Self {
            listener: None,
            replica: fanout.replica().clone(),
            viewers: fanout.room_viewers(),
            sessions: ports.sessions,
            link,
            stop,
            tasks,
        }
    }

    /// Waits until operators are told so.
    async fn says(&self, why: &str) {
        let mut health = self.link.health.clone();
        let so = |health: &LinkHealth| format!("{health:?}").contains(why);
        let said = timeout(PATIENCE, health.wait_for(so)).await;
        said.expect("in time").expect("it dials");
    }

    async fn accept(&self) -> Gateway {
        self.accept_or_refuse().await.expect("the right token")
    }

    #[expect(clippy::result_large_err, reason = "the library's signature")]
    async fn accept_or_refuse(&self) -> Option<Gateway> {
        let check = |request: &Request, response: Response| {
            let right = format!("Bearer {TOKEN}");
            let said = request.headers().get(header::AUTHORIZATION);
            if said.is_some_and(|said| said.as_bytes() == right.as_bytes()) {
                return Ok(response);
            }
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            Err(refusal)
        };
        let accepting = async {
            let listener = self.listener.as_ref().expect("somebody listens");
            let (stream, _) = listener.accept().await.expect("a connection");
            accept_hdr_async(stream, check).await.ok()
        };
        let socket = timeout(PATIENCE, accepting)
            .await
            .expect("dialled in time")?;
        Some(Gateway {
            socket,
            machine: sender::Sender::new(at(0).into(), now()),
            told: VecDeque::new(),
            revoked: Vec::new(),
        })
    }

    async fn watch(&self) -> Result<Watched, crate::link::GatewayUnavailable> {
        self.link
            .watch(UserId(1), vec![GuildId(1), GuildId(2)])
            .await
    }

    async fn reaches(&self, position: Position) {
        self.replica.reached(&position.into()).await;
        self.is(&LinkHealth::Up).await;
    }

    async fn is(&self, expected: &LinkHealth) {
        let mut health = self.link.health.clone();
        let waiting = health.wait_for(|health| health == expected);
        let waited = timeout(PATIENCE, waiting).await;
        waited.expect("in time").expect("the task runs");
    }
}

/// The gateway's end: its machine on a socket, and the test as its log.
struct Gateway {
    socket: WebSocketStream<TcpStream>,
    machine: sender::Sender,
    /// Tables of viewers that nobody has looked at.
    told: VecDeque<ViewerTable>,
    /// What it keeps.
    revoked: Vec<Revocation>,
}

impl Gateway {
    fn greet(&mut self, head: Position) {
        self.machine = sender::Sender::new(head.into(), now());
        let status = live();
        self.input(sender::Input::StatusChanged { status, head });
    }

    fn input(&mut self, input: impl Into<sender::Input>) {
        self.machine.handle(input, now());
    }

    async fn say(&mut self, frame: &Frame) {
        let text = Message::text(frame.encode(1));
        self.socket.send(text).await.expect("sent");
    }

    fn read_revoked(&mut self, after: u64) {
        let known = usize::try_from(after).expect("few");
        let revocations = self.revoked[known..].to_vec();
        let end = self.revoked.len() as u64;
        self.input(sender::Input::RevokedRead {
            revocations,
            end,
            more: false,
        });
    }

    /// The next output that is the log's or the sequencer's to answer.
    async fn next(&mut self) -> sender::Output {
        let next = async {
            loop {
                match self.run().await {
                    sender::Output::Viewers(table) => self.told.push_back(table),
                    output => return output,
                }
            }
        };
        timeout(PATIENCE, next).await.expect("in time")
    }

    /// Goes on until something has come true; then all that was to be sent is sent.
    async fn run_until(&mut self, done: impl Future<Output = ()>) {
        let mut done = pin!(done);
        loop {
            select! {
                output = self.run() => match output {
                    sender::Output::Viewers(table) => self.told.push_back(table),
                    output => panic!("not expected: {output:?}"),
                },
                () = &mut done => return,
            }
        }
    }

    async fn run(&mut self) -> sender::Output {
        loop {
            while let Some(output) = self.machine.poll_output() {
                match output {
                    sender::Output::Send(frame) => self.say(&frame).await,
                    sender::Output::Relay(event) => {
                        self.say(&Frame::Event((**event).clone())).await;
                    }
                    // What the web role says on its way out is not looked at here.
                    sender::Output::Ping | sender::Output::PeerFailed { .. } => {}
                    sender::Output::ReadRevoked(after) => self.read_revoked(after),
                    sender::Output::End(_) => pending().await,
                    output => return output,
                }
            }
            let input = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    SocketInput::FrameCame(Frame::decode(text.as_str()))
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => SocketInput::BeatCame,
                _ => SocketInput::ConnectionLost,
            };
            self.input(input);
        }
    }
}

fn joins(after: Option<Position>) -> sender::Output {
    let log = LogId(0);
    sender::Output::Join { log, after }
}

fn name_of(replica: &Replica) -> String {
    let logs = replica.read();
    let guild = logs.guild(GuildId(1)).and_then(|log| log.guild());
    guild.expect("the guild").info.name.clone()
}

fn base() -> Base {
    Base {
        guild_id: GuildId(1),
        floor: at(1),
        guild: Some(Guild {
            info: info("name 1"),
            available: true,
            owner_id: UserId(1),
            roles: BTreeMap::new(),
            categories: BTreeMap::new(),
            rooms: BTreeMap::new(),
            voice: BTreeMap::new(),
            pending_voice: BTreeMap::new(),
            memberships: BTreeMap::new(),
        }),
    }
}

fn event(seq: u64) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(Envelope {
        at: at(seq),
        more: false,
        event: Event {
            guild_id: GuildId(1),
            ts: 1,
            synthetic: false,
            change: Change::GuildUpdated(info(&format!("name {seq}"))),
        },
    }))
}

fn info(name: &str) -> GuildInfo {
    GuildInfo {
        name: name.to_owned(),
        icon: None,
    }
}

fn live() -> DiscordStatus {
    DiscordStatus {
        discord: Discord::Live,
        since: 1,
        guild_ids: Vec::new(),
        complete: true,
    }
}

fn at(seq: u64) -> Position {
    Position::start(LogId(0), 1_000).at(seq)
}
