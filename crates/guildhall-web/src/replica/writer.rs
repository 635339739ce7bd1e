//! The one writer: what comes over the link becomes the replica, and whoever may see it wakes.
//!
//! INVARIANT(one-moment): a group of events, what one cause did to one guild, is applied under one
//! hold of the replica and published once. So nobody is shown the world between two of them: not
//! the old name of a room that was renamed and revealed at once, nor nobody in two rooms of whom
//! somebody moved.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use guildhall_link::frame::{Base, DiscordStatus};
use guildhall_model::{Envelope, Position, UnixMs};
use parking_lot::RwLockWriteGuard;

use super::{
    GuildLog, Progress, Replica, Standing, Store,
    audience::{Concerned, Woken},
    status::LinkState,
};

/// Writes the replica; owned by the task that holds the link.
#[derive(Debug)]
pub(crate) struct ReplicaWriter {
    replica: Replica,
    /// The next replica while its snapshot comes in; readers keep the one they have.
    building: Option<Store>,
}

/// An event that does not follow: the replica would have a hole. Ask for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event at {got} does not follow {after:?}")]
pub(crate) struct OutOfOrder {
    /// Where the replica stands.
    pub(crate) after: Option<Position>,
    /// Where the event stands.
    pub(crate) got: Position,
}

impl ReplicaWriter {
    pub(super) fn new(replica: Replica) -> Self {
        Self {
            replica,
            building: None,
        }
    }

    /// The place to go on from: that of the last complete replica.
    pub(crate) fn position(&self) -> Option<Position> {
        self.replica.position()
    }

    /// The first snapshot of a run came: begins a new replica beside the one in use.
    pub(crate) fn begin(&mut self) {
        let (window, bytes) = {
            let live = self.replica.hold();
            (live.window, live.bytes)
        };
        self.building = Some(Store::empty(window, bytes));
    }

    /// One guild at its floor, for the replica that was begun.
    pub(crate) fn base(&mut self, base: Base) {
        let Some(building) = &mut self.building else {
            return;
        };
        let Base {
            guild_id,
            floor,
            guild,
        } = base;
        // Which life of the log this is; how far it has come the events will tell.
        building.position.get_or_insert(floor.at(0));
        building.cost -= building.guilds.get(&guild_id).map_or(0, GuildLog::cost);
        let log = GuildLog::new(guild_id, floor.seq, guild);
        building.guilds.insert(guild_id, log);
    }

    /// The next group of the log: all of it, or nothing if it does not follow.
    pub(crate) fn group(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        match &mut self.building {
            Some(building) => building.gather(group),
            None => self.publish(group),
        }
    }

    /// What was sent is complete up to `position`: the replica that was begun, if any, becomes
    /// *the* replica. Every stream joins it from its own place.
    pub(crate) fn complete(&mut self, position: Position) {
        let Some(mut built) = self.building.take() else {
            self.replica
                .0
                .progress
                .send_modify(|progress| progress.completed += 1);
            return;
        };
        built.position = Some(position);
        let mut live = self.live();
        *live = built;
        for audience in self.replica.audiences().values() {
            audience.reset();
        }
        let present = self.replica.present();
        // INVARIANT(turn-before-published): whoever reads the new number finds the new turn.
        for viewer in &present {
            viewer.turned();
        }
        self.replica
            .0
            .published
            .store(position.seq, Ordering::Release);
        drop(live);
        self.replica.0.progress.send_modify(|progress| {
            *progress = Progress {
                position: Some(position),
                completed: progress.completed + 1,
            };
        });
        self.replica.0.arrivals.replaced();
        for viewer in present {
            viewer.ring();
        }
    }

    /// The gateway's word about Discord.
    pub(crate) fn status(&mut self, status: DiscordStatus) {
        self.stand(|standing| standing.said(status));
    }

    /// The link is attached.
    pub(crate) fn link_up(&mut self, now: UnixMs) {
        self.stand(|standing| standing.link(LinkState::Up, now));
    }

    /// The link is cut. What was begun and not completed is dropped.
    pub(crate) fn link_down(&mut self, now: UnixMs) {
        self.building = None;
        self.stand(|standing| standing.link(LinkState::Down, now));
    }

