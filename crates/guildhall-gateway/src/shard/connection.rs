//! One connection, from dialling to its end: reads, hands dispatches to the inbox, and closes
//! properly. Never awaits anything slow while the connection is up, because Discord's heartbeats are
//! only sent while it is polled.

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use guildhall_http::root_cause;
use http::Uri;
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
    Shard, command,
    identify::OneIdentify,
    message::Message,
    reconnect_policy::{Close, Disconnect, ReconnectPolicy},
};
use crate::inbox::{Dispatch, InboxError, MembersRequest};

/// A heartbeat's answer may be so much later than the one before it. Discord's own rule is "none
/// by the next heartbeat"; the library takes any traffic for one, so it never finds a Gateway
/// that still sends and no longer listens.
const ACK_GRACE: Duration = Duration::from_secs(15);
/// For the question how many sessions are left.
const BUDGET_TIME: Duration = Duration::from_secs(5);
/// For a close that Discord asked for itself.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// How it ended.
#[derive(Debug)]
pub(super) enum ConnectionExit {
    Disconnected(Disconnect),
    Stopped,
    InboxClosed,
}

pub(super) struct Connection<'a> {
    shard: &'a Shard,
    policy: &'a mut ReconnectPolicy,
    /// Taken only while the session is established.
    requests: &'a mut mpsc::Receiver<MembersRequest>,
    established: bool,
    discord: twilight_gateway::Shard<OneIdentify>,
    identify: OneIdentify,
    /// Whether it has ever been up; only then is "not connected" an end.
    up: bool,
    /// An envelope with an odd field was logged.
    odd_logged: bool,
    /// What it has to say next, and by when; else it is no Gateway, or a dead one.
    awaited: Awaited,
}

