//! The one writer: applies what comes over the link to the replica, and publishes it.
//!
//! INVARIANT(one-moment): a group of events, what one cause did to one guild, is applied under one
//! write lock of the replica and published once. So nobody is shown the world between two of them:
//! not the old name of a room that was renamed and revealed at once, nor nobody in two rooms of
//! whom somebody moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use guildhall_link::frame::{Base, DiscordStatus};
use guildhall_model::{
    Cursor, Envelope, GuildId, LogId, UnixMs,
    event::{LinkState, LiveEvent},
};

use super::{Fanout, RoomViewers, subscribers::WakeSet};
use crate::replica::{
    Freshness, GroupSpan, GuildLogs, LogPositions, OutOfOrder, Progress, ReplicaWriter, RoomsAhead,
};

/// Writes the replica, fills the buffers and wakes the streams; owned by the task that holds the
/// link.
#[derive(Debug)]
pub(crate) struct Publisher {
    writer: ReplicaWriter,
    fanout: Fanout,
    /// Logs of the next replica while their snapshots come in; readers keep those they have.
    building: BTreeMap<LogId, GuildLogs>,
}

impl Publisher {
    pub(crate) fn new(writer: ReplicaWriter, fanout: Fanout) -> Self {
        Self {
            writer,
            fanout,
            building: BTreeMap::new(),
        }
    }

    /// Where to go on from: the positions of the last complete replica.
    pub(crate) fn position(&self) -> Option<Cursor> {
        let positions = self.writer.replica().positions();
        positions.map(|positions| positions.cursor())
    }

    /// Who is on which room's page.
    pub(crate) fn room_viewers(&self) -> RoomViewers {
        self.fanout.room_viewers()
    }

    /// The first snapshot of a log arrived: begins a new replica of it beside the one in use.
    pub(crate) fn begin_snapshot(&mut self, log: LogId) {
        let empty = self.writer.replica().read().empty_like();
        self.building.insert(log, empty);
    }

    /// One guild at its floor, for the replica of its log that was begun.
    pub(crate) fn add_base(&mut self, base: Base) {
        if let Some(building) = self.building.get_mut(&base.floor.log) {
            building.insert_base(base);
        }
    }

    /// The next group of a log: all of it, or nothing if it does not follow.
    pub(crate) fn apply_group(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        let log = group.first().map(|first| first.at.log);
        match log.and_then(|log| self.building.get_mut(&log)) {
            Some(building) => building.append_backlog(group),
            None => self.publish(group),
        }
    }

    /// What was sent is complete up to `at`, and these are all logs there are: what was begun takes
    /// the place of what it was begun for. Every stream that is about one of these logs joins it
    /// from its own position.
    pub(crate) fn complete_snapshot(&mut self, at: &Cursor) {
        // All that counts of the live lane is told anew behind this.
        self.fanout.0.live.lock().clear();
        self.writer
            .update_freshness(|freshness| freshness.retain(|log| at.in_log(log).is_some()));
        let mut built = std::mem::take(&mut self.building);
        let was = self.writer.replica().positions();
        let was_in = |log| was.as_ref().and_then(|was| was.in_log(log));
        for position in at.positions() {
            let goes_on = was_in(position.log).is_some_and(|was| was.comparable(*position));
            if !goes_on {
                // A log of which nothing was sent has no guild.
                let empty = || self.writer.replica().read().empty_like();
                built.entry(position.log).or_insert_with(empty);
            }
        }
        let was = was.iter().flat_map(LogPositions::iter);
        let gone: Vec<LogId> = was
            .map(|position| position.log)
            .filter(|log| at.in_log(*log).is_none())
            .collect();
        if built.is_empty() && gone.is_empty() {
            self.writer.set_progress(|progress| progress.completed += 1);
            return;
        }
        let mut live = self.writer.write();
        let mut replaced: BTreeSet<GuildId> = BTreeSet::new();
        for log in built.keys().chain(&gone) {
            replaced.extend(live.ids_in(*log));
        }
        for log in gone {
            live.remove_log(log);
        }
        for (log, mut built) in built {
            if let Some(position) = at.in_log(log) {
                built.move_to(position);
                replaced.extend(built.ids_in(log));
                live.replace(log, built);
            }
        }
        self.fanout.reset_buffers(&replaced);
        let connected = self.fanout.connected();
        // INVARIANT(rights-before-published): whoever reads the new number finds the new
        // generation of rights.
        for viewer in &connected {
            viewer.rights_changed();
        }
        let positions = live.positions();
        for position in positions.iter().flat_map(LogPositions::iter) {
            self.fanout.publish(position);
        }
        drop(live);
        self.writer.set_progress(|progress| {
            *progress = Progress {
                positions,
                completed: progress.completed + 1,
            };
        });
        self.fanout.0.arrivals.replaced();
        for viewer in connected {
            viewer.wake();
        }
    }

    /// The latest word about something in the live lane.
    pub(crate) fn live(&mut self, event: &Arc<LiveEvent>) {
        self.fanout.publish_live(event);
    }

    /// What the gateway says about its connection to Discord behind a log.
    pub(crate) fn status(&mut self, log: LogId, status: DiscordStatus) {
        self.set_freshness(|freshness| freshness.set_discord(log, status));
    }

    /// The link is attached.
    pub(crate) fn link_up(&mut self, now: UnixMs) {
        self.set_freshness(|freshness| freshness.set_link(LinkState::Up, now));
    }

    /// The link is cut. What was begun and not completed is dropped.
    pub(crate) fn link_down(&mut self, now: UnixMs) {
        self.building.clear();
        self.set_freshness(|freshness| freshness.set_link(LinkState::Down, now));
    }

    fn publish(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        let mut live = self.writer.write();
        let (Some(end), Some(span)) = (live.follows(&group)?, GroupSpan::of(&group)) else {
            return Ok(());
        };
        let ahead = RoomsAhead::of(&group);
        let mut to_wake = WakeSet::default();
        let mut arrived = BTreeSet::new();
        for envelope in group {
            let guild_id = envelope.event.guild_id;
            let subscribers = self.fanout.subscribers_of(guild_id);
            let log = live.guild_log_mut(guild_id, end);
            let (was_there, cost) = (log.guild().is_some(), log.cost());
            let record = log.append(envelope, span);
            if was_there && log.guild().is_none() {
                self.fanout.0.live.lock().forget(guild_id);
            }
            if !was_there && log.guild().is_some() {
                arrived.insert(guild_id);
            }
            // Each record is judged by the rights just before and after it, as a replay judges it.
            if let Some(subscribers) = subscribers {
                subscribers.push(&record, log, &ahead, &mut to_wake);
            }
            live.count_growth(guild_id, cost);
            if record.ends_group() {
                live.evict_over_bounds(guild_id);
            }
        }
        live.move_to(end);
        for guild_id in &arrived {
            for viewer in self.fanout.interested_in(*guild_id) {
                to_wake.rejoin(&viewer);
            }
        }
        // INVARIANT(rights-before-published): whoever reads the new number finds the new
        // generation of rights, which was raised with each record.
        self.fanout.publish(end);
        drop(live);
        self.writer.set_progress(|progress| {
            if let Some(positions) = &mut progress.positions {
                positions.set(end);
            }
        });
        for guild_id in arrived {
            self.fanout.0.arrivals.add(guild_id);
        }
        to_wake.wake();
        Ok(())
    }

    fn set_freshness(&self, change: impl FnOnce(&mut Freshness)) {
        if self.writer.update_freshness(change) {
            self.fanout.wake_all();
        }
    }
}
