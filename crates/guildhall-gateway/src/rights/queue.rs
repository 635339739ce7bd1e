//! Members that wait for their look-up, by priority: a fair queue for each.

use std::{collections::BTreeMap, time::Instant};

use guildhall_model::{GuildId, UserId};

use super::{
    MemberKey,
    fair_queue::{FairQueue, QueueHead, Ticket, Via},
};

/// How soon a look-up is wanted, in the order in which they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// Somebody waits.
    Awaited,
    /// Nobody waits, and until the answer somebody who is watched is shown nothing of the guild,
    /// whose rights were reset.
    Reset,
    /// Nobody waits, and what is known goes on meanwhile.
    Refresh,
}

impl Priority {
    pub(super) const ALL: [Self; 3] = [Self::Awaited, Self::Reset, Self::Refresh];
}

/// Where a member stood in the queue, so that it can be put back there.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueEntry {
    pub priority: Priority,
    pub via: Via,
    pub ticket: Ticket,
}

/// Members to look up. Each is here once, so its length is bounded by the members watched.
/// Nothing here costs more than the logarithm of that, times the members it is about, but for
/// [`FairQueue::next_single`].
#[derive(Debug, Default)]
pub(super) struct LookUpQueue {
    awaited: FairQueue,
    reset: FairQueue,
    refresh: FairQueue,
    entries: BTreeMap<MemberKey, QueueEntry>,
    tickets: u64,
}

impl LookUpQueue {
    /// Adds a member at the end; one that is queued already moves up if it is wanted sooner now.
    pub(super) fn add(&mut self, key: MemberKey, priority: Priority, via: Via, since: Instant) {
        let queued = self.entries.get(&key).map(|entry| entry.priority);
        if queued.is_some_and(|queued| queued <= priority) {
            return;
        }
        self.remove(key);
        let entry = QueueEntry {
            priority,
            via,
            ticket: self.ticket(key, priority, since),
        };
        self.put_back(key, entry);
    }

    /// Adds a member, which is not queued, where it stood before.
    pub(super) fn put_back(&mut self, key: MemberKey, entry: QueueEntry) {
        self.queue_mut(entry.priority)
            .insert(key, entry.ticket, entry.via);
        self.entries.insert(key, entry);
    }

    /// A ticket for the end of the queue.
    pub(super) fn ticket(&mut self, key: MemberKey, priority: Priority, since: Instant) -> Ticket {
        self.tickets += 1;
        let number = self.tickets;
        self.queue_mut(priority).ticket(key, number, since)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody waits in a priority.
    pub(super) fn is_empty(&self, priority: Priority) -> bool {
        self.queue(priority).is_empty()
    }

    /// Takes out the next of a priority by itself, of those whose guild and user may.
    pub(super) fn take_single(
        &mut self,
        priority: Priority,
        guild_may: impl Fn(GuildId) -> bool,
        user_may: impl Fn(UserId) -> bool,
    ) -> Option<MemberKey> {
        let key = self.queue_mut(priority).next_single(guild_may, user_may)?;
        self.remove(key);
        Some(key)
    }

    /// The first of a priority that may be batched.
    pub(super) fn head(&self, priority: Priority) -> Option<QueueHead> {
        self.queue(priority).head()
    }

    /// Of the guilds of which so many wait that they fill a request, the one that came first.
    pub(super) fn first_full(&self, priority: Priority) -> Option<QueueHead> {
        self.queue(priority).first_full()
    }

    /// The guild of which most wait that may be batched.
    pub(super) fn largest(&self, priority: Priority) -> Option<QueueHead> {
        self.queue(priority).largest()
    }

    /// Takes up to `most` of a priority's members of one guild out together, the first ones.
    pub(super) fn take_batch(
        &mut self,
        guild_id: GuildId,
        priority: Priority,
        most: usize,
    ) -> Vec<(UserId, QueueEntry)> {
        let users: Vec<UserId> = self.queue(priority).of_guild(guild_id).take(most).collect();
        let take = |user_id| Some((user_id, self.remove((guild_id, user_id))?));
        users.into_iter().filter_map(take).collect()
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, key: MemberKey) -> Option<QueueEntry> {
        let entry = self.entries.remove(&key)?;
        self.queue_mut(entry.priority).remove(key, entry.ticket);
        Some(entry)
    }

    fn queue_mut(&mut self, priority: Priority) -> &mut FairQueue {
        match priority {
            Priority::Awaited => &mut self.awaited,
            Priority::Reset => &mut self.reset,
            Priority::Refresh => &mut self.refresh,
        }
    }

    fn queue(&self, priority: Priority) -> &FairQueue {
        match priority {
            Priority::Awaited => &self.awaited,
            Priority::Reset => &self.reset,
            Priority::Refresh => &self.refresh,
        }
    }
}
