//! The whole role on real sockets, between a gateway that the test plays and a browser that it
//! is.

use std::time::Duration;

use ::http::{HeaderValue, Method, StatusCode, header};
use guildhall_link::frame::{Frame, Reply, ReplyBody, RequestBody};
use guildhall_model::{Change, Guild, GuildId, Position, UserId, guild::Membership};
use guildhall_ports::{Condition, LinkAddress, SystemClock, memory::SingleInstanceRegistry};
use tokio::net::TcpListener;

use super::*;
use crate::{
    auth::{PlayedRevocations, Sessions},
    config::tests::ports,
    stream::tests::harness::{ANNA, EPOCH, HALL, LOBBY, at, begin, config, hall, joined},
};
use played_gateway::Gateway;

/// The gateway as the test plays it.
mod played_gateway;
/// Guilds that come late, and what nobody may ask for.
mod guilds;
/// Commands over a real link.
mod commands;

/// Longer than anything here takes; a test that waits so long has failed.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_stream_outlasts_a_cut_and_a_restart_of_the_gateway() {
    let house = House::open(|_| {}).await;
    assert_eq!(house.world(), Condition::Failing, "no world yet");
    let mut gateway = house.gateway().await;
    assert_eq!(gateway.attach(at(0)).await, None);
    gateway.snapshot(at(0)).await;

    let mut anna = house.browser("/api/stream", ANNA);
    let (first, ()) = tokio::join!(anna.until("event: snapshot"), gateway.look_up(at(1)));
    assert!(
        first.contains("no_cursor") && first.contains("Lobby"),
        "{first}"
    );
    assert!(!first.contains("Vault"), "{first}");
    assert_eq!(house.world(), Condition::Passing);
    gateway.append(at(2), joined(UserId(77), LOBBY)).await;
    anna.until("event: voice.joined").await;

    drop(gateway);
    let down = anna.until("event: status").await;
    assert!(down.contains("\"link\":\"down\""), "{down}");
    assert_eq!(house.world(), Condition::Passing, "it serves on");

    let mut gateway = house.gateway().await;
    let reborn = Position {
        epoch: EPOCH + 1,
        ..at(0)
    };
    assert_eq!(
        gateway.attach(reborn).await,
        Some(at(2)),
        "it says where it is"
    );
    gateway.snapshot(reborn).await;
    gateway.look_up(reborn.at(1)).await;
    let again = anna.until("event: snapshot").await;
    assert!(
        again.contains("epoch_changed") && again.contains("Lobby"),
        "{again}"
    );

    house.stop.cancel();
    let last = anna.until("event: bye").await;
    assert!(last.contains("draining"), "{last}");
    house.tracker.close();
    tokio::time::timeout(SOON, house.tracker.wait())
        .await
        .expect("nothing is left running");
}

#[tokio::test]
async fn streams_of_one_person_ask_the_gateway_once() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let mut stream = house.browser("/api/stream", ANNA);
    let mut state = house.browser("/api/state", ANNA);
    let mut of_lobby = house.browser("/api/stream?channel=201", ANNA);
    tokio::join!(
        stream.until("Lobby"),
        state.until("Lobby"),
        of_lobby.until("Lobby"),
        gateway.look_up(at(1)),
    );
    gateway.append(at(2), joined(UserId(77), LOBBY)).await;
    stream.until("event: voice.joined").await;
    assert!(gateway.has_said_nothing().await, "no second question");
}

#[tokio::test]
async fn who_signs_out_while_a_stream_opens_is_not_given_the_cookie_back() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[HALL]).1;
    let request = house.request(Method::GET, "/api/stream", &cookie);
    let opening = house.tracker.spawn(request.send());
    let (request_id, ..) = gateway.asked().await;

    let logout = house
        .request(Method::POST, "/auth/logout", &cookie)
        .header(header::ORIGIN, "http://localhost:3000")
        .header(header::CONTENT_TYPE, "application/json");
    let logout = logout.send().await.expect("an answer");
    assert_eq!(logout.status(), StatusCode::NO_CONTENT);
    gateway.answer(request_id, at(0), &[]).await;

    let answer = opening.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers().get(header::SET_COOKIE), None);
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    with_tls();
    let taken = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let mut config = config();
    config.listen = taken.local_addr().expect("bound");
    let ports = ports(Arc::new(SystemClock));
    let refused = config.build(&ports).expect_err("taken");
    assert!(matches!(refused, WebBuildError::NotBound(_)), "{refused}");
}

