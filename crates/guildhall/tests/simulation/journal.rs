//! A journal that takes its time, as a disk does, and remembers everything that was ever
//! committed to it.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    sync::Arc,
};

use guildhall_gateway::ShardId;
use guildhall_model::{GuildId, LogId, Position, Revocation, SealedEvent, UnixMs, World};
use guildhall_ports::{
    CommandJournal, Fence, Journal, Journals, KeptCommand, RevocationChange, RevocationStore,
    RoomStore,
    journal::{
        Amount, Commit, JournalContents, JournalError, JournalFuture, NewEpoch, ResumeState,
    },
    memory::{MemoryCommandJournal, MemoryJournals, MemoryRevocationStore, MemoryRoomStore},
    room_store::{KeptRooms, RoomChange, SigningKey},
};
use guildhall_stores::sqlite::SqliteJournals;
use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::{
    pauses::{pause, random_millis},
    plan::Plan,
    rng::Rng,
};

/// As few as make small windows worth compacting within one run.
const SURPLUS: Amount = Amount {
    events: 8,
    bytes: 8 << 20,
};

/// The journals of all logs of a run. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub(crate) struct SlowJournals {
    backing: Arc<Mutex<Backing>>,
    histories: Arc<BTreeMap<LogId, Mutex<History>>>,
    timing: Arc<Mutex<CommitTiming>>,
    /// The longest that a commit takes before it is there, and after that to its answer.
    most_ms: u64,
}

/// The journal of one log, for one process.
#[derive(Clone, Debug)]
struct SlowJournal {
    all: SlowJournals,
    log: LogId,
    fence: Fence,
}

/// When commits are there, and when they are answered.
#[derive(Debug)]
struct CommitTiming {
    rng: Rng,
    /// The next commit of events goes no further than this, and says so.
    hold: Option<(CommitStage, oneshot::Sender<()>)>,
}

/// Where commits go.
#[derive(Debug)]
enum Backing {
    Memory(
        MemoryJournals,
        MemoryCommandJournal,
        MemoryRoomStore,
        MemoryRevocationStore,
    ),
    /// `open`: what the process that runs has open, or the last one had.
    Disk {
        folder: TempDir,
        open: Option<SqliteJournals>,
    },
}

/// A stage of a commit, at which a process may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitStage {
    /// It was asked for, and nothing of it is there.
    Asked,
    /// It is on its way to the disk, and is there when the next process looks.
    Written,
    /// All of it is there, and nobody knows.
    Done,
}

/// Everything that was ever committed to one log.
#[derive(Debug)]
pub(crate) struct History {
    /// How many events of each guild a gateway keeps.
    window: usize,
    /// In order, contiguous from 1.
    pub(crate) log: Vec<Arc<SealedEvent>>,
    /// Commits that were there, and whose process had been killed before their answer.
    pub(crate) unheard: usize,
    /// New sessions that came without a gap in guilds that were known.
    pub(crate) silent_losses: Vec<String>,
    world: World,
    session: Option<String>,
    /// Numbers of the events that a gateway keeps, and whether their group goes on.
    kept: BTreeMap<GuildId, VecDeque<(u64, bool)>>,
    /// A reader from here on finds everything.
    floor: u64,
}

impl SlowJournals {
    pub(crate) fn new(rng: Rng, plan: &Plan) -> Self {
        let backing = if plan.disk {
            let folder = tempfile::tempdir().expect("a folder");
            Backing::Disk { folder, open: None }
        } else {
            let journals = MemoryJournals::default().asking_beyond(SURPLUS);
            Backing::Memory(
                journals,
                MemoryCommandJournal::default(),
                MemoryRoomStore::default(),
                MemoryRevocationStore::default(),
            )
        };
        let history = |shard: ShardId| (shard.log(), Mutex::new(History::new(plan.window)));
        Self {
            backing: Arc::new(Mutex::new(backing)),
            histories: Arc::new(plan.shards().map(history).collect()),
            timing: Arc::new(Mutex::new(CommitTiming { rng, hold: None })),
            most_ms: plan.journal_ms,
        }
    }

    /// For the next process. A file is closed, as the kernel closes those of a process that is
    /// gone, and opened: the commit that nobody heard of any more is in it, or is not.
    pub(crate) async fn reopen(&self) -> Result<(), JournalError> {
        let backing = Arc::clone(&self.backing);
        let opened = spawn_blocking(move || backing.lock().reopen()).await;
        opened.expect("it does not panic")?;
        for log in self.histories.keys() {
            if let Some(saved) = self.backing(*log, Fence(0)).load().await? {
                self.history(*log).catch_up(saved);
            }
        }
        Ok(())
    }

