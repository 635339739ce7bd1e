use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    select,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::CloseFrame,
    },
};
use url::Url;

/// Longer than anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// REST in which everybody has role 4, a Gateway, and another one to resume at.
pub(crate) struct Discord {
    rest: String,
    base: TcpListener,
    resume: TcpListener,
    pub resume_url: String,
    asked: Arc<AtomicU32>,
    remaining: Arc<AtomicU32>,
}

/// Instead of a number of sessions: the token is refused.
const REFUSED: u32 = u32::MAX;

impl Discord {
    pub(crate) async fn new() -> Self {
        let (rest, base, resume) = (bind().await, bind().await, bind().await);
        let asked = Arc::new(AtomicU32::new(0));
        let remaining = Arc::new(AtomicU32::new(1_000));
        let url = address("ws", &base);
        let (count, left) = (Arc::clone(&asked), Arc::clone(&remaining));
        let bot = get(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            let remaining = left.load(Ordering::Relaxed);
            if remaining == REFUSED {
                return (StatusCode::UNAUTHORIZED, "{}".to_owned());
            }
            let limit = json!({"total": 1000, "remaining": remaining, "reset_after": 1000, "max_concurrency": 1});
            let body = json!({"url": url, "shards": 1, "session_start_limit": limit});
            (StatusCode::OK, body.to_string())
        });
        let (origin, resume_url) = (address("http", &rest), address("ws", &resume));
        let member = get(async || r#"{"user":{"id":"7"},"roles":["4"],"flags":0}"#);
        let routes = Router::new()
            .route("/api/v10/gateway/bot", bot)
            .route("/api/v10/guilds/{guild}/members/{user}", member);
        // Ends with the test's runtime.
        let server = async move { axum::serve(rest, routes).await };
        tokio::runtime::Handle::current().spawn(server);
        Self {
            rest: origin,
            base,
            resume,
            resume_url,
            asked,
            remaining,
        }
    }

    pub(crate) fn origin(&self) -> Url {
        self.rest.parse().expect("an origin")
    }

    pub(crate) fn set_remaining(&self, remaining: u32) {
        self.remaining.store(remaining, Ordering::Relaxed);
    }

    pub(crate) fn refuse_token(&self) {
        self.set_remaining(REFUSED);
    }

    /// How often somebody asked how many sessions are left.
    pub(crate) fn budget_questions(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The next connection to the base address.
    pub(crate) async fn accept(&self) -> Peer {
        accept(&self.base).await
    }

    /// The next connection to the base address, without a WebSocket.
    pub(crate) async fn accept_raw(&self) -> TcpStream {
        let accepted = timeout(PATIENCE, self.base.accept()).await;
        accepted
            .expect("a connection in time")
            .expect("a connection")
            .0
    }

    /// The base address with another scheme.
    pub(crate) fn base_url(&self, scheme: &str) -> Url {
        address(scheme, &self.base).parse().expect("an address")
    }

    /// The next connection to the resume address.
    pub(crate) async fn accept_resume(&self) -> Peer {
        accept(&self.resume).await
    }

    /// Whether anybody dials, at either address. Waits ten times as long as the shards of these
    /// tests do between two tries.
    pub(crate) async fn is_dialled(&self) -> bool {
        let dialled = async {
            select! {
                _ = self.base.accept() => {}
                _ = self.resume.accept() => {}
            }
        };
        timeout(Duration::from_millis(50), dialled).await.is_ok()
    }
}

/// One connection, the server's side.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
    /// What the other side asked for in the address.
    pub query: String,
}

impl Peer {
    /// Says HELLO; answers the IDENTIFY or RESUME.
    pub(crate) async fn hello(&mut self) -> Value {
        self.hello_every(Duration::from_millis(41_250)).await
    }

    /// As [`Peer::hello`], with another heartbeat.
    pub(crate) async fn hello_every(&mut self, heartbeat: Duration) -> Value {
        let every = u64::try_from(heartbeat.as_millis()).expect("a short time");
        self.send(&json!({"op": 10, "d": {"heartbeat_interval": every}, "s": null, "t": null}))
            .await;
        self.asked().await
    }

    /// The next message of the other side, heartbeats passed over.
    pub(crate) async fn asked(&mut self) -> Value {
        loop {
            let Some(Message::Text(text)) = self.read().await else {
                panic!("no message")
            };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["op"] != 1 {
                return message;
            }
        }
    }

    /// The next message of this op.
    pub(crate) async fn asked_to(&mut self, op: u64) -> Value {
        loop {
            let message = self.asked().await;
            if message["op"] == op {
                return message;
            }
        }
    }

    pub(crate) async fn ready(&mut self, resume_url: &str) {
        let ready = json!({
            "v": 10, "user": {"id": "5"}, "guilds": [],
            "session_id": "a-session", "resume_gateway_url": resume_url,
        });
        self.dispatch(1, "READY", &ready).await;
    }

    pub(crate) async fn dispatch(&mut self, sequence: u64, name: &str, data: &Value) {
        self.send(&json!({"op": 0, "t": name, "s": sequence, "d": data}))
            .await;
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket
            .send(Message::text(text))
            .await
            .expect("the other side reads");
    }

    pub(crate) async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.socket
            .send(Message::binary(bytes))
            .await
            .expect("the other side reads");
    }

    /// Writes past the WebSocket.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.socket
            .get_mut()
            .write_all(bytes)
            .await
            .expect("the other side reads");
    }

    /// Sends so many pings, or as many as the other side takes.
    pub(crate) async fn ping(&mut self, count: usize) {
        for _ in 0..count {
            if self.socket.send(Message::Ping("x".into())).await.is_err() {
                return;
            }
        }
    }

    /// Closes without a code.
    pub(crate) async fn close_silently(&mut self) {
        self.socket.close(None).await.expect("the other side reads");
    }

    pub(crate) async fn close(&mut self, code: u16) {
        self.close_saying(code, "").await;
    }

    pub(crate) async fn close_saying(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.socket
            .close(Some(frame))
            .await
            .expect("the other side reads");
    }

    /// The code of the other side's close, whatever it says before.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.read().await? {
                // The answer to it was queued by reading; who closed may be gone already.
                let _gone = self.socket.flush().await;
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    /// Sends dispatches, and takes no notice of what is said, until the other side closes.
    pub(crate) async fn talk_until_closed(&mut self) -> Option<u16> {
        let talk = async {
            for sequence in 2.. {
                self.dispatch(sequence, "TYPING_START", &json!({})).await;
                match timeout(Duration::from_millis(10), self.socket.next()).await {
                    Ok(Some(Ok(Message::Close(frame)))) => {
                        return frame.map(|frame| frame.code.into());
                    }
                    Ok(None | Some(Err(_))) => return None,
                    Ok(Some(Ok(_))) | Err(_) => {}
                }
            }
            None
        };
        timeout(PATIENCE, talk).await.expect("an end in time")
    }

    async fn read(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.socket.next())
            .await
            .expect("a message in time")?
            .ok()
    }
}

#[expect(clippy::result_large_err, reason = "the library's signature")]
async fn accept(listener: &TcpListener) -> Peer {
    let mut query = String::new();
    let read = |request: &Request, response: Response| {
        query = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let socket = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        accept_hdr_async(stream, read).await.expect("a handshake")
    };
    let socket = timeout(PATIENCE, socket).await;
    let socket = socket.expect("a connection in time");
    Peer { socket, query }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn address(scheme: &str, listener: &TcpListener) -> String {
    format!("{scheme}://{}", listener.local_addr().expect("it is bound"))
}
