//! How often the login may ask Discord. A false callback costs its sender nothing and us a call
//! that Discord counts as invalid; after 10,000 of those within ten minutes Discord's edge shuts
//! our address out of everything, the bot's own requests included. So answers that were invalid
//! are counted, per client address and in all, and after a 429 nobody asks until its time is over.
//!
//! Calls that Discord answers as they should cost nothing: any number of people may sign in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::counter;
use tokio::time::Instant;

/// Invalid answers per minute that this process may cause: 2,000 in ten minutes, so that five of
/// them on one address stay within what Discord allows. Honest people cause next to none: a code
/// that expired while they were away.
const PROCESS_PER_MINUTE: u32 = 200;

/// Of those, the share of one client address. Above the calls that may be under way at once, each
/// of which holds a share until it is answered, so that honest people of one address never meet it.
const ADDRESS_PER_MINUTE: u32 = 60;

const MINUTE: Duration = Duration::from_mins(1);

/// Addresses remembered. One is kept for as long as it owes something, a second for each invalid
/// answer; as many as the process may cause in two minutes always find room.
const ADDRESSES_MAX: usize = 512;

/// Longest time that nobody asks, whatever Discord said. Then one more call tells.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(15);

/// Why Discord is not asked now, and when it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) by: Limit,
    pub(super) wait: Duration,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The client's address caused too many invalid answers.
    Address,
    /// All together did.
    Process,
    /// Discord said so.
    Discord,
}

/// The budget, shared by all logins of this instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    process: Account,
    addresses: HashMap<IpAddr, Account>,
    paused_until: Option<Instant>,
}

/// What one of the two limits is owed: each invalid answer costs its part of a minute, and time
/// pays. At most a minute may be owed, with what is under way counted as if it were invalid.
#[derive(Debug, Default)]
struct Account {
    paid_at: Option<Instant>,
    under_way: u32,
}

impl Account {
    fn owes(&self, now: Instant) -> Duration {
        let owes = |at: Instant| at.saturating_duration_since(now);
        self.paid_at.map_or(Duration::ZERO, owes)
    }

    /// How long until one more call may be made.
    fn wait(&self, per_minute: u32, now: Instant) -> Duration {
        let calls = (MINUTE / per_minute) * (self.under_way + 1);
        (self.owes(now) + calls).saturating_sub(MINUTE)
    }

    fn charge(&mut self, per_minute: u32, now: Instant) {
        self.paid_at = Some(now + self.owes(now) + MINUTE / per_minute);
    }
}

impl Budget {
    /// Leave for one login's calls. `address`: what the client is counted by, where it is known.
    pub(super) fn reserve(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Reservation, Refusal> {
        let mut inner = self.lock();
        let refuse = |by, wait: Duration| {
            if wait.is_zero() {
                Ok(())
            } else {
                Err(Refusal { by, wait })
            }
        };
        refuse(Limit::Discord, inner.pause(now))?;
        if let Some(account) = address.and_then(|address| inner.addresses.get(&address)) {
            refuse(Limit::Address, account.wait(ADDRESS_PER_MINUTE, now))?;
        }
        refuse(Limit::Process, inner.process.wait(PROCESS_PER_MINUTE, now))?;
        inner.process.under_way += 1;
        if let Some(address) = address {
            inner.make_room(now);
            inner.addresses.entry(address).or_default().under_way += 1;
        }
        Ok(Reservation {
            budget: self.clone(),
            address,
            spent: Spent::Unknown,
        })
    }

    /// Nobody asks for so long. Whether that is news.
    pub(super) fn pause(&self, wait: Duration, now: Instant) -> bool {
        let mut inner = self.lock();
        let news = inner.pause(now).is_zero();
        let until = now + wait.min(PAUSE_MAX);
        inner.paused_until = inner.paused_until.max(Some(until));
        if news {
            counter!("guildhall_login_pauses_total").increment(1);
        }
        news
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole before the lock is left, so what a panic leaves is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn pause(&self, now: Instant) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(now);
        self.paused_until.map_or(Duration::ZERO, left)
    }

    /// Who owes nothing any more is forgotten when there are many.
    fn make_room(&mut self, now: Instant) {
        if self.addresses.len() >= ADDRESSES_MAX {
            let waits = |account: &Account| account.under_way > 0 || !account.owes(now).is_zero();
            self.addresses.retain(|_, account| waits(account));
        }
    }
}

/// One login's leave to ask. Until it is answered it counts as if the answer were invalid, and so
/// it does for good when it is dropped before: whoever hangs up early saves nothing.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Budget,
    address: Option<IpAddr>,
    spent: Spent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Unknown,
    Nothing,
    Charged,
}

impl Reservation {
    /// Whose it is.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// An answer came that Discord counts as invalid.
    pub(super) fn charge(&mut self, now: Instant) {
        self.spent = Spent::Charged;
        counter!("guildhall_login_invalid_answers_total").increment(1);
        let mut inner = self.budget.lock();
        inner.process.charge(PROCESS_PER_MINUTE, now);
        if let Some(account) = self.address.and_then(|it| inner.addresses.get_mut(&it)) {
            account.charge(ADDRESS_PER_MINUTE, now);
        }
    }

    /// Discord answered, and nothing in it was invalid so far; or it did not answer at all.
    pub(super) fn answered(&mut self) {
        if self.spent == Spent::Unknown {
            self.spent = Spent::Nothing;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.spent == Spent::Unknown {
            self.charge(Instant::now());
        }
        let mut inner = self.budget.lock();
        inner.process.under_way -= 1;
        if let Some(account) = self.address.and_then(|it| inner.addresses.get_mut(&it)) {
            account.under_way -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