    fn backing(&self, log: LogId, fence: Fence) -> Arc<dyn Journal> {
        self.backing.lock().journals().journal(log, fence)
    }

    pub(crate) fn history(&self, log: LogId) -> MutexGuard<'_, History> {
        let history = self.histories.get(&log);
        history.expect("the run has such a log").lock()
    }

    /// What the next process finds.
    pub(crate) async fn saved(&self, log: LogId) -> JournalContents {
        let saved = self.backing(log, Fence(0)).load().await;
        saved.expect("it can be read").expect("it was begun")
    }

    /// The next commit of events stands still at this stage, for ever: the process that asked for
    /// it is to be killed. Answers when it has come there.
    pub(crate) fn hold(&self, at: CommitStage) -> oneshot::Receiver<()> {
        let (held, holds) = oneshot::channel();
        self.timing.lock().hold = Some((at, held));
        holds
    }

    /// Nothing is held any more.
    pub(crate) fn release(&self) {
        self.timing.lock().hold = None;
    }

    async fn take_time(&self, stage: CommitStage, events: usize) {
        let length = random_millis(&mut self.timing.lock().rng, self.most_ms);
        pause(length).await;
        self.stand_still(stage, events).await;
    }

    /// What was called is on its way to the disk, and nobody knows for a while.
    fn answer_late(&self, done: JournalFuture<()>) -> JournalFuture<()> {
        let length = random_millis(&mut self.timing.lock().rng, self.most_ms);
        Box::pin(async move {
            let done = done.await;
            pause(length).await;
            done
        })
    }

    async fn stand_still(&self, stage: CommitStage, events: usize) {
        let hold = self
            .timing
            .lock()
            .hold
            .take_if(|(at, _)| *at == stage && events > 0);
        if let Some((_, held)) = hold {
            // Whoever asked may have given up waiting, and kills all the same.
            let _gone = held.send(());
            pending::<()>().await;
        }
    }
}

impl Journals for SlowJournals {
    fn fence(&self) -> JournalFuture<Fence> {
        self.backing.lock().journals().fence()
    }

    fn journal(&self, log: LogId, fence: Fence) -> Arc<dyn Journal> {
        let all = self.clone();
        Arc::new(SlowJournal { all, log, fence })
    }
}

impl CommandJournal for SlowJournals {
    fn load(&self) -> JournalFuture<Vec<KeptCommand>> {
        self.backing.lock().commands().load()
    }

    fn keep(&self, command: KeptCommand) -> JournalFuture<()> {
        let kept = self.backing.lock().commands().keep(command);
        self.answer_late(kept)
    }

    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()> {
        let forgotten = self.backing.lock().commands().forget(ids);
        self.answer_late(forgotten)
    }
}

impl RoomStore for SlowJournals {
    fn load(&self, fresh_key: SigningKey) -> JournalFuture<KeptRooms> {
        self.backing.lock().rooms().load(fresh_key)
    }

    fn save(&self, changes: Vec<RoomChange>) -> JournalFuture<()> {
        let saved = self.backing.lock().rooms().save(changes);
        self.answer_late(saved)
    }
}

impl RevocationStore for SlowJournals {
    fn load(&self, not_before: UnixMs) -> JournalFuture<Vec<Revocation>> {
        self.backing.lock().revocations().load(not_before)
    }

    fn record(&self, changes: Vec<RevocationChange>) -> JournalFuture<()> {
        let recorded = self.backing.lock().revocations().record(changes);
        self.answer_late(recorded)
    }
}

impl Journal for SlowJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        self.all.backing(self.log, self.fence).load()
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        self.all.backing(self.log, self.fence).begin(new_epoch)
    }

    fn commit(&self, commit: Commit) -> JournalFuture<Vec<GuildId>> {
        let Self { all, log, fence } = self.clone();
        Box::pin(async move {
            all.take_time(CommitStage::Asked, commit.events.len()).await;
            let (events, state) = (commit.events.clone(), Arc::clone(&commit.state));
            let count = events.len();
            let done = all.backing(log, fence).commit(commit);
            all.stand_still(CommitStage::Written, count).await;
            let wanted = done.await?;
            all.history(log).take(events, state.resume.as_ref());
            all.take_time(CommitStage::Done, count).await;
            Ok(wanted)
        })
    }
}

