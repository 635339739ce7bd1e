use guildhall_http::Secret;
use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{LogId, Position};
use guildhall_ports::ManualClock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Error,
        client::IntoClientRequest,
        http::{HeaderValue, Request},
    },
};

use super::*;
use crate::{
    ShardId,
    execute::Executor,
    link::{AttachedLog, AttachedLogs},
    log::Retention,
    sequencer::Sequencer,
};

const PATIENCE: Duration = Duration::from_secs(10);
const TOKEN: &str = "first-token-of-at-least-32-characters";
const SECOND: &str = "other-token-of-at-least-32-characters";

#[tokio::test]
async fn without_one_of_the_tokens_there_is_no_upgrade() {
    let open = Open::new(Limits::default());
    let wrong = [
        None,
        Some(String::new()),
        Some("Bearer ".to_owned()),
        Some("Bearer x".to_owned()),
        Some(format!("Bearer {}", &TOKEN[..TOKEN.len() - 1])),
        Some(format!("Bearer {TOKEN}x")),
        Some(format!("Bearer {}", TOKEN.to_uppercase())),
        Some(format!("Basic {TOKEN}")),
        Some(TOKEN.to_owned()),
    ];
    for authorization in wrong {
        let refused = connect_async(open.request(authorization.as_deref())).await;
        let Err(Error::Http(response)) = refused else {
            panic!("{authorization:?} was let in")
        };
        assert_eq!(response.status(), 401, "{authorization:?}");
    }
}

#[tokio::test]
async fn either_token_opens_while_they_rotate() {
    let open = Open::new(Limits::default());
    for token in [TOKEN, SECOND] {
        let request = open.request(Some(&format!("Bearer {token}")));
        let (_socket, response) = connect_async(request).await.expect("let in");
        assert_eq!(response.status(), 101);
    }
}

#[tokio::test]
async fn attachments_end_with_the_stop_and_are_waited_for() {
    let open = Open::new(Limits::default());
    let request = open.request(Some(&format!("Bearer {TOKEN}")));
    let (_socket, _) = connect_async(request).await.expect("let in");
    open.stop.cancel();
    open.tracker.close();
    timeout(PATIENCE, open.tracker.wait())
        .await
        .expect("all ended in time");
}