/// What shows that the other end is alive.
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
enum Input {
    Item(Option<Result<Raw, ReceiveMessageError>>),
    /// It was up, and the library is about to dial again by itself.
    Gone,
    Silent,
    /// Its IDENTIFY may be sent.
    MayIdentify,
    /// The sequencer asks for members.
    MembersRequested(MembersRequest),
    StopAsked,
    RenewalAsked,
    /// The connection has lasted long enough to count as a good one.
    Steady,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        shard: &'a Shard,
        policy: &'a mut ReconnectPolicy,
        requests: &'a mut mpsc::Receiver<MembersRequest>,
        template: &ShardConfig,
        url: String,
    ) -> Self {
        let identify = OneIdentify::new(shard.identify_limiter.clone());
        let builder = ConfigBuilder::from(template.clone())
            .queue(identify.clone())
            .proxy_url(url.clone());
        let config = match policy.resume() {
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
            policy,
            requests,
            established: false,
            discord: twilight_gateway::Shard::with_config(ShardId::ONE, config),
            identify,
            up: false,
            odd_logged: false,
            awaited: Awaited::Hello {
                by: Instant::now() + shard.limits.hello,
            },
        }
    }

    pub(super) async fn run(mut self, stop: &CancellationToken) -> ConnectionExit {
        loop {
            let outcome = match self.step(stop).await {
                Input::Item(Some(Ok(Raw::Text(text)))) => self.message(&text).await,
                Input::Item(Some(Ok(Raw::Close(frame)))) => {
                    let close = frame.map(|frame| Close {
                        code: frame.code,
                        reason: frame.reason.into_owned(),
                    });
                    Some(ConnectionExit::Disconnected(Disconnect::Cut(close)))
                }
                Input::Item(Some(Err(error))) => match error.kind() {
                    // Whatever the library makes of a message, what it means to us is read here.
                    ReceiveMessageErrorType::Deserializing { event } => {
                        counter!("guildhall_gateway_bad_messages_total").increment(1);
                        self.message(event).await
                    }
                    _ => Some(ConnectionExit::Disconnected(failed(&error))),
                },
                Input::Item(None) | Input::Gone => {
                    Some(ConnectionExit::Disconnected(Disconnect::Cut(None)))
                }
                Input::MayIdentify => {
                    self.identify.pass();
                    None
                }
                Input::MembersRequested(request) => {
                    self.discord.send(command::members_request(&request));
                    None
                }
                Input::Silent => Some(ConnectionExit::Disconnected(self.unanswered().await)),
                Input::StopAsked => {
                    self.close(CloseFrame::RESUME, self.shard.limits.close)
                        .await;
                    Some(ConnectionExit::Stopped)
                }
                Input::RenewalAsked => self.renew().await,
                Input::Steady => {
                    self.policy.time_passed(Instant::now().into_std());
                    super::record_tries(self.policy);
                    None
                }
            };
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }

    async fn step(&mut self, stop: &CancellationToken) -> Input {
        let Self {
            shard,
            requests,
            established,
            discord,
            up,
            awaited,
            identify,
            policy,
            ..
        } = self;
        let next = poll_fn(|cx| match Pin::new(&mut *discord).poll_next(cx) {
            Poll::Ready(item) => {
                *up |= connected(discord);
                Poll::Ready(Input::Item(item))
            }
            Poll::Pending if *up && !connected(discord) => Poll::Ready(Input::Gone),
            Poll::Pending => {
                *up |= connected(discord);
                Poll::Pending
            }
        });
        select! {
            biased;
            () = stop.cancelled() => Input::StopAsked,
            () = shard.renew.notified() => Input::RenewalAsked,
            // Before dispatches, which may come without a pause; of these there are few.
            Some(request) = requests.recv(), if *established => Input::MembersRequested(request),
            happened = next => happened,
            () = until(identify.due()) => Input::MayIdentify,
            () = until(policy.steady_at()) => Input::Steady,
            () = sleep_until(awaited.by()) => Input::Silent,
        }
    }

    async fn message(&mut self, text: &str) -> Option<ConnectionExit> {
        match Message::read(text, self.shard.clock.now()) {
            Message::Dispatch(dispatch) => self.dispatched(dispatch).await,
            Message::Hello { heartbeat } => {
                self.policy.heard();
                self.awaited = Awaited::ack(heartbeat.every);
                None
            }
            Message::Acknowledged => {
                if let Awaited::Ack { every, .. } = self.awaited {
                    self.awaited = Awaited::ack(every);
                }
                None
            }
            Message::Reconnect => {
                self.wait_for_close(CLOSE_TIME).await;
                Some(ConnectionExit::Disconnected(Disconnect::ReconnectAsked))
            }
            Message::InvalidSession { resumable } => {
                self.wait_for_close(CLOSE_TIME).await;
                Some(ConnectionExit::Disconnected(Disconnect::InvalidSession {
                    resumable,
                }))
            }
            Message::Unreadable { name, data } => self.dispatched_unnumbered(name, data).await,
            Message::HeartbeatAsked | Message::Garbage | Message::Other => None,
        }
    }

    /// A dispatch came whose envelope has an odd field. Its data counts all the same; of one without
    /// a name nobody knows what it was.
    async fn dispatched_unnumbered(
        &mut self,
        name: Option<String>,
        data: Box<RawValue>,
    ) -> Option<ConnectionExit> {
        if !std::mem::replace(&mut self.odd_logged, true) {
            let name = name.as_deref().unwrap_or("message");
            warn!("[Gateway] A {name} of Discord's has an odd envelope. Said once per connection");
        }
        let dispatch = Dispatch {
            name: name.unwrap_or_default(),
            sequence: None,
            data,
            received_at: self.shard.clock.now(),
        };
        self.dispatched(dispatch).await
    }

    /// Gives the session up for a fresh one, if there are any left: a world with a fault is better
    /// than none.
    async fn renew(&mut self) -> Option<ConnectionExit> {
        // The connection is not polled meanwhile, for far less than a heartbeat.
        if let Ok(Ok(_)) = timeout(BUDGET_TIME, self.shard.find_gateway(true)).await {
            self.close(CloseFrame::NORMAL, CLOSE_TIME).await;
            Some(ConnectionExit::Disconnected(Disconnect::Renewed))
        } else {
            warn!("[Gateway] No fresh session can be begun now; the one there is goes on");
            None
        }
    }

    /// Closes a connection that no longer answers, in a way that keeps the session.
    async fn unanswered(&mut self) -> Disconnect {
        match self.awaited {
            Awaited::Hello { .. } => Disconnect::Unreachable("it said no HELLO".to_owned()),
            Awaited::Ack { .. } => {
                self.close(CloseFrame::RESUME, CLOSE_TIME).await;
                Disconnect::Zombie
            }
        }
    }

    async fn dispatched(&mut self, dispatch: Dispatch) -> Option<ConnectionExit> {
        let session = match dispatch.name.as_str() {
            "READY" => Some(How::Identified),
            "RESUMED" => Some(How::Resumed),
            _ => None,
        };
        match self.shard.inbox.dispatch(dispatch) {
            Ok(()) => {}
            // Not one more is read: Discord keeps them for us. The shard comes back when all that
            // waits is committed.
            Err(InboxError::Full) => {
                self.close(CloseFrame::RESUME, CLOSE_TIME).await;
                return Some(ConnectionExit::Disconnected(Disconnect::InboxFull));
            }
            Err(InboxError::Stopped) => return Some(ConnectionExit::InboxClosed),
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
            return Some(ConnectionExit::Disconnected(Disconnect::Unreachable(why)));
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
            How::Identified => self.policy.ready(now),
            How::Resumed => self.policy.resumed(now),
        }
        counter!("guildhall_gateway_connects_total", "how" => counted).increment(1);
        let session_id = self.discord.session().map_or("", Session::id);
        let start: String = session_id.chars().take(6).collect();
        info!(shard.id = 0, "[Gateway] {again} (session: {start}...)");
    }

    /// Closes, if there is something to close, and waits a little for Discord to say so too: a
    /// socket that is dropped with unread bytes takes the close with it.
    async fn close(&mut self, frame: CloseFrame<'static>, limit: Duration) {
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

/// Made again in each round: only polling the library has it ask for its IDENTIFY.
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

fn failed(error: &ReceiveMessageError) -> Disconnect {
    match error.kind() {
        ReceiveMessageErrorType::Reconnect => Disconnect::Unreachable(root_cause(error)),
        // Compression: what follows can't be read either.
        _ => Disconnect::Cut(None),
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
