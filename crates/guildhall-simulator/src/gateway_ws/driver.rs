//! The socket side: one select loop per connection.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use serde_json::json;
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Instant, sleep_until, timeout},
};
use tracing::{Instrument, debug, info_span};

use super::{
    answer::answer,
    close::{CloseCode, client_ends_session},
    fault::{ORDERS_WAITING, Order},
    protocol::{Protocol, Step},
    sessions::{Caller, Denied, Granted},
    transport::Transport,
    upgrade::Asked,
};
use crate::{clock, discord::Discord, wire::Wire};

/// Dispatches joined into one write. Between two writes the client is read, so
/// that a flood cannot starve its heartbeats.
const DISPATCHES_PER_WRITE: usize = 256;
/// A client that takes no byte for this long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(20);
/// How long a closed client may take to echo the close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
enum Exit {
    /// The client closed, or the connection tore (`None`).
    Client(Option<u16>),
    /// The simulator closes.
    Closing(CloseCode),
    /// Torn on purpose.
    Dropped,
}

/// What woke the loop.
enum Input {
    Came(Option<Result<Message, axum::Error>>),
    Ordered(Order),
    DispatchesWait,
    GuildIsDue,
    BeatIsMissing,
    StopAsked,
}

/// One connection.
struct Connection {
    discord: Arc<Discord>,
    socket: WebSocket,
    wire: Arc<Wire>,
    number: u64,
    resume_url: String,
    version: u8,
    orders: mpsc::Sender<Order>,
    protocol: Protocol,
    transport: Transport,
    live: Option<Live>,
}

/// The session that a connection serves.
struct Live {
    session_id: String,
    cursor: u64,
    wake: Arc<Notify>,
    next_guild_at: Option<Instant>,
}

/// Serves one connection to its end. `asked` is what the URL wants, or earned.
pub(super) async fn run(
    socket: WebSocket,
    discord: Arc<Discord>,
    wire: Arc<Wire>,
    resume_url: String,
    asked: Result<Asked, CloseCode>,
) {
    let number = discord.next_connection();
    let (orders, inbox) = mpsc::channel(ORDERS_WAITING);
    let protocol = Protocol::new(&discord.config, clock::now());
    let (version, compress, refusal) = match asked {
        Ok(asked) => (asked.version, asked.compress, None),
        Err(refusal) => (10, None, Some(refusal)),
    };
    let connection = Connection {
        discord,
        socket,
        wire,
        number,
        resume_url,
        version,
        orders,
        protocol,
        transport: Transport::new(compress),
        live: None,
    };
    connection
        .serve(inbox, refusal)
        .instrument(info_span!("gateway", connection = number))
        .await;
}

impl Connection {
    async fn serve(mut self, inbox: mpsc::Receiver<Order>, refusal: Option<CloseCode>) {
        let exit = match refusal {
            Some(code) => Exit::Closing(code),
            None => self.talk(inbox).await,
        };
        debug!(?exit, "connection ended");
        let keeps_session = match &exit {
            Exit::Client(code) => !client_ends_session(*code),
            Exit::Closing(code) => code.keeps_session,
            Exit::Dropped => true,
        };
        if let Some(live) = self.live.take() {
            self.discord.with(|core| {
                core.sessions.connection_ended(
                    &live.session_id,
                    self.number,
                    keeps_session,
                    clock::now(),
                );
            });
            self.discord.tell_changed();
        }
        // Whether the client still hears it is its own affair.
        let _ = match exit {
            Exit::Closing(code) => timeout(CLOSE_LIMIT, self.close(code)).await,
            Exit::Client(_) => timeout(CLOSE_LIMIT, self.read_to_the_end()).await,
            Exit::Dropped => return,
        };
    }

