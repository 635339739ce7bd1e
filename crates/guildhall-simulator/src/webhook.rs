//! Webhook events: what Discord tells an application over HTTP, signed with the key whose other
//! half is in the developer portal.
//!
//! Only plain HTTP is spoken, to wherever `/sim` is told. An event is told until it is answered
//! as Discord asks, or until its time is over.

/// The application's key pair.
mod key;
/// One request to the application, and what was wrong with its answer.
mod post;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::http::{StatusCode, Uri};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use time::macros::format_description;
use tokio::{
    select,
    time::{Instant, sleep},
};

pub(crate) use key::SigningKey;
use post::{Post, Poster};

use crate::{clock, config::Config, snowflake::Snowflake, tasks::Tasks};

/// Events remembered for `/sim`, the newest last.
const REMEMBERED: usize = 100;

/// Tells the application what happened, if it wants to know.
pub(crate) struct Webhook {
    key: SigningKey,
    poster: Poster,
    /// The first pause before an event is told again; each further one is twice as long.
    retry: Duration,
    /// From then on an event is not told again.
    give_up: Duration,
    registered: Mutex<Registered>,
}

#[derive(Default)]
struct Registered {
    url: Option<Uri>,
    events: VecDeque<Told>,
    /// Of all events, so that each has a number.
    count: u64,
}

/// One event, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    number: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    /// The status of each try; null where nothing was answered.
    answers: Vec<Option<u16>>,
    /// Answered as Discord asks.
    acknowledged: bool,
    /// Nothing more comes of it.
    settled: bool,
}

impl Webhook {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            key: SigningKey::from_seed(config.seed),
            poster: Poster::default(),
            retry: config.webhook_retry,
            give_up: config.webhook_give_up,
            registered: Mutex::default(),
        }
    }

    /// As the developer portal shows it.
    pub(crate) fn public_key(&self) -> String {
        self.key.public_hex()
    }

    /// Where events go.
    pub(crate) fn url(&self) -> Option<String> {
        let registered = self.registered.lock();
        registered.url.as_ref().map(Uri::to_string)
    }

    /// The newest events, the newest last.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.registered.lock().events.iter().cloned().collect()
    }

    /// No events any more.
    pub(crate) fn unregister(&self) {
        self.registered.lock().url = None;
    }

    /// Events go there from now on, if what listens there acknowledges a PING and refuses one with
    /// a false signature. The error says what it did instead.
    pub(crate) async fn register(&self, url: Uri, application_id: Snowflake) -> Result<(), String> {
        let ping = json!({"version": 1, "application_id": application_id, "type": 0});
        let body = ping.to_string();
        let signed = Post::signed(&self.key, &body);
        let answer = self.poster.send(&url, &signed).await;
        let answer = answer.map_err(|why| format!("PING: {why}"))?;
        answer
            .acknowledges()
            .map_err(|why| format!("PING: {why}"))?;
        let forged = Post::forged(&self.key, &body);
        let answer = self.poster.send(&url, &forged).await;
        let answer = answer.map_err(|why| format!("a false signature: {why}"))?;
        if answer.status != StatusCode::UNAUTHORIZED {
            let status = answer.status.as_u16();
            return Err(format!("a false signature was answered {status}, not 401"));
        }
        self.registered.lock().url = Some(url);
        Ok(())
    }

    /// Tells an event, if somebody registered. `data`: what it is about. Returns its number.
    pub(crate) fn tell(
        self: &Arc<Self>,
        kind: &'static str,
        data: &Value,
        application_id: Snowflake,
        tasks: &Tasks,
    ) -> Option<u64> {
        let form = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]"
        );
        let timestamp = clock::date().format(form).unwrap_or_default();
        let (url, number) = {
            let mut registered = self.registered.lock();
            let url = registered.url.clone()?;
            registered.count += 1;
            let number = registered.count;
            if registered.events.len() == REMEMBERED {
                registered.events.pop_front();
            }
            registered.events.push_back(Told {
                number,
                kind,
                timestamp: timestamp.clone(),
                answers: Vec::new(),
                acknowledged: false,
                settled: false,
            });
            (url, number)
        };
        let event = json!({"type": kind, "timestamp": timestamp, "data": data});
        let payload =
            json!({"version": 1, "application_id": application_id, "type": 1, "event": event});
        let body = payload.to_string();
        let (webhook, stop) = (Arc::clone(self), tasks.stop.clone());
        tasks.tracker.spawn(async move {
            select! {
                () = webhook.deliver(&url, number, &body) => {}
                () = stop.cancelled() => {}
            }
        });
        Some(number)
    }

    async fn deliver(&self, url: &Uri, number: u64, body: &str) {
        let over = clock::now() + self.give_up;
        let mut pause = self.retry;
        loop {
            let answer = self.poster.send(url, &Post::signed(&self.key, body)).await;
            let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
            let acknowledged = answer.is_ok_and(|answer| answer.acknowledges().is_ok());
            let settled = acknowledged || is_over(over, pause);
            self.note(number, |told| {
                told.answers.push(status);
                told.acknowledged = acknowledged;
                told.settled = settled;
            });
            if settled {
                return;
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }

    fn note(&self, number: u64, edit: impl FnOnce(&mut Told)) {
        let mut registered = self.registered.lock();
        let told = registered.events.iter_mut();
        if let Some(told) = told.into_iter().find(|told| told.number == number) {
            edit(told);
        }
    }
}

/// Whether the next try would be too late.
fn is_over(over: Instant, pause: Duration) -> bool {
    clock::now() + pause > over
}
