use std::{net::SocketAddr, sync::Arc, time::Duration};

use guildhall_http::{Config, Listener, serve};
use guildhall_ports::Clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::{Auth, AuthConfig, PlayedRevocations},
    config::tests::ports,
    http::Page,
    link,
    router::router,
    rpc::{self, RpcState},
    stream::{
        admission::RequestAdmission,
        limit::{ConcurrencyLimiter, ConcurrencyLimits, Counted},
        open_streams::OpenStreams,
        route::StreamRouteState,
        tests::harness::{ANNA, EPOCH, HALL, Harness, LOBBY, at, begin, config, here, joined},
        watch::WatchClient,
    },
};

/// Heads of requests that mean two things, or nothing.
mod heads;
/// By which names, and for whose pages.
mod edge;
/// What the operator's probe tells.
mod probe;
/// The OpenAPI document.
#[cfg(feature = "schema")]
mod document;

/// Longer than anything here takes; a test that waits so long has failed.
const SOON: Duration = Duration::from_secs(20);

const STATE_REQUESTS: ConcurrencyLimits = ConcurrencyLimits {
    together: 10,
    per_user: 1,
    per_address: 10,
};

const RPC_REQUESTS: ConcurrencyLimits = ConcurrencyLimits {
    together: 10,
    per_user: 2,
    per_address: 10,
};

