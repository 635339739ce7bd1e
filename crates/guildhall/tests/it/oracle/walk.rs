//! Where in a guild's time a picture of it is. What a viewer is told must be a walk through it: each
//! change of what they see is one step, none is left out and none comes twice. Who sees it is
//! discord.py's word, before and after each dispatch.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use guildhall_model::UserId;
use tokio::time::Instant;

use crate::oracle::{
    observer::Query,
    picture::GuildPicture,
    promise::{Excuses, SOON_ENOUGH, promised},
    rig::Told,
    timeline::Moment,
};

/// The recorder may get its turn later than whoever reads a stream.
const AHEAD: Duration = Duration::from_secs(1);

/// What somebody sees of a guild; `None`: it is none of theirs.
pub(crate) type Seen = Option<Rc<GuildPicture>>;

/// After which dispatch, and judged as what the viewer was at first, then, …
pub(crate) type Place = (usize, usize);

/// A change and its effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    /// As it was, trouble on the road left out.
    pub(crate) took: Duration,
    /// What of it the machine is no excuse for.
    pub(crate) counts: Duration,
    /// What was promised.
    pub(crate) within: Duration,
    pub(crate) what: Kind,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Rooms and people.
    World,
    /// Who sees them.
    Rights,
    /// What somebody is, of which nobody told.
    LookedUp,
    /// A guild is there again.
    Returned,
}

/// One guild's time for one viewer and query.
pub(crate) struct View<'a> {
    pub(crate) moments: &'a [Moment],
    pub(crate) excuses: &'a Excuses,
    pub(crate) told: Told,
    viewer: usize,
    user_id: UserId,
    query: &'a Query,
    /// Of each thing that the viewer was: after which dispatch it began, and within which time that
    /// has its effect.
    versions: Vec<(usize, Duration)>,
    cache: RefCell<BTreeMap<Place, Seen>>,
}

/// A picture that somebody has, somewhere in that time.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) places: BTreeSet<Place>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        moments: &'a [Moment],
        viewer: (usize, UserId),
        query: &'a Query,
        told: Told,
        excuses: &'a Excuses,
    ) -> Self {
        let (viewer, user_id) = viewer;
        let mut versions = Vec::new();
        for (index, moment) in moments.iter().enumerate() {
            while versions.len() <= moment.version(viewer) {
                let hinted = moments[index..]
                    .iter()
                    .take_while(|later| later.at - moment.at < Duration::from_millis(200));
                let hinted = hinted
                    .filter(|later| later.about == Some(user_id))
                    .any(|later| {
                        later.name.starts_with("GUILD_BAN") || later.name.starts_with("GUILD_AUDIT")
                    });
                versions.push((index, promised(told, hinted)));
            }
        }
        Self {
            moments,
            excuses,
            told,
            viewer,
            user_id,
            query,
            versions,
            cache: RefCell::default(),
        }
    }

    /// What they are to be shown there.
    pub(crate) fn due(&self, (index, version): Place) -> Seen {
        if let Some(known) = self.cache.borrow().get(&(index, version)) {
            return known.clone();
        }
        let moment = &self.moments[index];
        let shown = moment
            .guild
            .as_ref()
            .zip(moment.rooms(self.viewer, version));
        let mut due = shown.map(|(guild, rooms)| {
            let seen = guild
                .rooms
                .iter()
                .filter(|(id, _)| rooms.contains(id) && self.query.asks_for_room(**id));
            let picture = GuildPicture {
                name: guild.name.clone(),
                icon: guild.icon.clone(),
                rooms: seen.map(|(id, room)| (*id, Rc::clone(room))).collect(),
            };
            Rc::new(picture.narrowed(self.query.events))
        });
        let mut cache = self.cache.borrow_mut();
        let before = index
            .checked_sub(1)
            .and_then(|before| cache.get(&(before, version)));
        if let Some(same) = before.filter(|before| **before == due) {
            due.clone_from(same);
        }
        cache.insert((index, version), due.clone());
        due
    }

    /// What they are after a dispatch.
    pub(crate) fn version(&self, index: usize) -> usize {
        self.moments[index].version(self.viewer)
    }

    /// The last moment that may be heard of at this time.
    pub(crate) fn last_at(&self, time: Instant) -> usize {
        self.index_at(time + AHEAD)
    }

    /// The last moment that was over at this time.
    pub(crate) fn index_at(&self, time: Instant) -> usize {
        self.moments
            .partition_point(|moment| moment.at <= time)
            .saturating_sub(1)
    }

    /// Whether what they were then may count still at a time, or is over for too long.
    pub(crate) fn may_count(&self, version: usize, now: Instant) -> bool {
        self.versions
            .get(version + 1)
            .is_none_or(|(index, within)| {
                self.excuses.delay(self.moments[*index].at, now) <= *within
            })
    }

    /// A guild that was out, or whose people were looked up anew, is there again: how long after Discord
    /// told of it, or after a session began that told of everything. `opened`: the connection, on which
    /// nothing could come before.
    pub(crate) fn returned(&self, opened: Instant, now: Instant) -> Option<Settled> {
        let last = self.index_at(now);
        let mut heard = self.moments[..=last].iter();
        let came = heard.rposition(|moment| moment.name == "GUILD_CREATE")?;
        // Who was no member meanwhile comes in as such, which has a promise of its own.
        let mut meanwhile = self.version(came)..=self.version(last);
        if meanwhile.any(|version| self.moments[last].rooms(self.viewer, version).is_none()) {
            return None;
        }
        let came = &self.moments[came];
        let since = came.at.max(opened);
        Some(Settled {
            took: self.excuses.wait(since, now),
            counts: self.excuses.delay(since, now),
            within: SOON_ENOUGH,
            what: Kind::Returned,
        })
    }

    /// Whether the next dispatch changes what they see of what is there before and after it.
    pub(crate) fn rights_change(&self, index: usize) -> bool {
        let [before, after] = [index, index + 1].map(|index| {
            let moment = &self.moments[index];
            let rooms = moment.rooms(self.viewer, self.version(index));
            moment.guild.as_ref().zip(rooms)
        });
        let (Some((before, seen)), Some((after, visible))) = (before, after) else {
            return before.is_some() != after.is_some();
        };
        let stays = before
            .rooms
            .keys()
            .filter(|id| after.rooms.contains_key(id));
        stays
            .into_iter()
            .any(|id| seen.contains(id) != visible.contains(id))
    }

    /// Where one may be one step later, and since when.
    fn next(&self, (index, version): Place, now: Instant) -> Vec<(Place, Instant, Kind)> {
        let mut next = Vec::new();
        if let Some(moment) = self
            .moments
            .get(index + 1)
            .filter(|moment| moment.at <= now + AHEAD)
        {
            let new = self.version(index + 1);
            let exact = self.told == Told::Members;
            let kind = |version_after: usize| {
                let same = self.moments[index].rooms(self.viewer, version)
                    == moment.rooms(self.viewer, version_after);
                if same { Kind::World } else { Kind::Rights }
            };
            if !exact && self.may_count(version, moment.at) {
                next.push(((index + 1, version), moment.at, kind(version)));
            }
            // Who is not told of members hears what somebody is by their own voice state alone.
            let about_them = moment.about == Some(self.user_id);
            let heard = moment.name.starts_with("VOICE_STATE");
            if exact || about_them && heard {
                next.push(((index + 1, new), moment.at, kind(new)));
            } else if about_them {
                let (began, _) = self.versions[new];
                next.push(((index + 1, new), self.moments[began].at, Kind::LookedUp));
            }
        }
        if self.told != Told::Members {
            let known = self.version(self.last_at(now));
            next.extend((version + 1..=known).map(|version| {
                let (began, _) = self.versions[version];
                ((index, version), self.moments[began].at, Kind::LookedUp)
            }));
        }
        next
    }
}

