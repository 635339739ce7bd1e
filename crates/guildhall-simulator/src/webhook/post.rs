//! One request to the application, and what was wrong with its answer.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, Uri, header},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

use super::SigningKey;
use crate::clock;

/// Discord waits so long for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Bytes of an answer that are looked at; there should be none.
const ANSWER_BYTES: usize = 64 * 1024;

/// What is sent: a body and the headers that prove whose it is.
pub(super) struct Post<'a> {
    timestamp: String,
    signature: String,
    body: &'a str,
}

impl<'a> Post<'a> {
    /// Signed now.
    pub(super) fn signed(key: &SigningKey, body: &'a str) -> Self {
        let timestamp = (clock::unix_micros() / 1_000_000).to_string();
        Self {
            signature: key.sign(&timestamp, body),
            timestamp,
            body,
        }
    }

    /// With a signature of the right form that is of something else.
    pub(super) fn forged(key: &SigningKey, body: &'a str) -> Self {
        let post = Self::signed(key, body);
        Self {
            signature: key.sign(&post.timestamp, "something else"),
            ..post
        }
    }
}

/// What the application answered.
pub(super) struct WebhookAnswer {
    pub(super) status: StatusCode,
    has_type: bool,
    has_body: bool,
}

impl WebhookAnswer {
    /// Whether Discord counts it as received: 204, nothing in it, and a `Content-Type`.
    pub(super) fn acknowledges(&self) -> Result<(), String> {
        if self.status != StatusCode::NO_CONTENT {
            let status = self.status.as_u16();
            return Err(format!("was answered {status}, not 204"));
        }
        if self.has_body {
            return Err("was answered with a body".to_owned());
        }
        if !self.has_type {
            return Err("was answered without a Content-Type".to_owned());
        }
        Ok(())
    }
}

/// Sends them, each over a connection of its own.
pub(super) struct Poster(Client<HttpConnector, Body>);

impl Default for Poster {
    fn default() -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        Self(client.pool_max_idle_per_host(0).build_http())
    }
}

impl Poster {
    /// The error is a sentence about what came instead of an answer.
    pub(super) async fn send(&self, url: &Uri, post: &Post<'_>) -> Result<WebhookAnswer, String> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Discord-Webhook/1.0 (simulated)")
            .header("X-Signature-Ed25519", &post.signature)
            .header("X-Signature-Timestamp", &post.timestamp)
            .body(Body::from(post.body.to_owned()))
            .map_err(|error| error.to_string())?;
        let answered = timeout(ANSWER_LIMIT, async {
            let response = self.0.request(request).await;
            let response = response.map_err(|error| format!("was not answered ({error})"))?;
            let (status, has_type) = (
                response.status(),
                response.headers().contains_key(header::CONTENT_TYPE),
            );
            let body = to_bytes(Body::new(response.into_body()), ANSWER_BYTES).await;
            Ok(WebhookAnswer {
                status,
                has_type,
                has_body: body.is_err() || body.is_ok_and(|body| !body.is_empty()),
            })
        });
        let late = Err("was not answered within 3 seconds".to_owned());
        answered.await.unwrap_or(late)
    }
}
