//! Journals in memory, for as long as their handles live.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use guildhall_model::{Guild, GuildId, LogId, Position, SealedEvent};
use parking_lot::Mutex;

use crate::{
    fence::{Fence, Fenced, follow},
    journal::{
        Amount, Commit, Journal, JournalBase, JournalContents, JournalError, JournalFuture,
        JournalState, Journals, NewEpoch, Surplus,
    },
};

/// Journals in memory: the reference of the port. Clones are handles on the same ones, so what was
/// committed outlives the gateway that committed it; ownership is not enforced.
#[derive(Clone, Debug)]
pub struct MemoryJournals {
    logs: Arc<Mutex<BTreeMap<LogId, Contents>>>,
    fence: Fence,
    surplus: Amount,
}

/// The journal of one log among them.
#[derive(Clone, Debug)]
pub struct MemoryJournal {
    log: LogId,
    all: MemoryJournals,
}

#[derive(Debug)]
struct Contents {
    /// The highest that was written with.
    fence: Fence,
    head: Position,
    bases: BTreeMap<GuildId, (u64, Option<Guild>)>,
    events: BTreeMap<u64, Arc<SealedEvent>>,
    state: JournalState,
    surplus: Surplus,
}

impl Default for MemoryJournals {
    fn default() -> Self {
        Self {
            logs: Arc::default(),
            fence: Fence(1),
            surplus: Surplus::LEAST,
        }
    }
}

impl MemoryJournals {
    /// A handle as of whoever opens it next.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let logs = self.logs.lock();
        let highest = logs.values().map(|kept| kept.fence.0).max();
        let fence = Fence(highest.map_or(1, |highest| highest + 1));
        drop(logs);
        Self {
            fence,
            ..self.clone()
        }
    }

    /// The same, which asks for bases when more than this is kept in vain.
    #[must_use]
    pub fn asking_beyond(self, surplus: Amount) -> Self {
        Self { surplus, ..self }
    }
}

impl Journals for MemoryJournals {
    fn fence(&self) -> JournalFuture<Fence> {
        Box::pin(ready(Ok(self.fence)))
    }

    fn journal(&self, log: LogId, fence: Fence) -> Arc<dyn Journal> {
        Arc::new(MemoryJournal {
            log,
            all: Self {
                fence,
                ..self.clone()
            },
        })
    }
}

impl Journal for MemoryJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        let logs = self.all.logs.lock();
        let saved = logs.get(&self.log).map(Contents::saved);
        Box::pin(ready(Ok(saved)))
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        Box::pin(ready(self.begin_now(new_epoch)))
    }

    fn commit(&self, commit: Commit) -> JournalFuture<Vec<GuildId>> {
        let mut logs = self.all.logs.lock();
        let done = match logs.get_mut(&self.log) {
            Some(kept) => kept.commit(self.log, self.all.fence, commit),
            None => Err(Fenced::NotBegun(self.log).into()),
        };
        Box::pin(ready(done))
    }
}

impl MemoryJournal {
    fn begin_now(&self, new_epoch: NewEpoch) -> Result<(), JournalError> {
        let NewEpoch {
            start,
            guilds,
            state,
        } = new_epoch;
        if start.seq != 0 || start.log != self.log {
            let why = format!("{start} is no start of log {}", self.log);
            return Err(JournalError::Failed(why));
        }
        let mut logs = self.all.logs.lock();
        if let Some(kept) = logs.get(&self.log) {
            self.all.fence.admit(self.log, kept.fence)?;
            if start.epoch <= kept.head.epoch {
                let why = format!("{start} begins no epoch after that of {}", kept.head);
                return Err(JournalError::Failed(why));
            }
        }
        let guilds = guilds.into_iter();
        let contents = Contents {
            fence: self.all.fence,
            head: start,
            bases: guilds.map(|(id, guild)| (id, (0, Some(guild)))).collect(),
            events: BTreeMap::new(),
            state,
            surplus: Surplus::beyond(self.all.surplus),
        };
        logs.insert(self.log, contents);
        Ok(())
    }
}

impl Contents {
    fn saved(&self) -> JournalContents {
        let base = |(guild_id, (floor, guild)): (&GuildId, &(u64, Option<Guild>))| JournalBase {
            guild_id: *guild_id,
            floor: *floor,
            guild: guild.clone(),
        };
        JournalContents {
            head: self.head,
            bases: self.bases.iter().map(base).collect(),
            events: self
                .events
                .values()
                .map(|event| (**event).clone())
                .collect(),
            state: self.state.clone(),
        }
    }

    fn commit(
        &mut self,
        log: LogId,
        fence: Fence,
        commit: Commit,
    ) -> Result<Vec<GuildId>, JournalError> {
        fence.admit(log, self.fence)?;
        let head = follow(
            self.head,
            commit.after,
            commit.events.iter().map(|event| event.at),
        )?;
        let mut floors = BTreeMap::new();
        for base in &commit.bases {
            let known = self
                .bases
                .get(&base.guild_id)
                .map_or(0, |(floor, _)| *floor);
            let least = floors.insert(base.guild_id, base.floor).unwrap_or(known);
            if !(least..=self.head.seq).contains(&base.floor) {
                let why = format!(
                    "a floor at {} is not between {least}, the last, and the journal's head {}",
                    base.floor, self.head
                );
                return Err(JournalError::Failed(why));
            }
        }
        let wanted = self.surplus.committed(&commit);
        for base in commit.bases {
            let above = |seq: u64, event: &SealedEvent| {
                event.event.guild_id != base.guild_id || seq > base.floor
            };
            self.events.retain(|seq, event| above(*seq, event));
            self.bases.insert(base.guild_id, (base.floor, base.guild));
        }
        let events = commit.events.into_iter();
        self.events
            .extend(events.map(|event| (event.at.seq, event)));
        self.head = head;
        self.fence = fence;
        self.state = JournalState::clone(&commit.state);
        Ok(wanted)
    }
}
