//! The socket of one attachment: moves bytes for `guildhall_link::sender`, which decides.

use std::{collections::BTreeSet, future::ready, pin::pin, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{FutureExt, SinkExt};
use guildhall_http::driver_time::{now, sleep_to};
use guildhall_link::{
    End, Frame, Sender, SocketInput, Violation,
    attachment::WRITE_LIMIT,
    sender::{EVENTS_PER_READ, Input, Output, REVOCATIONS_PER_TELL},
};
use guildhall_model::{LogId, Position, Revocation, SealedEvent};
use guildhall_ports::Clock;
use metrics::{Counter, counter, gauge};
use tokio::{select, sync::watch, time::timeout};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

use super::{
    log_changes::LogChanges,
    logs::{AttachedLogs, JoinOutcome},
    unacked_watches::UnackedWatches,
    unanswered_commands::UnansweredCommands,
};
use crate::{
    execute::Executor,
    revocations::{KeptRevocations, RevocationsRead},
    rooms::{AttachedViewers, ViewerTables},
};

/// After so many outputs the loop looks whether something came in, however much is still to send.
const OUTPUTS_PER_ROUND: usize = EVENTS_PER_READ;
/// So long is the other end given to read the close and close too.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// All that an attachment needs of the gateway.
#[derive(Clone, Debug)]
pub(crate) struct AttachmentContext {
    pub(crate) logs: AttachedLogs,
    pub(crate) executor: Executor,
    pub(crate) viewers: ViewerTables,
    pub(crate) revocations: KeptRevocations,
    pub(crate) clock: Arc<dyn Clock>,
}

/// One attachment until it ends. The token was checked before the upgrade, where the message
/// size was limited to [`guildhall_link::attachment::MESSAGE_BYTES_TO_GATEWAY`] too.
pub(crate) async fn serve_attachment(
    socket: WebSocket,
    context: AttachmentContext,
    stop: CancellationToken,
) {
    #[expect(
        clippy::disallowed_methods,
        reason = "drawn by a driver, only to tell logs apart"
    )]
    let number: u32 = rand::random();
    let span = info_span!("attachment", link.id = format_args!("{number:08x}"));
    Attachment::new(socket, context, stop)
        .run()
        .instrument(span)
        .await;
}

struct Attachment {
    socket: WebSocket,
    logs: AttachedLogs,
    changes: LogChanges,
    clock: Arc<dyn Clock>,
    machine: Sender,
    stop: CancellationToken,
    watches: UnackedWatches,
    commands: UnansweredCommands,
    viewers: AttachedViewers,
    revocations: KeptRevocations,
    /// The number up to which there are revocations.
    revoked: watch::Receiver<u64>,
    reported: BTreeSet<Violation>,
    /// Events sent in this round of outputs, to be counted together.
    relayed: u64,
    events_sent: Counter,
}

/// How far one round of outputs came.
enum Round {
    /// The machine has nothing more to do for now.
    Done,
    /// It has; look for inputs first.
    More,
    /// It is over.
    Ended(End),
}

impl Attachment {
    fn new(socket: WebSocket, context: AttachmentContext, stop: CancellationToken) -> Self {
        let AttachmentContext {
            logs,
            executor,
            viewers,
            revocations,
            clock,
        } = context;
        let (changes, at_first) = LogChanges::follow(&logs);
        let heads = AttachedLogs::cursor(at_first.iter().map(|(head, _)| *head));
        let mut machine = Sender::new(heads, now());
        for (head, status) in at_first {
            machine.handle(Input::StatusChanged { status, head }, now());
        }
        Self {
            socket,
            watches: UnackedWatches::new(logs.clone()),
            commands: UnansweredCommands::new(executor),
            viewers: viewers.attach(),
            revoked: revocations.follow(),
            revocations,
            logs,
            changes,
            clock,
            machine,
            stop,
            reported: BTreeSet::new(),
            relayed: 0,
            events_sent: counter!("guildhall_link_events_sent_total"),
        }
    }

