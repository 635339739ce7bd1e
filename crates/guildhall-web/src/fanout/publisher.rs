//! The one writer: what comes over the link becomes the replica, and whoever may see it wakes.
//!
//! INVARIANT(one-moment): a group of events, what one cause did to one guild, is applied under one
//! hold of the replica and published once. So nobody is shown the world between two of them: not
//! the old name of a room that was renamed and revealed at once, nor nobody in two rooms of whom
//! somebody moved.

use std::collections::BTreeSet;

use guildhall_link::frame::{Base, DiscordStatus};
use guildhall_model::{Envelope, Position, UnixMs};

use super::{Fanout, affected::Concerned, subscribers::Woken};
use crate::replica::{
    GuildLogs, LinkState, OutOfOrder, Progress, ReplicaWriter, Standing, with_more,
};

/// Writes the replica and wakes whom that concerns; owned by the task that holds the link.
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

    /// The place to go on from: that of the last complete replica.
    pub(crate) fn position(&self) -> Option<Position> {
        self.writer.replica().position()
    }

    /// The first snapshot of a run came: begins a new replica beside the one in use.
    pub(crate) fn begin(&mut self) {
        let empty = self.writer.replica().read().empty_like();
        self.building = Some(empty);
    }

    /// One guild at its floor, for the replica that was begun.
    pub(crate) fn base(&mut self, base: Base) {
        if let Some(building) = &mut self.building {
            building.base(base);
        }
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
            self.writer.progress(|progress| progress.completed += 1);
            return;
        };
        built.move_to(position);
        let mut live = self.writer.write();
        *live = built;
        self.fanout.reset();
        let present = self.fanout.present();
        // INVARIANT(turn-before-published): whoever reads the new number finds the new turn.
        for viewer in &present {
            viewer.turned();
        }
        self.fanout.publish(position.seq);
        drop(live);
        self.writer.progress(|progress| {
            *progress = Progress {
                position: Some(position),
                completed: progress.completed + 1,
            };
        });
        self.fanout.arrivals().replaced();
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
        let mut live = self.writer.write();
        let Some(end) = live.follows(&group)? else {
            return Ok(());
        };
        let mut woken = Woken::default();
        let mut came = BTreeSet::new();
        for (envelope, more) in with_more(group) {
            let guild_id = envelope.event.guild_id;
            let audience = self.fanout.audience(guild_id);
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
        live.move_to(end);
        for guild_id in &came {
            woken.viewers.extend(self.fanout.wanting(*guild_id));
        }
        // INVARIANT(turn-before-published): whoever reads the new number finds the new turn.
        for viewer in &woken.viewers {
            viewer.turned();
        }
        self.fanout.publish(end.seq);
        drop(live);
        self.writer
            .progress(|progress| progress.position = Some(end));
        for guild_id in came {
            self.fanout.arrivals().add(guild_id);
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
        if self.writer.standing(change) {
            self.fanout.ring_all();
        }
    }
}
