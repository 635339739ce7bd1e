//! A request in flight: its connection is busy until the response is complete.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

use super::connections::ConnectionPermit;

/// While this lives its connection is in use; dropped, the connection waits for the next request.
#[derive(Debug)]
pub(super) struct InUse(Arc<ConnectionPermit>);

impl InUse {
    pub(super) fn new(permit: Arc<ConnectionPermit>) -> Self {
        permit.set_busy();
        Self(permit)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.set_idle();
    }
}

/// The body of a response; the connection is in use until it has been taken from here.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Body,
    _in_use: InUse,
}

impl ResponseBody {
    pub(super) fn new(body: Body, in_use: InUse) -> Self {
        Self {
            body,
            _in_use: in_use,
        }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
