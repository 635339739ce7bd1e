//! One connection: reads, hands on, and leaves in good order. Never awaits anything slow while
//! the connection is up, because Discord's heartbeats are only sent while it is polled.

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use axum::http::Uri;
use futures_util::{Stream, StreamExt};
use metrics::counter;
use serde_json::value::RawValue;
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use twilight_gateway::{
    CloseFrame, Config as ShardConfig, ConfigBuilder, Message as Raw, Session, ShardId, ShardState,
    error::{ReceiveMessageError, ReceiveMessageErrorType},
};
use url::Url;

use super::{
    Shard,
    identify::OneIdentify,
    message::Message,
    reconnect_policy::{Close, Course, Ended},
};
use crate::inbox::{Dispatch, MembersRequest, Untaken};

/// A heartbeat's answer may be so much later than the one before it. Discord's own rule is "none
/// by the next heartbeat"; the library takes any traffic for one, so it never finds a Gateway
/// that still sends and no longer listens.
const ACK_GRACE: Duration = Duration::from_secs(15);
/// For the question how many sessions are left.
const BUDGET_TIME: Duration = Duration::from_secs(5);
/// For a close that Discord asked for itself.
const LEAVE_TIME: Duration = Duration::from_secs(1);

/// How it went.
#[derive(Debug)]
pub(super) enum Outcome {
    Ended(Ended),
    Stopped,
    NobodyListens,
}

pub(super) struct Connection<'a> {
    shard: &'a Shard,
    course: &'a mut Course,
    /// Taken only while the session stands.
    requests: &'a mut mpsc::Receiver<MembersRequest>,
    established: bool,
    discord: twilight_gateway::Shard<OneIdentify>,
    identify: OneIdentify,
    /// Whether it has ever been up; only then is "not connected" an end.
    up: bool,
    /// An envelope with an odd field was told of.
    said_odd: bool,
    /// What it has to say next, and by when; else it is no Gateway, or a dead one.
    awaited: Awaited,
}

/// A sign of life.
#[derive(Clone, Copy, Debug)]
enum Awaited {
    Hello {
        by: Instant,
    },
    /// The answer to a heartbeat.
    Ack {
        by: Instant,
        every: Duration,
    },
}

impl Awaited {
    fn by(self) -> Instant {
        match self {
            Self::Hello { by } | Self::Ack { by, .. } => by,
        }
    }

    /// The first heartbeat may be sent a whole interval after HELLO, as each after the one before.
    fn ack(every: Duration) -> Self {
        let by = Instant::now() + every + every.min(ACK_GRACE);
        Self::Ack { by, every }
    }
}

