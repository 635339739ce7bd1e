//! The sockets to the gateway, one after the other: moves bytes for `guildhall_link::receiver`,
//! which decides.

use std::{collections::BTreeSet, io, pin::pin, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use guildhall_http::{
    ByteStream, UnusableUrl, WsUrl,
    driver_time::{now, sleep_to},
    error_chain,
    tls::tls_failure,
};
use guildhall_link::{
    Backoff, End, Frame, SocketInput, Violation,
    attachment::{MESSAGE_BYTES_TO_WEB, WRITE_LIMIT},
    frame::{InstanceId, ViewerTable},
    receiver::{Input, Output, Receiver, Unanswered},
};
use guildhall_model::Cursor;
use guildhall_ports::{Clock, GatewayRegistry, Unavailable};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use metrics::{counter, gauge};
use rustls::ClientConfig;
use tokio::{
    select,
    sync::{mpsc, watch},
    time::{sleep_until, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Error as SocketError, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    Connect, LinkAsk, LinkHealth, Revocations, asker::Asker, gateway_clock,
    revocations::REVOKE_LIMIT,
};
use crate::{
    WebSettingNames,
    fanout::{Publisher, RoomViewers},
};

/// To be told where the gateways are; and name look-up, TCP, TLS and the upgrade together.
const DIAL_LIMIT: Duration = Duration::from_secs(10);
/// How long the gateway has to take our close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Read from the socket at once. The WebSocket library writes zeros over so much of its buffer before
/// each look at the socket; events are some hundred bytes, and mostly come one by one.
const READ_BYTES: usize = 16 << 10;

type Socket = WebSocketStream<MaybeTlsStream<Box<dyn ByteStream>>>;

/// Who knows where the gateway is, and how it is reached.
pub(super) struct GatewayConnector {
    pub(super) registry: Arc<dyn GatewayRegistry>,
    pub(super) connect: Arc<dyn Connect>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) authorization: HeaderValue,
    /// What the operator calls the setting with further root certificates.
    pub(super) roots_setting: &'static str,
}

/// The task that keeps the link up. It never gives up.
pub(crate) struct Dialler {
    gateway: GatewayConnector,
    names: WebSettingNames,
    publisher: Publisher,
    /// This process, as it tells the gateway of its viewers.
    instance: InstanceId,
    viewers: RoomViewers,
    revocations: Revocations,
    clock: Arc<dyn Clock>,
    asks: mpsc::Receiver<LinkAsk>,
    health: watch::Sender<LinkHealth>,
    backoff: Backoff,
    /// Whose turn it is of the listed gateways: one further with each connection that was of no use,
    /// so that one that is dead does not hide those behind it.
    turn: usize,
    /// The failure that was logged last; `None` since the link was up.
    failure: Option<LinkHealth>,
    /// The replica has a hole: ask for everything, whatever its position says.
    needs_snapshot: bool,
    reported: BTreeSet<Violation>,
}

impl Dialler {
    pub(super) fn new(
        gateway: GatewayConnector,
        names: WebSettingNames,
        publisher: Publisher,
        revocations: Revocations,
        clock: Arc<dyn Clock>,
        asks: mpsc::Receiver<LinkAsk>,
        health: watch::Sender<LinkHealth>,
    ) -> Self {
        Self {
            gateway,
            names,
            instance: instance_id(),
            viewers: publisher.room_viewers(),
            publisher,
            revocations,
            clock,
            asks,
            health,
            backoff: Backoff::default(),
            turn: 0,
            failure: None,
            needs_snapshot: false,
            reported: BTreeSet::new(),
        }
    }

    /// Keeps a connection to the gateway until `stop` is cancelled.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        gauge!("guildhall_link_up").set(0);
        self.publisher.link_down(self.clock.now());
        loop {
            // Boxed: the TLS handshake's state is big, and this task lives long.
            let dialling = Box::pin(self.gateway.dial(self.turn));
            let dialled = drop_asks_until(&mut self.asks, dialling);
            let failure = match stop.run_until_cancelled(dialled).await {
                None => return,
                Some(Ok((socket, answer))) => {
                    gateway_clock::compare(&answer, self.clock.now());
                    match self.run_attachment(socket, &stop).await {
                        End::Stopped => return,
                        end => LinkHealth::Ended(end),
                    }
                }
                Some(Err(failure)) => failure,
            };
            counter!("guildhall_link_failures_total").increment(1);
            self.turn = self.turn.wrapping_add(1);
            self.failed(failure);
            let retry_at = self.backoff.failed(now(), jitter());
            let rest = sleep_until(retry_at.into());
            let rested = drop_asks_until(&mut self.asks, rest);
            if stop.run_until_cancelled(rested).await.is_none() {
                return;
            }
        }
    }

    /// One attachment until it ends.
    async fn run_attachment(&mut self, socket: Socket, stop: &CancellationToken) -> End {
        self.health.send_replace(LinkHealth::CatchingUp);
        let after = if self.needs_snapshot {
            None
        } else {
            self.publisher.position()
        };
        let mut attachment = Attachment {
            socket,
            machine: Receiver::new(after, now()),
            all_revoked_told: false,
        };
        attachment.machine.handle(Input::ViewersChanged, now());
        let end = loop {
            if let Some(end) = self.drain_outputs(&mut attachment).await {
                break end;
            }
            let Attachment {
                socket, machine, ..
            } = &mut attachment;
            let input = select! {
                biased;
                () = stop.cancelled() => SocketInput::StopAsked.into(),
                // Ahead of whatever waits, and seldom.
                sent = self.revocations.next_to_send() => Input::RevokeAsked {
                    revocation: sent.revocation().clone(),
                    due: now() + REVOKE_LIMIT,
                    reply: Asker::Revoke(sent),
                },
                // Before the deadline: what has come counts, however long this task was stopped.
                message = socket.next() => input_of(message).into(),
                () = sleep_to(machine.deadline()) => SocketInput::TimePassed.into(),
                Some(ask) = self.asks.recv() => ask,
                () = self.viewers.changed() => Input::ViewersChanged,
            };
            machine.handle(input, now());
        };
        gauge!("guildhall_link_up").set(0);
        self.revocations.detached();
        if end == End::Stopped {
            // The streams are ending; that the link is gone is not for them to report.
            attachment.close(end).await;
            return end;
        }
        // Also if it never was up: what was begun and not completed is dropped with it.
        self.publisher.link_down(self.clock.now());
        if attachment.machine.caught_up() {
            self.backoff.succeeded();
            // The same one first: it may be back at once.
            self.turn = self.turn.wrapping_sub(1);
        }
        self.needs_snapshot = self.needs_snapshot_after(end, &attachment);
        attachment.close(end).await;
        end
    }

    /// A hole once seen stays one until a new replica is complete.
    fn needs_snapshot_after(&self, end: End, attachment: &Attachment) -> bool {
        end == End::OutOfOrder || (self.needs_snapshot && !attachment.machine.caught_up())
    }

    /// Does all that the machine wants. Returns the end, if it is over.
    async fn drain_outputs(&mut self, attachment: &mut Attachment) -> Option<End> {
        loop {
            match attachment.machine.poll_output() {
                Some(Output::Send(frame)) => {
                    let text = frame.encode(self.clock.now());
                    attachment.feed(Message::text(text)).await;
                }
                Some(Output::Ping) => attachment.feed(Message::Ping(bytes::Bytes::new())).await,
                Some(Output::Begin(log)) => self.publisher.begin_snapshot(log),
                Some(Output::Base(base)) => self.publisher.add_base(*base),
                Some(Output::Apply(group)) => {
                    for envelope in &group {
                        let name = envelope.event.change.name();
                        debug!("[Gateway Client] Event received: {name}");
                    }
                    let received = group.len() as u64;
                    counter!("guildhall_link_events_received_total").increment(received);
                    if self.publisher.apply_group(group).is_err() {
                        attachment.machine.handle(Input::ReplicaRefused, now());
                    }
                }
                Some(Output::Revoked(revocations)) => {
                    let told = self.revocations.told(revocations, self.clock.now()).await;
                    if let Err(Unavailable(why)) = told {
                        warn!("[Gateway Client] What was revoked is not kept here: {why}");
                        let again = SocketInput::ConnectionLost;
                        attachment.machine.handle(again, now());
                    }
                }
                Some(Output::AllRevokedTold) => {
                    attachment.all_revoked_told = true;
                    self.revocations.attached(self.clock.now());
                }
                Some(Output::Complete(at)) => {
                    if !attachment.all_revoked_told {
                        self.revocations.not_told();
                    }
                    self.complete(&at);
                }
                Some(Output::Live(event)) => self.publisher.live(&event),
                Some(Output::Status(status)) => {
                    self.publisher.status(status.at.log, status.status);
                }
                Some(Output::Heads(heads)) => self.heads(&heads),
                Some(Output::Answer { reply, answer }) => reply.tell(answer),
                Some(Output::CountViewers) => {
                    let table = ViewerTable {
                        instance: self.instance.clone(),
                        rooms: self.viewers.counts(),
                    };
                    let counted = Input::ViewersCounted(table);
                    attachment.machine.handle(counted, now());
                }
                Some(Output::Report(violation)) => self.report(violation),
                Some(Output::PeerFailed { code, message }) => {
                    let message: String = message.chars().take(200).collect();
                    warn!(
                        ?code,
                        ?message,
                        "[Gateway Client] The gateway reports an error"
                    );
                }
                Some(Output::End(end)) => return Some(end),
                None if attachment.flush().await => return None,
                // The machine knows of the failure, and has its end ready.
                None => {}
            }
        }
    }

    fn complete(&mut self, at: &Cursor) {
        self.publisher.complete_snapshot(at);
        self.publisher.link_up(self.clock.now());
        gauge!("guildhall_link_up").set(1);
        self.health.send_replace(LinkHealth::Up);
        self.failure = None;
        info!(link.at = %at, "[Gateway Client] Connected to Gateway service");
    }

    /// How far behind the gateway the replica is: nearly always not at all.
    fn heads(&self, heads: &Cursor) {
        let here = self.publisher.position();
        let behind = heads.positions().iter().map(|head| {
            let here = here.as_ref().and_then(|here| here.in_log(head.log));
            let here = here.filter(|here| here.comparable(*head));
            here.map_or(0, |here| head.seq.saturating_sub(here.seq))
        });
        #[expect(clippy::cast_precision_loss, reason = "a number of events")]
        gauge!("guildhall_link_events_behind").set(behind.sum::<u64>() as f64);
    }

    /// Notes that there is no link, and logs why only if that is not what was logged last.
    fn failed(&mut self, failure: LinkHealth) {
        let detail = failure.detail(&self.names);
        if self.failure.as_ref() == Some(&failure) {
            debug!("[Gateway Client] {detail}");
        } else if failure.needs_operator() {
            error!(alert = true, "[Gateway Client] {detail}");
        } else {
            warn!("[Gateway Client] {detail}");
        }
        self.health.send_replace(failure.clone());
        self.failure = Some(failure);
    }

    fn report(&mut self, violation: Violation) {
        let kind = violation.kind();
        counter!("guildhall_link_violations_total", "role" => "web", "kind" => kind).increment(1);
        if self.reported.insert(violation) {
            warn!(
                kind,
                "[Gateway Client] The gateway breaks the link's rules: {violation}"
            );
        }
    }
}

