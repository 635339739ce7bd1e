//! Who listens to one guild on this instance: viewers, and the classes their streams read from.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use guildhall_model::{
    Change, ChannelId, Guild, GuildId, UserId, ViewerClass,
    world::{OverwriteTarget, RoomRights},
};
use parking_lot::{Mutex, MutexGuard};

use super::{Signal, Slot, Viewer, WakeList};
use crate::{
    replica::{GuildLog, Record, Touches},
    visible::{Narrow, Sight, Visible, picture_broke, show},
};

/// Visible records that a class keeps at hand. A stream further behind reads the log itself.
const TAIL: usize = 512;

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

/// What one class (with one query) is shown: decided once, read by all of its streams.
#[derive(Debug)]
pub(crate) struct Feed {
    key: (ViewerClass, Narrow),
    shown: Mutex<Shown>,
    waiting: WakeList,
}

#[derive(Debug)]
struct Shown {
    sight: Option<Sight>,
    tail: VecDeque<Visible<Arc<Record>>>,
    /// Nothing at or below is in the tail.
    from: u64,
    /// The end of the last group of which anything was shown: once for each its streams are woken.
    woken_for: u64,
}

impl Shown {
    /// Lets go what the log has let go, and what is more than the tail's length.
    fn trim(&mut self, floor: u64) {
        self.from = self.from.max(floor);
        while let Some(oldest) = self.tail.front() {
            let oldest = oldest.get().at.seq;
            if oldest > self.from && self.tail.len() <= TAIL {
                return;
            }
            self.from = self.from.max(oldest);
            self.tail.pop_front();
        }
    }
}

/// A stream is further behind than the feed reaches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behind;

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
            let feed = seats.feeds.entry(key.clone()).or_insert_with(|| {
                Arc::new(Feed {
                    key,
                    shown: Mutex::new(Shown {
                        sight: Some(sight.clone()),
                        tail: VecDeque::new(),
                        from: now,
                        woken_for: now,
                    }),
                    waiting: WakeList::default(),
                })
            });
            let slot = feed.waiting.enter(signal);
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
                changed.iter().any(|feed| Some(&feed.key.0) == class)
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

/// What a feed made of a record.
struct Heard {
    /// It is the first of its group that is shown.
    shown_first: bool,
    /// The class's sight changed in a way that the record may not tell.
    changed: bool,
}

impl Feed {
    fn hear(&self, record: &Arc<Record>, after: Option<&Guild>, floor: u64, end: u64) -> Heard {
        let mut shown = self.lock();
        let (visible, changed) = if record.touches == Touches::Everybody {
            let sight = after.map(|guild| Sight::of(self.key.0.clone(), guild));
            let before = std::mem::replace(&mut shown.sight, sight);
            let (before, after) = (before.as_ref(), shown.sight.as_ref());
            let visible = show(record, before, after, &self.key.1);
            (visible, picture_broke(record, before, after))
        } else {
            let sight = shown.sight.as_ref();
            (show(record, sight, sight, &self.key.1), false)
        };
        let shown_first = visible.is_some() && shown.woken_for != end;
        if shown_first {
            shown.woken_for = end;
        }
        let heard = Heard {
            shown_first,
            changed,
        };
        shown.tail.extend(visible);
        shown.trim(floor);
        heard
    }

    /// Adds what the class was shown after one place and up to another, in order.
    pub(crate) fn read(
        &self,
        after: u64,
        upto: u64,
        out: &mut Vec<Visible<Arc<Record>>>,
    ) -> Result<(), Behind> {
        let shown = self.lock();
        if after < shown.from {
            return Err(Behind);
        }
        // A stream is at most a few records behind, so the search begins at the end.
        let newest = shown.tail.iter().rev();
        let pending = newest
            .take_while(|visible| visible.get().at.seq > after)
            .count();
        let first = shown.tail.len() - pending;
        let pending = shown.tail.range(first..);
        out.extend(
            pending
                .take_while(|visible| visible.get().at.seq <= upto)
                .cloned(),
        );
        Ok(())
    }

    /// Wakes the streams that read here.
    pub(crate) fn ring(&self) {
        self.waiting.ring();
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock()
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
        if feed.waiting.leave(slot)
            && seats
                .feeds
                .get(&feed.key)
                .is_some_and(|known| Arc::ptr_eq(known, feed))
        {
            seats.feeds.remove(&feed.key);
        }
    }
}

/// Which viewers' classes a record can change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Concerned {
    Nobody,
    People(BTreeSet<UserId>),
    Everybody,
}

impl Concerned {
    /// By an event about a guild that is `before` as it came.
    pub(crate) fn by(change: &Change, before: Option<&Guild>) -> Self {
        match (change, Touches::of(change)) {
            (_, Touches::Nothing) => Self::Nobody,
            (_, Touches::Person(user)) => Self::People(BTreeSet::from([user])),
            (Change::RoomCreated(room), _) => {
                Self::People(people(room.info.channel_id, Some(&room.rights), before))
            }
            (Change::RoomRights { channel_id, rights }, _) => {
                Self::People(people(*channel_id, Some(rights), before))
            }
            (Change::RoomDeleted { channel_id }, _) => {
                Self::People(people(*channel_id, None, before))
            }
            (_, Touches::Everybody) => Self::Everybody,
        }
    }
}

/// Who is of another class after a room's rights changed: whom its overwrites name or named, and
/// who is in it. All others keep their class, whose sight is looked at by itself.
fn people(
    channel: ChannelId,
    rights: Option<&RoomRights>,
    before: Option<&Guild>,
) -> BTreeSet<UserId> {
    let was = before.and_then(|guild| guild.rooms.get(&channel));
    let was = was.map(|room| &room.rights);
    let overwrites = rights
        .into_iter()
        .chain(was)
        .flat_map(|rights| &rights.overwrites);
    let named = overwrites.filter_map(|overwrite| match overwrite.target {
        OverwriteTarget::Member(user) => Some(user),
        OverwriteTarget::Role(_) => None,
    });
    let inside = before
        .into_iter()
        .flat_map(|guild| guild.occupants(channel));
    named.chain(inside.map(|person| person.user_id)).collect()
}