#[tokio::test]
async fn health_is_bare_and_everything_else_is_not_found() {
    let open = Open::new(Limits::default());
    let health = open
        .say("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    assert!(
        health.starts_with("HTTP/1.1 200") && health.ends_with(r#"{"status":"ok"}"#),
        "{health}"
    );
    for path in ["/", "/link/", "/metrics", "/health/x"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = open.say(&request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_listener_goes_on() {
    let open = Open::new(Limits::default());
    let no_upgrade = format!(
        "GET /link HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
    );
    for garbage in [
        "\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        &no_upgrade,
    ] {
        let answer = open.say(garbage).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{garbage:?}: {answer}");
    }
    let long = format!(
        "GET /health HTTP/1.1\r\nx: {}\r\n\r\n",
        "y".repeat(64 << 10)
    );
    assert!(open.say(&long).await.starts_with("HTTP/1.1 431"));
    let request = open.request(Some(&format!("Bearer {TOKEN}")));
    connect_async(request).await.expect("still let in");
}

#[tokio::test]
async fn a_peer_that_does_not_finish_its_request_loses_its_place() {
    let limits = Limits {
        tokenless: 1,
        request_head: Duration::from_millis(50),
        ..Limits::default()
    };
    let open = Open::new(limits);
    let mut slow = TcpStream::connect(open.address).await.expect("accepted");
    slow.write_all(b"GET /health HTT").await.expect("written");
    let health = open
        .say("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
}

#[tokio::test]
async fn whoever_has_no_token_does_not_keep_out_who_has() {
    // Long, so that nobody leaves but to make room.
    let limits = Limits {
        request_head: Duration::from_mins(1),
        ..Limits::default()
    };
    let open = Open::new(limits);
    let mut held = Vec::new();
    for said in [
        "",
        "GET /link HTTP/1.1\r\nauthorization: Bearer ",
        "GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n",
    ]
    .iter()
    .cycle()
    .take(300)
    {
        let mut stream = TcpStream::connect(open.address).await.expect("accepted");
        let _closed = stream.write_all(said.as_bytes()).await;
        held.push(stream);
        if held.len() % 60 == 0 {
            let request = open.request(Some(&format!("Bearer {TOKEN}")));
            let attached = timeout(PATIENCE, connect_async(request)).await;
            attached.expect("in time").expect("let in");
        }
    }
    // Those who came first went for the others, whatever they had said.
    for mut stream in held.drain(..100) {
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        let _reset = ended.expect("closed");
    }
}

#[tokio::test]
async fn whoever_has_no_token_is_answered_once() {
    let open = Open::new(Limits::default());
    let wrong = "GET /link HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n\r\n";
    for (request, status) in [
        ("GET /health HTTP/1.1\r\nhost: x\r\n\r\n", "200"),
        ("GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        (wrong, "401"),
        ("GET /health HTTP/1.1\r\n\r\n", "400"),
        ("GET /health HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", "400"),
        ("GET /health HTTP/1.0\r\n\r\n", "200"),
    ] {
        let answer = open.say(&request.repeat(2)).await;
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{request}: {answer}");
        assert!(
            answer["HTTP/1.x ".len()..].starts_with(status),
            "{request}: {answer}"
        );
    }
}

#[tokio::test]
async fn so_many_web_roles_are_attached_and_one_that_leaves_makes_room() {
    let limits = Limits {
        attachments: 2,
        ..Limits::default()
    };
    let open = Open::new(limits);
    let request = || open.request(Some(&format!("Bearer {TOKEN}")));
    let (first, _) = connect_async(request()).await.expect("let in");
    let _second = connect_async(request()).await.expect("let in");
    let Err(Error::Http(refused)) = connect_async(request()).await else {
        panic!("a third was let in")
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    drop(first);
    let again = timeout(PATIENCE, async {
        while connect_async(request()).await.is_err() {}
    });
    again.await.expect("there is room again");
}

struct Open {
    address: std::net::SocketAddr,
    tracker: TaskTracker,
    stop: CancellationToken,
    _status: watch::Sender<DiscordStatus>,
}

impl Open {
    fn new(limits: Limits) -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let status = watch::Sender::new(DiscordStatus {
            discord: Discord::Down,
            since: 1,
            guild_ids: Vec::new(),
            complete: false,
        });
        let retention = Retention {
            records_per_guild: 16,
            bytes: 1 << 20,
            bytes_per_guild: 64 << 20,
        };
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let server = LinkServer {
            tokens: Arc::new(RotatedSecret {
                current: strong(TOKEN),
                others: vec![strong(SECOND)],
            }),
            context: AttachmentContext {
                logs: AttachedLogs::new(vec![AttachedLog {
                    shard: ShardId::ONLY,
                    log: crate::log::tests::log(Position::start(LogId(0), 1), retention),
                    sequencer: Sequencer::new().0,
                    status: status.subscribe(),
                }]),
                executor: Executor::new().0,
                viewers: crate::rooms::ViewerTables::new(),
                revocations: crate::revocations::tests::begun().0,
                clock: Arc::new(ManualClock::at(1)),
            },
            limits,
            tokens_setting: "THE_LINK",
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        tracker.spawn(serve(listener, server));
        Self {
            address,
            tracker,
            stop,
            _status: status,
        }
    }

    fn request(&self, authorization: Option<&str>) -> Request<()> {
        let url = format!("ws://{}/link", self.address);
        let mut request = url.into_client_request().expect("an address");
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_str(authorization).expect("a header");
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        request
    }

    /// Says something in plain bytes; answers all that comes back.
    async fn say(&self, text: &str) -> String {
        let talk = async {
            let mut stream = TcpStream::connect(self.address).await.expect("accepted");
            // A peer that was answered already may have closed: its answer is what counts.
            let _closed = stream.write_all(text.as_bytes()).await;
            let mut answer = Vec::new();
            let mut bytes = [0; 1024];
            while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                answer.extend_from_slice(&bytes[..read]);
            }
            String::from_utf8_lossy(&answer).into_owned()
        };
        timeout(PATIENCE, talk).await.expect("an end in time")
    }
}

fn strong(text: &str) -> StrongSecret {
    let secret: Secret = text.parse().expect("visible ASCII");
    secret.try_into().expect("long enough")
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
