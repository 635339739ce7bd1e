//! The executor against a false Discord on a real loopback socket, with the world that it leads to.

/// The false Discord, and the sequencer that follows it.
mod discord;
/// Random histories with kills.
mod histories;
/// Rooms of ours.
mod rooms;
/// What each answer of Discord leads to.
mod outcomes;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::FutureExt;
use guildhall_http::driver_time::now;
use guildhall_link::frame::ViewerTable;
use guildhall_model::{
    ChannelId, GuildId, UnixMs, UserId,
    command::{Command, CommandErrorCode, CommandRequest, CommandResult, Outcome},
};
use guildhall_ports::{
    Clock, CommandJournal, CommandState, KeptCommand, SystemClock,
    journal::JournalFuture,
    memory::{MemoryCommandJournal, MemoryRoomStore},
    millis,
    room_store::SigningKey,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    config::tests::NAMES,
    discord_rest::{DiscordRest, RestBudget},
    rooms::{AttachedViewers, RoomSettings, RoomTable, ViewerTables},
    sequencer::ManagedRooms,
};
use discord::{FalseDiscord, Reaction};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const GUILD: GuildId = GuildId(1);
pub(super) const ROOM: ChannelId = ChannelId(10);
pub(super) const OTHER_ROOM: ChannelId = ChannelId(11);
/// Owns the guild.
pub(super) const OWNER: UserId = UserId(100);
pub(super) const ANNA: UserId = UserId(101);
pub(super) const BEN: UserId = UserId(102);

/// For whoever needs one and gives no commands: nobody answers.
pub(crate) fn unused_context() -> CommandContext {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let budget = RestBudget {
        look_ups: 1,
        commands: 1,
    };
    let rest = DiscordRest::new(
        "http://127.0.0.1:9".parse().expect("an origin"),
        &guildhall_http::tls::client_config(None),
        &"a-token".parse().expect("a token"),
        budget,
        NAMES.root_certificates,
    );
    let store = MemoryRoomStore::default();
    let settings = RoomSettings::default();
    let rooms = load(&store, &settings).now_or_never();
    CommandContext {
        worlds: GuildWorlds::new([]),
        rest: rest.expect("a client"),
        journal: Arc::new(MemoryCommandJournal::default()),
        rooms: rooms.expect("in memory"),
        viewers: ViewerTables::new(),
        clock: Arc::new(SystemClock),
        call_time: CALL,
    }
}

/// A journal that says when something was kept.
#[derive(Clone, Debug)]
struct ObservedJournal {
    kept: MemoryCommandJournal,
    changed: watch::Sender<()>,
}

impl CommandJournal for ObservedJournal {
    fn load(&self) -> JournalFuture<Vec<KeptCommand>> {
        self.kept.load()
    }

    fn keep(&self, command: KeptCommand) -> JournalFuture<()> {
        let kept = self.kept.keep(command);
        self.changed.send_replace(());
        kept
    }

    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()> {
        self.kept.forget(ids)
    }
}

/// The machine's, and some time later.
#[derive(Debug, Default)]
struct LaterClock(AtomicU64);

impl LaterClock {
    fn goes_on(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::Relaxed);
    }
}

impl Clock for LaterClock {
    fn now(&self) -> UnixMs {
        SystemClock.now() + self.0.load(Ordering::Relaxed)
    }
}

/// An executor, what it talks to, and what outlives it.
struct House {
    discord: FalseDiscord,
    journal: ObservedJournal,
    store: MemoryRoomStore,
    settings: RoomSettings,
    clock: Arc<LaterClock>,
    /// A call to Discord ends within this.
    call_time: Duration,
    /// What the executor that runs has of the store.
    rooms: RoomTable,
    viewers: ViewerTables,
    /// A web role.
    web: AttachedViewers,
    executor: Executor,
    running: AbortHandle,
    tasks: JoinSet<ExecutorExit>,
}

impl House {
    async fn open() -> Self {
        Self::open_with(RoomSettings::default(), CALL).await
    }

    async fn open_with(settings: RoomSettings, call_time: Duration) -> Self {
        let discord = FalseDiscord::open().await;
        let journal = ObservedJournal {
            kept: MemoryCommandJournal::default(),
            changed: watch::Sender::new(()),
        };
        let mut tasks = JoinSet::new();
        let store = MemoryRoomStore::default();
        let rooms = load(&store, &settings).await;
        let clock = Arc::new(LaterClock::default());
        let viewers = ViewerTables::new();
        let web = viewers.attach();
        web.told(looks_at(&[]));
        let parts = (&discord, &journal, (&rooms, &viewers), &clock);
        let (executor, running) = start(parts, call_time, &mut tasks).await;
        Self {
            discord,
            journal,
            store,
            settings,
            clock,
            call_time,
            rooms,
            viewers,
            web,
            executor,
            running,
            tasks,
        }
    }