impl Walk {
    /// Anywhere from a moment on.
    pub(crate) fn from(view: &View<'_>, first: usize, now: Instant) -> Self {
        let last = view.last_at(now);
        let versions = |index| match view.told {
            Told::Members => view.version(index)..=view.version(index),
            Told::Moderation | Told::Nothing => 0..=view.version(last),
        };
        let places =
            (first..=last).flat_map(|index| versions(index).map(move |version| (index, version)));
        let may = |(index, version): &Place| view.may_count(*version, view.moments[*index].at);
        Self {
            places: places.filter(may).collect(),
        }
    }

    /// Time goes by and nothing is seen of it.
    pub(crate) fn wait(&mut self, view: &View<'_>, now: Instant) {
        let mut open: Vec<Place> = self.places.iter().copied().collect();
        while let Some(place) = open.pop() {
            let due = view.due(place);
            for (next, ..) in view.next(place, now) {
                if view.due(next) == due && self.places.insert(next) {
                    open.push(next);
                }
            }
        }
    }

    /// One change is seen, and this is the picture after it. `None`: it is no next step.
    pub(crate) fn step(&mut self, view: &View<'_>, seen: &Seen, now: Instant) -> Option<Settled> {
        self.wait(view, now);
        let steps = self.places.iter().flat_map(|place| view.next(*place, now));
        let fit: Vec<_> = steps
            .filter(|(place, ..)| view.due(*place) == *seen)
            .collect();
        let settled = fit.iter().map(|(place, since, what)| Settled {
            took: view.excuses.wait(*since, now),
            counts: view.excuses.delay(*since, now),
            within: match what {
                Kind::World | Kind::Rights | Kind::Returned => SOON_ENOUGH,
                Kind::LookedUp => view.versions[place.1].1,
            },
            what: *what,
        });
        let settled = settled.min_by_key(|settled| settled.took)?;
        self.places = fit.into_iter().map(|(place, ..)| place).collect();
        Some(settled)
    }

    /// Any number of changes are seen at once. False: it is no picture from here on.
    pub(crate) fn jump(&mut self, view: &View<'_>, seen: &Seen, now: Instant) -> bool {
        let first = self
            .places
            .iter()
            .map(|(index, _)| *index)
            .min()
            .unwrap_or(0);
        let version = self
            .places
            .iter()
            .map(|(_, version)| *version)
            .min()
            .unwrap_or(0);
        let mut there = Self::from(view, first, now);
        there
            .places
            .retain(|place| place.1 >= version && view.due(*place) == *seen);
        let fits = !there.places.is_empty();
        if fits {
            *self = there;
        }
        fits
    }

    /// The first moment that it may be at.
    pub(crate) fn first(&self) -> usize {
        self.places
            .iter()
            .map(|(index, _)| *index)
            .min()
            .unwrap_or(0)
    }

    /// What is to be seen here, and one step later.
    pub(crate) fn expected(&self, view: &View<'_>, now: Instant) -> Vec<(Place, Seen)> {
        let next = self.places.iter().flat_map(|place| view.next(*place, now));
        let places: BTreeSet<Place> = next
            .map(|(place, ..)| place)
            .chain(self.places.iter().copied())
            .collect();
        let mut all: Vec<(Place, Seen)> = Vec::new();
        for place in places {
            let due = view.due(place);
            if all.iter().all(|(_, known)| *known != due) {
                all.push((place, due));
            }
        }
        all
    }

    /// Whether this may be the end of it.
    pub(crate) fn is_over(&self, view: &View<'_>) -> bool {
        let last = view.moments.len() - 1;
        self.places.contains(&(last, view.version(last)))
    }
}
