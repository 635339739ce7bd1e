//! One connection, from dialling to its end: moves bytes between the socket and the session's
//! machine, and hands dispatches to the inbox. Never awaits anything slow while the connection is
//! up: heartbeats are sent by whoever reads.

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use guildhall_model::GuildId;
use metrics::counter;
use tokio::{
    select,
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::{
    ShardSetup,
    reconnect_policy::{Disconnect, ReconnectPolicy},
    session::{
        CloseReason, DiscordSession, How, Input, Oddity, Output, ResumePoint, SessionConfig,
        SessionExit, SessionRequest,
    },
    transport::{self, Arrival, Compression, Transport, TransportError},
};
use crate::inbox::{InboxError, MembersRequest};

/// For the question how many sessions are left.
const BUDGET_TIME: Duration = Duration::from_secs(5);
/// Messages that are handled before anything else is looked at.
const MESSAGES_AT_ONCE: usize = 64;
/// Bytes of them: one message may be a whole guild.
const BYTES_AT_ONCE: usize = 1 << 20;
/// Characters of an event's name in the log: Discord's longest has 40.
const NAME_SHOWN: usize = 60;

/// How it ended.
#[derive(Debug)]
pub(super) enum ConnectionExit {
    Disconnected(Disconnect),
    Stopped,
    InboxClosed,
}

/// What outlives a connection and is lent to each.
pub(super) struct Lent<'a> {
    pub policy: &'a mut ReconnectPolicy,
    /// Taken only while the session is established.
    pub requests: &'a mut mpsc::Receiver<MembersRequest>,
    /// Likewise, where there is none of those.
    pub channel_infos: &'a mut mpsc::Receiver<GuildId>,
    /// What to ask Discord to compress with.
    pub compression: &'a mut Compression,
}

struct Connection<'a> {
    shard: &'a ShardSetup,
    lent: Lent<'a>,
    transport: Transport,
    session: DiscordSession,
    /// The question whether a fresh session may be begun, while it is open.
    renewal: Option<Pin<Box<dyn Future<Output = bool> + Send + 'a>>>,
    /// Nothing more is looked at but the peer's answer.
    stopping: bool,
}

/// What the loop woke for.
enum Woken {
    Arrived(Arrival),
    MembersRequested(MembersRequest),
    ChannelInfoRequested(GuildId),
    StopAsked,
    RenewalAsked,
    /// Whether a fresh session may be begun.
    RenewalAnswered(bool),
    /// The connection has lasted long enough to count as a good one.
    Steady,
    TimePassed,
}

/// Dials, and runs until the end.
pub(super) async fn run(
    shard: &ShardSetup,
    lent: Lent<'_>,
    url: Url,
    stop: &CancellationToken,
) -> ConnectionExit {
    let begun = Instant::now();
    // Whoever asked has been told that the connection before this one is gone.
    while lent.requests.try_recv().is_ok() {}
    while lent.channel_infos.try_recv().is_ok() {}
    let roots_setting = shard.names.root_certificates;
    let tls = Arc::clone(&shard.tls);
    let dial = transport::connect(url, *lent.compression, tls, roots_setting);
    let dialled = select! {
        dialled = timeout_at(begun + shard.limits.hello, dial) => dialled,
        () = stop.cancelled() => return ConnectionExit::Stopped,
    };
    let why = match dialled {
        Ok(Ok(transport)) => {
            let connection = Connection::new(shard, lent, transport, begun);
            return connection.run(stop).await;
        }
        Ok(Err(why)) => why,
        Err(_) => "it did not answer in time".to_owned(),
    };
    ConnectionExit::Disconnected(Disconnect::Unreachable(why))
}

impl<'a> Connection<'a> {
    fn new(shard: &'a ShardSetup, lent: Lent<'a>, transport: Transport, begun: Instant) -> Self {
        // INVARIANT(no-loss): from what was committed. What arrived since is known to be there
        // when it is replayed.
        let resume = lent.policy.resume().map(|resume| ResumePoint {
            session_id: resume.session_id.clone(),
            sequence: resume.sequence,
        });
        let config = SessionConfig {
            token: shard.bot_token.clone(),
            intents: shard.intents.bits(),
            shard: shard.id.pair(),
            presence: None,
            resume,
            hello_time: shard.limits.hello,
            stop_time: shard.limits.close,
        };
        #[expect(clippy::disallowed_methods, reason = "this is the driver")]
        let jitter = rand::random();
        Self {
            shard,
            lent,
            transport,
            session: DiscordSession::new(config, jitter, begun.into_std()),
            renewal: None,
            stopping: false,
        }
    }