    async fn talk(&mut self, mut inbox: mpsc::Receiver<Order>) -> Exit {
        let greeted = if self.discord.with(|core| core.faults.hello_is_reconnect()) {
            self.send_op(7, json!(null)).await
        } else {
            let interval = self.discord.config.heartbeat_interval.as_millis();
            let interval = u64::try_from(interval).unwrap_or(u64::MAX);
            let hello = json!({"heartbeat_interval": interval, "_trace": ["guildhall-simulator"]});
            self.send_op(10, hello).await
        };
        if let Break(exit) = greeted {
            return exit;
        }
        let stop = self.discord.stop.clone();
        loop {
            let live = self.live.as_ref();
            let input = select! {
                message = self.socket.recv() => Input::Came(message),
                Some(order) = inbox.recv() => Input::Ordered(order),
                () = woken(live) => Input::DispatchesWait,
                () = until(live.and_then(|live| live.next_guild_at)) => Input::GuildIsDue,
                () = sleep_until(self.protocol.dead_at()) => Input::BeatIsMissing,
                () = stop.cancelled() => Input::StopAsked,
            };
            if let Break(exit) = self.act(input).await {
                return exit;
            }
        }
    }

    async fn act(&mut self, input: Input) -> ControlFlow<Exit> {
        match input {
            Input::Came(Some(Ok(Message::Text(text)))) => {
                let step = self.protocol.read(&text, clock::now());
                self.step(step).await
            }
            Input::Came(Some(Ok(Message::Binary(_)))) => {
                Break(Exit::Closing(CloseCode::DECODE_ERROR))
            }
            Input::Came(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => Continue(()),
            Input::Came(Some(Ok(Message::Close(frame)))) => {
                Break(Exit::Client(frame.map(|frame| frame.code)))
            }
            Input::Came(Some(Err(error))) => {
                debug!(%error, "the connection tore");
                Break(Exit::Client(None))
            }
            Input::Came(None) => Break(Exit::Client(None)),
            Input::Ordered(order) => self.obey(order).await,
            Input::DispatchesWait => self.write_dispatches().await,
            Input::GuildIsDue => {
                self.show_next_guild();
                Continue(())
            }
            Input::BeatIsMissing => Break(Exit::Closing(CloseCode::SESSION_TIMED_OUT)),
            Input::StopAsked => Break(Exit::Closing(CloseCode::GOING_AWAY)),
        }
    }

    async fn step(&mut self, step: Step) -> ControlFlow<Exit> {
        let granted = match step {
            Step::Nothing => return Continue(()),
            Step::Acknowledge => {
                // What happened before the heartbeat came is on its way before the answer.
                self.write_dispatches().await?;
                return self.send_op(11, json!(null)).await;
            }
            Step::Close(code) => return Break(Exit::Closing(code)),
            Step::Answer(ask) => {
                if let Some(live) = &self.live {
                    answer(&self.discord, &live.session_id, ask, clock::now());
                }
                return Continue(());
            }
            Step::Identify(identify) => {
                let caller = self.caller();
                self.discord.with(|core| {
                    core.sessions
                        .identify(&mut core.world, &identify, caller, clock::now())
                })
            }
            Step::Resume(resume) => {
                let caller = self.caller();
                self.discord.with(|core| {
                    let granted =
                        core.sessions
                            .resume(&core.world, &resume, caller, clock::now())?;
                    let rewind = core.faults.rewind();
                    Ok(core.sessions.rewound(granted, rewind))
                })
            }
        };
        match granted {
            Ok(Granted {
                session_id,
                cursor,
                wake,
                compress,
            }) => {
                if compress {
                    self.transport.compress_payloads();
                }
                self.protocol.session_began();
                self.discord.tell_changed();
                // A guild may still be owed after a resumption too.
                let next_guild_at = Some(clock::now() + self.discord.config.guild_create_delay);
                self.live = Some(Live {
                    session_id,
                    cursor,
                    wake,
                    next_guild_at,
                });
                self.write_dispatches().await
            }
            Err(Denied::Invalid) => self.send_op(9, json!(false)).await,
            Err(Denied::Close(code)) => Break(Exit::Closing(code)),
        }
    }

    async fn obey(&mut self, order: Order) -> ControlFlow<Exit> {
        match order {
            Order::Drop => Break(Exit::Dropped),
            Order::Close(code) => Break(Exit::Closing(code)),
            Order::Reconnect => self.send_op(7, json!(null)).await,
            Order::Silence => {
                self.wire.fall_silent();
                Continue(())
            }
            Order::HalfFrame => {
                self.wire.halve();
                Continue(())
            }
            Order::Slow { bytes, pause } => {
                self.wire.slow_down(bytes, pause);
                Continue(())
            }
            Order::AskHeartbeat => self.send_op(1, json!(null)).await,
            Order::StopAcknowledging => {
                self.protocol.stop_acknowledging();
                Continue(())
            }
            Order::InvalidSession { resumable } => {
                if !resumable && let Some(live) = self.live.take() {
                    self.discord
                        .with(|core| core.sessions.end(&live.session_id));
                    self.protocol.session_ended();
                    self.discord.tell_changed();
                }
                self.send_op(9, json!(resumable)).await
            }
        }
    }

    /// Writes what comes after the cursor, then asks to be woken for the rest.
    async fn write_dispatches(&mut self) -> ControlFlow<Exit> {
        let Some(live) = &mut self.live else {
            return Continue(());
        };
        let waiting = self.discord.with(|core| {
            core.sessions
                .after(&live.session_id, live.cursor, DISPATCHES_PER_WRITE)
        });
        let Ok(waiting) = waiting else {
            return Break(Exit::Closing(CloseCode::FELL_BEHIND));
        };
        let Some(last) = waiting.last() else {
            return Continue(());
        };
        live.cursor = last.seq;
        if waiting.len() == DISPATCHES_PER_WRITE {
            live.wake.notify_one();
        }
        let frames = async {
            for dispatch in &waiting {
                let message = self.transport.message(dispatch.frame())?;
                self.socket.feed(message).await.ok()?;
            }
            self.socket.flush().await.ok()
        };
        match timeout(WRITE_LIMIT, frames).await {
            Ok(Some(())) => Continue(()),
            _ => Break(Exit::Client(None)),
        }
    }

    fn show_next_guild(&mut self) {
        let Some(live) = &mut self.live else {
            return;
        };
        let more = self
            .discord
            .with(|core| core.sessions.show_next_guild(&core.world, &live.session_id));
        live.next_guild_at = more.then(|| clock::now() + self.discord.config.guild_create_delay);
    }

    fn caller(&self) -> Caller {
        Caller {
            connection: self.number,
            orders: self.orders.clone(),
            resume_url: self.resume_url.clone(),
            version: self.version,
        }
    }

    async fn send_op(&mut self, op: u8, data: serde_json::Value) -> ControlFlow<Exit> {
        let frame = json!({"t": null, "s": null, "op": op, "d": data});
        let Some(message) = self.transport.message(frame.to_string()) else {
            return Break(Exit::Client(None));
        };
        match timeout(WRITE_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => Continue(()),
            _ => Break(Exit::Client(None)),
        }
    }

    /// Sends the close and reads on until the client echoes it: a socket that is
    /// dropped with unread bytes is reset, and the code would be lost.
    async fn close(&mut self, code: CloseCode) -> Result<(), axum::Error> {
        let frame = CloseFrame {
            code: code.code,
            reason: code.reason.into(),
        };
        self.socket.send(Message::Close(Some(frame))).await?;
        self.read_to_the_end().await
    }

    /// Reading is also what flushes the echo of a client's close.
    async fn read_to_the_end(&mut self) -> Result<(), axum::Error> {
        while let Some(message) = self.socket.recv().await {
            message?;
        }
        Ok(())
    }
}

async fn woken(live: Option<&Live>) {
    match live {
        Some(live) => live.wake.notified().await,
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