struct Attachment {
    socket: Socket,
    machine: Receiver<Asker>,
    all_revoked_told: bool,
}

impl Attachment {
    async fn feed(&mut self, message: Message) {
        let written = timeout(WRITE_LIMIT, self.socket.feed(message)).await;
        self.written(&written);
    }

    async fn flush(&mut self) -> bool {
        let written = timeout(WRITE_LIMIT, self.socket.flush()).await;
        self.written(&written)
    }

    fn written<T, E>(&mut self, written: &Result<Result<(), T>, E>) -> bool {
        let failure = match written {
            Ok(Ok(())) => return true,
            Ok(Err(_)) => SocketInput::ConnectionLost,
            Err(_) => SocketInput::WriteStalled,
        };
        self.machine.handle(failure, now());
        false
    }

    async fn close(&mut self, end: End) {
        let Some(code) = end.close_code() else { return };
        let close = Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: end.close_reason().into(),
        }));
        // Nothing is left to do about a gateway that does not listen.
        let _in_time = timeout(CLOSE_LIMIT, self.socket.send(close)).await;
    }
}

impl GatewayConnector {
    /// Where the gateway is now whose turn it is, of those that are listed. Whoever announced it
    /// may be another process, so it is read here.
    async fn url(&self, turn: usize) -> Result<WsUrl, LinkHealth> {
        let listed = timeout(DIAL_LIMIT, self.registry.gateways()).await;
        let listed = listed.map_err(|_| {
            let seconds = DIAL_LIMIT.as_secs();
            let silent = format!("within {seconds} s nobody said where the gateway is");
            LinkHealth::Unreachable(silent)
        })?;
        let listed = listed.map_err(|Unavailable(why)| LinkHealth::Unreachable(why))?;
        let place = turn.checked_rem(listed.len());
        let Some(address) = place.and_then(|place| listed.get(place)) else {
            let nobody = "no gateway is announced".to_owned();
            return Err(LinkHealth::Unreachable(nobody));
        };
        let unusable = |error| LinkHealth::Unreachable(format!("{address}: {error}"));
        address
            .as_str()
            .parse()
            .map_err(|error: UnusableUrl| unusable(error))
    }

