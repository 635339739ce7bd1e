//! The one writer: applies what comes over the link to the replica, and publishes it.
//!
//! INVARIANT(one-moment): a group of events, what one cause did to one guild, is applied under one
//! write lock of the replica and published once. So nobody is shown the world between two of them:
//! not the old name of a room that was renamed and revealed at once, nor nobody in two rooms of
//! whom somebody moved.

use std::{collections::BTreeSet, sync::Arc};

use guildhall_link::frame::{Base, DiscordStatus};
use guildhall_model::{
    Envelope, Position, UnixMs,
    event::{LinkState, LiveEvent},
};

use super::{Fanout, affected::AffectedViewers, subscribers::WakeSet};
use crate::replica::{Freshness, GroupSpan, GuildLogs, OutOfOrder, Progress, ReplicaWriter};

/// Writes the replica, fills the buffers and wakes the streams; owned by the task that holds the
/// link.
#[derive(Debug)]
pub(crate) struct Publisher {
    writer: ReplicaWriter,
    fanout: Fanout,
    /// The next replica while its snapshot comes in; readers keep the one they have.
    building: Option<GuildLogs>,
}

impl Publisher {
    pub(crate) fn new(writer: ReplicaWriter, fanout: Fanout) -> Self {
        Self {
            writer,
            fanout,
            building: None,
        }
    }

    /// The position to go on from: that of the last complete replica.
    pub(crate) fn position(&self) -> Option<Position> {
        self.writer.replica().position()
    }

    /// The first snapshot of a run arrived: begins a new replica beside the one in use.
    pub(crate) fn begin_snapshot(&mut self) {
        let empty = self.writer.replica().read().empty_like();
        self.building = Some(empty);
    }

    /// One guild at its floor, for the replica that was begun.
    pub(crate) fn add_base(&mut self, base: Base) {
        if let Some(building) = &mut self.building {
            building.insert_base(base);
        }
    }

    /// The next group of the log: all of it, or nothing if it does not follow.
    pub(crate) fn apply_group(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        match &mut self.building {
            Some(building) => building.append_backlog(group),
            None => self.publish(group),
        }
    }

    /// What was sent is complete up to `position`: the replica that was begun, if any, becomes
    /// *the* replica. Every stream joins it from its own position.
    pub(crate) fn complete_snapshot(&mut self, position: Position) {
        // All that counts of the live lane is told anew behind this.
        self.fanout.0.live.lock().clear();
        let Some(mut built) = self.building.take() else {
            self.writer.set_progress(|progress| progress.completed += 1);
            return;
        };
        built.move_to(position);
        let mut live = self.writer.write();
        *live = built;
        self.fanout.reset_buffers();
        let connected = self.fanout.connected();
        // INVARIANT(rights-before-published): whoever reads the new number finds the new
        // generation of rights.
        for viewer in &connected {
            viewer.rights_changed();
        }
        self.fanout.publish(position.seq);
        drop(live);
        self.writer.set_progress(|progress| {
            *progress = Progress {
                position: Some(position),
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

    /// What the gateway says about its connection to Discord.
    pub(crate) fn status(&mut self, status: DiscordStatus) {
        self.set_freshness(|freshness| freshness.set_discord(status));
    }

    /// The link is attached.
    pub(crate) fn link_up(&mut self, now: UnixMs) {
        self.set_freshness(|freshness| freshness.set_link(LinkState::Up, now));
    }

    /// The link is cut. What was begun and not completed is dropped.
    pub(crate) fn link_down(&mut self, now: UnixMs) {
        self.building = None;
        self.set_freshness(|freshness| freshness.set_link(LinkState::Down, now));
    }

    fn publish(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        let mut live = self.writer.write();
        let (Some(end), Some(span)) = (live.follows(&group)?, GroupSpan::of(&group)) else {
            return Ok(());
        };
        let mut to_wake = WakeSet::default();
        let mut arrived = BTreeSet::new();
        for envelope in group {
            let guild_id = envelope.event.guild_id;
            let subscribers = self.fanout.subscribers_of(guild_id);
            let log = live.guild_log_mut(guild_id);
            let affected = AffectedViewers::by(&envelope.event.change, log.guild());
            let was_there = log.guild().is_some();
            let record = log.append(envelope, span);
            if was_there && log.guild().is_none() {
                self.fanout.0.live.lock().forget(guild_id);
            }
            if !was_there && log.guild().is_some() {
                arrived.insert(guild_id);
            }
            // Each record is judged by the rights just before and after it, as a replay judges it.
            if let Some(subscribers) = subscribers {
                subscribers.push(&record, &affected, log, &mut to_wake);
            }
            live.count(&record);
            if record.ends_group() {
                live.evict_over_bounds(guild_id);
            }
        }
        live.move_to(end);
        for guild_id in &arrived {
            to_wake.viewers.extend(self.fanout.interested_in(*guild_id));
        }
        // INVARIANT(rights-before-published): whoever reads the new number finds the new
        // generation of rights.
        for viewer in &to_wake.viewers {
            viewer.rights_changed();
        }
        self.fanout.publish(end.seq);
        drop(live);
        self.writer
            .set_progress(|progress| progress.position = Some(end));
        for guild_id in arrived {
            self.fanout.0.arrivals.add(guild_id);
        }
        for buffer in to_wake.buffers {
            buffer.wake();
        }
        for viewer in to_wake.viewers {
            viewer.wake();
        }
        Ok(())
    }

    fn set_freshness(&self, change: impl FnOnce(&mut Freshness)) {
        if self.writer.update_freshness(change) {
            self.fanout.wake_all();
        }
    }
}
