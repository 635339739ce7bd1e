//! Watches that are not answered yet.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::WatchId;

#[derive(Debug, Default)]
pub(super) struct PendingWatches {
    open: BTreeMap<WatchId, PendingWatch>,
    /// By when each is to be answered: in order, since each has the same time from its beginning.
    /// Some may be answered already, but not the first.
    answer_by: VecDeque<(Instant, WatchId)>,
}

/// A watch and what it still waits for.
#[derive(Debug)]
pub(super) struct PendingWatch {
    pub user_id: UserId,
    pub open: BTreeSet<GuildId>,
    pub failed: Vec<GuildId>,
}

/// What a watch is told of one of its guilds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuildAnswer {
    /// The user's rights in it are in the log.
    Known,
    /// They could not be found out.
    Failed,
}

impl PendingWatches {
    pub(super) fn begin(&mut self, id: WatchId, watch: PendingWatch, answer_by: Instant) {
        self.open.insert(id, watch);
        self.answer_by.push_back((answer_by, id));
    }

    /// A guild has its answer. Returns the watch if that was the last.
    pub(super) fn answered(
        &mut self,
        id: WatchId,
        guild_id: GuildId,
        answer: GuildAnswer,
    ) -> Option<PendingWatch> {
        let watch = self.open.get_mut(&id)?;
        if watch.open.remove(&guild_id) && answer == GuildAnswer::Failed {
            watch.failed.push(guild_id);
        }
        watch.open.is_empty().then(|| self.end(id))?
    }

    /// One whose time is over.
    pub(super) fn late(&mut self, now: Instant) -> Option<(WatchId, PendingWatch)> {
        let (_, id) = self.answer_by.front().filter(|(at, _)| *at <= now)?;
        let id = *id;
        Some((id, self.end(id)?))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.answer_by.front().map(|(at, _)| *at)
    }

    fn end(&mut self, id: WatchId) -> Option<PendingWatch> {
        let watch = self.open.remove(&id);
        while let Some((_, first)) = self.answer_by.front()
            && !self.open.contains_key(first)
        {
            self.answer_by.pop_front();
        }
        watch
    }
}