    async fn run(mut self, stop: &CancellationToken) -> ConnectionExit {
        loop {
            let woken = self.wake(stop).await;
            let now = Instant::now();
            let arrived = matches!(woken, Woken::Arrived(_));
            if let Some(exit) = self.handle(woken, now) {
                return exit;
            }
            // Whatever else there was to do, nothing is later than its time.
            if is_past(self.transport.write_deadline(), now) {
                let why = "it takes nothing of what is sent to it".to_owned();
                self.tell(Input::ConnectionFailed(why), now);
            }
            if is_past(self.session.deadline().map(Instant::from), now) {
                self.tell(Input::TimePassed, now);
            }
            if let Some(exit) = self.carry_out(now) {
                return exit;
            }
            if arrived {
                // Whoever takes the dispatches may have to run on this thread.
                yield_now().await;
            }
        }
    }

    async fn wake(&mut self, stop: &CancellationToken) -> Woken {
        let takes_requests = self.session.takes_requests();
        let deadline = self.session.deadline().map(Instant::from);
        let deadline = [deadline, self.transport.write_deadline()];
        let deadline = deadline.into_iter().flatten().min();
        let steady_at = self.lent.policy.steady_at().map(Instant::from);
        let asks_to_renew = self.renewal.is_none();
        select! {
            biased;
            () = stop.cancelled(), if !self.stopping => Woken::StopAsked,
            () = self.shard.renew.notified(), if asks_to_renew => Woken::RenewalAsked,
            may = answered(&mut self.renewal) => Woken::RenewalAnswered(may),
            // Before dispatches, which may come without a pause; of these there are few.
            Some(request) = self.lent.requests.recv(), if takes_requests => {
                Woken::MembersRequested(request)
            }
            Some(guild_id) = self.lent.channel_infos.recv(), if takes_requests => {
                Woken::ChannelInfoRequested(guild_id)
            }
            arrival = self.transport.next() => Woken::Arrived(arrival),
            () = until(steady_at) => Woken::Steady,
            () = until(deadline) => Woken::TimePassed,
        }
    }

    fn handle(&mut self, woken: Woken, now: Instant) -> Option<ConnectionExit> {
        match woken {
            Woken::Arrived(arrival) => return self.arrived(arrival, now),
            Woken::MembersRequested(request) => {
                self.tell(Input::RequestMade(SessionRequest::Members(request)), now);
            }
            Woken::ChannelInfoRequested(guild_id) => {
                counter!("guildhall_gateway_channel_info_requests_total").increment(1);
                let request = SessionRequest::ChannelInfo(guild_id);
                self.tell(Input::RequestMade(request), now);
            }
            Woken::StopAsked => {
                self.stopping = true;
                self.tell(Input::CloseAsked(CloseReason::Stop), now);
            }
            Woken::RenewalAsked => self.renewal = Some(Box::pin(may_renew(self.shard))),
            Woken::RenewalAnswered(may_renew) => {
                self.renewal = None;
                if may_renew {
                    self.tell(Input::CloseAsked(CloseReason::Renewal), now);
                } else {
                    // A world with a fault is better than none.
                    warn!("[Gateway] No fresh session can be begun now; the one there is goes on");
                }
            }
            Woken::Steady => {
                self.lent.policy.time_passed(now.into_std());
                super::record_tries(self.lent.policy, self.shard.id);
            }
            Woken::TimePassed => {}
        }
        None
    }

    /// Takes an arrival, and those behind it that are there already.
    fn arrived(&mut self, first: Arrival, now: Instant) -> Option<ConnectionExit> {
        let received_at = self.shard.clock.now();
        let mut arrival = first;
        let mut bytes = 0;
        for taken in 1.. {
            match arrival {
                Arrival::Message => {
                    let text = &*self.transport.message();
                    bytes += text.len();
                    let input = Input::TextCame { text, received_at };
                    self.session.handle(input, now.into_std());
                }
                Arrival::Closed(close) => self.tell(Input::PeerClosed(close), now),
                Arrival::Failed(error) => self.failed(&error, now),
            }
            if let Some(exit) = self.carry_out(now) {
                return Some(exit);
            }
            if taken == MESSAGES_AT_ONCE || bytes >= BYTES_AT_ONCE {
                break;
            }
            arrival = self.transport.try_next()?;
        }
        None
    }