/// What the binary does in `main`; the tests of one process share it.
fn with_tls() {
    let _again = rustls::crypto::ring::default_provider()
        .install_default()
        .is_err();
}

/// The role, and where its gateway is expected.
struct House {
    link: TcpListener,
    addr: SocketAddr,
    health: Arc<dyn Health>,
    sessions: Sessions,
    fanout: Fanout,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl House {
    async fn open(change: impl FnOnce(&mut Config)) -> Self {
        with_tls();
        let link = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let mut config = config();
        let at = link.local_addr().expect("bound");
        change(&mut config);
        let mut ports = ports(Arc::new(SystemClock));
        let gateway = LinkAddress::new(format!("ws://{at}/link"));
        ports.gateways = Arc::new(SingleInstanceRegistry::at(gateway));
        let sessions = AuthConfig::of(&config).sessions(
            Arc::clone(&ports.sessions),
            PlayedRevocations::there(),
            Arc::new(SystemClock),
        );
        let web = config.build(&ports).expect("good settings");
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let house = Self {
            link,
            addr: web.local_addr(),
            health: web.health(),
            fanout: web.fanout.clone(),
            sessions,
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        house.tracker.spawn(async move {
            web.run(&tracker, stop)
                .await
                .expect("it ends when it is stopped");
        });
        house
    }

    fn world(&self) -> Condition {
        let checks = self.health.checks();
        let world = checks.iter().find(|check| check.name == "world");
        world.expect("a line about the world").condition
    }

    async fn gateway(&self) -> Gateway {
        let accepted = tokio::time::timeout(SOON, self.link.accept()).await;
        let (socket, _) = accepted.expect("it dials").expect("a connection");
        Gateway::accept(socket).await
    }

    fn browser(&self, path: &str, user: UserId) -> Browser {
        let cookie = begin(&self.sessions, user, &[HALL]).1;
        Browser::asking(self.request(Method::GET, path, &cookie))
    }

    fn request(&self, method: Method, path: &str, cookie: &HeaderValue) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .request(method, format!("http://{}{path}", self.addr))
            .header(header::COOKIE, cookie)
    }
}

/// The hall, with nobody looked up.
fn empty_hall() -> Guild {
    Guild {
        memberships: std::collections::BTreeMap::new(),
        ..hall()
    }
}

/// A browser with one request.
struct Browser {
    answer: Answer,
    heard: String,
}

enum Answer {
    Awaited(std::pin::Pin<Box<dyn Future<Output = reqwest::Response> + Send>>),
    Here(Box<reqwest::Response>),
}

impl Browser {
    /// The answer begins when the gateway has been asked; the test plays it meanwhile.
    fn asking(request: reqwest::RequestBuilder) -> Self {
        let answer = Box::pin(async move { request.send().await.expect("an answer") });
        Self {
            answer: Answer::Awaited(answer),
            heard: String::new(),
        }
    }

    /// Reads until what came since the last time contains `text`, to the end of its line.
    async fn until(&mut self, text: &str) -> String {
        let reading = async {
            loop {
                if let Some(place) = self.heard.find(text)
                    && let Some(end) = self.heard[place..].find("\n\n").or_else(|| {
                        self.heard
                            .starts_with('{')
                            .then(|| self.heard.len() - place)
                    })
                {
                    let rest = self.heard.split_off(place + end);
                    return std::mem::replace(&mut self.heard, rest);
                }
                if let Answer::Awaited(answer) = &mut self.answer {
                    self.answer = Answer::Here(Box::new(answer.await));
                }
                let Answer::Here(answer) = &mut self.answer else {
                    continue;
                };
                let chunk = answer.chunk().await.expect("it is readable");
                let chunk =
                    chunk.unwrap_or_else(|| panic!("ended before {text:?}: {}", self.heard));
                self.heard.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        tokio::time::timeout(SOON, reading).await.expect("it comes")
    }
}