    async fn run(mut self) {
        info!("[Gateway WS] Client connected");
        gauge!("guildhall_link_attachments").increment(1);
        let end = self.until_end().await;
        self.close(end).await;
        gauge!("guildhall_link_attachments").decrement(1);
        info!("[Gateway WS] Client disconnected: {end}");
    }

    async fn until_end(&mut self) -> End {
        loop {
            let more = match self.act().await {
                Round::Ended(end) => return end,
                Round::More => true,
                Round::Done => false,
            };
            let input = select! {
                biased;
                () = self.stop.cancelled() => SocketInput::StopAsked.into(),
                // Ahead of whatever waits, and seldom.
                Ok(()) = self.revoked.changed() => {
                    Input::RevokedMoved(*self.revoked.borrow_and_update())
                }
                // Before the deadline: what has come counts, however long the last write took.
                message = self.socket.recv() => input_of(message).into(),
                () = sleep_to(self.machine.deadline()) => SocketInput::TimePassed.into(),
                watched = self.watches.next() => watched,
                commanded = self.commands.next() => commanded,
                changed = self.changes.next() => match changed {
                    Some(input) => input,
                    None => SocketInput::StopAsked.into(),
                },
                () = ready(()), if more => continue,
            };
            self.machine.handle(input, now());
        }
    }

    /// Does what the machine wants, one round of it.
    async fn act(&mut self) -> Round {
        let round = self.outputs().await;
        let relayed = std::mem::take(&mut self.relayed);
        if relayed > 0 {
            self.events_sent.increment(relayed);
        }
        round
    }

    async fn outputs(&mut self) -> Round {
        for _ in 0..OUTPUTS_PER_ROUND {
            match self.machine.poll_output() {
                Some(output) => {
                    if let Some(end) = self.act_on(output).await {
                        return Round::Ended(end);
                    }
                }
                None if self.flush().await => return Round::Done,
                // The machine knows of the failure, and has its end ready.
                None => {}
            }
        }
        self.flush().await;
        Round::More
    }

    /// Does one thing. Returns the end, if it was that.
    async fn act_on(&mut self, output: Output) -> Option<End> {
        match output {
            Output::Send(frame) => {
                let text = frame.encode(self.clock.now());
                self.feed(Message::Text(text.into())).await;
            }
            Output::Relay(sealed) => self.relay(&sealed).await,
            Output::Ping => {
                self.feed(Message::Ping(Vec::new().into())).await;
            }
            Output::Join { log, after } => self.join(log, after).await,
            Output::Read(after) => {
                let read = self.logs.read(after).await;
                self.take(read);
            }
            Output::Watch {
                request_id,
                user_id,
                guild_ids,
            } => self.watches.ask(request_id, user_id, guild_ids),
            Output::Command {
                request_id,
                request,
                deadline,
            } => self.commands.execute(request_id, *request, deadline),
            Output::Repeat {
                request_id,
                request,
                deadline,
            } => self.commands.recall(request_id, *request, deadline),
            Output::Admit {
                request_id,
                request,
                deadline,
            } => self.commands.admit(request_id, request, deadline),
            Output::ReadRevoked(after) => {
                let RevocationsRead {
                    revocations,
                    end,
                    more,
                } = self.revocations.read(after, REVOCATIONS_PER_TELL);
                self.take(Some(Input::RevokedRead {
                    revocations,
                    end,
                    more,
                }));
            }
            Output::Revoke {
                request_id,
                revocation,
            } => {
                let kept = self.revocations.revoke(revocation);
                self.commands.revoke(request_id, kept);
            }
            Output::Viewers(table) => {
                counter!("guildhall_link_viewer_tables_total").increment(1);
                self.viewers.told(table);
            }
            Output::Report(violation) => self.report(violation),
            Output::PeerFailed { code, message } => {
                let message: String = message.chars().take(200).collect();
                warn!(?code, ?message, "the web role reports an error");
            }
            Output::End(end) => return Some(end),
        }
        None
    }

