//! A follower of the log over the real link. Like a web role it keeps its world and its position
//! whatever becomes of the gateway, and asks for what comes after it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use guildhall_gateway::ShardId;
use guildhall_http::driver_time::{now, sleep_to};
use guildhall_link::{
    End, Frame, Receiver, SocketInput,
    frame::{Base, DiscordStatus, ReplyBody, Watched},
    pending::WATCH_LIMIT,
    receiver::{Input, Output},
};
use guildhall_model::{Cursor, Envelope, GuildId, LogId, Position, UserId, World};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    net::TcpStream,
    select,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error as SocketError, Message, client::IntoClientRequest},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::journal::SlowJournals;

const RETRY_AFTER: Duration = Duration::from_millis(10);
const ASKS_WAITING: usize = 64;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A handle; with it the follower ends.
pub(crate) struct Follower {
    seen: Arc<Mutex<Seen>>,
    asks: mpsc::Sender<Ask>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
    stop: DropGuard,
}

/// What it saw so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) logs: BTreeMap<LogId, SeenLog>,
    /// Whether it is attached and has all that there was when it attached.
    pub(crate) live: bool,
    /// What must not have happened.
    pub(crate) violations: Vec<String>,
}

/// What it saw of one log.
#[derive(Debug, Default)]
pub(crate) struct SeenLog {
    pub(crate) world: World,
    pub(crate) position: Option<Position>,
    pub(crate) status: Option<DiscordStatus>,
    /// Every event it was ever sent, by number.
    pub(crate) events: BTreeMap<u64, Envelope>,
    pub(crate) acks: Vec<Acked>,
    /// Every base it was ever sent.
    pub(crate) bases: Vec<Base>,
}

impl Seen {
    pub(crate) fn log(&mut self, log: LogId) -> &mut SeenLog {
        self.logs.entry(log).or_default()
    }

    /// The guilds of all logs.
    pub(crate) fn world(&self) -> World {
        let worlds = self.logs.values().map(|log| log.world.clone());
        World {
            guilds: worlds.flat_map(|world| world.guilds).collect(),
        }
    }

    /// Where it stands in each log of which it has a place.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        Cursor::new(self.logs.values().filter_map(|log| log.position)).ok()
    }

    /// Whether it was told of this many logs how Discord is behind them, and it is so behind each.
    pub(crate) fn all_are(&self, logs: usize, so: impl Fn(&DiscordStatus) -> bool) -> bool {
        let statuses = self.logs.values().filter_map(|log| log.status.as_ref());
        self.live && statuses.filter(|status| so(status)).count() == logs
    }
}

/// These rights are in the log at this position.
#[derive(Debug)]
pub(crate) struct Acked {
    pub(crate) at: Position,
    pub(crate) user_id: UserId,
    pub(crate) guild_ids: Vec<GuildId>,
}

struct Ask {
    user_id: UserId,
    guild_ids: Vec<GuildId>,
    reply: oneshot::Sender<Watched>,
}

impl Follower {
    /// Follows whatever gateway listens at the address, one after the other.
    pub(crate) fn start(
        address: watch::Receiver<Option<SocketAddr>>,
        journals: SlowJournals,
        shards: Vec<ShardId>,
        token: String,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (asks, asked) = mpsc::channel(ASKS_WAITING);
        let (changes, told) = watch::channel(0);
        let stop = CancellationToken::new();
        let following = Following {
            seen: Arc::clone(&seen),
            changes,
            address,
            journals,
            shards,
            token,
            asked,
        };
        let its_stop = stop.clone();
        let task = tokio_util::task::TaskTracker::new().spawn(async move {
            Box::pin(its_stop.run_until_cancelled(following.run())).await;
        });
        Self {
            seen,
            asks,
            changed: told,
            task,
            stop: stop.drop_guard(),
        }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }

