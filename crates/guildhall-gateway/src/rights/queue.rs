//! Two lines, each in order of arrival: who waits, and who is only looked at again. Look-ups that
//! go alone have places, of which refreshes never take the last and always keep one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::Pair;

/// Look-ups that go alone, at one time.
pub(super) const ALONE_AT_ONCE: usize = 8;
/// Of these at most so many are refreshes, so that a login never waits behind them.
pub(super) const REFRESHES_AT_ONCE: usize = 4;
/// While refreshes wait, logins leave them so many places: a login storm must not hide from us
/// who was thrown out meanwhile.
const KEPT_FOR_REFRESHES: usize = 1;
/// Users that one call can ask for.
pub(super) const USERS_PER_CALL: usize = 100;

/// How soon a look-up is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Somebody waits.
    AtOnce,
    /// Nobody waits.
    Refresh,
}

/// How a pair may be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Alone, or together with others of its guild.
    Either,
    /// Alone: together was tried in vain, or can't be.
    Alone,
}

/// A place in a line. Orders by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    number: u64,
    pub since: Instant,
}

/// Where a pair stood, so that it can be put back there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub urgency: Urgency,
    pub way: Way,
    pub ticket: Ticket,
}

/// The first of a line that may go together, and how many of its guild wait with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub guild_id: GuildId,
    pub since: Instant,
    pub count: usize,
    /// Nobody in the line came before it.
    pub first: bool,
}

/// Pairs to look up, and those that are being looked up alone. Each pair stands here once, so its
/// length is bounded by the pairs watched. Nothing here costs more than the logarithm of that,
/// times the pairs it is about.
#[derive(Debug, Default)]
pub(super) struct Queue {
    at_once: Line,
    refresh: Line,
    places: BTreeMap<Pair, Place>,
    tickets: u64,
    alone: BTreeMap<Pair, Urgency>,
    refreshes_alone: usize,
}

#[derive(Debug, Default)]
struct Line {
    all: BTreeMap<Ticket, Pair>,
    /// Those of `all` that may go together, by arrival and by guild.
    joinable: BTreeMap<Ticket, GuildId>,
    guilds: BTreeMap<GuildId, BTreeMap<Ticket, UserId>>,
    /// Guilds of which so many wait that they fill a call.
    full: BTreeSet<GuildId>,
}

impl Queue {
    /// Adds a pair at the end; one that is queued already moves up if it is wanted sooner now.
    pub(super) fn add(&mut self, pair: Pair, urgency: Urgency, way: Way, now: Instant) {
        let queued = self.places.get(&pair).map(|place| place.urgency);
        if queued == Some(Urgency::AtOnce) || queued == Some(urgency) {
            return;
        }
        self.remove(pair);
        let ticket = self.ticket(now);
        let place = Place {
            urgency,
            way,
            ticket,
        };
        self.put_back(pair, place);
    }

    /// Adds a pair, which is not queued, where it stood before.
    pub(super) fn put_back(&mut self, pair: Pair, place: Place) {
        self.line(place.urgency).insert(pair, &place);
        self.places.insert(pair, place);
    }

    /// A place at the end.
    pub(super) fn ticket(&mut self, since: Instant) -> Ticket {
        self.tickets += 1;
        Ticket {
            number: self.tickets,
            since,
        }
    }

    /// Whether one more may go alone, and one waits.
    pub(super) fn has_place(&self, urgency: Urgency) -> bool {
        let (alone, refreshes) = (self.alone.len(), self.refreshes_alone);
        match urgency {
            Urgency::AtOnce => {
                let kept = if self.refresh.all.is_empty() {
                    0
                } else {
                    KEPT_FOR_REFRESHES.saturating_sub(refreshes)
                };
                !self.at_once.all.is_empty() && alone + kept < ALONE_AT_ONCE
            }
            Urgency::Refresh => {
                !self.refresh.all.is_empty()
                    && alone < ALONE_AT_ONCE
                    && refreshes < REFRESHES_AT_ONCE
            }
        }
    }

    /// Sends the first of a line out alone.
    pub(super) fn take_alone(&mut self, urgency: Urgency) -> Option<Pair> {
        let (_, pair) = self.line(urgency).all.first_key_value()?;
        let pair = *pair;
        self.remove(pair);
        self.alone.insert(pair, urgency);
        self.refreshes_alone += usize::from(urgency == Urgency::Refresh);
        Some(pair)
    }

    /// A look-up that went alone has ended; its place is free. False: it was none.
    pub(super) fn ended(&mut self, pair: Pair) -> bool {
        let urgency = self.alone.remove(&pair);
        self.refreshes_alone -= usize::from(urgency == Some(Urgency::Refresh));
        urgency.is_some()
    }

    /// The first of a line that may go together.
    pub(super) fn head(&self, urgency: Urgency) -> Option<Head> {
        let line = self.line_of(urgency);
        let (ticket, guild_id) = line.joinable.first_key_value()?;
        Some(Head {
            guild_id: *guild_id,
            since: ticket.since,
            count: line.guilds.get(guild_id).map_or(0, BTreeMap::len),
            first: line.all.keys().next() == Some(ticket),
        })
    }

    /// Of the guilds of which so many wait that they fill a call, the one that came first.
    pub(super) fn full(&self, urgency: Urgency) -> Option<GuildId> {
        let line = self.line_of(urgency);
        let first = |guild_id: &&GuildId| line.guilds.get(guild_id)?.keys().next().copied();
        // Each of them stands for a whole call, so they are few.
        line.full.iter().min_by_key(first).copied()
    }

    /// Sends up to `most` of a line's pairs of one guild out together, the first ones.
    pub(super) fn take_together(
        &mut self,
        guild_id: GuildId,
        urgency: Urgency,
        most: usize,
    ) -> Vec<(UserId, Place)> {
        let waiting = self.line_of(urgency).guilds.get(&guild_id);
        let users: Vec<UserId> = waiting
            .into_iter()
            .flat_map(BTreeMap::values)
            .take(most)
            .copied()
            .collect();
        let take = |user_id| Some((user_id, self.remove((guild_id, user_id))?));
        users.into_iter().filter_map(take).collect()
    }

    fn remove(&mut self, pair: Pair) -> Option<Place> {
        let place = self.places.remove(&pair)?;
        self.line(place.urgency).remove(pair, &place);
        Some(place)
    }

    fn line(&mut self, urgency: Urgency) -> &mut Line {
        match urgency {
            Urgency::AtOnce => &mut self.at_once,
            Urgency::Refresh => &mut self.refresh,
        }
    }

    fn line_of(&self, urgency: Urgency) -> &Line {
        match urgency {
            Urgency::AtOnce => &self.at_once,
            Urgency::Refresh => &self.refresh,
        }
    }
}

impl Line {
    fn insert(&mut self, pair: Pair, place: &Place) {
        let (guild_id, user_id) = pair;
        self.all.insert(place.ticket, pair);
        if place.way == Way::Either {
            self.joinable.insert(place.ticket, guild_id);
            let guild = self.guilds.entry(guild_id).or_default();
            guild.insert(place.ticket, user_id);
            if guild.len() >= USERS_PER_CALL {
                self.full.insert(guild_id);
            }
        }
    }

    fn remove(&mut self, (guild_id, _): Pair, place: &Place) {
        self.all.remove(&place.ticket);
        self.joinable.remove(&place.ticket);
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        guild.remove(&place.ticket);
        if guild.len() < USERS_PER_CALL {
            self.full.remove(&guild_id);
        }
        if guild.is_empty() {
            self.guilds.remove(&guild_id);
        }
    }
}