    /// As `kill -9` and a start would: the task ends where it stands.
    async fn kill(&mut self) {
        self.running.abort();
        while self.tasks.join_next().await.is_some() {}
        self.rooms = load(&self.store, &self.settings).await;
        let rooms = (self.rooms.managed(), self.rooms.being_made());
        self.discord
            .begins_with(ManagedRooms::new(rooms.0, rooms.1));
        let rooms = (&self.rooms, &self.viewers);
        let parts = (&self.discord, &self.journal, rooms, &self.clock);
        let started = start(parts, self.call_time, &mut self.tasks);
        (self.executor, self.running) = started.await;
    }

    /// The answer to a key once it is neither queued nor waiting.
    async fn settled(&self, request: CommandRequest) -> CommandResult {
        let is_settled = |command: &KeptCommand| {
            command.request == request && matches!(command.state, CommandState::Settled { .. })
        };
        let mut changed = self.journal.changed.subscribe();
        let settled = async {
            while !self
                .journal
                .load()
                .await
                .expect("in memory")
                .iter()
                .any(is_settled)
            {
                changed.changed().await.expect("open");
            }
        };
        timeout(PATIENCE, settled).await.expect("in time");
        self.give(request.clone()).await
    }

    /// Hands a command over; its place in the order is taken when this returns.
    fn give(&self, request: CommandRequest) -> impl Future<Output = CommandResult> + use<> {
        let answer = self.executor.execute(request, now() + PATIENCE);
        async { timeout(PATIENCE, answer).await.expect("answered in time") }
    }
}

/// Answers to what was given, by its number.
#[derive(Debug, Default)]
struct Told(BTreeMap<usize, CommandResult>);

impl Told {
    /// The next that comes. Answers with whether there was one.
    async fn take_next(&mut self, open: &mut JoinSet<(usize, CommandResult)>) -> bool {
        let Some(next) = open.join_next().await else {
            return false;
        };
        let (number, result) = next.expect("no panic");
        self.0.insert(number, result);
        true
    }

    async fn take_all(&mut self, open: &mut JoinSet<(usize, CommandResult)>) {
        while self.take_next(open).await {}
    }
}

/// Somebody is on these rooms' pages.
fn looks_at(rooms: &[ChannelId]) -> ViewerTable {
    ViewerTable {
        instance: "web".parse().expect("a name"),
        rooms: rooms.iter().map(|room| (*room, 1)).collect(),
    }
}

async fn load(store: &MemoryRoomStore, settings: &RoomSettings) -> RoomTable {
    let store = Arc::new(store.clone());
    let loaded = RoomTable::load(settings.clone(), store, SigningKey([7; 32])).await;
    loaded.expect("in memory")
}

async fn start(
    (discord, journal, (rooms, viewers), clock): (
        &FalseDiscord,
        &ObservedJournal,
        (&RoomTable, &ViewerTables),
        &Arc<LaterClock>,
    ),
    call_time: Duration,
    tasks: &mut JoinSet<ExecutorExit>,
) -> (Executor, AbortHandle) {
    let (executor, submissions) = Executor::new();
    let setup = ExecutorSetup {
        context: CommandContext {
            worlds: discord.worlds(),
            rest: discord.rest(),
            journal: Arc::new(journal.clone()),
            rooms: rooms.clone(),
            viewers: viewers.clone(),
            clock: Arc::<LaterClock>::clone(clock),
            call_time,
        },
        kept: journal.load().await.expect("in memory"),
    };
    let running = tasks.spawn(run(setup, submissions, CancellationToken::new()));
    (executor, running)
}

fn by(actor: UserId, key: &str, command: Command) -> CommandRequest {
    CommandRequest {
        actor,
        key: Some(key.to_owned()).filter(|key| !key.is_empty()),
        command,
    }
}

fn rename(name: &str) -> Command {
    Command::RenameRoom {
        guild_id: GUILD,
        channel_id: ROOM,
        name: name.to_owned(),
    }
}

fn connect(user_id: UserId, channel_id: ChannelId) -> Command {
    Command::ConnectUserToVoiceChannel {
        guild_id: GUILD,
        channel_id,
        user_id,
    }
}

fn outcome(result: &CommandResult) -> Outcome {
    result.as_ref().expect("not refused").outcome
}

fn code(result: &CommandResult) -> CommandErrorCode {
    result.as_ref().expect_err("refused").code
}
