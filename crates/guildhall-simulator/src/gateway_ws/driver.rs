//! The socket side: one select loop per connection.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
};

use axum::extract::ws::{Message, WebSocket};
use serde_json::json;
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::{Instant, sleep, sleep_until},
};
use tracing::{Instrument, debug, info_span};

use super::{
    answer::answer,
    protocol::{Output, Protocol},
    socket::{GatewaySocket, SocketEvent},
    state::GatewayState,
    transport::Transport,
};
use crate::{
    clock,
    sessions::{
        CloseCode, ConnectionHandle, Denied, GatewayQuery, Granted, ORDERS_WAITING, Order,
        client_ends_session,
    },
    wire::Wire,
};

/// Dispatches that wait for the socket at once; the others wait in the session.
const DISPATCHES_PER_WRITE: usize = 256;

/// How a connection ended.
#[derive(Debug)]
enum Exit {
    /// The client closed, or the connection tore (`None`).
    Client(Option<u16>),
    /// The simulator closes.
    Closing(CloseCode),
    /// Torn on purpose, or because the client takes nothing.
    Dropped,
}

/// What woke the loop.
enum Input {
    Came(SocketEvent),
    Ordered(Order),
    DispatchesWait,
    GuildIsDue,
    TimePassed,
    NothingIsTaken,
    StopAsked,
}

/// One connection.
struct Connection {
    state: GatewayState,
    socket: GatewaySocket,
    number: u64,
    resume_url: String,
    query: GatewayQuery,
    orders: mpsc::Sender<Order>,
    protocol: Protocol,
    live: Option<LiveSession>,
}

/// The session that a connection serves.
struct LiveSession {
    session_id: String,
    cursor: u64,
    wake: Arc<Notify>,
    next_guild_at: Option<Instant>,
}