/// The role's routes on a real socket, over a replica that the test writes.
struct Served {
    harness: Harness,
    state_requests: ConcurrencyLimiter,
    addr: SocketAddr,
    cookie: String,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Served {
    fn at(base_url: &str) -> Self {
        Self::within(base_url, Config::keep_alive("web", 1_000))
    }

    fn within(base_url: &str, http: Config) -> Self {
        let mut config = config();
        config.base_url = base_url.parse().expect("a URL");
        Self::set_up(&config, http)
    }

    fn set_up(config: &crate::Config, http: Config) -> Self {
        // What the binary does in `main`; tests of one process do it once.
        let _again = rustls::crypto::ring::default_provider()
            .install_default()
            .is_err();
        let harness = Harness::hall();
        let (session, set_cookie) = begin(&harness.sessions, ANNA, &[HALL]);
        harness.answer(session.user.id, &[HALL], &[]);
        let clock: Arc<dyn Clock> = harness.clock.clone();
        // A link that nobody runs: whoever is not proven above gets no answer.
        let (unused, _) = crate::fanout::Fanout::new(crate::replica::Bounds::of(1));
        let ports = ports(Arc::clone(&clock));
        let (link, _) = link::open(config, unused, &ports, Arc::new(link::Tcp));
        let watch_client = WatchClient::new(link.clone(), harness.fanout.clone());
        let world_access =
            crate::role::world_access(harness.fanout.clone(), watch_client.clone(), link.clone());
        let auth = Auth::new(
            AuthConfig::of(config),
            world_access,
            PlayedRevocations::there(),
            &ports,
        )
        .expect("TLS");
        let state_requests = ConcurrencyLimiter::new(Counted::StateRequests, STATE_REQUESTS);
        let admission = RequestAdmission::new(harness.fanout.clone(), watch_client);
        let rpc = RpcState {
            auth: Arc::clone(&auth),
            fanout: harness.fanout.clone(),
            admission: admission.clone(),
            link,
            requests: ConcurrencyLimiter::new(Counted::RpcRequests, RPC_REQUESTS),
            rate_limiter: Arc::clone(&ports.rate_limiter),
            clock: Arc::clone(&clock),
            links: crate::http::PublicLinks {
                base_url: config.base_url.clone(),
                discord_url: config.oauth.public_url.clone(),
            },
            guilds_join: false,
        };
        let stream = StreamRouteState {
            clock,
            max_age: config.stream_max_age,
            fanout: harness.fanout.clone(),
            admission,
            sessions: harness.sessions.clone(),
            streams: harness.limits.clone(),
            open_streams: OpenStreams::default(),
            state_requests: state_requests.clone(),
        };
        let others = [auth.router(), rpc::routes(rpc)];
        let page = Page::new(None, &config.cdn_url);
        let router = router(config, stream, others, page);
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (serving, stopped) = (tracker.clone(), stop.clone());
        tracker.spawn(async move { serve(listener, router, http, &serving, stopped).await });
        let cookie = set_cookie.to_str().expect("ASCII");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self {
            harness,
            state_requests,
            addr,
            cookie,
            tracker,
            stop,
        }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Conversation {
        let mut socket = TcpStream::connect(self.addr).await.expect("it listens");
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        socket.write_all(head.as_bytes()).await.expect("it reads");
        Conversation {
            socket,
            heard: String::new(),
        }
    }

    async fn say(&self, text: &str) -> Conversation {
        let mut socket = TcpStream::connect(self.addr).await.expect("it listens");
        // It may have been answered and closed before all of it is said.
        let _heard = socket.write_all(text.as_bytes()).await;
        Conversation {
            socket,
            heard: String::new(),
        }
    }

    async fn get(&self, path: &str) -> Conversation {
        self.ask("GET", path, &[("Cookie", &self.cookie)]).await
    }
}

struct Conversation {
    socket: TcpStream,
    heard: String,
}

impl Conversation {
    /// Reads until what came contains `text`.
    async fn until(&mut self, text: &str) -> &str {
        let reading = async {
            while !self.heard.contains(text) {
                let mut piece = [0; 4096];
                let length = self.socket.read(&mut piece).await.expect("it is open");
                assert!(length > 0, "closed before {text:?}: {}", self.heard);
                self.heard
                    .push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        };
        assert!(
            timeout(SOON, reading).await.is_ok(),
            "no {text:?} came: {}",
            self.heard
        );
        &self.heard
    }

    /// Reads until the peer closes.
    async fn until_closed(mut self) -> String {
        let mut rest = Vec::new();
        let read = timeout(SOON, self.socket.read_to_end(&mut rest)).await;
        read.expect("it is closed in time").expect("it is readable");
        self.heard + &String::from_utf8_lossy(&rest)
    }
}

#[tokio::test]
async fn a_stream_comes_with_its_headers_and_a_renewed_cookie() {
    let mut served = Served::at("http://localhost:3000");
    let mut curl = served.get("/api/stream").await;
    let head = curl.until("event: snapshot").await.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    for line in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: private, no-store, no-transform",
        "x-accel-buffering: no",
        "x-content-type-options: nosniff",
        "set-cookie: guildhall=",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    served
        .harness
        .tell(joined(guildhall_model::UserId(77), LOBBY));
    curl.until("event: voice.joined").await;
}

#[tokio::test]
async fn only_what_no_retry_cures_is_an_error() {
    let served = Served::at("http://localhost:3000");
    for (path, cookie, status, code) in [
        ("/api/stream", "", 401, "unauthorized"),
        ("/api/state", "", 401, "unauthorized"),
        ("/api/stream", "guildhall=forged", 401, "unauthorized"),
        ("/api/stream?guild=abc", &*served.cookie, 400, "invalid"),
        ("/api/state?events=chat", &*served.cookie, 400, "invalid"),
        ("/api/nothing", "", 404, "not_found"),
        ("/nothing", "", 404, "not_found"),
        ("/../Cargo.toml", "", 404, "not_found"),
    ] {
        let mut curl = served.ask("GET", path, &[("Cookie", cookie)]).await;
        let heard = curl.until("}}").await;
        assert!(
            heard.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {heard}"
        );
        assert!(
            heard.contains(&format!("\"code\":\"{code}\"")),
            "{path}: {heard}"
        );
    }
    let mut posted = served
        .ask("POST", "/api/stream", &[("Content-Length", "0")])
        .await;
    assert!(posted.until("}}").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn a_guild_the_bot_is_not_in_is_not_found_once_the_world_is_complete() {
    let mut served = Served::at("http://localhost:3000");
    let mut curl = served.get("/api/stream?guild=999").await;
    assert!(curl.until("}}").await.starts_with("HTTP/1.1 404"));
    let mut curl = served.get("/api/state?guild=999").await;
    assert!(curl.until("}}").await.starts_with("HTTP/1.1 404"));
    // This one is in an outage, and was never seen.
    served.harness.writer.status(
        guildhall_model::LogId(0),
        guildhall_link::frame::DiscordStatus {
            discord: guildhall_link::frame::Discord::Live,
            since: EPOCH,
            guild_ids: vec![guildhall_model::GuildId(998)],
            complete: true,
        },
    );
    let mut curl = served.get("/api/stream?guild=998").await;
    let heard = curl.until("\"reason\":\"unavailable\"").await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    let mut curl = served.get("/api/state?guild=998").await;
    assert!(curl.until("}}").await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn the_state_is_the_snapshot_with_a_cursor_that_a_stream_goes_on_from() {
    let mut served = Served::at("http://localhost:3000");
    let mut curl = served.get("/api/state").await;
    let state = curl.until("]}]}").await.to_owned();
    assert!(
        state.contains(&format!("{{\"cursor\":\"{}\"", at(0))),
        "{state}"
    );
    assert!(
        state.contains("Lobby") && !state.contains("Vault"),
        "{state}"
    );
    served
        .harness
        .tell(joined(guildhall_model::UserId(77), LOBBY));
    let path = format!("/api/stream?lastEventId={}", at(0));
    let mut curl = served.get(&path).await;
    let heard = curl.until("event: voice.joined").await;
    assert!(
        heard.contains("event: resumed") && !heard.contains("event: snapshot"),
        "{heard}"
    );
}

#[tokio::test]
async fn too_many_streams_are_told_so_and_come_back_later() {
    let mut served = Served::at("http://localhost:3000");
    let _all: Vec<_> = std::iter::from_fn(|| {
        served
            .harness
            .limits
            .acquire(ANNA, here(), Instant::now())
            .ok()
    })
    .collect();
    let heard = served
        .get("/api/stream")
        .await
        .until("too_many_streams")
        .await
        .to_owned();
    assert!(
        heard.contains("HTTP/1.1 200") && heard.contains("retry: "),
        "{heard}"
    );
    served
        .harness
        .tell(joined(guildhall_model::UserId(77), LOBBY));
}

#[tokio::test]
async fn a_stop_ends_streams_with_bye_and_closes() {
    let served = Served::at("http://localhost:3000");
    let mut curl = served.get("/api/stream").await;
    curl.until("event: snapshot").await;
    served.stop.cancel();
    served.harness.fanout.drain();
    let all = curl.until_closed().await;
    assert!(all.contains("\"reason\":\"draining\""), "{all}");
    served.tracker.close();
    timeout(SOON, served.tracker.wait())
        .await
        .expect("nothing is left running");
}

#[tokio::test]
async fn everything_is_below_the_prefix() {
    let served = Served::at("https://guild.example/hall/");
    for (path, status) in [
        ("/hall/api/health", 200),
        ("/hall/", 200),
        ("/hall", 308),
        ("/hall/api/nothing", 404),
        ("/api/health", 404),
        ("/", 404),
        ("/hallway/", 404),
    ] {
        let mut curl = served.ask("GET", path, &[]).await;
        let heard = curl.until("\r\n\r\n").await;
        assert!(
            heard.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {heard}"
        );
        assert!(
            heard.contains("content-security-policy: default-src 'none'"),
            "{heard}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_to_its_end_is_not_waited_for() {
    let served = Served::at("http://localhost:3000");
    let mut socket = TcpStream::connect(served.addr).await.expect("it listens");
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: ")
        .await
        .expect("it reads");
    let slow = Conversation {
        socket,
        heard: String::new(),
    };
    let said = slow.until_closed().await;
    assert!(!said.contains("200 OK"), "{said}");
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let served = Served::at("http://localhost:3000");
    let large = "x".repeat(32 * 1024);
    let mut curl = served.ask("GET", "/", &[("X-Large", &large)]).await;
    assert!(curl.until("\r\n\r\n").await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_request_names_its_host_once() {
    let served = Served::at("http://localhost:3000");
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET / HTTP/1.0\r\n\r\n", 200),
    ] {
        let mut told = served.say(head).await;
        let heard = told.until("\r\n\r\n").await;
        let (_, code) = heard.split_at("HTTP/1.x ".len());
        assert!(code.starts_with(&status.to_string()), "{head:?}: {heard}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_is_not_waited_for() {
    let served = Served::at("http://localhost:3000");
    for path in ["/auth/logout", "/auth/refresh", "/api/stream"] {
        let length = [
            ("Content-Length", "1000000000"),
            ("Cookie", &*served.cookie),
        ];
        let mut posted = served.ask("POST", path, &length).await;
        posted.until("HTTP/1.1 ").await;
        let said = posted.until_closed().await;
        assert!(said.contains("\r\n\r\n"), "{path}: {said}");
    }
}

#[tokio::test]
async fn whoever_keeps_a_connection_for_nothing_makes_room_and_an_open_stream_does_not() {
    let mut served = Served::within("http://localhost:3000", Config::keep_alive("web", 16));
    let mut stream = served.get("/api/stream").await;
    stream.until("event: snapshot").await;
    let mut idle = Vec::new();
    for (number, said) in ["", "GET /api/health HTT", HEALTH]
        .into_iter()
        .cycle()
        .take(48)
        .enumerate()
    {
        let mut peer = served.say(said).await;
        if said == HEALTH {
            assert!(
                peer.until("ok\n").await.starts_with("HTTP/1.1 "),
                "{number}"
            );
        }
        idle.push(peer);
    }
    // The first ones went for the others.
    for peer in idle.drain(..16) {
        peer.until_closed().await;
    }
    let mut new = served.get("/api/state").await;
    assert!(new.until("]}]}").await.starts_with("HTTP/1.1 200"));
    served
        .harness
        .tell(joined(guildhall_model::UserId(77), LOBBY));
    stream.until("event: voice.joined").await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_keeps_no_place() {
    let served = Served::within("http://localhost:3000", Config::keep_alive("web", 8));
    let page = served.get("/").await.until("</html>").await.to_owned();
    let script = page
        .split("src=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let script = script
        .expect("the page has a script")
        .trim_start_matches('.')
        .to_owned();
    let ask = format!("GET {script} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(40);
    let mut unread = Vec::new();
    for _ in 0..24 {
        unread.push(served.say(&ask).await);
    }
    let mut new = served.say(HEALTH).await;
    assert!(new.until("ok\n").await.starts_with("HTTP/1.1 "));
}

#[tokio::test]
async fn when_every_place_is_in_use_the_answer_is_503_and_when_to_come_back() {
    let served = Served::within("http://localhost:3000", Config::keep_alive("web", 4));
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = served.get("/api/stream").await;
        stream.until("event: snapshot").await;
        streams.push(stream);
    }
    let refused = served.get("/api/state").await.until_closed().await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("retry-after: 5\r\n"), "{refused}");
    streams.pop();
    // The end of a connection is seen a moment later.
    let again = timeout(SOON, async {
        loop {
            let mut asked = served.get("/api/state").await;
            if asked.until("\r\n\r\n").await.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    });
    again.await.expect("there is a place again");
}

#[tokio::test]
async fn one_user_has_so_many_requests_for_the_state_under_way() {
    let served = Served::at("http://localhost:3000");
    let under_way = served.state_requests.acquire(ANNA, here(), Instant::now());
    let mut second = served.get("/api/state").await;
    let heard = second.until("}}").await.to_lowercase();
    assert!(heard.starts_with("http/1.1 429"), "{heard}");
    assert!(heard.contains("retry-after: 1\r\n"), "{heard}");
    drop(under_way.expect("the first"));
    let mut third = served.get("/api/state").await;
    assert!(third.until("]}]}").await.starts_with("HTTP/1.1 200"));
}

const HEALTH: &str = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
