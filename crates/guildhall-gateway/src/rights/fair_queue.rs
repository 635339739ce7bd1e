//! A fair queue: members of one priority that wait for their look-up, and who goes first.
//!
//! Within one guild they go in order of arrival. Between users, and between guilds, it is round
//! robin: the first few of each go at once, further ones of a user or guild that has many waiting
//! go in rounds, a few of each in a round. So however much one asks for, the next who comes has
//! only a few of them ahead.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::MemberKey;
use crate::inbox::USERS_PER_REQUEST;

/// So many of one user, and of one guild, go in one round. Most users are in fewer of the bot's
/// guilds, so theirs go in one; by REST it takes a third of a second.
pub(super) const PER_ROUND: u32 = 8;
/// After so many in a row that go at once, one goes whose round has not come: who is new goes
/// first, and what is deferred goes on all the same.
const FIRST_IN_A_ROW: u8 = 3;

/// How a member may be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// By REST, or batched with others of its guild into an op-8 request.
    Any,
    /// By REST: op 8 was tried in vain, or can't be.
    RestOnly,
}

/// A place in the queue. Orders by who goes first in its guild: by the round of the user, then by
/// arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    /// Round 0 is at once.
    of_user: u64,
    number: u64,
    of_guild: u64,
    pub since: Instant,
}

/// The first of a guild in the queue, and how many of the guild wait with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueHead {
    pub guild_id: GuildId,
    pub since: Instant,
    pub count: usize,
    /// Nobody in the queue comes before it.
    pub first: bool,
    /// Others of its user, or of its guild, wait already.
    pub deferred: bool,
}

/// Nothing here costs more than the logarithm of how many wait, but for [`FairQueue::next_single`].
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    all: ByGuild,
    /// Those of them that may be batched.
    batchable: ByGuild,
    users: BTreeMap<UserId, Rounds>,
    guilds: BTreeMap<GuildId, Rounds>,
    /// The round of the last that was taken by itself.
    round: u64,
    first_in_a_row: u8,
}

/// Members by guild.
#[derive(Debug, Default)]
struct ByGuild {
    guilds: BTreeMap<GuildId, BTreeMap<Ticket, UserId>>,
    /// The first of each guild, by its ticket's order.
    heads: BTreeMap<(u64, u64), GuildId>,
    sizes: BTreeSet<(usize, GuildId)>,
}

/// The round-robin state of one user, or one guild: how far their rounds are given away. Forgotten
/// when none of theirs waits.
#[derive(Clone, Copy, Debug, Default)]
struct Rounds {
    round: u64,
    taken: u32,
    waiting: usize,
}

impl FairQueue {
    /// A ticket for the end of what the member's user and guild have waiting.
    pub(super) fn ticket(
        &self,
        (guild_id, user_id): MemberKey,
        number: u64,
        since: Instant,
    ) -> Ticket {
        let next = |rounds: Option<&Rounds>| rounds.map_or(0, |rounds| rounds.next(self.round));
        let of_user = next(self.users.get(&user_id));
        let of_guild = next(self.guilds.get(&guild_id));
        Ticket {
            of_user,
            number,
            of_guild,
            since,
        }
    }

    pub(super) fn insert(&mut self, (guild_id, user_id): MemberKey, ticket: Ticket, via: Via) {
        self.users.entry(user_id).or_default().count(ticket.of_user);
        self.guilds
            .entry(guild_id)
            .or_default()
            .count(ticket.of_guild);
        self.all.insert(guild_id, ticket, user_id);
        if via == Via::Any {
            self.batchable.insert(guild_id, ticket, user_id);
        }
    }

