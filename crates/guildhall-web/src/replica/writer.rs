//! The one writer: what comes over the link becomes the replica, and whoever may see it wakes.

use std::sync::{PoisonError, RwLockWriteGuard, atomic::Ordering};

use guildhall_link::frame::{Base, DiscordStatus};
use guildhall_model::{Envelope, Position, UnixMs};

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

    /// The next event of the log.
    pub(crate) fn event(&mut self, envelope: Envelope) -> Result<(), OutOfOrder> {
        match &mut self.building {
            Some(building) => building.gather(envelope),
            None => self.publish(envelope),
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

    fn publish(&mut self, envelope: Envelope) -> Result<(), OutOfOrder> {
        let at = envelope.at;
        let mut woken = Woken::default();
        let mut live = self.live();
        if live
            .position
            .is_none_or(|now| !now.comparable(at) || now.seq + 1 != at.seq)
        {
            return Err(OutOfOrder {
                after: live.position,
                got: at,
            });
        }
        let guild_id = envelope.event.guild_id;
        let audience = self.replica.audience(guild_id);
        let log = live.log_of(guild_id);
        let concerned = Concerned::by(&envelope.event.change, log.guild());
        let record = log.append(envelope);
        live.position = Some(at);
        live.appended(guild_id, record.cost());
        if let (Some(audience), Some(log)) = (audience, live.guild(guild_id)) {
            audience.hear(&record, &concerned, log, &mut woken);
        }
        // INVARIANT(turn-before-published): whoever reads the new number finds the new turn.
        for viewer in &woken.viewers {
            viewer.turned();
        }
        self.replica.0.published.store(at.seq, Ordering::Release);
        drop(live);
        self.replica
            .0
            .progress
            .send_modify(|progress| progress.position = Some(at));
        for feed in woken.feeds {
            feed.ring();
        }
        for viewer in woken.viewers {
            viewer.ring();
        }
        Ok(())
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self
            .replica
            .0
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
        self.replica
            .0
            .store
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Takes an event into a replica that is not complete yet. Between the floors of two guilds
    /// there are numbers that nobody kept, so they only ascend.
    fn gather(&mut self, envelope: Envelope) -> Result<(), OutOfOrder> {
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
        self.appended(guild_id, record.cost());
        Ok(())
    }

    fn log_of(&mut self, id: guildhall_model::GuildId) -> &mut GuildLog {
        self.guilds
            .entry(id)
            .or_insert_with(|| GuildLog::new(id, 0, None))
    }

    /// Counts a record and evicts what is too much: of the guild itself beyond its window, then
    /// of the guild that holds most, so that a busy guild evicts nobody but itself.
    fn appended(&mut self, id: guildhall_model::GuildId, cost: usize) {
        self.cost += cost;
        if let Some(log) = self.guilds.get_mut(&id)
            && log.len() > self.window
        {
            self.cost -= log.evict();
        }
        while self.cost > self.bytes {
            let largest = self.guilds.values_mut().max_by_key(|log| log.cost());
            match largest.map(GuildLog::evict) {
                None | Some(0) => break,
                Some(freed) => self.cost -= freed,
            }
        }
    }
}