    /// Opens one connection, to the listed gateway whose turn it is. With the headers of its answer.
    async fn dial(&self, turn: usize) -> Result<(Socket, HeaderMap), LinkHealth> {
        let unreachable = |error: SocketError| {
            let tls = tls_failure(&error, self.roots_setting);
            LinkHealth::Unreachable(tls.unwrap_or_else(|| error_chain(&error)))
        };
        let url = self.url(turn).await?;
        let mut request = url.as_str().into_client_request().map_err(unreachable)?;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_TO_WEB))
            .max_frame_size(Some(MESSAGE_BYTES_TO_WEB))
            .read_buffer_size(READ_BYTES);
        let tls = Some(Connector::Rustls(Arc::clone(&self.tls)));
        let connecting = async {
            let socket = self.connect(&url).await.map_err(SocketError::Io)?;
            client_async_tls_with_config(request, socket, Some(config), tls).await
        };
        match timeout(DIAL_LIMIT, connecting).await {
            Ok(Ok((socket, response))) => Ok((socket, response.into_parts().0.headers)),
            Ok(Err(SocketError::Http(response))) => Err(match response.status() {
                StatusCode::UNAUTHORIZED => LinkHealth::Unauthorized,
                status => LinkHealth::NoGateway(status.as_u16()),
            }),
            Ok(Err(error)) => Err(unreachable(error)),
            Err(_) => {
                let seconds = DIAL_LIMIT.as_secs();
                Err(LinkHealth::Unreachable(format!(
                    "no answer within {seconds} s"
                )))
            }
        }
    }

    async fn connect(&self, url: &WsUrl) -> io::Result<Box<dyn ByteStream>> {
        // Brackets are how a URL writes an IPv6 address. Every such URL has a host and a port.
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().unwrap_or_default();
        let socket = self.connect.connect(host, port).await?;
        // Watches are small and somebody waits for each: no Nagle.
        socket.set_nodelay()?;
        Ok(socket)
    }
}

