//! How often the login may call Discord. A false callback costs its sender nothing and us a call
//! that Discord counts as invalid; after 10,000 of those within ten minutes Discord's edge shuts
//! our address out of everything, the bot's own requests included. So answers that were invalid
//! are counted, per client address and in all, and after a 429 nobody asks until its time is over.
//!
//! Calls that Discord answers as they should cost nothing: any number of people may sign in. Who
//! sends false ones has only a part of what all together may cause, so that people from elsewhere
//! find the rest. Against somebody with hundreds of networks (a botnet, a provider's whole block)
//! this does not help: each of theirs is new once a minute.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use metrics::counter;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

/// Invalid answers per minute that this process may cause: 2,000 in ten minutes, so that five of
/// them on one address stay within what Discord allows. Honest people cause next to none: a code
/// that expired while they were away.
const PROCESS_PER_MINUTE: u32 = 200;

/// Of those, the share of one client address. Above the calls that may be under way at once, each
/// of which holds a share until it is answered, so that honest people of one address never meet it.
const ADDRESS_PER_MINUTE: u32 = 60;

/// The share of one IPv6 /48, which a single customer may have whole: 65,536 of what counts as a
/// client address. More than an address has, since many customers of a provider may share one.
const SITE_PER_MINUTE: u32 = 90;

const MINUTE: Duration = Duration::from_mins(1);

/// How full the bucket of all may be before who caused an invalid answer within the last minute is
/// refused. The rest of the minute is for those who did not.
const CHARGED_LEVEL_MAX: Duration = Duration::from_secs(30);

/// Networks remembered. One is kept for a minute after an invalid answer; as many as the process
/// may cause by then, each of an address and its /48, always find room.
const NETWORKS_MAX: usize = 1024;

/// Longest pause, whatever Discord said. Then one more call shows how it is.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(15);

/// Why Discord is not asked now, and when it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BudgetRefusal {
    pub(super) by: LimitedBy,
    pub(super) wait: Duration,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitedBy {
    /// The client's address caused too many invalid answers.
    Address,
    /// All together did.
    Process,
    /// Discord said so.
    Discord,
}

/// The budget, shared by all logins of this instance.
#[derive(Clone, Debug, Default)]
pub(super) struct LoginBudget(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    process: Bucket,
    networks: HashMap<Network, Bucket>,
    paused_until: Option<Instant>,
}

/// Who is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    /// A client address.
    Address(IpAddr),
    /// The /48 of one.
    Site(Ipv6Addr),
}

impl Network {
    /// Those that a client is counted by. `None`: the client's address is not known.
    fn of(address: Option<IpAddr>) -> [Option<Self>; 2] {
        let site = match address {
            Some(IpAddr::V6(ip)) => Some(Self::Site(site(ip))),
            _ => None,
        };
        [address.map(Self::Address), site]
    }

    fn per_minute(self) -> u32 {
        match self {
            Self::Address(_) => ADDRESS_PER_MINUTE,
            Self::Site(_) => SITE_PER_MINUTE,
        }
    }
}

/// The first address of the /48.
pub(super) fn site(ip: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80)
}

/// A leaky bucket that holds a minute: each invalid answer adds its part of a minute, and time
/// drains it. What is under way is counted as if its answer were invalid.
#[derive(Debug, Default)]
struct Bucket {
    empty_at: Option<Instant>,
    charged_at: Option<Instant>,
    under_way: u32,
}

impl Bucket {
    fn level(&self, now: Instant) -> Duration {
        let level = |at: Instant| at.saturating_duration_since(now);
        self.empty_at.map_or(Duration::ZERO, level)
    }

    /// How long until there is room for one more call, in a bucket that may be filled so far.
    fn wait(&self, per_minute: u32, most: Duration, now: Instant) -> Duration {
        let calls = (MINUTE / per_minute) * (self.under_way + 1);
        (self.level(now) + calls).saturating_sub(most)
    }

    fn charge(&mut self, per_minute: u32, now: Instant) {
        self.empty_at = Some(now + self.level(now) + MINUTE / per_minute);
        self.charged_at = Some(now);
    }

