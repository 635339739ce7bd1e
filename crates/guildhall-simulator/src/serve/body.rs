//! The body of a request: read within a time, and read out whatever the answer is.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, HttpBody},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::clock;

/// How long the body of one request may take, and what of it has not come yet.
pub(super) struct RequestBody {
    ends: Instant,
    is_over: Arc<AtomicBool>,
    /// Shared with whoever handles the request; there is none where no body comes.
    parts: Option<Arc<Mutex<BodyDataStream>>>,
}

impl RequestBody {
    /// Takes a body, and gives one that ends in an error when its time is over.
    pub(super) fn limit(body: Body, limit: Duration) -> (Self, Body) {
        let (ends, is_over) = (clock::now() + limit, Arc::<AtomicBool>::default());
        if body.is_end_stream() {
            let parts = None;
            return (
                Self {
                    ends,
                    is_over,
                    parts,
                },
                body,
            );
        }
        let parts = Arc::new(Mutex::new(body.into_data_stream()));
        let shared = Self {
            ends,
            is_over: is_over.clone(),
            parts: Some(parts.clone()),
        };
        let waited = stream::unfold((parts, is_over), move |(parts, is_over)| async move {
            let next = poll_fn(|context| parts.lock().poll_next_unpin(context));
            let part = match timeout_at(ends, next).await {
                Ok(part) => part?,
                Err(over) => {
                    is_over.store(true, Ordering::Release);
                    Err(axum::Error::new(over))
                }
            };
            Some((part, (parts, is_over)))
        });
        (shared, Body::from_stream(waited))
    }

    /// The answer, once all of the body has come: who is still sending it would else meet a
    /// closed connection before it reads why. Whatever was made of a body that did not come
    /// is 408.
    pub(super) async fn answer(self, response: Response) -> Response {
        if self.is_over.load(Ordering::Acquire) {
            return StatusCode::REQUEST_TIMEOUT.into_response();
        }
        if let Some(parts) = self.parts {
            let next = || poll_fn(|context| parts.lock().poll_next_unpin(context));
            while let Ok(Some(Ok(_))) = timeout_at(self.ends, next()).await {}
        }
        response
    }
}