    /// This user is here. `None`: there is no link, or it broke before there was an answer.
    pub(crate) fn watch(
        &self,
        user_id: UserId,
        guild_ids: Vec<GuildId>,
    ) -> impl Future<Output = Option<Watched>> + use<> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask {
            user_id,
            guild_ids,
            reply,
        };
        let asks = self.asks.clone();
        async move {
            asks.send(ask).await.ok()?;
            answer.await.ok()
        }
    }

    /// Waits until it is so; `false`: it was not, in all this time.
    pub(crate) async fn until(&self, limit: Duration, so: impl Fn(&Seen) -> bool) -> bool {
        let mut changed = self.changed.clone();
        let becoming = async {
            while !so(&self.seen()) {
                if changed.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        timeout(limit, becoming).await.unwrap_or(false)
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("it ends in order");
    }
}

struct Following {
    seen: Arc<Mutex<Seen>>,
    changes: watch::Sender<u64>,
    address: watch::Receiver<Option<SocketAddr>>,
    journals: SlowJournals,
    shards: Vec<ShardId>,
    token: String,
    asked: mpsc::Receiver<Ask>,
}

impl Following {
    async fn run(mut self) {
        loop {
            let address = *self.address.borrow_and_update();
            if let Some(address) = address
                && let Ok(socket) = dial(address, &self.token).await
            {
                self.attend(socket).await;
                self.change(|seen| {
                    seen.live = false;
                    for log in seen.logs.values_mut() {
                        log.status = None;
                    }
                });
            }
            // Who asks meanwhile has no answer.
            select! {
                () = sleep_to(Some(now() + RETRY_AFTER)) => {}
                Some(ask) = self.asked.recv() => drop(ask),
            }
        }
    }

    /// One attachment until it ends.
    async fn attend(&mut self, mut socket: Socket) {
        let after = self.lock().cursor();
        let mut machine = Receiver::new(after.clone(), now());
        // By log, what replaces its world once all is complete.
        let mut fresh = BTreeMap::new();
        loop {
            while let Some(output) = machine.poll_output() {
                if let Output::Send(frame) = output {
                    if socket.send(Message::text(frame.encode(0))).await.is_err() {
                        machine.handle(SocketInput::ConnectionLost, now());
                    }
                } else if let Output::Ping = output {
                    if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                        machine.handle(SocketInput::ConnectionLost, now());
                    }
                } else if self.act(output, after.as_ref(), &mut fresh) {
                    return;
                }
            }
            let input = select! {
                biased;
                message = socket.next() => input_of(message).into(),
                () = sleep_to(machine.deadline()) => SocketInput::TimePassed.into(),
                Some(ask) = self.asked.recv() => Input::WatchAsked {
                    user_id: ask.user_id,
                    guild_ids: ask.guild_ids.clone(),
                    due: now() + WATCH_LIMIT,
                    reply: ask,
                },
            };
            machine.handle(input, now());
        }
    }

    /// Does what the machine wants; answers whether it is over.
    fn act(
        &mut self,
        output: Output<Ask>,
        after: Option<&Cursor>,
        fresh: &mut BTreeMap<LogId, World>,
    ) -> bool {
        match output {
            // The gateway of today says nothing in the live lane, nobody is on a room's page, and
            // nobody signs out.
            Output::Send(_)
            | Output::Ping
            | Output::Live(_)
            | Output::Heads(_)
            | Output::CountViewers
            | Output::Revoked(_)
            | Output::AllRevokedTold => {}
            Output::Begin(log) => {
                fresh.insert(log, World::default());
                if let Some(after) = after.and_then(|after| after.in_log(log))
                    && self.journals.history(log).goes_back_to(after)
                {
                    self.violated(format!(
                        "a position within the window, {after}, was of no use"
                    ));
                }
            }
            Output::Base(base) => {
                let log = base.floor.log;
                if let (Some(world), Some(guild)) = (fresh.get_mut(&log), &base.guild) {
                    world.guilds.insert(base.guild_id, guild.clone());
                }
                self.change(|seen| seen.log(log).bases.push(*base));
            }
            Output::Apply(group) => self.apply(group, fresh),
            Output::Complete(at) => {
                let mut fresh = std::mem::take(fresh);
                self.change(|seen| {
                    for position in at.positions() {
                        let log = seen.log(position.log);
                        if let Some(world) = fresh.remove(&position.log) {
                            log.world = world;
                        }
                        log.position = Some(*position);
                    }
                    seen.live = true;
                });
            }
            Output::Status(status) => self.change(|seen| {
                seen.log(status.at.log).status = Some(status.status);
            }),
            Output::Answer { reply: ask, answer } => {
                if let Ok(ReplyBody::Watched(watched)) = answer {
                    self.answer(ask, watched);
                }
            }
            Output::Report(violation) => self.violated(format!("the link's rules: {violation}")),
            Output::PeerFailed { code, message } => {
                if code != "expired" {
                    self.violated(format!("the gateway reports {code}: {message}"));
                }
            }
            Output::End(end) => {
                if matches!(end, End::OutOfOrder) {
                    self.violated("an event is missing or doubled".to_owned());
                }
                return true;
            }
        }
        false
    }

    fn apply(&mut self, group: Vec<Envelope>, fresh: &mut BTreeMap<LogId, World>) {
        let Some(last) = group.last().map(|last| last.at) else {
            return;
        };
        let twice = {
            let mut seen = self.lock();
            let events = &seen.log(last.log).events;
            let known = |envelope: &&Envelope| events.get(&envelope.at.seq);
            let twice = group
                .iter()
                .find(|envelope| known(envelope).is_some_and(|known| known != *envelope));
            twice.map(|envelope| format!("two events at {}: {:?}", envelope.at, envelope.event))
        };
        if let Some(twice) = twice {
            self.violated(twice);
        }
        self.change(|seen| {
            let log = seen.log(last.log);
            let world = if let Some(fresh) = fresh.get_mut(&last.log) {
                fresh
            } else {
                log.position = Some(last);
                &mut log.world
            };
            for envelope in group {
                world.apply(&envelope.event);
                log.events.insert(envelope.at.seq, envelope);
            }
        });
    }

    /// Each log has what concerns its guilds.
    fn answer(&mut self, ask: Ask, watched: Watched) {
        for at in watched.at.positions() {
            let shard = self.shards.iter().find(|shard| shard.log() == at.log);
            let own = |id: &GuildId| shard.is_some_and(|shard| shard.has(*id));
            let mut guild_ids = ask.guild_ids.clone();
            guild_ids.retain(|id| own(id) && !watched.failed.contains(id));
            let acked = Acked {
                at: *at,
                user_id: ask.user_id,
                guild_ids,
            };
            self.change(|seen| seen.log(at.log).acks.push(acked));
        }
        // Who asked may have gone.
        let _gone = ask.reply.send(watched);
    }

    fn violated(&mut self, what: String) {
        self.change(|seen| seen.violations.push(what));
    }

    fn change(&mut self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }
}

pub(crate) async fn dial(address: SocketAddr, token: &str) -> Result<Socket, SocketError> {
    let mut request = format!("ws://{address}/link").into_client_request()?;
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    Ok(connect_async(request).await?.0)
}

pub(crate) fn input_of(message: Option<Result<Message, SocketError>>) -> SocketInput {
    match message {
        Some(Ok(Message::Text(text))) => SocketInput::FrameCame(Frame::decode(text.as_str())),
        Some(Ok(Message::Binary(_))) => SocketInput::BinaryCame,
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => SocketInput::BeatCame,
        Some(Err(SocketError::Capacity(_))) => SocketInput::OversizedCame,
        Some(Ok(Message::Close(_)) | Err(_)) | None => SocketInput::ConnectionLost,
    }
}