    pub(super) fn remove(&mut self, (guild_id, user_id): MemberKey, ticket: Ticket) {
        self.all.remove(guild_id, ticket);
        self.batchable.remove(guild_id, ticket);
        leave(&mut self.users, user_id);
        leave(&mut self.guilds, guild_id);
        if self.is_empty() {
            self.round = 0;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.heads.is_empty()
    }

    /// Who goes next by itself, of those whose guild and user may. Looks at one member for each
    /// guild that comes before it and has none that may: as many as one user may have waiting.
    pub(super) fn next_single(
        &mut self,
        guild_may: impl Fn(GuildId) -> bool,
        user_may: impl Fn(UserId) -> bool,
    ) -> Option<MemberKey> {
        let first = self.all.first(0, &guild_may, &user_may);
        let deferred = (self.first_in_a_row >= FIRST_IN_A_ROW)
            .then(|| self.all.first(1, &guild_may, &user_may))
            .flatten();
        let (round, key) = deferred.or(first)?;
        if round == 0 {
            self.first_in_a_row = self.first_in_a_row.saturating_add(1);
        } else {
            self.first_in_a_row = 0;
            self.round = self.round.max(round);
        }
        Some(key)
    }

    /// The first that may be batched.
    pub(super) fn head(&self) -> Option<QueueHead> {
        let (_, guild_id) = self.batchable.heads.first_key_value()?;
        self.head_of(*guild_id)
    }

    /// Of the guilds of which so many wait that they fill a request, the one that came first.
    pub(super) fn first_full(&self) -> Option<QueueHead> {
        let full = self
            .batchable
            .sizes
            .range((USERS_PER_REQUEST, GuildId(0))..);
        // Each of them stands for a whole request, so they are few.
        let heads = full.filter_map(|(_, guild_id)| self.head_of(*guild_id));
        heads.min_by_key(|head| head.since)
    }

    /// The guild of which most wait.
    pub(super) fn largest(&self) -> Option<QueueHead> {
        let (_, guild_id) = self.batchable.sizes.last()?;
        self.head_of(*guild_id)
    }

    /// Users of one guild that may be batched, the first ones.
    pub(super) fn of_guild(&self, guild_id: GuildId) -> impl Iterator<Item = UserId> {
        let guild = self.batchable.guilds.get(&guild_id);
        guild.into_iter().flat_map(BTreeMap::values).copied()
    }

    fn head_of(&self, guild_id: GuildId) -> Option<QueueHead> {
        let guild = self.batchable.guilds.get(&guild_id)?;
        let (ticket, _) = guild.first_key_value()?;
        Some(QueueHead {
            guild_id,
            since: ticket.since,
            count: guild.len(),
            first: self.all.heads.keys().next() == Some(&ticket.order()),
            deferred: ticket.round() > 0,
        })
    }
}

impl Ticket {
    /// In which round it goes: the later of the two.
    fn round(self) -> u64 {
        self.of_user.max(self.of_guild)
    }

    /// Its order among the first of all guilds.
    fn order(self) -> (u64, u64) {
        (self.round(), self.number)
    }
}

impl Rounds {
    /// The round in which one more goes, if `now` is the current one.
    fn next(self, now: u64) -> u64 {
        if self.taken < PER_ROUND {
            self.round
        } else {
            self.round.max(now) + 1
        }
    }

    fn count(&mut self, round: u64) {
        self.waiting += 1;
        if round > self.round {
            self.round = round;
            self.taken = 0;
        }
        if round == self.round {
            self.taken = self.taken.saturating_add(1);
        }
    }
}

fn leave<K: Ord>(of_all: &mut BTreeMap<K, Rounds>, key: K) {
    if let Entry::Occupied(mut rounds) = of_all.entry(key) {
        rounds.get_mut().waiting -= 1;
        if rounds.get().waiting == 0 {
            rounds.remove();
        }
    }
}

impl ByGuild {
    fn insert(&mut self, guild_id: GuildId, ticket: Ticket, user_id: UserId) {
        self.change(guild_id, |guild| {
            guild.insert(ticket, user_id);
        });
    }

    fn remove(&mut self, guild_id: GuildId, ticket: Ticket) {
        self.change(guild_id, |guild| {
            guild.remove(&ticket);
        });
    }

    fn change(&mut self, guild_id: GuildId, change: impl FnOnce(&mut BTreeMap<Ticket, UserId>)) {
        let guild = self.guilds.entry(guild_id).or_default();
        let first = guild.keys().next().copied();
        let size = guild.len();
        change(guild);
        let (first_now, size_now) = (guild.keys().next().copied(), guild.len());
        if size_now == 0 {
            self.guilds.remove(&guild_id);
        }
        if first_now != first {
            if let Some(first) = first {
                self.heads.remove(&first.order());
            }
            if let Some(first) = first_now {
                self.heads.insert(first.order(), guild_id);
            }
        }
        if size_now != size {
            self.sizes.remove(&(size, guild_id));
            if size_now > 0 {
                self.sizes.insert((size_now, guild_id));
            }
        }
    }

    /// The first of those that may, of guilds whose first goes in this round or later.
    fn first(
        &self,
        from: u64,
        guild_may: &impl Fn(GuildId) -> bool,
        user_may: &impl Fn(UserId) -> bool,
    ) -> Option<(u64, MemberKey)> {
        let mut best: Option<(Ticket, MemberKey)> = None;
        for (head, guild_id) in self.heads.range((from, 0)..) {
            if best.is_some_and(|(ticket, _)| ticket.order() < *head) {
                break;
            }
            let guild = self.guilds.get(guild_id).filter(|_| guild_may(*guild_id));
            // Each user stands in a guild once, and few may not.
            let allowed = guild.and_then(|guild| guild.iter().find(|(_, user)| user_may(**user)));
            if let Some((ticket, user_id)) = allowed
                && best.is_none_or(|(other, _)| ticket.order() < other.order())
            {
                best = Some((*ticket, (*guild_id, *user_id)));
            }
        }
        best.map(|(ticket, key)| (ticket.round(), key))
    }
}
