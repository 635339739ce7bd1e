//! The journal in memory, for as long as its handles live.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use guildhall_model::{Guild, GuildId, Position, SealedEvent};
use parking_lot::Mutex;

use crate::journal::{
    Commit, Journal, JournalBase, JournalContents, JournalError, JournalFuture, JournalState,
    NewEpoch,
};

/// A journal in memory: the reference of the port. Clones are handles on the same one, so what
/// was committed outlives the gateway that committed it; ownership is not enforced.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Option<Contents>>>);

#[derive(Debug)]
struct Contents {
    head: Position,
    bases: BTreeMap<GuildId, (u64, Option<Guild>)>,
    events: BTreeMap<u64, Arc<SealedEvent>>,
    state: JournalState,
}

impl Journal for MemoryJournal {
    fn load(&self) -> JournalFuture<Option<JournalContents>> {
        let saved = self.0.lock().as_ref().map(Contents::saved);
        Box::pin(ready(Ok(saved)))
    }

    fn begin(&self, new_epoch: NewEpoch) -> JournalFuture<()> {
        if new_epoch.start.seq != 0 {
            let why = format!("{} is no start of a log", new_epoch.start);
            return Box::pin(ready(Err(JournalError::Failed(why))));
        }
        let guilds = new_epoch.guilds.into_iter();
        *self.0.lock() = Some(Contents {
            head: new_epoch.start,
            bases: guilds.map(|(id, guild)| (id, (0, Some(guild)))).collect(),
            events: BTreeMap::new(),
            state: new_epoch.state,
        });
        Box::pin(ready(Ok(())))
    }

    fn commit(&self, commit: Commit) -> JournalFuture<()> {
        let done = match self.0.lock().as_mut() {
            Some(kept) => kept.commit(commit),
            None => Err(JournalError::Failed("the journal was not begun".to_owned())),
        };
        Box::pin(ready(done))
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

    fn commit(&mut self, commit: Commit) -> Result<(), JournalError> {
        let mut head = self.head;
        for event in &commit.events {
            if event.at != head.at(head.seq + 1) {
                let (at, head) = (event.at, self.head);
                let why = format!("an event at {at} does not follow the journal's head {head}");
                return Err(JournalError::Failed(why));
            }
            head = event.at;
        }
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
        self.state = JournalState::clone(&commit.state);
        Ok(())
    }
}
