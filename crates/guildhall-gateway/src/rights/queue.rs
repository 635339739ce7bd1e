//! Three lines: who waits, whose guild is looked up anew, and who is only looked at again. Look-ups
//! that go alone have places, of which each line keeps one as long as somebody stands in it, and of
//! which no user and no guild has all.

use std::{collections::BTreeMap, time::Instant};

use guildhall_model::{GuildId, UserId};

use super::{
    Pair,
    fair_queue::{Head, Line, Ticket},
};

/// Look-ups that go alone, at one time.
pub(super) const ALONE_AT_ONCE: usize = 10;
/// Of these at most so many are of one user, or of one guild: whatever they wait for (Discord has
/// a limit for each guild), two places are left to others.
pub(super) const ALONE_OF_ONE: usize = 8;
/// Of these at most so many are refreshes, so that a login never waits behind them.
pub(super) const REFRESHES_AT_ONCE: usize = 4;
/// Users that one call can ask for.
pub(super) const USERS_PER_CALL: usize = 100;

/// How soon a look-up is wanted. The lines, in the order in which they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Somebody waits.
    AtOnce,
    /// Nobody waits, and until the answer somebody who is here is shown nothing of the guild.
    Anew,
    /// Nobody waits.
    Refresh,
}

impl Urgency {
    pub(super) const ALL: [Self; 3] = [Self::AtOnce, Self::Anew, Self::Refresh];
}

/// How a pair may be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Alone, or together with others of its guild.
    Either,
    /// Alone: together was tried in vain, or can't be.
    Alone,
}

/// Where a pair stood, so that it can be put back there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub urgency: Urgency,
    pub way: Way,
    pub ticket: Ticket,
}

/// Pairs to look up, and those that are being looked up alone. Each pair stands here once, so its
/// length is bounded by the pairs watched. Nothing here costs more than the logarithm of that,
/// times the pairs it is about, but for [`Line::next_alone`].
#[derive(Debug, Default)]
pub(super) struct Queue {
    at_once: Line,
    anew: Line,
    refresh: Line,
    places: BTreeMap<Pair, Place>,
    tickets: u64,
    alone: BTreeMap<Pair, Urgency>,
}

impl Queue {
    /// Adds a pair at the end; one that is queued already moves up if it is wanted sooner now.
    pub(super) fn add(&mut self, pair: Pair, urgency: Urgency, way: Way, since: Instant) {
        let queued = self.places.get(&pair).map(|place| place.urgency);
        if queued.is_some_and(|queued| queued <= urgency) {
            return;
        }
        self.remove(pair);
        let place = Place {
            urgency,
            way,
            ticket: self.ticket(pair, urgency, since),
        };
        self.put_back(pair, place);
    }

    /// Adds a pair, which is not queued, where it stood before.
    pub(super) fn put_back(&mut self, pair: Pair, place: Place) {
        self.line(place.urgency).insert(pair, &place);
        self.places.insert(pair, place);
    }

    /// A place at the end.
    pub(super) fn ticket(&mut self, pair: Pair, urgency: Urgency, since: Instant) -> Ticket {
        self.tickets += 1;
        let number = self.tickets;
        self.line(urgency).ticket(pair, number, since)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether one more may go alone, and one waits.
    pub(super) fn has_place(&self, urgency: Urgency) -> bool {
        let most = match urgency {
            Urgency::AtOnce | Urgency::Anew => ALONE_AT_ONCE,
            Urgency::Refresh => REFRESHES_AT_ONCE,
        };
        !self.line_of(urgency).is_empty()
            && self.alone_of(urgency) < most
            && self.alone.len() + self.kept_from(urgency) < ALONE_AT_ONCE
    }

    /// Places that are kept from a line for those behind it: a storm of logins must not hide from
    /// us who was thrown out meanwhile, nor a guild from those who look at it.
    fn kept_from(&self, urgency: Urgency) -> usize {
        let kept = Urgency::ALL.into_iter().filter(|other| {
            *other > urgency && !self.line_of(*other).is_empty() && self.alone_of(*other) == 0
        });
        kept.count()
    }

    fn alone_of(&self, urgency: Urgency) -> usize {
        let alone = self.alone.values();
        alone.filter(|other| **other == urgency).count()
    }

    /// Sends the next of a line out alone.
    pub(super) fn take_alone(&mut self, urgency: Urgency) -> Option<Pair> {
        let kept = self.kept_from(urgency);
        let alone = &self.alone;
        let has_room = |count: usize| count + kept < ALONE_OF_ONE;
        let guild_may =
            |guild_id: GuildId| has_room(alone.keys().filter(|pair| pair.0 == guild_id).count());
        let user_may =
            |user_id: UserId| has_room(alone.keys().filter(|pair| pair.1 == user_id).count());
        let line = match urgency {
            Urgency::AtOnce => &mut self.at_once,
            Urgency::Anew => &mut self.anew,
            Urgency::Refresh => &mut self.refresh,
        };
        let pair = line.next_alone(guild_may, user_may)?;
        self.remove(pair);
        self.alone.insert(pair, urgency);
        Some(pair)
    }

    /// A look-up that went alone has ended; its place is free. False: it was none.
    pub(super) fn ended(&mut self, pair: Pair) -> bool {
        self.alone.remove(&pair).is_some()
    }

    /// The first of a line that may go together.
    pub(super) fn head(&self, urgency: Urgency) -> Option<Head> {
        self.line_of(urgency).head()
    }

    /// Of the guilds of which so many wait that they fill a call, the one that came first.
    pub(super) fn full(&self, urgency: Urgency) -> Option<Head> {
        self.line_of(urgency).full()
    }

    /// The guild of which most wait that may go together.
    pub(super) fn biggest(&self, urgency: Urgency) -> Option<Head> {
        self.line_of(urgency).biggest()
    }

    /// Sends up to `most` of a line's pairs of one guild out together, the first ones.
    pub(super) fn take_together(
        &mut self,
        guild_id: GuildId,
        urgency: Urgency,
        most: usize,
    ) -> Vec<(UserId, Place)> {
        let users: Vec<UserId> = self
            .line_of(urgency)
            .of_guild(guild_id)
            .take(most)
            .collect();
        let take = |user_id| Some((user_id, self.remove((guild_id, user_id))?));
        users.into_iter().filter_map(take).collect()
    }

    /// Takes a pair out of its line.
    pub(super) fn remove(&mut self, pair: Pair) -> Option<Place> {
        let place = self.places.remove(&pair)?;
        self.line(place.urgency).remove(pair, &place);
        Some(place)
    }

    fn line(&mut self, urgency: Urgency) -> &mut Line {
        match urgency {
            Urgency::AtOnce => &mut self.at_once,
            Urgency::Anew => &mut self.anew,
            Urgency::Refresh => &mut self.refresh,
        }
    }

    fn line_of(&self, urgency: Urgency) -> &Line {
        match urgency {
            Urgency::AtOnce => &self.at_once,
            Urgency::Anew => &self.anew,
            Urgency::Refresh => &self.refresh,
        }
    }
}
