//! Who is on which room's page, as web instances tell it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use guildhall_http::driver_time;
use guildhall_link::frame::{InstanceId, ViewerTable};
use guildhall_model::ChannelId;
use tokio::sync::watch;

/// An instance that is away for less than this counts as if its people were still there: they are on
/// their way back, to it or to another.
const AWAY: Duration = Duration::from_mins(10);

/// Instances that are away and still count. Of more those that have been away for longest do not.
const INSTANCES_AWAY: usize = 256;

/// A handle on the tables of all instances.
#[derive(Clone, Debug)]
pub(crate) struct ViewerTables {
    viewers: watch::Sender<Viewers>,
    attachments: Arc<AtomicU64>,
}

/// What one attachment tells; dropping it ends the attachment.
#[derive(Debug)]
pub(crate) struct AttachedViewers {
    tables: ViewerTables,
    attachment: AttachmentNumber,
}

impl ViewerTables {
    pub(crate) fn new() -> Self {
        Self {
            viewers: watch::Sender::new(Viewers::default()),
            attachments: Arc::default(),
        }
    }

    /// A web role has attached.
    pub(crate) fn attach(&self) -> AttachedViewers {
        let number = self.attachments.fetch_add(1, Ordering::Relaxed);
        AttachedViewers {
            tables: self.clone(),
            attachment: AttachmentNumber(number),
        }
    }

    /// The rooms that somebody is on the page of at this moment. `None`: no web role is there that would
    /// know.
    pub(crate) fn viewed(&self) -> Option<BTreeSet<ChannelId>> {
        self.viewers.borrow().viewed()
    }

    /// Marks a change whenever somebody else may be where.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Viewers> {
        self.viewers.subscribe()
    }

    /// Those that have been away for too long count no more.
    pub(crate) fn time_passed(&self, now: Instant) {
        self.viewers
            .send_if_modified(|viewers| viewers.time_passed(now));
    }
}

impl AttachedViewers {
    /// The table as it is now.
    pub(crate) fn told(&self, table: ViewerTable) {
        let viewers = &self.tables.viewers;
        viewers.send_modify(|viewers| viewers.told(self.attachment, table));
    }
}

impl Drop for AttachedViewers {
    fn drop(&mut self) {
        let now = driver_time::now();
        let viewers = &self.tables.viewers;
        viewers.send_modify(|viewers| viewers.ended(self.attachment, now));
    }
}

/// One attachment of a web role, by a number within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct AttachmentNumber(u64);

/// The tables of all instances. Pure.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    instances: BTreeMap<InstanceId, Instance>,
    attachments: HashMap<AttachmentNumber, InstanceId>,
}

#[derive(Debug)]
struct Instance {
    rooms: BTreeSet<ChannelId>,
    /// It may have several for a moment, when one takes another's place.
    attachments: usize,
    /// Since it has had none.
    away_since: Option<Instant>,
}

impl Viewers {
    /// An instance has told who is on which page: that alone counts from now on.
    fn told(&mut self, attachment: AttachmentNumber, table: ViewerTable) {
        let ViewerTable { instance, rooms } = table;
        let rooms = rooms.into_iter().filter(|(_, count)| *count > 0);
        let rooms = rooms.map(|(channel_id, _)| channel_id).collect();
        if self.attachments.get(&attachment) != Some(&instance) {
            self.unlink(attachment, None);
            self.attachments.insert(attachment, instance.clone());
            let known = self.instances.entry(instance.clone()).or_insert(Instance {
                rooms: BTreeSet::new(),
                attachments: 0,
                away_since: None,
            });
            known.attachments += 1;
            known.away_since = None;
        }
        if let Some(known) = self.instances.get_mut(&instance) {
            known.rooms = rooms;
        }
    }

    /// An attachment has ended.
    fn ended(&mut self, attachment: AttachmentNumber, now: Instant) {
        self.unlink(attachment, Some(now));
        let away = || {
            let instances = self.instances.iter();
            instances.filter_map(|(id, instance)| Some((instance.away_since?, id)))
        };
        if away().count() > INSTANCES_AWAY
            && let Some((_, oldest)) = away().min()
        {
            let oldest = oldest.clone();
            self.instances.remove(&oldest);
        }
    }

    /// Those that have been away for too long count no more. Answers whether there were any.
    fn time_passed(&mut self, now: Instant) -> bool {
        let before = self.instances.len();
        self.instances
            .retain(|_, instance| instance.away_since.is_none_or(|since| now < since + AWAY));
        self.instances.len() != before
    }

    /// When the next one counts no more.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let instances = self.instances.values();
        let away = instances.filter_map(|instance| instance.away_since);
        away.min().map(|since| since + AWAY)
    }

    /// The rooms that somebody is on the page of. `None`: no web role is there that would know.
    pub(crate) fn viewed(&self) -> Option<BTreeSet<ChannelId>> {
        let instances = || self.instances.values();
        if instances().all(|instance| instance.attachments == 0) {
            return None;
        }
        let rooms = instances().flat_map(|instance| &instance.rooms);
        Some(rooms.copied().collect())
    }

    /// `now`: it has ended, so its instance may be away. Otherwise it is another instance's.
    fn unlink(&mut self, attachment: AttachmentNumber, now: Option<Instant>) {
        let Some(id) = self.attachments.remove(&attachment) else {
            return;
        };
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.attachments -= 1;
        if instance.attachments == 0 {
            match now {
                Some(now) => instance.away_since = Some(now),
                // Nobody is named two ways by one process, so it never was that one.
                None => drop(self.instances.remove(&id)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
