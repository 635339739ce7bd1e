use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, Semaphore},
    time::timeout,
};

use super::*;
use crate::Listener;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/// It is answered once the test lets it be.
const SLOW: &str = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";

struct Served {
    addr: SocketAddr,
    entered: Arc<Notify>,
    let_go: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Served {
    fn with(config: Config) -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let (entered, let_go) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let gates = (Arc::clone(&entered), Arc::clone(&let_go));
        let slow = move || {
            let (entered, let_go) = gates.clone();
            async move {
                entered.notify_one();
                let_go.acquire().await.expect("open").forget();
                "slow\n"
            }
        };
        let client = async |client: Option<Extension<ClientAddress>>| match client {
            Some(Extension(client)) => format!("{client}\n"),
            None => "nobody\n".to_owned(),
        };
        let router = Router::new()
            .route("/", get(client))
            .route("/slow", get(slow))
            .route("/read", post(async |body: String| format!("{body}\n")))
            .route("/unread", post(async || "unread\n"));
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (serving, stopped) = (tracker.clone(), stop.clone());
        tracker.spawn(async move { serve(listener, router, config, &serving, stopped).await });
        Self {
            addr,
            entered,
            let_go,
            tracker,
            stop,
        }
    }

    async fn say(&self, text: &str) -> Peer {
        let mut socket = TcpStream::connect(self.addr).await.expect("it listens");
        socket.write_all(text.as_bytes()).await.expect("it reads");
        Peer(socket)
    }
}

struct Peer(TcpStream);

impl Peer {
    /// Reads until what came ends with `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut heard = String::new();
        let reading = async {
            while !heard.ends_with(end) {
                let mut piece = [0; 1024];
                let length = self.0.read(&mut piece).await.expect("open");
                assert!(length > 0, "closed before {end:?}: {heard}");
                heard.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        };
        timeout(PATIENCE, reading).await.expect("in time");
        heard
    }

    async fn until_closed(&mut self) -> String {
        let mut heard = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        read.expect("in time").expect("readable");
        String::from_utf8_lossy(&heard).into_owned()
    }
}

fn one_request(connections: usize) -> Config {
    Config {
        persistence: Persistence::OneRequest,
        ..Config::keep_alive("test", connections)
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_alive_is_answered_again_and_another_is_closed() {
    for (config, answers) in [(Config::keep_alive("test", 4), 2), (one_request(4), 1)] {
        let served = Served::with(config);
        let asked = format!("{GET}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let heard = served.say(&asked).await.until_closed().await;
        assert_eq!(heard.matches("HTTP/1.1 200").count(), answers, "{heard}");
    }
}

#[tokio::test]
async fn where_a_body_was_left_unread_the_answer_says_that_the_connection_ends() {
    let served = Served::with(Config::keep_alive("test", 4));
    let one = "Content-Length: 3\r\n\r\none";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
    let says_so = |heard: &str| heard.contains("connection: close");
    for body in [one, chunks, "Content-Length: 0\r\n\r\n", "\r\n"] {
        let mut peer = served
            .say(&format!("POST /read HTTP/1.1\r\nHost: x\r\n{body}"))
            .await;
        let heard = peer.until("\n").await;
        assert!(!says_so(&heard), "{body:?}: {heard}");
        peer.0.write_all(GET.as_bytes()).await.expect("it is open");
        assert!(peer.until("127.0.0.1\n").await.contains("HTTP/1.1 200"));
    }
    for body in [
        one,
        chunks,
        "Content-Length: 9000000\r\n\r\n",
        "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    ] {
        let asked = format!("POST /unread HTTP/1.1\r\nHost: x\r\n{body}");
        let heard = served.say(&asked).await.until_closed().await;
        assert!(says_so(&heard), "{body:?}: {heard}");
    }
}

#[tokio::test]
async fn whose_request_it_is_is_among_its_extensions_where_proxies_may_stand_before() {
    let kept = Served::with(Config::keep_alive("test", 4));
    assert!(
        kept.say(GET)
            .await
            .until("\n")
            .await
            .ends_with("127.0.0.1\n")
    );
    let once = Served::with(one_request(4));
    assert!(
        once.say(GET)
            .await
            .until_closed()
            .await
            .ends_with("nobody\n")
    );
}

#[tokio::test]
async fn where_none_is_idle_one_more_is_refused_or_waits() {
    let kept = Served::with(Config::keep_alive("test", 1));
    let mut busy = kept.say(SLOW).await;
    kept.entered.notified().await;
    let heard = kept.say(SLOW).await.until_closed().await;
    assert!(
        heard.starts_with("HTTP/1.1 503") && heard.contains("retry-after: 5\r\n"),
        "{heard}"
    );
    kept.let_go.add_permits(1);
    assert!(busy.until("\n").await.ends_with("slow\n"));

    let once = Served::with(one_request(1));
    let (mut first, mut second) = (once.say(SLOW).await, once.say(SLOW).await);
    once.let_go.add_permits(2);
    for peer in [&mut first, &mut second] {
        assert!(peer.until_closed().await.ends_with("slow\n"));
    }
}

#[tokio::test]
async fn a_stop_lets_what_is_being_answered_be_answered() {
    for config in [Config::keep_alive("test", 4), one_request(4)] {
        let served = Served::with(config);
        let mut peer = served.say(SLOW).await;
        served.entered.notified().await;
        served.let_go.add_permits(1);
        served.stop.cancel();
        assert!(peer.until_closed().await.ends_with("slow\n"));
        served.tracker.close();
        timeout(PATIENCE, served.tracker.wait())
            .await
            .expect("all ended");
    }
}
