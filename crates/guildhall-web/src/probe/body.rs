//! A probe's bytes: what came, four ticks in a second, a silence, one tick more.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use guildhall_model::json;
use guildhall_ports::millis;
use http_body::{Body, Frame};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};

use super::{ProbeEcho, ProbeTick};
use crate::sse::SseBuffer;

/// From the beginning to the first tick, and from each to the next.
const TICK_EVERY: Duration = Duration::from_millis(250);
const TICKS: u32 = 4;

pub(super) struct ProbeBody {
    /// What is still to be said, and when.
    events: VecDeque<(Instant, Bytes)>,
    timer: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl ProbeBody {
    /// `quiet`: none of it, none is held and nothing is said after the ticks.
    pub(super) fn new(
        echo: &ProbeEcho,
        quiet: Duration,
        now: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let tick = |name: &str, after: Duration| {
            let at_ms = millis(after);
            (
                now + after,
                event(name, &json::to_vec(&ProbeTick { at_ms })),
            )
        };
        let mut events = VecDeque::from([(now, event("echo", &json::to_vec(echo)))]);
        events.extend((1..=TICKS).map(|count| tick("tick", TICK_EVERY * count)));
        if quiet > Duration::ZERO {
            events.push_back(tick("quiet", TICK_EVERY * TICKS + quiet));
        }
        Self {
            events,
            timer: Box::pin(sleep_until(now)),
            _permit: permit,
        }
    }
}

fn event(name: &str, data: &[u8]) -> Bytes {
    let mut out = SseBuffer::default();
    out.event(name, None, data);
    out.finish()
}

impl Body for ProbeBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let Some((at, _)) = this.events.front() else {
            return Poll::Ready(None);
        };
        if this.timer.deadline() != *at {
            this.timer.as_mut().reset(*at);
        }
        ready!(this.timer.as_mut().poll(cx));
        let event = this.events.pop_front().map(|(_, event)| event);
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}