/// Serves one connection to its end. `query` is what the URL asks for, or the refusal it earned.
pub(super) async fn run(
    socket: WebSocket,
    state: GatewayState,
    wire: Arc<Wire>,
    resume_url: String,
    query: Result<GatewayQuery, CloseCode>,
) {
    let number = state.discord.next_connection();
    let (orders, inbox) = mpsc::channel(ORDERS_WAITING);
    let protocol = Protocol::new(&state.config, clock::now());
    let (query, refusal) = match query {
        Ok(query) => (query, None),
        Err(refusal) => (GatewayQuery::default(), Some(refusal)),
    };
    let spoiled = state.discord.with(|core| core.faults.compression());
    let transport = Transport::new(query.compress, spoiled);
    let socket = GatewaySocket::new(socket, wire, transport, state.config.write_limit);
    let connection = Connection {
        state,
        socket,
        number,
        resume_url,
        query,
        orders,
        protocol,
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
            self.detach(&live, keeps_session);
        }
        let limit = self.state.config.close_limit;
        match exit {
            Exit::Closing(code) => self.socket.close(code, limit).await,
            Exit::Client(_) => self.socket.answer_close(limit).await,
            Exit::Dropped => {}
        }
    }

    /// The session goes on without this connection, or ends with it.
    fn detach(&self, live: &LiveSession, keeps_session: bool) {
        let (number, now) = (self.number, clock::now());
        self.state.discord.with(|core| {
            core.sessions
                .connection_ended(&live.session_id, number, keeps_session, now);
        });
        self.state.discord.notify_changed();
        if keeps_session {
            self.state.tasks.tracker.spawn(forget(self.state.clone()));
        }
    }

    async fn talk(&mut self, mut inbox: mpsc::Receiver<Order>) -> Exit {
        if self
            .state
            .discord
            .with(|core| core.faults.hello_is_reconnect())
        {
            self.queue_op(7, &json!(null));
            self.protocol.told_to_leave(clock::now());
        } else {
            let interval = self.state.config.heartbeat_interval.as_millis();
            let interval = u64::try_from(interval).unwrap_or(u64::MAX);
            let hello = json!({"heartbeat_interval": interval, "_trace": ["guildhall-simulator"]});
            self.queue_op(10, &hello);
        }
        let stop = self.state.tasks.stop.clone();
        loop {
            let live = self.live.as_ref();
            let (idle, stalls_at) = (self.socket.is_idle(), self.socket.stalls_at());
            let input = select! {
                came = self.socket.next() => Input::Came(came),
                Some(order) = inbox.recv() => Input::Ordered(order),
                () = woken(live), if idle => Input::DispatchesWait,
                () = until(live.and_then(|live| live.next_guild_at)) => Input::GuildIsDue,
                () = sleep_until(self.protocol.deadline()) => Input::TimePassed,
                () = until(stalls_at) => Input::NothingIsTaken,
                () = stop.cancelled() => Input::StopAsked,
            };
            if let Break(exit) = self.act(input).await {
                return exit;
            }
        }
    }

    async fn act(&mut self, input: Input) -> ControlFlow<Exit> {
        match input {
            Input::Came(SocketEvent::Message(Message::Text(text))) => {
                let output = self.protocol.read(&text, clock::now());
                self.perform(output).await
            }
            // Some send their JSON so. ETF, which comes so too, is no UTF-8 and no JSON.
            Input::Came(SocketEvent::Message(Message::Binary(bytes))) => {
                let Ok(text) = std::str::from_utf8(&bytes) else {
                    return Break(Exit::Closing(CloseCode::DECODE_ERROR));
                };
                let output = self.protocol.read(text, clock::now());
                self.perform(output).await
            }
            Input::Came(SocketEvent::Message(Message::Close(frame))) => {
                Break(Exit::Client(frame.map(|frame| frame.code)))
            }
            Input::Came(SocketEvent::Broken(code)) => Break(Exit::Closing(code)),
            Input::Came(SocketEvent::Torn) => Break(Exit::Client(None)),
            Input::Ordered(order) => self.carry_out(order),
            Input::DispatchesWait => self.queue_dispatches(),
            Input::GuildIsDue => {
                self.show_next_guild();
                Continue(())
            }
            Input::TimePassed => Break(Exit::Closing(self.protocol.overdue())),
            Input::NothingIsTaken if self.socket.is_stalled(clock::now()) => Break(Exit::Dropped),
            Input::NothingIsTaken
            | Input::Came(
                SocketEvent::Message(Message::Ping(_) | Message::Pong(_))
                | SocketEvent::Written
                | SocketEvent::Stalls,
            ) => Continue(()),
            Input::StopAsked => Break(Exit::Closing(CloseCode::GOING_AWAY)),
        }
    }

    async fn perform(&mut self, output: Output) -> ControlFlow<Exit> {
        let granted = match output {
            Output::Nothing => return Continue(()),
            Output::Acknowledge => {
                if self.socket.is_behind() {
                    return Break(Exit::Closing(CloseCode::FELL_BEHIND));
                }
                if !self.socket.is_idle() {
                    // A client that is behind must not miss its answer too.
                    self.queue_op(11, &json!(null));
                    return Continue(());
                }
                // What happened before the heartbeat came is on its way before the answer.
                self.queue_dispatches()?;
                self.socket.queue_last(payload(11, &json!(null)));
                return Continue(());
            }
            Output::Close(code) => return Break(Exit::Closing(code)),
            Output::Answer(request) => {
                if let Some(live) = &self.live {
                    answer(&self.state.discord, &live.session_id, request, clock::now()).await;
                }
                // One question is answered before the next is read.
                return if self.socket.is_idle() {
                    self.queue_dispatches()
                } else {
                    Continue(())
                };
            }
            Output::Identify(identify) => {
                let connection = self.handle();
                self.state
                    .discord
                    .with(|core| core.begin_session(&identify, connection, clock::now()))
            }
            Output::Resume(resume) => {
                let connection = self.handle();
                self.state.discord.with(|core| {
                    let granted =
                        core.sessions
                            .resume(&core.world, &resume, connection, clock::now())?;
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
                    self.socket.compress_payloads();
                }
                self.protocol.session_began();
                self.state.discord.notify_changed();
                // A guild may still be owed after a resumption too.
                let next_guild_at = Some(clock::now() + self.state.config.guild_create_delay);
                self.live = Some(LiveSession {
                    session_id,
                    cursor,
                    wake,
                    next_guild_at,
                });
                self.queue_dispatches()
            }
            Err(Denied::Invalid) => {
                self.queue_op(9, &json!(false));
                Continue(())
            }
            Err(Denied::Close(code)) => Break(Exit::Closing(code)),
        }
    }

    fn carry_out(&mut self, order: Order) -> ControlFlow<Exit> {
        match order {
            Order::Drop => return Break(Exit::Dropped),
            Order::Close(code) => return Break(Exit::Closing(code)),
            Order::Reconnect => {
                self.queue_op(7, &json!(null));
                self.protocol.told_to_leave(clock::now());
            }
            Order::Silence => self.socket.wire().fall_silent(),
            Order::HalfFrame => self.socket.wire().halve(),
            Order::Slow { bytes, pause } => self.socket.wire().slow_down(bytes, pause),
            Order::AskHeartbeat => self.queue_op(1, &json!(null)),
            Order::StopAcknowledging => self.protocol.stop_acknowledging(),
            Order::Heal => {
                self.socket.heal();
                self.protocol.acknowledge_again();
            }
            Order::InvalidSession { resumable } => {
                if let Some(live) = self.live.take() {
                    // What the client was not told yet waits for its RESUME, or for nobody.
                    self.socket.forget_dispatches();
                    self.detach(&live, resumable);
                }
                self.protocol.session_ended();
                self.protocol.told_to_leave(clock::now());
                self.queue_op(9, &json!(resumable));
            }
        }
        Continue(())
    }

    /// Hands the socket what comes after the cursor, then asks to be woken for the rest.
    fn queue_dispatches(&mut self) -> ControlFlow<Exit> {
        let Some(live) = &mut self.live else {
            return Continue(());
        };
        let waiting = self.state.discord.with(|core| {
            core.sessions
                .after(&live.session_id, live.cursor, DISPATCHES_PER_WRITE)
        });
        let Ok(waiting) = waiting else {
            return Break(Exit::Closing(CloseCode::FELL_BEHIND));
        };
        if let Some(last) = waiting.last() {
            live.cursor = last.seq;
        }
        if waiting.len() == DISPATCHES_PER_WRITE {
            live.wake.notify_one();
        }
        self.socket.dispatch(waiting);
        Continue(())
    }

    fn show_next_guild(&mut self) {
        let Some(live) = &mut self.live else {
            return;
        };
        let more = self
            .state
            .discord
            .with(|core| core.sessions.show_next_guild(&core.world, &live.session_id));
        live.next_guild_at = more.then(|| clock::now() + self.state.config.guild_create_delay);
    }

    fn handle(&self) -> ConnectionHandle {
        ConnectionHandle {
            number: self.number,
            orders: self.orders.clone(),
            resume_url: self.resume_url.clone(),
            query: self.query,
        }
    }

    fn queue_op(&mut self, op: u8, data: &serde_json::Value) {
        self.socket.queue_first(payload(op, data));
    }
}

fn payload(op: u8, data: &serde_json::Value) -> String {
    json!({"t": null, "s": null, "op": op, "d": data}).to_string()
}

/// Forgets a session that nobody resumes, when its time is over.
async fn forget(state: GatewayState) {
    select! {
        () = sleep(state.config.resume_window) => {}
        () = state.tasks.stop.cancelled() => return,
    }
    let now = clock::now();
    let forgot = state.discord.with(|core| core.sessions.forget_expired(now));
    if forgot {
        state.discord.notify_changed();
    }
}

async fn woken(live: Option<&LiveSession>) {
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
