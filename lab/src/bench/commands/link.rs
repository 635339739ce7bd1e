//! The link as a web role speaks it, as far as requests and their replies go.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Requests that wait to be written: all that a gateway takes of one attachment.
const OUTBOX: usize = 8_192;
/// The longest that a gateway knows: what it takes is to be done, however long it waits.
const DEADLINE_MS: u64 = 60_000;

type Waiting = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Value>>>>;

/// One attachment. Dropping it ends it.
pub(super) struct Link {
    _tasks: JoinSet<()>,
    outbox: mpsc::Sender<String>,
    waiting: Waiting,
    requests: AtomicU64,
}

/// The answer to a request: the `data` of its reply.
pub(super) type Reply = oneshot::Receiver<Value>;

impl Link {
    /// Attaches, and returns when all of the world has come.
    pub(super) async fn open(gateway: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{gateway}/link").into_client_request()?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let socket = TcpStream::connect(gateway).await?;
        socket.set_nodelay(true)?;
        let (socket, _) = client_async(request, socket).await?;
        let (mut sink, mut stream) = socket.split();
        let subscribe =
            json!({"type": "subscribe", "data": {"version": 2, "after": null}, "ts": 0});
        sink.send(Message::text(subscribe.to_string())).await?;
        loop {
            let message = stream.next().await.context("the link ended")??;
            if text_of(&message).starts_with(r#"{"type":"snapshot_end""#) {
                break;
            }
        }
        let (outbox, to_write) = mpsc::channel(OUTBOX);
        let waiting = Waiting::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(write(sink, to_write));
        tasks.spawn(read(stream, Arc::clone(&waiting)));
        Ok(Self {
            _tasks: tasks,
            outbox,
            waiting,
            requests: AtomicU64::new(0),
        })
    }

    /// Has its place in the order of requests when it returns.
    pub(super) fn command(&self, actor: &str, key: &str, command: &Value) -> anyhow::Result<Reply> {
        self.request(&json!({
            "kind": "command",
            "deadlineMs": DEADLINE_MS,
            "actor": actor,
            "key": key,
            "command": command,
        }))
    }

    /// Waits until somebody's rights in a guild are known.
    pub(super) async fn watch(&self, user_id: &str, guild_id: &str) -> anyhow::Result<()> {
        let reply = self.request(&json!({
            "kind": "watch",
            "deadlineMs": DEADLINE_MS,
            "userId": user_id,
            "guildIds": [guild_id],
        }))?;
        let reply = reply.await.context("the link ended")?;
        let failed = reply["failed"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        if reply["kind"] != "watch" || failed {
            bail!("the rights of {user_id} are not known: {reply}");
        }
        Ok(())
    }

    fn request(&self, data: &Value) -> anyhow::Result<Reply> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let (told, reply) = oneshot::channel();
        self.waiting.lock().insert(id, told);
        let frame = json!({"type": "request", "data": data, "requestId": id, "ts": 0});
        self.outbox
            .try_send(frame.to_string())
            .ok()
            .context("the link takes no more requests")?;
        Ok(reply)
    }
}

async fn write(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut frames: mpsc::Receiver<String>,
) {
    while let Some(frame) = frames.recv().await {
        // Whoever waits for a reply hears that the link has ended from the reading end.
        if sink.send(Message::text(frame)).await.is_err() {
            return;
        }
    }
}

/// Tells whoever waits. At its end everybody else hears that there is no reply.
async fn read(mut stream: SplitStream<WebSocketStream<TcpStream>>, waiting: Waiting) {
    while let Some(Ok(message)) = stream.next().await {
        if let Some((id, data)) = reply(text_of(&message))
            && let Some(told) = waiting.lock().remove(&id)
        {
            // Who asked may be gone.
            told.send(data).ok();
        }
    }
    waiting.lock().clear();
}

fn text_of(message: &Message) -> &str {
    match message {
        Message::Text(text) => text,
        _ => "",
    }
}

/// Number and data of a reply; `None`: it is another frame.
fn reply(frame: &str) -> Option<(u64, Value)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Frame {
        data: Value,
        request_id: u64,
    }
    if !frame.starts_with(r#"{"type":"reply""#) {
        return None;
    }
    let frame: Frame = serde_json::from_str(frame).ok()?;
    Some((frame.request_id, frame.data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_from_other_frames() {
        let frame = r#"{"type":"reply","data":{"kind":"watch","failed":[]},"requestId":3,"ts":1}"#;
        let (id, data) = reply(frame).expect("a reply");
        assert_eq!((id, &data["kind"]), (3, &json!("watch")));
        assert!(reply(r#"{"type":"heads","data":{"at":"0.1-2"},"ts":1}"#).is_none());
        assert!(reply("").is_none());
    }
}
