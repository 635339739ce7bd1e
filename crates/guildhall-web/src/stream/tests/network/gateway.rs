//! The gateway's end of the link on the simulated network: `guildhall_link`'s machine on a WebSocket,
//! with a log behind it that outlives the process.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::FuturesUnordered};
use guildhall_http::{
    Accept,
    driver_time::{now, sleep_to},
};
use guildhall_link::{
    Frame, SocketInput,
    attachment::WRITE_LIMIT,
    frame::Watched,
    sender::{Input, Output, Sender},
};
use guildhall_ports::Clock;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{select, task::JoinSet, time::timeout};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::{
    log::Log,
    net::{Host, Net, SimulatedListener},
    pass,
    pipe::SimulatedConnection,
};

/// A gateway's process.
pub(super) struct Gateway {
    log: Log,
    clock: Arc<dyn Clock>,
    /// Empty while there is none.
    tasks: JoinSet<()>,
    starts: u64,
}

/// So long does Discord take to say what somebody is, at most.
const LOOK_UP_MS: u64 = 300;

impl Gateway {
    /// One that does not run yet.
    pub(super) fn new(log: Log, clock: Arc<dyn Clock>) -> Self {
        Self {
            log,
            clock,
            tasks: JoinSet::new(),
            starts: 0,
        }
    }

    pub(super) fn start(&mut self, net: &Net) {
        self.starts += 1;
        let listener = net.listen(Host::Gateway);
        let (log, clock) = (self.log.clone(), Arc::clone(&self.clock));
        self.tasks.spawn(serve(listener, log, clock, self.starts));
    }

    /// It is gone, whatever it was doing.
    pub(super) fn end(&mut self) {
        self.tasks = JoinSet::new();
    }
}

async fn serve(listener: SimulatedListener, log: Log, clock: Arc<dyn Clock>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut attachments = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let (log, clock) = (log.clone(), Arc::clone(&clock));
        let rng = StdRng::seed_from_u64(rng.random());
        attachments.spawn(async move {
            if let Ok(socket) = accept_async(connection).await {
                Attachment::new(socket, log, clock, rng).run().await;
            }
        });
    }
}

struct Attachment {
    socket: WebSocketStream<SimulatedConnection>,
    machine: Sender,
    log: Log,
    clock: Arc<dyn Clock>,
    rng: StdRng,
}

impl Attachment {
    fn new(
        socket: WebSocketStream<SimulatedConnection>,
        log: Log,
        clock: Arc<dyn Clock>,
        rng: StdRng,
    ) -> Self {
        let head = *log.head.borrow();
        let mut machine = Sender::new(head.into(), now());
        let status = log.status.borrow().clone();
        machine.handle(Input::StatusChanged { status, head }, now());
        Self {
            socket,
            machine,
            log,
            clock,
            rng,
        }
    }

    async fn run(mut self) {
        let (mut heads, mut statuses) = (self.log.head.subscribe(), self.log.status.subscribe());
        let mut looked_up = FuturesUnordered::new();
        loop {
            while let Some(output) = self.machine.poll_output() {
                match output {
                    Output::Send(frame) => self.send(frame.encode(self.clock.now())).await,
                    Output::Relay(event) => {
                        let frame = Frame::Event((**event).clone());
                        self.send(frame.encode(self.clock.now())).await;
                    }
                    Output::Ping => self.write(Message::Ping(Vec::new().into())).await,
                    Output::Join { after, .. } => self.input(self.log.join(after)),
                    Output::Read(after) => self.input(self.log.read(after)),
                    // Nobody signs out here.
                    Output::ReadRevoked(after) => self.input(Input::RevokedRead {
                        revocations: Vec::new(),
                        end: after,
                        more: false,
                    }),
                    Output::Watch {
                        request_id,
                        user_id,
                        guild_ids,
                    } => {
                        let takes = Duration::from_millis(self.rng.random_range(0..LOOK_UP_MS));
                        let (log, clock) = (self.log.clone(), Arc::clone(&self.clock));
                        looked_up.push(async move {
                            pass(takes).await;
                            let at = log.look_up(user_id, &guild_ids, clock.now()).into();
                            let failed = Vec::new();
                            let watched = Watched { at, failed };
                            Input::Watched {
                                request_id,
                                watched,
                            }
                        });
                    }
                    Output::Report(violation) => panic!("the web role breaks a rule: {violation}"),
                    Output::End(end) => {
                        if end.close_code().is_some() {
                            let _in_time = timeout(WRITE_LIMIT, self.socket.close(None)).await;
                        }
                        return;
                    }
                    // Nobody commands anything here, and nobody is counted.
                    _ => {}
                }
            }
            let input = select! {
                biased;
                message = self.socket.next() => input_of(message).into(),
                () = sleep_to(self.machine.deadline()) => SocketInput::TimePassed.into(),
                Some(input) = looked_up.next() => input,
                _ = heads.changed() => Input::HeadMoved(*heads.borrow_and_update()),
                _ = statuses.changed() => Input::StatusChanged {
                    status: statuses.borrow_and_update().clone(),
                    head: *self.log.head.borrow(),
                },
            };
            self.machine.handle(input, now());
        }
    }

    fn input(&mut self, input: Input) {
        self.machine.handle(input, now());
    }

    async fn send(&mut self, text: String) {
        self.write(Message::text(text)).await;
    }

    async fn write(&mut self, message: Message) {
        let trouble = match timeout(WRITE_LIMIT, self.socket.send(message)).await {
            Ok(Ok(())) => return,
            Ok(Err(_)) => SocketInput::ConnectionLost,
            Err(_) => SocketInput::WriteStalled,
        };
        self.machine.handle(trouble, now());
    }
}

fn input_of(
    message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
) -> SocketInput {
    match message {
        Some(Ok(Message::Text(text))) => SocketInput::FrameCame(Frame::decode(text.as_str())),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => SocketInput::BeatCame,
        _ => SocketInput::ConnectionLost,
    }
}