    fn publish(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        let mut live = self.live();
        let mut last = live.position;
        for envelope in &group {
            let got = envelope.at;
            if last.is_none_or(|last| !last.comparable(got) || last.seq + 1 != got.seq) {
                let after = live.position;
                return Err(OutOfOrder { after, got });
            }
            last = Some(got);
        }
        let Some(end) = last else { return Ok(()) };
        let mut woken = Woken::default();
        let mut came = BTreeSet::new();
        for (envelope, more) in with_more(group) {
            let guild_id = envelope.event.guild_id;
            let audience = self.replica.audience(guild_id);
            let log = live.log_of(guild_id);
            let concerned = Concerned::by(&envelope.event.change, log.guild());
            let was_there = log.guild().is_some();
            let record = log.append(envelope);
            if !was_there && log.guild().is_some() {
                came.insert(guild_id);
            }
            // Each record is judged by the rights just before and after it, as a replay judges it.
            if let Some(audience) = audience {
                audience.hear(&record, &concerned, log, end.seq, &mut woken);
            }
            live.appended(guild_id, record.cost(), more);
        }
        live.position = Some(end);
        for guild_id in &came {
            woken.viewers.extend(self.replica.wanting(*guild_id));
        }
        // INVARIANT(turn-before-published): whoever reads the new number finds the new turn.
        for viewer in &woken.viewers {
            viewer.turned();
        }
        self.replica.0.published.store(end.seq, Ordering::Release);
        drop(live);
        self.replica
            .0
            .progress
            .send_modify(|progress| progress.position = Some(end));
        for guild_id in came {
            self.replica.0.arrivals.add(guild_id);
        }
        for feed in woken.feeds {
            feed.ring();
        }
        for viewer in woken.viewers {
            viewer.ring();
        }
        Ok(())
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self.replica.0.standing.lock();
        let was = standing.clone();
        change(&mut standing);
        let changed = was != *standing;
        drop(standing);
        if changed {
            self.replica.0.standing_turn.fetch_add(1, Ordering::AcqRel);
            self.replica.ring_all();
        }
    }

    fn live(&self) -> RwLockWriteGuard<'_, Store> {
        self.replica.0.store.write()
    }
}

impl Store {
    /// Takes a group into a replica that is not complete yet. Between the floors of two guilds
    /// there are numbers that nobody kept, so they only ascend.
    fn gather(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        for (envelope, more) in with_more(group) {
            let at = envelope.at;
            let guild_id = envelope.event.guild_id;
            let follows = self
                .position
                .is_none_or(|known| known.comparable(at) && known.seq < at.seq);
            let log = self.log_of(guild_id);
            if !follows || at.seq <= log.head() {
                return Err(OutOfOrder {
                    after: self.position,
                    got: at,
                });
            }
            let record = log.append(envelope);
            self.position = Some(at);
            self.appended(guild_id, record.cost(), more);
        }
        Ok(())
    }

    fn log_of(&mut self, id: guildhall_model::GuildId) -> &mut GuildLog {
        self.guilds
            .entry(id)
            .or_insert_with(|| GuildLog::new(id, 0, None))
    }

    /// Counts a record and, at the end of its group, evicts what is too much: of the guild itself
    /// beyond its window, then of the guild that holds most, so that a busy guild evicts nobody but
    /// itself.
    fn appended(&mut self, id: guildhall_model::GuildId, cost: usize, more: bool) {
        self.cost += cost;
        if more {
            return;
        }
        if let Some(log) = self.guilds.get_mut(&id) {
            while log.len() > self.window {
                self.cost -= log.evict_group();
            }
        }
        while self.cost > self.bytes {
            let largest = self.guilds.values_mut().max_by_key(|log| log.cost());
            match largest.map(GuildLog::evict_group) {
                None | Some(0) => break,
                Some(freed) => self.cost -= freed,
            }
        }
    }
}

/// A group's events, each with whether there are more of them: what was handed over is a group,
/// whatever its events say.
fn with_more(group: Vec<Envelope>) -> impl Iterator<Item = (Envelope, bool)> {
    let length = group.len();
    let mark = move |(index, envelope): (usize, Envelope)| {
        let more = index + 1 < length;
        (Envelope { more, ..envelope }, more)
    };
    group.into_iter().enumerate().map(mark)
}