impl Backing {
    fn journals(&self) -> &dyn Journals {
        match self {
            Self::Memory(journals, ..) => journals,
            Self::Disk { open, .. } => open.as_ref().expect("it was opened for a process"),
        }
    }

    fn commands(&self) -> &dyn CommandJournal {
        match self {
            Self::Memory(_, commands, ..) => commands,
            Self::Disk { open, .. } => open.as_ref().expect("it was opened for a process"),
        }
    }

    fn rooms(&self) -> &dyn RoomStore {
        match self {
            Self::Memory(_, _, rooms, _) => rooms,
            Self::Disk { open, .. } => open.as_ref().expect("it was opened for a process"),
        }
    }

    fn revocations(&self) -> &dyn RevocationStore {
        match self {
            Self::Memory(.., revocations) => revocations,
            Self::Disk { open, .. } => open.as_ref().expect("it was opened for a process"),
        }
    }

    fn reopen(&mut self) -> Result<(), JournalError> {
        match self {
            Self::Memory(journals, ..) => *journals = journals.reopened(),
            Self::Disk { folder, open } => {
                // INVARIANT(kill): nobody else has a handle, so this waits until the file is closed.
                drop(open.take());
                let path = folder.path().join("journal.sqlite3");
                *open = Some(SqliteJournals::open_asking_beyond(
                    &path, "DATA_DIR", SURPLUS,
                )?);
            }
        }
        Ok(())
    }
}

impl History {
    fn new(window: usize) -> Self {
        Self {
            window,
            log: Vec::new(),
            unheard: 0,
            silent_losses: Vec::new(),
            world: World::default(),
            session: None,
            kept: BTreeMap::new(),
            floor: 0,
        }
    }

    /// Takes in what is on the disk and was never answered.
    fn catch_up(&mut self, saved: JournalContents) {
        let known = u64::try_from(self.log.len()).expect("a few");
        let events = saved.events.into_iter();
        let new: Vec<_> = events
            .filter(|event| event.at.seq > known)
            .map(Arc::new)
            .collect();
        self.unheard += usize::from(!new.is_empty());
        self.take(new, saved.state.resume.as_ref());
    }

    fn take(&mut self, events: Vec<Arc<SealedEvent>>, resume: Option<&ResumeState>) {
        for event in &events {
            let kept = self.kept.entry(event.event.guild_id).or_default();
            kept.push_back((event.at.seq, event.more));
            if event.more {
                continue;
            }
            // A whole group has come, and whole groups go.
            let mut within_group = false;
            while (within_group || kept.len() > self.window)
                && let Some((evicted, more)) = kept.pop_front()
            {
                within_group = more;
                self.floor = self.floor.max(evicted);
            }
        }
        let session = resume.map(|resume| resume.session_id.clone());
        if session.is_some() && self.session.is_some() && session != self.session {
            self.session_replaced(&events);
        }
        self.session = session.or(self.session.take());
        for event in &events {
            self.world.apply(&event.event);
        }
        self.log.extend(events);
    }

    /// What was lost with a session is said together with the next one, of every guild that is
    /// still there.
    fn session_replaced(&mut self, events: &[Arc<SealedEvent>]) {
        let is = |guild_id: &GuildId, name: &str| {
            events.iter().any(|envelope| {
                envelope.event.guild_id == *guild_id && envelope.event.change.name() == name
            })
        };
        let known = self.world.guilds.keys();
        let mut silent = known.filter(|id| !is(id, "gap") && !is(id, "guild.removed"));
        if let Some(guild_id) = silent.next() {
            let at = self.log.len();
            self.silent_losses.push(format!(
                "a new session after {at}, and no gap of guild {guild_id}"
            ));
        }
    }

    /// Whether a reader that stands here must be able to go on.
    pub(crate) fn goes_back_to(&self, at: Position) -> bool {
        at.seq >= self.floor
    }
}

/// The guilds as they are at the head of what was saved.
pub(crate) fn world_of(saved: JournalContents) -> World {
    let mut world = World::default();
    for base in saved.bases {
        if let Some(guild) = base.guild {
            world.guilds.insert(base.guild_id, guild);
        }
    }
    world.apply_all(saved.events.iter().map(|envelope| &envelope.event))
}
