use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

use futures_util::{SinkExt, StreamExt};
use guildhall_http::{Secret, StrongSecret};
use guildhall_link::{
    Frame,
    frame::{Reply, ReplyBody, Request, RequestBody, WatchRequestBody, Watched},
};
use guildhall_model::{Change, Envelope, GuildId, RoleId, UserId, guild::Membership};
use guildhall_ports::{
    Condition, ManualClock,
    memory::{
        InMemoryEventBus, MemoryCommandJournal, MemoryJournals, MemoryRevocationStore,
        MemoryRoomStore, NoOpEventStore, SingleInstanceRegistry,
    },
};
use serde_json::json;
use tokio::{net::TcpStream, select, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::*;
use crate::{
    Intents, Limits, RoomSettings,
    config::tests::NAMES,
    shard::tests::discord::{Discord as FalseDiscord, PATIENCE, Peer},
};

fn watch(id: u64, user_id: UserId, guild_ids: Vec<GuildId>) -> Frame {
    Frame::Request(Request {
        id,
        deadline: PATIENCE,
        body: RequestBody::Watch(WatchRequestBody { user_id, guild_ids }),
    })
}

fn watched(reply: Reply) -> Watched {
    match reply.result {
        Ok(ReplyBody::Watched(watched)) => watched,
        other => panic!("no answer: {other:?}"),
    }
}

/// Registries that answer late, or not at all.
mod registries;

const TOKEN: &str = "a-link-token-of-at-least-32-characters";

#[tokio::test]
async fn a_voice_join_and_the_rights_of_a_viewer_reach_a_web_role() {
    let discord = FalseDiscord::new().await;
    let harness = Harness::new(config(&discord)).await;
    let mut peer = with_a_guild(&discord).await;
    let mut web = harness.attach().await;
    let Frame::Hello { .. } = web.frame().await else {
        panic!("hello comes first")
    };
    web.subscribe().await;

    let state = json!({"guild_id": "1", "user_id": "7", "channel_id": "9"});
    peer.dispatch(3, "VOICE_STATE_UPDATE", &state).await;
    web.until_change(|change| matches!(change, Change::VoiceJoined(_)))
        .await;

    web.say(&watch(3, UserId(7), vec![GuildId(1), GuildId(2)]))
        .await;
    let is = Some(Membership::member(vec![RoleId(4)]));
    let (mut replied, mut told) = (None, None);
    while replied.is_none() || told.is_none() {
        match web.frame().await {
            Frame::Reply(reply) => replied = Some((reply.id, watched(reply))),
            Frame::Event(Envelope {
                at,
                more: false,
                event,
            }) if matches!(&event.change, Change::Rights { membership, .. } if *membership == is) =>
            {
                told = Some(at);
            }
            _ => {}
        }
    }
    let (id, watched) = replied.expect("it came");
    assert_eq!((id, watched.failed), (3, vec![GuildId(2)]));
    assert!(
        told.is_some_and(|at| at <= watched.at.positions()[0]),
        "what the answer needed is at or before it"
    );
    for check in harness.health.checks() {
        assert_eq!(check.condition, Condition::Passing, "{check:?}");
    }

    harness.stop.cancel();
    assert_eq!(
        peer.close_code().await,
        Some(4000),
        "Discord keeps the session"
    );
    assert!(harness.end().await.is_ok());
}

#[tokio::test]
async fn a_crowd_of_viewers_is_looked_up_together_over_the_connection() {
    let discord = FalseDiscord::new().await;
    let mut config = config(&discord);
    // The answer to all of them is one commit, which a shorter log would not have room for.
    config.log_window = NonZeroUsize::new(256).expect("some");
    let harness = Harness::new(config).await;
    let mut peer = with_a_guild(&discord).await;
    let mut web = harness.attach().await;
    web.subscribe().await;
    let info = peer.asked_to(43).await;
    assert_eq!(
        info["d"]["guild_id"], "1",
        "for what stands below its rooms' names"
    );
    let crowd = 1_000..1_080;
    for user in crowd.clone() {
        web.say(&watch(user, UserId(user), vec![GuildId(1)])).await;
    }
    // REST answers everybody with role 4, at its own pace; this is faster. Of a crowd that comes slowly
    // some are in a second request.
    let (mut replied, mut asked, mut by_call, mut strangers) = (BTreeSet::new(), 0, 0, 0);
    let mut seq = 2;
    while replied.len() < crowd.clone().count() {
        let frame = select! {
            request = peer.asked_to(8) => {
                seq += 1;
                asked += members_chunk(&mut peer, seq, &request["d"]).await;
                continue;
            }
            frame = web.frame() => frame,
        };
        match frame {
            Frame::Reply(reply) => {
                assert!(replied.insert(reply.id));
                assert_eq!(watched(reply).failed, []);
            }
            Frame::Event(Envelope { event, .. }) => match event.change {
                Change::Rights {
                    membership: Some(Membership::Stranger),
                    ..
                } => strangers += 1,
                Change::Rights {
                    membership: Some(is),
                    ..
                } if is == Membership::member(vec![RoleId(6)]) => by_call += 1,
                _ => {}
            },
            _ => {}
        }
    }
    assert!(asked > 1, "together");
    assert_eq!((by_call, strangers), (asked - seq + 2, seq - 2));
    harness.stop.cancel();
    assert_eq!(peer.close_code().await, Some(4000));
    assert!(harness.end().await.is_ok());
}

/// Answers a request for members: the last is a stranger. With how many it named.
async fn members_chunk(peer: &mut Peer, seq: u64, request: &serde_json::Value) -> u64 {
    assert_eq!(request["guild_id"], "1");
    let users = request["user_ids"].as_array().expect("a list");
    let (stranger, members) = users.split_last().expect("somebody");
    let member = |id| json!({"user": {"id": id}, "roles": ["6"], "flags": 0, "joined_at": "x"});
    let chunk = json!({
        "guild_id": "1", "nonce": request["nonce"], "chunk_index": 0, "chunk_count": 1,
        "members": members.iter().map(member).collect::<Vec<_>>(),
        "not_found": [stranger],
    });
    peer.dispatch(seq, "GUILD_MEMBERS_CHUNK", &chunk).await;
    users.len() as u64
}

#[tokio::test]
async fn a_ready_in_another_dialect_is_made_good_by_a_fresh_session() {
    for guilds in [json!([null, {"id": "1"}]), json!({"1": {}}), json!(null)] {
        let discord = FalseDiscord::new().await;
        let moment = Duration::from_millis(5);
        let mut config = config(&discord);
        config.limits.reconnect_first = moment;
        config.limits.identify_spacing = moment;
        let harness = Harness::new(config).await;
        let mut peer = discord.accept().await;
        assert_eq!(peer.hello().await["op"], 2);
        let ready = json!({"user": {"id": "5"}, "guilds": guilds, "session_id": "an-odd-one"});
        peer.dispatch(1, "READY", &ready).await;
        assert_eq!(peer.close_code().await, Some(1000), "{guilds}");
        drop(peer);
        let mut peer = with_a_guild(&discord).await;
        let mut web = harness.attach().await;
        web.subscribe().await;
        let state = json!({"guild_id": "1", "user_id": "7", "channel_id": "9"});
        peer.dispatch(3, "VOICE_STATE_UPDATE", &state).await;
        web.until_change(|change| matches!(change, Change::VoiceJoined(_)))
            .await;
        harness.stop.cancel();
        assert_eq!(peer.close_code().await, Some(4000));
        assert!(harness.end().await.is_ok());
    }
}

#[tokio::test]
async fn a_refused_token_ends_the_role_with_a_sentence() {
    let discord = FalseDiscord::new().await;
    discord.refuse_token();
    let harness = Harness::new(config(&discord)).await;
    let Err(GatewayRunError::Misconfigured(sentence)) = harness.end().await else {
        panic!("ran on")
    };
    assert!(sentence.starts_with("THE_TOKEN"), "{sentence}");
}

#[tokio::test]
async fn without_discord_the_role_runs_degraded_and_stops_when_asked() {
    let discord = FalseDiscord::new().await;
    let nowhere = "http://127.0.0.1:1".parse().expect("an address");
    let harness = Harness::new(Config {
        discord_url: nowhere,
        ..config(&discord)
    })
    .await;
    let mut web = harness.attach().await;
    assert!(matches!(web.frame().await, Frame::Hello { .. }));
    let checks = harness.health.checks();
    let degraded = checks
        .iter()
        .filter(|check| check.condition == Condition::Degraded);
    let degraded: Vec<&str> = degraded.map(|check| check.name).collect();
    assert_eq!(degraded, ["discord", "guilds"], "{checks:?}");
    harness.stop.cancel();
    assert!(harness.end().await.is_ok());
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let discord = FalseDiscord::new().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let config = Config {
        listen: taken.local_addr().expect("it is bound"),
        ..config(&discord)
    };
    let refused = config.build(ports()).await;
    let refused = refused.expect_err("taken");
    assert!(
        matches!(refused, GatewayBuildError::NotBound(_)),
        "{refused}"
    );
}

#[tokio::test]
async fn shards_that_are_no_parts_of_one_whole_are_refused() {
    let shard = |number, count| ShardId { number, count };
    let discord = FalseDiscord::new().await;
    for shards in [
        Vec::new(),
        vec![shard(0, 2), shard(1, 3)],
        vec![shard(0, 2), shard(0, 2)],
        vec![shard(3, 3)],
        vec![shard(0, 0)],
        ShardId::all(129).collect(),
    ] {
        let config = Config {
            shards,
            ..config(&discord)
        };
        let refused = config.build(ports()).await;
        let refused = refused.expect_err("no gateway");
        assert!(matches!(refused, GatewayBuildError::Failed(_)), "{refused}");
    }
}

#[tokio::test]
async fn each_shard_identifies_by_its_number_and_has_its_own_guilds_alone() {
    let discord = FalseDiscord::new().await;
    // The bits that choose a shard are above 22 others.
    let guild_of = |shard: u64| GuildId((shard << 22) | 1);
    let mut config = config(&discord);
    config.shards = ShardId::all(3).collect();
    config.guilds = Some((0..3).map(guild_of).collect());
    config.limits.identify_spacing = Duration::from_millis(5);
    let harness = Harness::new(config).await;
    let mut peers = Vec::new();
    for _ in 0..3 {
        let mut peer = discord.accept().await;
        let hello = peer.hello().await;
        assert_eq!(
            (&hello["op"], &hello["d"]["shard"][1]),
            (&json!(2), &json!(3))
        );
        let number = hello["d"]["shard"][0].as_u64().expect("a number");
        let id = guild_of(number).to_string();
        let ready = json!({
            "v": 10, "user": {"id": "5"}, "guilds": [{"id": id, "unavailable": true}],
            "session_id": "a-session", "resume_gateway_url": discord.resume_url,
        });
        peer.dispatch(1, "READY", &ready).await;
        let mut guild = guild();
        guild["id"] = json!(id);
        guild["roles"][0]["id"] = json!(id);
        peer.dispatch(2, "GUILD_CREATE", &guild).await;
        peers.push((number, peer));
    }
    let mut numbers: Vec<u64> = peers.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    let mut web = harness.attach().await;
    web.say(&Frame::Subscribe { after: None }).await;
    let (mut live, mut guilds) = (BTreeSet::new(), BTreeSet::new());
    while live.len() < 3 || guilds.len() < 3 {
        match web.frame().await {
            Frame::Status(status) if status.status.complete => {
                live.insert(status.at.log);
            }
            Frame::Event(Envelope { at, event, .. }) => {
                guilds.insert((u64::from(at.log.0), event.guild_id));
            }
            _ => {}
        }
    }
    let own = (0..3).map(|number| (number, guild_of(number)));
    assert!(guilds.into_iter().eq(own));
    for check in harness.health.checks() {
        assert_eq!(check.condition, Condition::Passing, "{check:?}");
    }
    harness.stop.cancel();
    for (_, peer) in &mut peers {
        assert_eq!(peer.close_code().await, Some(4000));
    }
    assert!(harness.end().await.is_ok());
}

struct Harness {
    address: SocketAddr,
    health: Arc<dyn Health>,
    stop: CancellationToken,
    tracker: TaskTracker,
    task: JoinHandle<Result<(), GatewayRunError>>,
}

impl Harness {
    async fn new(config: Config) -> Self {
        Self::with_ports(config, ports()).await
    }

    async fn with_ports(config: Config, ports: GatewayPorts) -> Self {
        let gateway = config.build(ports).await.expect("a right config");
        let (address, health) = (gateway.local_addr(), gateway.health());
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (inner, token) = (tracker.clone(), stop.clone());
        let task = tracker.spawn(async move { gateway.run(&inner, token).await });
        Self {
            address,
            health,
            stop,
            tracker,
            task,
        }
    }

    async fn attach(&self) -> Web {
        let url = format!("ws://{}/link", self.address);
        let mut request = url.into_client_request().expect("an address");
        let bearer = format!("Bearer {TOKEN}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        Web(connect_async(request).await.expect("let in").0)
    }

    /// How the role ended; nothing of it is left then.
    async fn end(self) -> Result<(), GatewayRunError> {
        let end = timeout(PATIENCE, self.task)
            .await
            .expect("an end in time")
            .expect("no panic");
        self.tracker.close();
        timeout(PATIENCE, self.tracker.wait())
            .await
            .expect("no task is left behind");
        end
    }
}

struct Web(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Web {
    async fn say(&mut self, frame: &Frame) {
        self.0
            .send(Message::text(frame.encode(1)))
            .await
            .expect("the gateway reads");
    }

    /// Begins with everything there is.
    async fn subscribe(&mut self) {
        self.say(&Frame::Subscribe { after: None }).await;
        self.until(|frame| matches!(frame, Frame::SnapshotEnd { .. }))
            .await;
    }

    /// The next frame; pings come too, and do not count.
    async fn frame(&mut self) -> Frame {
        let frame = async {
            loop {
                let message = self.0.next().await.expect("it goes on");
                if let Message::Text(text) = message.expect("it goes on") {
                    return Frame::decode(&text).expect("a frame");
                }
            }
        };
        timeout(PATIENCE, frame).await.expect("a frame in time")
    }

    async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.frame().await;
            if wanted(&frame) {
                return frame;
            }
        }
    }

    async fn until_change(&mut self, wanted: impl Fn(&Change) -> bool) {
        self.until(
            |frame| matches!(frame, Frame::Event(envelope) if wanted(&envelope.event.change)),
        )
        .await;
    }
}

/// A connection whose session stands, with its one guild told.
async fn with_a_guild(discord: &FalseDiscord) -> Peer {
    let mut peer = discord.accept().await;
    peer.hello().await;
    let ready = json!({
        "v": 10, "user": {"id": "5"}, "guilds": [{"id": "1", "unavailable": true}],
        "session_id": "a-session", "resume_gateway_url": discord.resume_url,
    });
    peer.dispatch(1, "READY", &ready).await;
    peer.dispatch(2, "GUILD_CREATE", &guild()).await;
    peer
}

fn config(discord: &FalseDiscord) -> Config {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let token: Secret = TOKEN.parse().expect("visible ASCII");
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        bot_token: "a-token".parse().expect("a token"),
        guilds: Some([GuildId(1)].into()),
        shards: vec![ShardId::ONLY],
        intents: Intents::default(),
        link_tokens: StrongSecret::try_from(token).expect("long enough").into(),
        discord_url: discord.origin().try_into().expect("an origin"),
        cdn_url: "https://cdn.example".parse().expect("an address"),
        discord_gateway_url: None,
        tls: guildhall_http::tls::client_config(None),
        log_window: NonZeroUsize::new(64).expect("some"),
        rooms: RoomSettings::default(),
        names: NAMES,
        limits: Limits {
            close: Duration::from_millis(500),
            ..Limits::default()
        },
    }
}

fn ports() -> GatewayPorts {
    GatewayPorts {
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        journals: Arc::new(MemoryJournals::default()),
        commands: Arc::new(MemoryCommandJournal::default()),
        rooms: Arc::new(MemoryRoomStore::default()),
        revocations: Arc::new(MemoryRevocationStore::default()),
        bus: Arc::new(InMemoryEventBus::default()),
        history: Arc::new(NoOpEventStore),
        registry: Arc::new(SingleInstanceRegistry::default()),
    }
}

fn guild() -> serde_json::Value {
    json!({
        "id": "1", "name": "a guild", "owner_id": "100",
        "roles": [{"id": "1", "permissions": "1024"}],
        "channels": [{"id": "9", "type": 2, "name": "a room", "permission_overwrites": []}],
        "voice_states": [], "members": [],
    })
}