    /// Whether there was an invalid answer within the last minute. The bucket of whoever was
    /// not charged for so long is empty.
    fn was_charged(&self, now: Instant) -> bool {
        let lately = |at: Instant| now.saturating_duration_since(at) < MINUTE;
        self.charged_at.is_some_and(lately)
    }
}

impl LoginBudget {
    /// Whether [`Self::reserve`] would refuse now. Nothing is reserved.
    pub(super) fn check(&self, address: Option<IpAddr>, now: Instant) -> Result<(), BudgetRefusal> {
        self.lock().check(Network::of(address), now)
    }

    /// A reservation for one login's calls. `address`: what the client is counted by, where it is
    /// known.
    pub(super) fn reserve(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Reservation, BudgetRefusal> {
        let mut inner = self.lock();
        let networks = Network::of(address);
        inner.check(networks, now)?;
        inner.process.under_way += 1;
        inner.make_room(now);
        for network in networks.into_iter().flatten() {
            inner.networks.entry(network).or_default().under_way += 1;
        }
        Ok(Reservation {
            budget: self.clone(),
            networks,
            spent: Spent::Unknown,
        })
    }

    /// Nobody calls Discord for so long. Returns whether there was no pause before.
    pub(super) fn pause(&self, wait: Duration, now: Instant) -> bool {
        let mut inner = self.lock();
        let is_new = inner.pause(now).is_zero();
        let until = now + wait.min(PAUSE_MAX);
        inner.paused_until = inner.paused_until.max(Some(until));
        if is_new {
            counter!("guildhall_login_pauses_total").increment(1);
        }
        is_new
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    fn pause(&self, now: Instant) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(now);
        self.paused_until.map_or(Duration::ZERO, left)
    }

    /// Whether one more call may be made for these.
    fn check(&self, networks: [Option<Network>; 2], now: Instant) -> Result<(), BudgetRefusal> {
        let refuse = |by, wait: Duration| {
            if wait.is_zero() {
                Ok(())
            } else {
                Err(BudgetRefusal { by, wait })
            }
        };
        refuse(LimitedBy::Discord, self.pause(now))?;
        let mut most = MINUTE;
        for network in networks.into_iter().flatten() {
            if let Some(bucket) = self.networks.get(&network) {
                let wait = bucket.wait(network.per_minute(), MINUTE, now);
                refuse(LimitedBy::Address, wait)?;
                if bucket.was_charged(now) {
                    most = CHARGED_LEVEL_MAX;
                }
            }
        }
        let wait = self.process.wait(PROCESS_PER_MINUTE, most, now);
        refuse(LimitedBy::Process, wait)
    }

    /// Who caused nothing for a minute is forgotten when there are many.
    fn make_room(&mut self, now: Instant) {
        if self.networks.len() >= NETWORKS_MAX {
            let kept = |bucket: &Bucket| bucket.under_way > 0 || bucket.was_charged(now);
            self.networks.retain(|_, bucket| kept(bucket));
        }
    }

    /// Changes what is remembered of these.
    fn change(
        &mut self,
        networks: [Option<Network>; 2],
        mut change: impl FnMut(Network, &mut Bucket),
    ) {
        for network in networks.into_iter().flatten() {
            if let Some(bucket) = self.networks.get_mut(&network) {
                change(network, bucket);
            }
        }
    }
}

/// One login's right to call Discord. Until it is answered it counts as if the answer were invalid,
/// and so it does for good when it is dropped before: whoever hangs up early saves nothing.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: LoginBudget,
    networks: [Option<Network>; 2],
    spent: Spent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Unknown,
    Nothing,
    Charged,
}

impl Reservation {
    /// The budget it was taken from.
    pub(super) fn budget(&self) -> &LoginBudget {
        &self.budget
    }

    /// An answer came that Discord counts as invalid.
    pub(super) fn charge(&mut self, now: Instant) {
        self.spent = Spent::Charged;
        counter!("guildhall_login_invalid_answers_total").increment(1);
        let mut inner = self.budget.lock();
        inner.process.charge(PROCESS_PER_MINUTE, now);
        inner.change(self.networks, |network, bucket| {
            bucket.charge(network.per_minute(), now);
        });
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
        inner.change(self.networks, |_, bucket| bucket.under_way -= 1);
    }
}

#[cfg(test)]
mod tests;
