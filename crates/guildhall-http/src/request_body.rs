//! The body of a request, and whether its end was reached. What was left of it would be taken for the next
//! request's head, so the connection ends behind the answer: the answer has to say so, or whoever keeps
//! connections (a browser, a proxy before us) sends the next request into one that is closed.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// A request's body.
#[derive(Debug)]
pub(super) struct IncomingBody {
    body: Incoming,
    end: BodyEnd,
}

/// Whether the end of a body was reached. `None`: there never was a body.
#[derive(Clone, Debug)]
pub(super) struct BodyEnd(Option<Arc<AtomicBool>>);

impl IncomingBody {
    /// It, and what tells of its end when it is gone.
    pub(super) fn of(body: Incoming) -> (Self, BodyEnd) {
        let reached = (!body.is_end_stream()).then(Arc::default);
        let end = BodyEnd(reached);
        let tells = end.clone();
        (Self { body, end }, tells)
    }
}

impl BodyEnd {
    pub(super) fn is_reached(&self) -> bool {
        self.0.as_ref().is_none_or(|reached| reached.load(Relaxed))
    }

    fn reach(&self) {
        if let Some(reached) = &self.0 {
            reached.store(true, Relaxed);
        }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.end.reach();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
