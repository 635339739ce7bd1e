//! Plays one part of a script on one connection, and records what the client says.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    select,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::CloseFrame,
    },
};

use super::{
    clients::Commands,
    script::{Encoding, End, Greeting, Part, ResumeAt, Step},
    server::Server,
    trace::{Address, Ask, Asked, Beat, ConnectionTrace, Ended, Ender},
    virtual_time::{Steps, frozen, frozen_for},
    zstd::Compressor,
};

/// For what a client is to ask after HELLO.
const ASKING: Duration = Duration::from_secs(30);
/// How long a close is left without an answer.
const CLOSE_HELD: Duration = Duration::from_mins(2);
/// In real time: the kernel needs microseconds.
const CLOSE_ARRIVES: Duration = Duration::from_millis(2);
/// No two IDENTIFYs may be nearer than this.
const IDENTIFY_SPACING: Duration = Duration::from_secs(5);

/// What a server knows between connections.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    begun: u32,
    /// Of the last dispatch of the newest one.
    sequence: u64,
    identified: Option<Instant>,
    /// When the last connection ended.
    pub(super) disconnected: Option<Instant>,
}

impl Sessions {
    fn newest(&self) -> String {
        format!("session-{}", self.begun)
    }
}

/// What a part is played with.
pub(super) struct Stage<'a> {
    pub(super) part: &'a Part,
    pub(super) server: &'a Server,
    pub(super) sessions: &'a mut Sessions,
    pub(super) steps: &'a Steps,
    pub(super) commands: &'a Commands,
}

/// The server's end of one connection.
struct Peer<'a> {
    stage: Stage<'a>,
    socket: WebSocketStream<TcpStream>,
    compressor: Option<Compressor>,
    trace: ConnectionTrace,
    begun: Instant,
    /// When either end said something last.
    spoken: Instant,
    /// The number that a heartbeat is to have.
    expected: Option<u64>,
    /// Op 1 waits for its heartbeat.
    heartbeat_asked: bool,
    fences: u64,
    /// The client waits for the rest of a frame, so it answers no ping.
    is_mute: bool,
    ender: Option<Ender>,
}

/// Plays a part to its end. `None`: there was no handshake.
pub(super) async fn play(
    stage: Stage<'_>,
    stream: TcpStream,
    address: Address,
) -> Option<ConnectionTrace> {
    let begun = Instant::now();
    let waited = stage.sessions.disconnected.map(|at| begun - at);
    let mut trace = ConnectionTrace {
        address,
        path_and_query: String::new(),
        user_agent: None,
        waited: waited.unwrap_or_default(),
        hello: None,
        asked: Vec::new(),
        answered: None,
        beats: Vec::new(),
        answers: Vec::new(),
        requests: Vec::new(),
        others: Vec::new(),
        ended: Ended {
            by: Ender::Server { echo: None },
            at: Duration::ZERO,
            after: Duration::ZERO,
        },
    };
    let shaken = frozen(shake_hands(&stage.part.greeting, stream, &mut trace)).await;
    let Some(socket) = shaken else {
        let refused = matches!(stage.part.greeting, Greeting::Refusal(_));
        stage.sessions.disconnected = Some(Instant::now());
        return refused.then_some(trace);
    };
    let asked = trace.path_and_query.contains("compress=zstd-stream");
    let compressed = asked && stage.part.encoding == Encoding::Zstd;
    let peer = Peer {
        stage,
        socket,
        compressor: compressed.then(Compressor::new),
        trace,
        begun,
        spoken: begun,
        expected: None,
        heartbeat_asked: false,
        fences: 0,
        is_mute: false,
        ender: None,
    };
    Some(peer.play().await)
}

async fn shake_hands(
    greeting: &Greeting,
    stream: TcpStream,
    trace: &mut ConnectionTrace,
) -> Option<WebSocketStream<TcpStream>> {
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let look = |request: &Request, response: Response| {
        trace.path_and_query = request.uri().to_string();
        let named = request.headers().get("user-agent");
        trace.user_agent = named.and_then(|name| Some(name.to_str().ok()?.to_owned()));
        let Greeting::Refusal(status) = greeting else {
            return Ok(response);
        };
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = (*status).try_into().expect("a status");
        Err(refusal)
    };
    accept_hdr_async(stream, look).await.ok()
}