/// What happened to the connection.
enum Step {
    Item(Option<Result<Raw, ReceiveMessageError>>),
    /// It was up, and the library is about to dial again by itself.
    Gone,
    Silent,
    /// It is our turn.
    MayIdentify,
    /// The keeper wants to know somebody.
    Asked(MembersRequest),
    StopAsked,
    RenewalAsked,
    /// The connection is a good one.
    Steady,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        shard: &'a Shard,
        course: &'a mut Course,
        requests: &'a mut mpsc::Receiver<MembersRequest>,
        template: &ShardConfig,
        url: String,
    ) -> Self {
        let identify = OneIdentify::new(shard.identifies.clone());
        let builder = ConfigBuilder::from(template.clone())
            .queue(identify.clone())
            .proxy_url(url.clone());
        let config = match course.resume() {
            None => builder.build(),
            Some(resume) => {
                // INVARIANT(no-loss): from what was committed. What arrived since is known to be
                // there when it is replayed.
                let session = Session::new(resume.sequence, resume.session_id.clone());
                builder.session(session).resume_url(url).build()
            }
        };
        // Whoever asked has been told that the connection before this one is gone.
        while requests.try_recv().is_ok() {}
        Self {
            shard,
            course,
            requests,
            established: false,
            discord: twilight_gateway::Shard::with_config(ShardId::ONE, config),
            identify,
            up: false,
            said_odd: false,
            awaited: Awaited::Hello {
                by: Instant::now() + shard.limits.hello,
            },
        }
    }

    pub(super) async fn run(mut self, stop: &CancellationToken) -> Outcome {
        loop {
            let outcome = match self.step(stop).await {
                Step::Item(Some(Ok(Raw::Text(text)))) => self.message(&text).await,
                Step::Item(Some(Ok(Raw::Close(frame)))) => {
                    let close = frame.map(|frame| Close {
                        code: frame.code,
                        reason: frame.reason.into_owned(),
                    });
                    Some(Outcome::Ended(Ended::Cut(close)))
                }
                Step::Item(Some(Err(error))) => match error.kind() {
                    // Whatever the library makes of a message, what it means to us is read here.
                    ReceiveMessageErrorType::Deserializing { event } => {
                        counter!("guildhall_gateway_bad_messages_total").increment(1);
                        self.message(event).await
                    }
                    _ => Some(Outcome::Ended(failed(&error))),
                },
                Step::Item(None) | Step::Gone => Some(Outcome::Ended(Ended::Cut(None))),
                Step::MayIdentify => {
                    self.identify.pass();
                    None
                }
                Step::Asked(request) => {
                    self.discord.send(request.text());
                    None
                }
                Step::Silent => Some(Outcome::Ended(self.gone_silent().await)),
                Step::StopAsked => {
                    self.leave(CloseFrame::RESUME, self.shard.limits.close)
                        .await;
                    Some(Outcome::Stopped)
                }
                Step::RenewalAsked => self.renew().await,
                Step::Steady => {
                    self.course.time_passed(Instant::now().into_std());
                    super::show_tries(self.course);
                    None
                }
            };
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }

    async fn step(&mut self, stop: &CancellationToken) -> Step {
        let Self {
            shard,
            requests,
            established,
            discord,
            up,
            awaited,
            identify,
            course,
            ..
        } = self;
        let next = poll_fn(|cx| match Pin::new(&mut *discord).poll_next(cx) {
            Poll::Ready(item) => {
                *up |= connected(discord);
                Poll::Ready(Step::Item(item))
            }
            Poll::Pending if *up && !connected(discord) => Poll::Ready(Step::Gone),
            Poll::Pending => {
                *up |= connected(discord);
                Poll::Pending
            }
        });
        select! {
            biased;
            () = stop.cancelled() => Step::StopAsked,
            () = shard.renew.notified() => Step::RenewalAsked,
            // Before dispatches, which may come without a pause; of these there are few.
            Some(request) = requests.recv(), if *established => Step::Asked(request),
            happened = next => happened,
            () = until(identify.due()) => Step::MayIdentify,
            () = until(course.steady_at()) => Step::Steady,
            () = sleep_until(awaited.by()) => Step::Silent,
        }
    }

    async fn message(&mut self, text: &str) -> Option<Outcome> {
        match Message::read(text, self.shard.clock.now()) {
            Message::Dispatch(dispatch) => self.hand_on(dispatch).await,
            Message::Hello { heartbeat } => {
                self.course.heard();
                self.awaited = Awaited::ack(heartbeat);
                None
            }
            Message::Acknowledged => {
                if let Awaited::Ack { every, .. } = self.awaited {
                    self.awaited = Awaited::ack(every);
                }
                None
            }
            Message::Reconnect => {
                self.wait_for_close(LEAVE_TIME).await;
                Some(Outcome::Ended(Ended::ReconnectAsked))
            }
            Message::InvalidSession { resumable } => {
                self.wait_for_close(LEAVE_TIME).await;
                Some(Outcome::Ended(Ended::InvalidSession { resumable }))
            }
            Message::Unreadable { name, data } => self.hand_on_unnumbered(name, data).await,
            Message::Other => None,
        }
    }

    /// A dispatch came whose envelope has an odd field. What it tells counts all the same; of one
    /// without a name nobody knows what it was.
    async fn hand_on_unnumbered(
        &mut self,
        name: Option<String>,
        data: Box<RawValue>,
    ) -> Option<Outcome> {
        if !std::mem::replace(&mut self.said_odd, true) {
            let name = name.as_deref().unwrap_or("message");
            warn!("[Gateway] A {name} of Discord's has an odd envelope. Said once per connection");
        }
        let dispatch = Dispatch {
            name: name.unwrap_or_default(),
            sequence: 0,
            data,
            received_at: self.shard.clock.now(),
        };
        self.hand_on(dispatch).await
    }

    /// Gives the session up for a fresh one, if there are any left: a picture with a fault is
    /// better than none.
    async fn renew(&mut self) -> Option<Outcome> {
        // The connection is not polled meanwhile, for far less than a heartbeat.
        if let Ok(Ok(_)) = timeout(BUDGET_TIME, self.shard.find(true)).await {
            self.leave(CloseFrame::NORMAL, LEAVE_TIME).await;
            Some(Outcome::Ended(Ended::Renewed))
        } else {
            warn!("[Gateway] No fresh session can be begun now; the one there is goes on");
            None
        }
    }

    /// Says goodbye to who does not listen, in a way that keeps the session.
    async fn gone_silent(&mut self) -> Ended {
        match self.awaited {
            Awaited::Hello { .. } => Ended::Unreachable("it said no HELLO".to_owned()),
            Awaited::Ack { .. } => {
                self.leave(CloseFrame::RESUME, LEAVE_TIME).await;
                Ended::Zombie
            }
        }
    }

    async fn hand_on(&mut self, dispatch: Dispatch) -> Option<Outcome> {
        let session = match dispatch.name.as_str() {
            "READY" => Some(How::Identified),
            "RESUMED" => Some(How::Resumed),
            _ => None,
        };
        match self.shard.inbox.dispatch(dispatch) {
            Ok(()) => {}
            // Not one more is read: Discord keeps them for us. The shard comes back when all that
            // waits is committed.
            Err(Untaken::Full) => {
                self.leave(CloseFrame::RESUME, LEAVE_TIME).await;
                return Some(Outcome::Ended(Ended::InboxFull));
            }
            Err(Untaken::Stopped) => return Some(Outcome::NobodyListens),
        }
        if let Some(how) = session {
            self.established(how);
        }
        if self
            .discord
            .resume_url()
            .is_some_and(|url| dialable(url, self.shard.tls).is_none())
        {
            // The library would dial it by itself were the connection to break while it is
            // polled, so it is dropped. The session is good, and resumed at the base address.
            let why = "it named an address to resume at that may not be dialled".to_owned();
            return Some(Outcome::Ended(Ended::Unreachable(why)));
        }
        None
    }

    fn established(&mut self, how: How) {
        self.established = true;
        let now = Instant::now().into_std();
        let (again, counted) = match how {
            How::Identified => ("Connected", "identify"),
            How::Resumed => ("Resumed", "resume"),
        };
        match how {
            How::Identified => self.course.ready(now),
            How::Resumed => self.course.resumed(now),
        }
        counter!("guildhall_gateway_connects_total", "how" => counted).increment(1);
        let session_id = self.discord.session().map_or("", Session::id);
        let start: String = session_id.chars().take(6).collect();
        info!(shard.id = 0, "[Gateway] {again} (session: {start}...)");
    }

    /// Closes, if there is something to close, and waits a little for Discord to say so too: a
    /// socket that is dropped with unread bytes takes the close with it.
    async fn leave(&mut self, frame: CloseFrame<'static>, limit: Duration) {
        if connected(&self.discord) {
            self.discord.close(frame);
            self.wait_for_close(limit).await;
        }
    }

    /// After a close of ours the library waits for the peer's, and dials again when there was
    /// none: whatever comes first but a dispatch is the end.
    async fn wait_for_close(&mut self, limit: Duration) {
        let closed = async {
            while let Some(Ok(Raw::Text(text))) = self.discord.next().await {
                if matches!(Message::read(&text, 0), Message::Hello { .. }) {
                    break;
                }
            }
        };
        if timeout(limit, closed).await.is_err() {
            debug!("Discord did not answer the close");
        }
    }
}

