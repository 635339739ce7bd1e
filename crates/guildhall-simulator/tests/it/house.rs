//! A running simulator and its clients.

use std::{sync::Once, time::Duration};

use futures_util::{SinkExt, StreamExt};
use guildhall_simulator::{Application, Config, Simulator};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Outcome = Result<(), Failure>;

/// GUILDS and GUILD_VOICE_STATES.
pub(crate) const INTENTS: u64 = 129;

/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A simulator on a free port; it stops when this is dropped.
pub(crate) struct House {
    pub(crate) address: String,
    pub(crate) application: Application,
    pub(crate) http: reqwest::Client,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    pub(crate) async fn open() -> Result<Self, Failure> {
        Self::with(|_| {}).await
    }

    /// Looks at a path again and again until it is so.
    pub(crate) async fn until(
        &self,
        path: &str,
        so: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        for _ in 0..500 {
            let answer: Value = self.http.get(self.url(path)).send().await?.json().await?;
            if so(&answer) {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("{path} never became so").into())
    }

    pub(crate) async fn with(settings: impl FnOnce(&mut Config)) -> Result<Self, Failure> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means another test was first, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        config.rate_limits.bucket_requests = 10_000;
        config.rate_limits.global_requests = 10_000;
        config.identify_interval = Duration::ZERO;
        settings(&mut config);
        // The simulator closes a connection that was idle for its limit: none is used again shortly before.
        let lets_go_after = config.head_limit / 2;
        let simulator: Simulator = config.build().await?;
        let address = simulator.local_addr().to_string();
        let application = simulator.application();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let tasks = tracker.clone();
        let stopped = stop.clone();
        tracker.spawn(async move { simulator.run(&tasks, stopped).await });
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .pool_idle_timeout(lets_go_after)
            .build()?;
        Ok(Self {
            address,
            application,
            http,
            stop,
            tracker,
        })
    }

