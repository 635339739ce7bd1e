//! One connection: reads, hands on, and leaves in good order. Never awaits anything slow while
//! the connection is up, because Discord's heartbeats are only sent while it is polled.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use axum::http::Uri;
use futures_util::{Stream, StreamExt};
use metrics::counter;
use tokio::{
    select,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};
use twilight_gateway::{
    CloseFrame, Config as ShardConfig, ConfigBuilder, Message as Raw, Session, ShardId, ShardState,
    error::{ReceiveMessageError, ReceiveMessageErrorType},
    queue::Queue,
};
use url::Url;

use super::{
    Dispatch, MembersRequest, Shard,
    course::{Course, Ended, Resume},
    dispatch::Message,
};
use crate::keeper::Input;

/// From dialling to HELLO.
const HELLO_TIME: Duration = Duration::from_secs(20);
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
    /// Whether it has ever been up; only then is "not connected" an end.
    up: bool,
    /// No HELLO by then: an end.
    hello_by: Option<Instant>,
}

/// What happened to the connection.
enum Step {
    Item(Option<Result<Raw, ReceiveMessageError>>),
    /// It was up, and the library is about to dial again by itself.
    Gone,
    Asked(MembersRequest),
    NoHello,
    StopAsked,
    RenewalAsked,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        shard: &'a Shard,
        course: &'a mut Course,
        requests: &'a mut mpsc::Receiver<MembersRequest>,
        template: &ShardConfig,
        url: String,
    ) -> Self {
        let builder = ConfigBuilder::from(template.clone())
            .queue(OneIdentify::default())
            .proxy_url(url.clone());
        let config = match course.resume() {
            None => builder.build(),
            Some(resume) => {
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
            up: false,
            hello_by: Some(Instant::now() + HELLO_TIME),
        }
    }

    pub(super) async fn run(mut self, stop: &CancellationToken) -> Outcome {
        loop {
            let outcome = match self.step(stop).await {
                Step::Item(Some(Ok(Raw::Text(text)))) => self.message(&text).await,
                Step::Item(Some(Ok(Raw::Close(frame)))) => {
                    Some(Outcome::Ended(Ended::Cut(frame.map(|frame| frame.code))))
                }
                Step::Item(Some(Err(error))) => failed(&error),
                Step::Item(None) | Step::Gone => Some(Outcome::Ended(Ended::Cut(None))),
                Step::Asked(request) => {
                    self.discord.send(request.text());
                    None
                }
                Step::NoHello => {
                    let why = "it said no HELLO".to_owned();
                    Some(Outcome::Ended(Ended::Unreachable(why)))
                }
                Step::StopAsked => {
                    self.leave(CloseFrame::RESUME, self.shard.limits.close)
                        .await;
                    Some(Outcome::Stopped)
                }
                Step::RenewalAsked => {
                    self.leave(CloseFrame::NORMAL, LEAVE_TIME).await;
                    Some(Outcome::Ended(Ended::Renewed))
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
            hello_by,
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
        let hello_by = *hello_by;
        let no_hello = async {
            match hello_by {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        select! {
            biased;
            () = stop.cancelled() => Step::StopAsked,
            () = shard.renew.notified() => Step::RenewalAsked,
            // Before dispatches, which may come without a pause; of these there are few.
            Some(request) = requests.recv(), if *established => Step::Asked(request),
            happened = next => happened,
            () = no_hello => Step::NoHello,
        }
    }

    async fn message(&mut self, text: &str) -> Option<Outcome> {
        match Message::read(text, self.shard.clock.now()) {
            Message::Dispatch(dispatch) => self.hand_on(dispatch).await,
            Message::Hello => {
                self.hello_by = None;
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
            Message::Other => None,
        }
    }

    /// INVARIANT(no-loss): the sequence a RESUME begins after advances only when the dispatch is
    /// in the keeper's inbox.
    async fn hand_on(&mut self, dispatch: Dispatch) -> Option<Outcome> {
        let sequence = dispatch.sequence;
        let session = match dispatch.name.as_str() {
            "READY" => Some(How::Identified),
            "RESUMED" => Some(How::Resumed),
            _ => None,
        };
        match self.shard.inbox.try_send(Input::Dispatch(dispatch)) {
            Ok(()) => self.course.handed_on(sequence),
            Err(TrySendError::Full(_)) => {
                self.leave(CloseFrame::RESUME, LEAVE_TIME).await;
                // Half of it free again: anything less, and the replay fills it at once.
                let half = self.shard.inbox.max_capacity().div_ceil(2);
                let drained = self.shard.inbox.reserve_many(half).await.is_ok();
                let full = Outcome::Ended(Ended::InboxFull);
                return Some(if drained {
                    full
                } else {
                    Outcome::NobodyListens
                });
            }
            Err(TrySendError::Closed(_)) => return Some(Outcome::NobodyListens),
        }
        if let Some(how) = session {
            self.established(how, sequence);
        }
        if self
            .discord
            .resume_url()
            .is_some_and(|url| !survivable(url))
        {
            // The library would dial it by itself were the connection to break while it is
            // polled, so it is dropped. The session is good, and resumed at the base address.
            let why = "it named an address to resume at that is none".to_owned();
            return Some(Outcome::Ended(Ended::Unreachable(why)));
        }
        None
    }

    fn established(&mut self, how: How, sequence: u64) {
        self.established = true;
        let now = Instant::now().into_std();
        let session_id = match (how, self.discord.session()) {
            (How::Identified, Some(session)) => {
                let resume = Resume {
                    session_id: session.id().to_owned(),
                    sequence,
                    url: self.discord.resume_url().and_then(dialable),
                };
                self.course.ready(resume, now);
                counter!("guildhall_gateway_connects_total", "how" => "identify").increment(1);
                session.id()
            }
            (How::Resumed, Some(session)) => {
                self.course.resumed(now);
                counter!("guildhall_gateway_connects_total", "how" => "resume").increment(1);
                session.id()
            }
            (_, None) => return,
        };
        let start: String = session_id.chars().take(6).collect();
        let again = if how == How::Resumed {
            "Resumed"
        } else {
            "Connected"
        };
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
                if matches!(Message::read(&text, 0), Message::Hello) {
                    break;
                }
            }
        };
        if timeout(limit, closed).await.is_err() {
            debug!("Discord did not answer the close");
        }
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

fn failed(error: &ReceiveMessageError) -> Option<Outcome> {
    match error.kind() {
        // Dropped, as any bad frame is. What it was about the next picture of its guild tells.
        ReceiveMessageErrorType::Deserializing { .. } => {
            counter!("guildhall_gateway_bad_messages_total").increment(1);
            debug!("a message of Discord's Gateway could not be read");
            None
        }
        ReceiveMessageErrorType::Reconnect => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            Some(Outcome::Ended(Ended::Unreachable(cause.to_string())))
        }
        // Compression: what follows can't be read either.
        _ => Some(Outcome::Ended(Ended::Cut(None))),
    }
}

/// An address as the library wants it: without what it appends itself. Resume addresses come from
/// the other side, so anything may be in them.
pub(super) fn dialable(address: &str) -> Option<String> {
    let url: Url = address.parse().ok()?;
    let speaks = matches!(url.scheme(), "ws" | "wss") && url.host().is_some();
    let bare = url.query().is_none() && url.fragment().is_none();
    let address = url.as_str().trim_end_matches('/').to_owned();
    (speaks && bare && survivable(&address)).then_some(address)
}

/// The library appends a path and a query to an address, and panics where that makes no URI.
fn survivable(address: &str) -> bool {
    format!("{address}/?v=10").parse::<Uri>().is_ok()
}

/// Lets one IDENTIFY pass: the budget was looked at before the connection was made. Were Discord
/// to ask for a second on the same connection, it waits until the connection ends; a dropped
/// sender would have the library ask again without end.
#[derive(Debug, Default)]
struct OneIdentify(Mutex<Identify>);

#[derive(Debug, Default)]
struct Identify {
    passed: bool,
    waiting: Option<oneshot::Sender<()>>,
}

impl Queue for OneIdentify {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (pass, passed) = oneshot::channel();
        let mut identify = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if identify.passed {
            identify.waiting = Some(pass);
        } else {
            // Can't fail, the receiver is right here.
            identify.passed = pass.send(()).is_ok();
        }
        passed
    }
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
            assert_eq!(dialable(address).as_deref(), Some(dialled));
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
            assert_eq!(dialable(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_identify_passes_and_a_second_waits() {
        let queue = OneIdentify::default();
        assert_eq!(queue.enqueue(0).try_recv(), Ok(()));
        let mut second = queue.enqueue(0);
        assert_eq!(second.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    }
}