/// Asked for anew in each round: only polling the library has it ask for its IDENTIFY.
async fn until(at: Option<std::time::Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => pending().await,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Identified,
    Resumed,
}

fn connected(discord: &twilight_gateway::Shard<OneIdentify>) -> bool {
    !matches!(discord.state(), ShardState::Disconnected { .. })
}

fn failed(error: &ReceiveMessageError) -> Ended {
    match error.kind() {
        ReceiveMessageErrorType::Reconnect => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            Ended::Unreachable(cause.to_string())
        }
        // Compression: what follows can't be read either.
        _ => Ended::Cut(None),
    }
}

/// An address as the library wants it: without what it appends itself. Resume addresses come from
/// the other side, so anything may be in them; `tls`: one without TLS is not dialled.
pub(super) fn dialable(address: &str, tls: bool) -> Option<String> {
    let url: Url = address.parse().ok()?;
    let speaks = url.scheme() == "wss" || url.scheme() == "ws" && !tls;
    let speaks = speaks && url.host().is_some();
    let bare = url.query().is_none() && url.fragment().is_none();
    let address = url.as_str().trim_end_matches('/').to_owned();
    (speaks && bare && survivable(&address)).then_some(address)
}

/// The library appends a path and a query to an address, and panics where that makes no URI.
fn survivable(address: &str) -> bool {
    format!("{address}/?v=10").parse::<Uri>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_dialled_are_given_to_the_library() {
        let good = [
            ("wss://gateway.discord.gg", "wss://gateway.discord.gg"),
            (
                "ws://127.0.0.1:4000/gateway/",
                "ws://127.0.0.1:4000/gateway",
            ),
        ];
        for (address, dialled) in good {
            assert_eq!(dialable(address, false).as_deref(), Some(dialled));
            let with_tls = address.starts_with("wss:").then_some(dialled);
            assert_eq!(dialable(address, true).as_deref(), with_tls);
        }
        for bad in [
            "",
            "gateway",
            "https://discord.com",
            "wss://",
            "ws://h/?v=9",
            "ws://h/#x",
            "ws://h:99999",
            "ws://[",
            "data:x",
        ] {
            assert_eq!(dialable(bad, false), None, "{bad}");
        }
    }
}