    /// Stops and waits for every task.
    pub(crate) async fn close(self) -> Outcome {
        self.stop.cancel();
        self.tracker.close();
        timeout(PATIENCE, self.tracker.wait()).await?;
        Ok(())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn state(&self) -> Result<Value, Failure> {
        Ok(self
            .http
            .get(self.url("/sim/state"))
            .send()
            .await?
            .json()
            .await?)
    }

    /// The first guild of `/sim/state`.
    pub(crate) async fn guild(&self) -> Result<Value, Failure> {
        Ok(self.state().await?["guilds"][0].clone())
    }

    /// The id of a channel of the first guild.
    pub(crate) async fn channel(&self, name: &str) -> Result<String, Failure> {
        named(&self.guild().await?["channels"], name)
    }

    /// The id of a role of the first guild.
    pub(crate) async fn role(&self, name: &str) -> Result<String, Failure> {
        named(&self.guild().await?["roles"], name)
    }

    /// Acts through `/sim`; anything but success is a failure.
    pub(crate) async fn act(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<Value, Failure> {
        let (status, answer) = self.try_act(method, path, body).await?;
        if (200..300).contains(&status) {
            Ok(answer)
        } else {
            Err(format!("{method} {path}: {status} {answer}").into())
        }
    }

    pub(crate) async fn try_act(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> Result<(u16, Value), Failure> {
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let answer = self
            .http
            .request(method, self.url(path))
            .json(&body)
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Puts the first member into a channel of the first guild, or out.
    pub(crate) async fn voice(&self, channel_id: Option<&str>) -> Result<Value, Failure> {
        let path = format!("/sim/guilds/{}/voice", self.application.guild_id);
        let user_id = self.application.member_id;
        self.act(
            "POST",
            &path,
            json!({"userId": user_id, "channelId": channel_id}),
        )
        .await
    }

    /// A bot's REST call.
    pub(crate) async fn rest(&self, path: &str) -> Result<(u16, Value), Failure> {
        let token = format!("Bot {}", self.application.bot_token);
        let url = self.url(&format!("/api/v10{path}"));
        let answer = self
            .http
            .get(url)
            .header("authorization", token)
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// A connection that has heard HELLO.
    pub(crate) async fn dial(&self, path: &str) -> Result<Client, Failure> {
        self.dial_url(&format!("ws://{}{path}", self.address), None)
            .await
    }

    /// The same at any URL; the connector decides whom `wss` trusts.
    pub(crate) async fn dial_url(
        &self,
        url: &str,
        connector: Option<Connector>,
    ) -> Result<Client, Failure> {
        let (socket, _) = connect_async_tls_with_config(url, None, false, connector).await?;
        let mut client = Client {
            socket,
            token: self.application.bot_token.clone(),
            seq: 0,
            replayed_before: false,
        };
        assert_eq!(client.op(10).await?["op"], 10);
        Ok(client)
    }

    /// A session, READY, and the GUILD_CREATE of each of its three guilds.
    pub(crate) async fn bot(&self, intents: u64) -> Result<(Client, Value, Vec<Value>), Failure> {
        let mut client = self.dial("/gateway/?v=10&encoding=json").await?;
        client.identify(intents).await?;
        let (ready, guilds) = client.begun().await?;
        Ok((client, ready, guilds))
    }
}

fn named(list: &Value, name: &str) -> Result<String, Failure> {
    list.as_array()
        .into_iter()
        .flatten()
        .find(|one| one["name"] == name)
        .and_then(|one| one["id"].as_str())
        .map(str::to_owned)
        .ok_or_else(|| format!("nothing is called {name}").into())
}

/// A gateway client that believes nothing.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    token: String,
    pub(crate) seq: u64,
    /// An earlier replay had a RESUMED, whose number this one leaves out.
    pub(crate) replayed_before: bool,
}

impl Client {
    pub(crate) async fn send(&mut self, payload: Value) -> Outcome {
        self.send_text(&payload.to_string()).await
    }

    pub(crate) async fn send_text(&mut self, text: &str) -> Outcome {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    pub(crate) async fn send_binary(&mut self, bytes: Vec<u8>) -> Outcome {
        Ok(self.socket.send(Message::binary(bytes)).await?)
    }

    pub(crate) async fn identify(&mut self, intents: u64) -> Outcome {
        self.identify_with(intents, json!({})).await
    }

    /// IDENTIFY with more fields than the necessary ones.
    pub(crate) async fn identify_with(&mut self, intents: u64, more: Value) -> Outcome {
        let properties = json!({"os": "linux", "browser": "test", "device": "test"});
        let mut d = json!({"token": self.token, "intents": intents, "properties": properties});
        for (name, value) in more.as_object().into_iter().flatten() {
            d[name] = value.clone();
        }
        self.send(json!({"op": 2, "d": d})).await
    }

    pub(crate) async fn resume(&mut self, session_id: &str, seq: u64) -> Outcome {
        let token = self.token.clone();
        self.send(json!({"op": 6, "d": {"token": token, "session_id": session_id, "seq": seq}}))
            .await
    }

    pub(crate) async fn beat(&mut self) -> Outcome {
        self.send(json!({"op": 1, "d": self.seq})).await
    }

    /// The next payload, or the close code in its place.
    pub(crate) async fn next(&mut self) -> Result<Result<Value, Option<u16>>, Failure> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await? {
                Some(Ok(Message::Text(text))) => {
                    let payload: Value = serde_json::from_str(&text)?;
                    if let Some(seq) = payload["s"].as_u64() {
                        let next = seq == self.seq + 1 || (self.replayed_before && seq > self.seq);
                        assert!(next, "sequence {seq} after {}", self.seq);
                        self.seq = seq;
                    }
                    return Ok(Ok(payload));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Err(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(Err(None)),
            }
        }
    }

    /// The next payload; it must have this op.
    pub(crate) async fn op(&mut self, op: u64) -> Result<Value, Failure> {
        match self.next().await? {
            Ok(payload) if payload["op"] == op => Ok(payload),
            other => Err(format!("wanted op {op}, got {other:?}").into()),
        }
    }

    /// `d` of the next payload, which must be this dispatch.
    pub(crate) async fn dispatch(&mut self, name: &str) -> Result<Value, Failure> {
        match self.next().await? {
            Ok(payload) if payload["t"] == name => Ok(payload["d"].clone()),
            other => Err(format!("wanted {name}, got {other:?}").into()),
        }
    }

    /// READY, and the guilds that come after it one by one, all of them.
    pub(crate) async fn begun(&mut self) -> Result<(Value, Vec<Value>), Failure> {
        let ready = self.dispatch("READY").await?;
        let mut guilds = Vec::new();
        for _ in ready["guilds"].as_array().ok_or("READY has no guilds")? {
            guilds.push(self.dispatch("GUILD_CREATE").await?);
        }
        Ok((ready, guilds))
    }

    /// The names of all dispatches up to the answer of a heartbeat sent now.
    pub(crate) async fn names_until_now(&mut self) -> Result<Vec<String>, Failure> {
        let heard = self.until_now().await?;
        Ok(heard.into_iter().map(|(name, _)| name).collect())
    }

    /// Name and `d` of all dispatches up to the answer of a heartbeat sent now.
    pub(crate) async fn until_now(&mut self) -> Result<Vec<(String, Value)>, Failure> {
        self.beat().await?;
        let mut heard = Vec::new();
        loop {
            match self.next().await? {
                Ok(payload) if payload["op"] == 11 => return Ok(heard),
                Ok(mut payload) => {
                    let name = payload["t"].as_str().unwrap_or("?").to_owned();
                    heard.push((name, payload["d"].take()));
                }
                Err(code) => return Err(format!("closed with {code:?}").into()),
            }
        }
    }

    /// The code with which the other side closes; payloads before it are passed over.
    pub(crate) async fn closed_with(&mut self) -> Result<Option<u16>, Failure> {
        loop {
            if let Err(code) = self.next().await? {
                return Ok(code);
            }
        }
    }

    pub(crate) async fn close(mut self, code: u16) -> Outcome {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: "".into(),
        };
        self.socket.close(Some(frame)).await?;
        while let Ok(Some(Ok(_))) = timeout(PATIENCE, self.socket.next()).await {}
        Ok(())
    }
}
