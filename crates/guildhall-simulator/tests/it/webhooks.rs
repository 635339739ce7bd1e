//! What the application is told over HTTP: checked as Discord's documentation asks of an
//! application, with the key that is shown.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use parking_lot::Mutex;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

use crate::{
    house::{Failure, House, Outcome},
    oauth_login::signed_in,
};

/// An application: how it behaves can be changed while it runs.
struct Receiver {
    url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    events: mpsc::Receiver<Value>,
    /// Ends with it.
    _server: JoinSet<std::io::Result<()>>,
}

#[derive(Clone)]
struct Behaviour {
    key: Vec<u8>,
    /// What an event with a true signature is answered.
    answer: StatusCode,
    /// What one with a false signature is answered.
    forged: StatusCode,
    has_type: bool,
}

type Edit = fn(&mut Behaviour);
type Shared = (Arc<Mutex<Behaviour>>, mpsc::Sender<Value>);

impl Receiver {
    async fn open(house: &House) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let behaviour = Arc::new(Mutex::new(Behaviour {
            key: bytes(&house.application.public_key)?,
            answer: StatusCode::NO_CONTENT,
            forged: StatusCode::UNAUTHORIZED,
            has_type: true,
        }));
        let (sender, events) = mpsc::channel(100);
        let shared: Shared = (Arc::clone(&behaviour), sender);
        let router = Router::new().route("/hook", post(received));
        let router = router.with_state(shared);
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            behaviour,
            events,
            _server: server,
        })
    }

    async fn register(&self, house: &House) -> Result<(u16, Value), Failure> {
        put_url(house, &json!(self.url)).await
    }
}

async fn received(
    State((behaviour, sender)): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let behaviour = behaviour.lock().clone();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = text("x-signature-ed25519").and_then(|text| bytes(text).ok());
    let timestamp = text("x-signature-timestamp").unwrap_or_default();
    let signed = [timestamp.as_bytes(), &body].concat();
    let key = UnparsedPublicKey::new(&ED25519, &behaviour.key);
    let is_true = key.verify(&signed, &signature.unwrap_or_default()).is_ok();
    if !is_true {
        return behaviour.forged.into_response();
    }
    if let Ok(event) = serde_json::from_slice(&body) {
        let _ = sender.send(event).await;
    }
    let mut answer = behaviour.answer.into_response();
    if behaviour.has_type {
        let json = axum::http::HeaderValue::from_static("application/json");
        answer.headers_mut().insert("content-type", json);
    }
    answer
}

fn bytes(hex: &str) -> Result<Vec<u8>, Failure> {
    let digits = (0..hex.len()).step_by(2);
    let read = digits.map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or("?"), 16));
    Ok(read.collect::<Result<_, _>>()?)
}