impl Peer<'_> {
    async fn play(mut self) -> ConnectionTrace {
        let part = self.stage.part;
        if let Greeting::Hello(interval) = &part.greeting {
            self.say(10, &json!({"heartbeat_interval": interval})).await;
            self.trace.hello = Some(self.begun.elapsed());
        }
        for step in &part.steps {
            if self.ender.is_some() {
                break;
            }
            self.take(step).await;
        }
        let now = Instant::now();
        self.trace.ended = Ended {
            by: self.ender.unwrap_or(Ender::Server { echo: None }),
            at: now - self.begun,
            after: now - self.spoken,
        };
        if self.heartbeat_asked {
            self.trace.answers.push(None);
        }
        let has_closed = matches!(self.ender, Some(Ender::Client { code: Some(_), .. }));
        if has_closed && !part.answers_close {
            self.hold_close(now).await;
        }
        self.stage.sessions.disconnected = Some(Instant::now());
        self.trace
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(wait) => self.pass(*wait).await,
            Step::AwaitAsk => self.await_ask().await,
            Step::Answer => self.answer().await,
            Step::Dispatch(name, data) => self.dispatch(name, data).await,
            Step::AskForHeartbeat => {
                self.settle().await;
                self.heartbeat_asked = true;
                self.say(1, &Value::Null).await;
                self.settle().await;
                if std::mem::take(&mut self.heartbeat_asked) {
                    self.trace.answers.push(None);
                }
            }
            Step::Say(text) => {
                self.expect_number_of(text);
                self.send(text).await;
            }
            Step::Binary(bytes) => {
                self.spoken = Instant::now();
                let frame = Message::binary(bytes.clone());
                let _gone = frozen(self.socket.send(frame)).await;
            }
            Step::Bytes(bytes) => {
                self.spoken = Instant::now();
                let _gone = frozen(self.socket.get_mut().write_all(bytes)).await;
            }
            Step::RequestMembers(count) => self.stage.commands.request_members(*count),
            Step::End(end) => self.end(end).await,
        }
    }

    async fn await_ask(&mut self) {
        let until = Instant::now() + ASKING;
        self.settle().await;
        while self.trace.asked.is_empty() && Instant::now() < until && self.ender.is_none() {
            self.step(until).await;
            self.settle().await;
        }
    }

    /// Answers what the client has asked, as Discord without faults does.
    async fn answer(&mut self) {
        self.await_ask().await;
        self.trace.answered = Some(self.begun.elapsed());
        match self.trace.asked.last().map(|asked| &asked.what) {
            Some(Ask::Identify(_)) => {
                self.stage.sessions.begun += 1;
                self.stage.sessions.sequence = 0;
                let mut ready = json!({
                    "v": 10,
                    "user": {"id": "5", "username": "bot", "discriminator": "0", "bot": true},
                    "guilds": [{"id": "1", "unavailable": true}],
                    "session_id": self.stage.sessions.newest(),
                    "shard": [0, 1],
                    "application": {"id": "5", "flags": 0},
                });
                let resume_at = &self.stage.part.resume_at;
                if *resume_at != ResumeAt::Missing {
                    let url = self.stage.server.resume_url(resume_at);
                    ready["resume_gateway_url"] = url.into();
                }
                self.dispatch("READY", &ready).await;
            }
            Some(Ask::Resume { .. }) => self.dispatch("RESUMED", &json!({})).await,
            None => {}
        }
    }

    async fn dispatch(&mut self, name: &str, data: &Value) {
        self.stage.sessions.sequence += 1;
        let number = self.stage.sessions.sequence;
        self.expected = Some(number);
        let text = json!({"t": name, "s": number, "op": 0, "d": data});
        self.send(&text.to_string()).await;
    }

    /// A dispatch of the script's own is the session's last one, if it has a number.
    fn expect_number_of(&mut self, text: &str) {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        if said["op"] == 0
            && said["t"].is_string()
            && let Some(number) = said["s"].as_u64()
        {
            self.stage.sessions.sequence = number;
            self.expected = Some(number);
        }
    }

    async fn say(&mut self, op: u8, data: &Value) {
        let text = json!({"t": null, "s": null, "op": op, "d": data});
        self.send(&text.to_string()).await;
    }

    async fn send(&mut self, text: &str) {
        self.spoken = Instant::now();
        self.send_quietly(text).await;
    }

    /// Who is gone hears nothing; that it is gone is read.
    async fn send_quietly(&mut self, text: &str) {
        let message = match &mut self.compressor {
            None => Message::text(text),
            Some(compressor) => Message::binary(compressor.compress(text.as_bytes())),
        };
        let _gone = frozen(self.socket.send(message)).await;
    }

    /// Lets time pass.
    async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.settle().await;
        while Instant::now() < until && self.ender.is_none() {
            self.step(until).await;
            self.settle().await;
        }
    }

    async fn step(&mut self, until: Instant) {
        select! {
            () = self.stage.steps.next() => {}
            () = sleep_until(until) => {}
        }
    }

    /// Waits until the client has heard all and answered, in no time.
    ///
    /// A ping is a fence: its pong comes after all that the client said before it, and was sent
    /// after it had read all that came before. What it had to say to that may come behind the
    /// first pong, and not behind the second.
    async fn settle(&mut self) {
        let mut silent = 0;
        while silent < 2 && self.ender.is_none() {
            self.fences += 1;
            let fence = self.fences.to_be_bytes();
            let _gone = frozen(self.socket.send(Message::Ping(fence.to_vec().into()))).await;
            silent += 1;
            loop {
                let limit = self.fence_time();
                let Some(message) = frozen_for(limit, self.socket.next()).await else {
                    self.is_mute = true;
                    break;
                };
                match message {
                    Some(Ok(Message::Pong(payload))) if payload[..] == fence => break,
                    Some(Ok(Message::Text(text))) => {
                        silent = 0;
                        self.heard(&text).await;
                    }
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map(|frame| frame.code.into());
                        if self.stage.part.answers_close {
                            let _gone = frozen(self.socket.flush()).await;
                        }
                        self.ender = Some(Ender::Client { code, held: None });
                        break;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => {
                        let (code, held) = (None, None);
                        self.ender = Some(Ender::Client { code, held });
                        break;
                    }
                }
            }
        }
    }

    /// How long a pong may take, in real time.
    fn fence_time(&self) -> Duration {
        Duration::from_millis(if self.is_mute { 5 } else { 1_000 })
    }

    async fn heard(&mut self, text: &str) {
        let said: Value = serde_json::from_str(text).expect("a client says JSON");
        let now = Instant::now();
        let hello = self.begun + self.trace.hello.unwrap_or_default();
        let since_hello = now - hello;
        match said["op"].as_u64() {
            Some(1) => {
                let is_newest = said["d"].as_u64() == self.expected;
                if std::mem::take(&mut self.heartbeat_asked) {
                    self.trace.answers.push(Some(now - self.spoken));
                } else {
                    self.spoken = now;
                    let at = since_hello;
                    self.trace.beats.push(Beat { at, is_newest });
                }
                if self.stage.part.acknowledges {
                    let ack = json!({"t": null, "s": null, "op": 11, "d": null});
                    self.send_quietly(&ack.to_string()).await;
                }
            }
            Some(2) => {
                let last = self.stage.sessions.identified.replace(now);
                let spaced = last.map(|last| now - last);
                let spaced = spaced.map(|gap| gap.saturating_sub(IDENTIFY_SPACING));
                let late = spaced.map_or(since_hello, |gap| gap.min(since_hello));
                let what = Ask::Identify(said["d"].clone());
                self.trace.asked.push(Asked { what, late });
            }
            Some(6) => {
                let sequence = said["d"]["seq"].as_u64();
                self.expected = sequence;
                let number = |of: u64| i64::try_from(of).unwrap_or(i64::MAX);
                let known = sequence.map_or(-1, number);
                let what = Ask::Resume {
                    is_newest: said["d"]["session_id"] == self.stage.sessions.newest(),
                    behind: number(self.stage.sessions.sequence) - known,
                };
                let late = since_hello;
                self.trace.asked.push(Asked { what, late });
            }
            Some(8) => self.trace.requests.push(now - self.begun),
            _ => self.trace.others.push(said),
        }
    }

    async fn end(&mut self, end: &End) {
        self.settle().await;
        match end {
            _ if self.ender.is_some() => {}
            End::Drop => self.ender = Some(Ender::Server { echo: None }),
            End::Clients(limit) => self.pass(*limit).await,
            End::Close(code) => {
                let frame = code.map(|code| CloseFrame {
                    code: code.into(),
                    reason: "".into(),
                });
                self.spoken = Instant::now();
                let _gone = frozen(self.socket.close(frame)).await;
                let echo = frozen(self.echo()).await;
                self.ender = Some(Ender::Server { echo });
            }
        }
    }

    /// What the client's close says, if it sends one.
    async fn echo(&mut self) -> Option<u16> {
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    }

    /// Says nothing to the client's close, until it goes.
    async fn hold_close(&mut self, closed: Instant) {
        let until = closed + CLOSE_HELD;
        let mut rest = [0; 1_024];
        while Instant::now() < until {
            match frozen_for(CLOSE_ARRIVES, self.socket.get_mut().read(&mut rest)).await {
                Some(Ok(0) | Err(_)) => break,
                Some(Ok(_)) => {}
                None => self.step(until).await,
            }
        }
        if let Ender::Client { held, .. } = &mut self.trace.ended.by {
            *held = Some(closed.elapsed());
        }
    }
}