    async fn join(&mut self, log: LogId, after: Option<Position>) {
        match self.logs.join(log, after) {
            Some(JoinOutcome::As(input)) => self.take(Some(input)),
            Some(JoinOutcome::Beyond(position)) => {
                // What was revoked since the copy was made is known no more.
                let everybody = Revocation::of_everybody(self.clock.now());
                let kept = self.revocations.revoke(everybody);
                self.stop.run_until_cancelled(kept).await;
                self.logs.report_rollback(position);
                self.take(Some(SocketInput::StopAsked.into()));
            }
            None => {}
        }
    }

    /// The event's own bytes, which every attachment sends.
    async fn relay(&mut self, sealed: &SealedEvent) {
        let frame = sealed.frame();
        // They are UTF-8.
        let text = Utf8Bytes::try_from(frame.clone());
        let text = text.unwrap_or_else(|_| String::from_utf8_lossy(frame).into_owned().into());
        let sent = self.feed(Message::Text(text)).await;
        self.relayed += u64::from(sent);
        debug!(
            "[Gateway WS] Broadcast {}: {} success, {} failed",
            sealed.event.change.name(),
            u8::from(sent),
            u8::from(!sent)
        );
    }

    /// The machine asks for the logs that it was given, so there is an answer.
    fn take(&mut self, answer: Option<Input>) {
        if let Some(input) = answer {
            self.machine.handle(input, now());
        }
    }

    fn report(&mut self, violation: Violation) {
        let kind = violation.kind();
        counter!("guildhall_link_violations_total", "role" => "gateway", "kind" => kind)
            .increment(1);
        if self.reported.insert(violation) {
            warn!(kind, "the web role breaks the link's rules: {violation}");
        }
    }

    /// Whether it was taken; if not, the machine knows.
    async fn feed(&mut self, message: Message) -> bool {
        let mut feeding = pin!(self.socket.feed(message));
        // Nearly always there is room for it: no clock and no timer then.
        let written = match feeding.as_mut().now_or_never() {
            Some(fed) => fed.map_err(|_| SocketInput::ConnectionLost),
            None => in_time(feeding, &self.stop).await,
        };
        self.written(written)
    }

    async fn flush(&mut self) -> bool {
        let mut flushing = pin!(self.socket.flush());
        // The kernel takes it at once, unless the other end reads too slowly.
        let written = match flushing.as_mut().now_or_never() {
            Some(flushed) => flushed.map_err(|_| SocketInput::ConnectionLost),
            None => in_time(flushing, &self.stop).await,
        };
        self.written(written)
    }

    fn written(&mut self, written: Result<(), SocketInput>) -> bool {
        match written {
            Ok(()) => true,
            Err(trouble) => {
                self.machine.handle(trouble, now());
                false
            }
        }
    }

    /// Closes, and reads on until the other end has too: a socket dropped with bytes unread is
    /// reset, and our close is lost.
    async fn close(&mut self, end: End) {
        let Some(code) = end.close_code() else { return };
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: end.close_reason().into(),
        }));
        let closed = async {
            if self.socket.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // Nothing is left to do about an end that does not listen.
        let _in_time = timeout(CLOSE_LIMIT, closed).await;
    }
}

/// One write. A process that stops does not wait for who reads no more.
async fn in_time(
    write: impl Future<Output = Result<(), axum::Error>>,
    stop: &CancellationToken,
) -> Result<(), SocketInput> {
    select! {
        biased;
        written = timeout(WRITE_LIMIT, write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(SocketInput::ConnectionLost),
            Err(_) => Err(SocketInput::WriteStalled),
        },
        () = stop.cancelled() => Err(SocketInput::StopAsked),
    }
}

fn input_of(message: Option<Result<Message, axum::Error>>) -> SocketInput {
    match message {
        Some(Ok(Message::Text(text))) => SocketInput::FrameCame(Frame::decode(text.as_str())),
        Some(Ok(Message::Binary(_))) => SocketInput::BinaryCame,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => SocketInput::BeatCame,
        Some(Err(error)) if is_oversized(&error) => SocketInput::OversizedCame,
        Some(Ok(Message::Close(_)) | Err(_)) | None => SocketInput::ConnectionLost,
    }
}

fn is_oversized(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    matches!(
        source.and_then(|source| source.downcast_ref()),
        Some(tungstenite::Error::Capacity(_))
    )
}

#[cfg(test)]
mod tests;