async fn put_url(house: &House, url: &Value) -> Result<(u16, Value), Failure> {
    let put = house.http.put(house.url("/sim/application/webhook"));
    let answer = put.json(&json!({"url": url})).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

async fn deauthorize(house: &House, user: &str) -> Result<(u16, Value), Failure> {
    let path = format!("/sim/users/{user}/deauthorize");
    let answer = house.http.post(house.url(&path)).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

#[tokio::test]
async fn a_url_is_taken_if_it_stands_discords_test() -> Outcome {
    let house = House::open().await?;
    let mut receiver = Receiver::open(&house).await?;
    let well = receiver.behaviour.lock().clone();
    let wrong: [(&str, Edit); 4] = [
        ("PING: was answered 200, not 204", |it| {
            it.answer = StatusCode::OK;
        }),
        ("a false signature was answered 204, not 401", |it| {
            it.forged = StatusCode::NO_CONTENT;
        }),
        ("PING: was answered without a Content-Type", |it| {
            it.has_type = false;
        }),
        ("PING: was answered 201, not 204", |it| {
            it.answer = StatusCode::CREATED;
        }),
    ];
    for (sentence, edit) in wrong {
        edit(&mut receiver.behaviour.lock());
        let (status, answer) = receiver.register(&house).await?;
        assert_eq!(
            (status, &answer["error"]["message"]),
            (400, &json!(sentence))
        );
        let application = &house.state().await?["application"];
        assert_eq!(application["webhookUrl"], json!(null));
        *receiver.behaviour.lock() = well.clone();
    }
    while receiver.events.try_recv().is_ok() {}
    assert_eq!(receiver.register(&house).await?.0, 200);
    let application = &house.state().await?["application"];
    assert_eq!(application["webhookUrl"], json!(receiver.url));
    assert_eq!(
        application["publicKey"],
        json!(house.application.public_key)
    );
    let ping = receiver.events.recv().await.ok_or("no PING")?;
    let expected =
        json!({"version": 1, "application_id": house.application.id.to_string(), "type": 0});
    assert_eq!(ping, expected);
    for url in [
        json!("https://127.0.0.1:1/"),
        json!("/hook"),
        json!("http://127.0.0.1:1/"),
    ] {
        assert_eq!(put_url(&house, &url).await?.0, 400, "{url}");
    }
    assert_eq!(
        put_url(&house, &json!(null)).await?,
        (200, json!({"url": null}))
    );
    house.close().await
}

#[tokio::test]
async fn who_removes_the_application_is_told_of_until_it_is_acknowledged() -> Outcome {
    let house = House::with(|config| config.webhook_retry = Duration::from_millis(10)).await?;
    let mut receiver = Receiver::open(&house).await?;
    assert_eq!(receiver.register(&house).await?.0, 200);
    let _ping = receiver.events.recv().await.ok_or("no PING")?;
    let user = house.application.member_id.to_string();
    assert_eq!(
        deauthorize(&house, &user).await?.0,
        409,
        "nothing to remove"
    );
    assert_eq!(deauthorize(&house, "1").await?.0, 404);

    let token = signed_in(&house).await?;
    let me = || {
        house
            .http
            .get(house.url("/api/v10/users/@me"))
            .bearer_auth(&token)
    };
    assert_eq!(me().send().await?.status(), 200);
    receiver.behaviour.lock().answer = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(
        deauthorize(&house, &user).await?,
        (200, json!({"event": 1}))
    );
    assert_eq!(me().send().await?.status(), 401, "the token is void");
    let first = receiver.events.recv().await.ok_or("no event")?;
    assert_eq!(first["event"]["type"], "APPLICATION_DEAUTHORIZED");
    assert_eq!(first["event"]["data"]["user"]["id"], json!(user));
    assert_eq!(first["type"], 1);
    let again = receiver.events.recv().await.ok_or("not told again")?;
    assert_eq!(again, first);
    receiver.behaviour.lock().answer = StatusCode::NO_CONTENT;
    let told = |told: &Value| told["events"][0]["settled"] == true;
    let told = house.until("/sim/application/webhook", told).await?;
    let event = &told["events"][0];
    assert_eq!(event["acknowledged"], true);
    let answers = event["answers"].as_array().ok_or("no answers")?;
    assert!(answers.len() >= 3, "{answers:?}");
    assert_eq!(answers.first(), Some(&json!(503)));
    assert_eq!(answers.last(), Some(&json!(204)));
    house.close().await
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_given_up() -> Outcome {
    let house = House::with(|config| {
        config.webhook_retry = Duration::from_millis(10);
        config.webhook_give_up = Duration::from_millis(40);
    })
    .await?;
    let receiver = Receiver::open(&house).await?;
    assert_eq!(receiver.register(&house).await?.0, 200);
    signed_in(&house).await?;
    receiver.behaviour.lock().answer = StatusCode::OK;
    let user = house.application.member_id.to_string();
    deauthorize(&house, &user).await?;
    let settled = |told: &Value| told["events"][0]["settled"] == true;
    let told = house.until("/sim/application/webhook", settled).await?;
    assert_eq!(told["events"][0]["acknowledged"], false);
    house.close().await
}
