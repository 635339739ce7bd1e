//! A session of the same bot beside the house's own: with all intents and never disturbed, it hears
//! all that Discord tells. What it heard is what the house is judged by.

use std::{sync::Arc, thread, time::Duration};

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use tokio::{
    net::TcpStream,
    runtime::Builder,
    select,
    sync::watch,
    time::{Instant, interval, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::house::{Discord, SOON};

/// All that are about guilds, the privileged ones too.
const INTENTS: u64 = (1 << 17) - 1;
/// More often than any simulator asks for it.
const HEARTBEAT: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One dispatch, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) at: Instant,
    pub(crate) name: String,
    /// Its `d`.
    pub(crate) data: Arc<RawValue>,
}

/// Records until it is dropped.
pub(crate) struct Recorder {
    heard: Arc<Mutex<Vec<Dispatch>>>,
    /// The session's id, by which faults tell it from the house's.
    pub(crate) session_id: String,
    _stop: DropGuard,
}

#[derive(Deserialize)]
struct Payload {
    op: u64,
    s: Option<u64>,
    t: Option<String>,
    d: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
}

impl Recorder {
    /// Begins, and waits until so many guilds have come.
    pub(crate) async fn start(discord: &Discord, guilds: usize) -> Self {
        let url = format!(
            "{}/gateway/?v=10&encoding=json",
            discord.url.replacen("http", "ws", 1)
        );
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (counted, mut count) = watch::channel(0);
        let stop = CancellationToken::new();
        let recording = record(url, discord.bot_token.clone(), Arc::clone(&heard), counted);
        let stopped = stop.clone();
        // Times are what it is for, so nobody else has a turn on its thread.
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let recording = stopped.run_until_cancelled(recording);
            runtime.expect("a runtime").block_on(recording);
        });
        let came = |heard: &Vec<Dispatch>| {
            let created = heard
                .iter()
                .filter(|dispatch| dispatch.name == "GUILD_CREATE");
            created.count() >= guilds
        };
        let all = async {
            while !came(&heard.lock()) {
                count.changed().await.expect("it records on");
            }
        };
        timeout(SOON, all).await.expect("all guilds come");
        let ready: Ready =
            serde_json::from_str(heard.lock()[0].data.get()).expect("READY is first");
        Self {
            heard,
            session_id: ready.session_id,
            _stop: stop.drop_guard(),
        }
    }

    /// All that it has heard by now.
    pub(crate) fn heard(&self) -> Vec<Dispatch> {
        self.heard.lock().clone()
    }
}

async fn record(
    url: String,
    token: String,
    heard: Arc<Mutex<Vec<Dispatch>>>,
    count: watch::Sender<usize>,
) {
    let (mut socket, _) = connect_async(url).await.expect("the simulator's gateway");
    let mut beats = interval(HEARTBEAT);
    let mut seq = None;
    let properties = json!({"os": "linux", "browser": "oracle", "device": "oracle"});
    let identify = json!({"op": 2, "d": {
        "token": token, "intents": INTENTS, "properties": properties, "large_threshold": 250,
    }});
    send(&mut socket, &identify).await;
    loop {
        let message = select! {
            message = socket.next() => message,
            _ = beats.tick() => {
                send(&mut socket, &json!({"op": 1, "d": seq})).await;
                continue;
            }
        };
        // At the end the simulator goes; before, what is missing would be missed.
        let Some(Ok(message)) = message else {
            return;
        };
        let Message::Text(text) = message else {
            continue;
        };
        let payload: Payload = serde_json::from_str(text.as_str()).expect("a payload");
        if let (0, Some(name), Some(data)) = (payload.op, payload.t, payload.d) {
            seq = payload.s;
            let (at, data) = (Instant::now(), Arc::from(data));
            heard.lock().push(Dispatch { at, name, data });
            count.send_modify(|count| *count += 1);
        }
        assert!(![7, 9].contains(&payload.op), "the recorder is disturbed");
    }
}

async fn send(socket: &mut Socket, payload: &serde_json::Value) {
    let sent = socket.send(Message::text(payload.to_string())).await;
    sent.expect("the recorder's connection");
}
