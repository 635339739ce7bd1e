//! Who listens to one guild on this instance: viewers, their classes, and the streams of each.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use guildhall_model::{GuildId, UserId, ViewerClass};
use parking_lot::{Mutex, MutexGuard};

use super::{
    affected::Concerned,
    class_buffer::Feed,
    viewer::Viewer,
    wake_list::{Signal, Slot},
};
use crate::{
    replica::{GuildLog, Record},
    visible::{Narrow, Sight},
};

/// The viewers of one guild and their feeds.
#[derive(Debug)]
pub(crate) struct Audience {
    guild_id: GuildId,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    viewers: HashMap<UserId, Seated>,
    feeds: HashMap<(ViewerClass, Narrow), Arc<Feed>>,
}

/// A viewer with at least one stream on this guild.
#[derive(Debug)]
struct Seated {
    viewer: Arc<Viewer>,
    class: Option<ViewerClass>,
    /// Whether it is known what they are. `None`: there is no such guild.
    looked_up: Option<bool>,
    streams: usize,
}

/// Who is to be woken after a group.
#[derive(Debug, Default)]
pub(crate) struct Woken {
    pub(crate) feeds: Vec<Arc<Feed>>,
    pub(crate) viewers: Vec<Arc<Viewer>>,
}

impl Audience {
    pub(crate) fn new(guild_id: GuildId) -> Self {
        Self {
            guild_id,
            seats: Mutex::default(),
        }
    }

    /// Seats one stream of a viewer. To be called while the replica stands still, so that the
    /// sight is that of the feed's next record. `looked_up`: whether it is known what they are, if
    /// there is such a guild; `now`: the replica's place.
    pub(crate) fn enter(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        signal: &Arc<Signal>,
        (sight, looked_up): (Option<&Sight>, Option<bool>),
        narrow: &Narrow,
        now: u64,
    ) -> Seat {
        let mut seats = self.lock();
        let class = sight.map(|sight| sight.class().clone());
        let seated = seats.viewers.entry(viewer.id()).or_insert_with(|| Seated {
            viewer: Arc::clone(viewer),
            class: class.clone(),
            looked_up,
            streams: 0,
        });
        seated.class = class;
        seated.looked_up = looked_up;
        seated.streams += 1;
        let feed = sight.map(|sight| {
            let key = (sight.class().clone(), narrow.clone());
            let feed = seats
                .feeds
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Feed::new(key, sight.clone(), now)));
            let slot = feed.listen(signal);
            (Arc::clone(feed), slot)
        });
        Seat {
            audience: Arc::clone(self),
            user: viewer.id(),
            feed,
        }
    }

    /// Shows a record to every class here and notes whose sight it may have changed. `log`: the
    /// guild's, with the record in it. `end`: where the record's group ends.
    pub(crate) fn hear(
        &self,
        record: &Arc<Record>,
        concerned: &Concerned,
        log: &GuildLog,
        end: u64,
        woken: &mut Woken,
    ) {
        let after = log.guild();
        let mut seats = self.lock();
        let mut changed: Vec<Arc<Feed>> = Vec::new();
        for feed in seats.feeds.values() {
            let heard = feed.hear(record, after, log.floor(), end);
            if heard.shown_first {
                woken.feeds.push(Arc::clone(feed));
            }
            if heard.changed {
                changed.push(Arc::clone(feed));
            }
        }
        let blinded: BTreeSet<UserId> = if changed.is_empty() {
            BTreeSet::new()
        } else {
            let of = |seated: &Seated| {
                let class = seated.class.as_ref();
                changed.iter().any(|feed| Some(feed.class()) == class)
            };
            let hit = seats.viewers.iter().filter(|(_, seated)| of(seated));
            hit.map(|(user, _)| *user).collect()
        };
        let mut judge = |user: UserId, seated: &mut Seated| {
            let class = after.and_then(|guild| ViewerClass::of(self.guild_id, guild, user));
            let looked_up = after.map(|guild| guild.memberships.contains_key(&user));
            let same = class == seated.class && looked_up == seated.looked_up;
            if !same || blinded.contains(&user) {
                seated.class = class;
                seated.looked_up = looked_up;
                woken.viewers.push(Arc::clone(&seated.viewer));
            }
        };
        match concerned {
            Concerned::Nobody => {}
            Concerned::Everybody => {
                for (user, seated) in &mut seats.viewers {
                    judge(*user, seated);
                }
            }
            Concerned::People(people) => {
                for user in people.union(&blinded) {
                    if let Some(seated) = seats.viewers.get_mut(user) {
                        judge(*user, seated);
                    }
                }
            }
        }
    }

    /// Everything said so far is void: the replica was replaced. Streams find out by their
    /// viewers, whom the caller tells.
    pub(crate) fn reset(&self) {
        self.lock().feeds.clear();
    }

    /// Whether nobody listens here.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().viewers.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock()
    }
}

/// One stream's place at one guild. Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    audience: Arc<Audience>,
    user: UserId,
    feed: Option<(Arc<Feed>, Slot)>,
}

impl Seat {
    /// What the viewer reads from; `None`: sees nothing of this guild.
    pub(crate) fn feed(&self) -> Option<&Feed> {
        self.feed.as_ref().map(|(feed, _)| &**feed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.audience.lock();
        if let Some(seated) = seats.viewers.get_mut(&self.user) {
            seated.streams -= 1;
            if seated.streams == 0 {
                seats.viewers.remove(&self.user);
            }
        }
        let Some((feed, slot)) = &self.feed else {
            return;
        };
        // A feed of before a reset is in no list any more, and its key may be another's.
        if feed.leave(slot)
            && seats
                .feeds
                .get(feed.key())
                .is_some_and(|known| Arc::ptr_eq(known, feed))
        {
            seats.feeds.remove(feed.key());
        }
    }
}