/// Waits for something while there is no connection: whoever asks has no answer, at once.
async fn drop_asks_until<T>(
    asks: &mut mpsc::Receiver<LinkAsk>,
    until: impl Future<Output = T>,
) -> T {
    let mut until = pin!(until);
    loop {
        select! {
            biased;
            done = &mut until => return done,
            Some(ask) = asks.recv() => {
                if let Some(reply) = ask.into_reply() {
                    reply.tell(Err(Unanswered::Down));
                }
            }
        }
    }
}

fn input_of(message: Option<Result<Message, SocketError>>) -> SocketInput {
    match message {
        Some(Ok(Message::Text(text))) => SocketInput::FrameCame(Frame::decode(text.as_str())),
        Some(Ok(Message::Binary(_))) => SocketInput::BinaryCame,
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => SocketInput::BeatCame,
        Some(Err(SocketError::Capacity(_))) => SocketInput::OversizedCame,
        Some(Ok(Message::Close(_)) | Err(_)) | None => SocketInput::ConnectionLost,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it draws, only to tell processes apart"
)]
fn instance_id() -> InstanceId {
    let drawn: u128 = rand::random();
    let text = format!("{drawn:032x}");
    text.parse().expect("32 digits")
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it draws, the back-off decides"
)]
fn jitter() -> u32 {
    rand::random()
}

#[cfg(test)]
mod tests;