    fn failed(&mut self, error: &TransportError, now: Instant) {
        let asked = *self.lent.compression;
        let (next, why) = match error {
            TransportError::WindowTooLarge => (
                Compression::Zlib,
                "Discord's zstd needs too much memory".to_owned(),
            ),
            // Asked for the same again it would answer the same, for ever.
            TransportError::OtherCompression(_) => (
                asked.other(),
                format!("Discord does not answer with {}", asked.name()),
            ),
            TransportError::Broken(_) => (asked, String::new()),
        };
        if next != asked {
            *self.lent.compression = next;
            counter!("guildhall_gateway_compression_fallbacks_total").increment(1);
            warn!("[Gateway] {why}: {} from now on", next.name());
        }
        self.tell(Input::ConnectionFailed(error.to_string()), now);
    }

    fn tell(&mut self, input: Input<'_>, now: Instant) {
        self.session.handle(input, now.into_std());
    }

    /// Does what the session wants done.
    fn carry_out(&mut self, now: Instant) -> Option<ConnectionExit> {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(message) => {
                    let sent = self.transport.send(message.into_text(), now);
                    self.written(sent, now);
                }
                Output::Close(code) => {
                    let sent = self.transport.close(code, now);
                    self.written(sent, now);
                }
                Output::Greeted => self.lent.policy.heard(),
                Output::AskToIdentify => {
                    let from = self
                        .shard
                        .identify_limiter
                        .take(self.shard.id.number.into(), now.into_std());
                    self.tell(Input::MayIdentify { from }, now);
                }
                Output::Dispatch(dispatch) => match self.shard.inbox.dispatch(dispatch) {
                    Ok(()) => {}
                    // Not one more is read: Discord keeps them for us. The shard comes back when
                    // all that waits is committed.
                    Err(InboxError::Full) => {
                        self.tell(Input::CloseAsked(CloseReason::InboxFull), now);
                    }
                    Err(InboxError::Stopped) => return Some(ConnectionExit::InboxClosed),
                },
                Output::Established { how, session_id } => {
                    self.established(how, &session_id, now);
                }
                Output::Report(oddity) => report(&oddity),
                Output::Ended(SessionExit::Stopped) => return Some(ConnectionExit::Stopped),
                Output::Ended(SessionExit::Disconnected(why)) => {
                    return Some(ConnectionExit::Disconnected(why));
                }
            }
        }
        None
    }

    fn written(&mut self, written: Result<(), TransportError>, now: Instant) {
        if let Err(error) = written {
            self.failed(&error, now);
        }
    }

    fn established(&mut self, how: How, session_id: &str, now: Instant) {
        let now = now.into_std();
        let (again, counted) = match how {
            How::Identified => ("Connected", "identify"),
            How::Resumed => ("Resumed", "resume"),
        };
        match how {
            How::Identified => self.lent.policy.ready(now),
            How::Resumed => self.lent.policy.resumed(now),
        }
        counter!("guildhall_gateway_connects_total", "how" => counted).increment(1);
        let start = start_of(session_id, 6);
        info!(
            shard.id = self.shard.id.number,
            "[Gateway] {again} (session: {start}...)"
        );
    }
}

/// Whether a fresh session may be begun instead of the one there is.
async fn may_renew(shard: &ShardSetup) -> bool {
    let found = timeout(BUDGET_TIME, shard.find_gateway(true)).await;
    matches!(found, Ok(Ok(_)))
}

async fn answered(renewal: &mut Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>>) -> bool {
    match renewal {
        Some(renewal) => renewal.await,
        None => pending().await,
    }
}

fn is_past(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|at| at <= now)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// So many characters at most of what the peer said, as they may be written into a line of the log.
fn start_of(text: &str, longest: usize) -> String {
    text.chars()
        .take(longest)
        .flat_map(char::escape_debug)
        .collect()
}

/// Counts what is odd and no harm, and says what an operator may want to know.
fn report(oddity: &Oddity) {
    match oddity {
        Oddity::BadMessage => {
            counter!("guildhall_gateway_bad_messages_total").increment(1);
        }
        Oddity::OddEnvelope(name) => {
            let name = start_of(name.as_deref().unwrap_or("message"), NAME_SHOWN);
            warn!("[Gateway] A {name} of Discord's has an odd envelope. Said once per connection");
        }
        Oddity::RequestRefused { op, why } => {
            warn!("[Gateway] A request (op {op}) was not sent, so it has no answer: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_peer_said_is_one_short_line_of_the_log() {
        assert_eq!(start_of("GUILD_CREATE", NAME_SHOWN), "GUILD_CREATE");
        assert_eq!(start_of("a\n\u{1b}[31mb", 6), "a\\n\\u{1b}[31");
        assert_eq!(start_of(&"x".repeat(1 << 20), NAME_SHOWN).len(), NAME_SHOWN);
    }
}
