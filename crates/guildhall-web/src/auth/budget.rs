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

use guildhall_ports::{
    RateLimiter,
    rate_limiter::{Limited, RateBucket},
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

/// Networks remembered as those of invalid answers. One is kept for a minute; as many as may cause
/// one by then, each an address and its /48, always find room.
const CHARGED_MAX: usize = 1024;

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

/// The budget, shared by all logins of whoever shares the limiter.
#[derive(Clone, Debug)]
pub(super) struct LoginBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limiter: Arc<dyn RateLimiter>,
    lately: Mutex<Lately>,
}

/// What this instance heard of Discord.
#[derive(Debug, Default)]
struct Lately {
    /// Networks that caused an invalid answer, and when they did last.
    charged: HashMap<Network, Instant>,
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

    fn bucket(self) -> RateBucket {
        let (key, per_minute) = match self {
            Self::Address(ip) => (format!("login:{ip}"), ADDRESS_PER_MINUTE),
            Self::Site(ip) => (format!("login:{ip}/48"), SITE_PER_MINUTE),
        };
        bucket(key, per_minute)
    }
}

/// A bucket that holds a minute of its calls.
fn bucket(key: String, per_minute: u32) -> RateBucket {
    RateBucket {
        key,
        share: MINUTE / per_minute,
        room: MINUTE,
    }
}

/// The first address of the /48.
pub(super) fn site(ip: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80)
}

impl LoginBudget {
    /// Counted by this limiter.
    pub(super) fn new(limiter: Arc<dyn RateLimiter>) -> Self {
        Self(Arc::new(Inner {
            limiter,
            lately: Mutex::default(),
        }))
    }

    /// Whether [`Self::reserve`] would refuse now. Nothing is reserved.
    pub(super) async fn check(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), BudgetRefusal> {
        let buckets = self.lately().buckets(Network::of(address), now)?;
        let room = self.0.limiter.check(&buckets, now.into_std()).await;
        room.map_err(|limited| refusal(&buckets, limited))
    }

    /// A reservation for one login's calls. `address`: what the client is counted by, where it is
    /// known.
    pub(super) async fn reserve(
        &self,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Reservation, BudgetRefusal> {
        let networks = Network::of(address);
        let buckets = self.lately().buckets(networks, now)?;
        let room = self.0.limiter.reserve(&buckets, now.into_std()).await;
        room.map_err(|limited| refusal(&buckets, limited))?;
        Ok(Reservation {
            budget: self.clone(),
            networks,
            buckets,
            spent: Spent::Unknown,
        })
    }

    /// Nobody calls Discord for so long. Returns whether there was no pause before.
    pub(super) fn pause(&self, wait: Duration, now: Instant) -> bool {
        let mut lately = self.lately();
        let is_new = lately.pause(now).is_zero();
        let until = now + wait.min(PAUSE_MAX);
        lately.paused_until = lately.paused_until.max(Some(until));
        if is_new {
            counter!("guildhall_login_pauses_total").increment(1);
        }
        is_new
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.0.lately.lock()
    }
}

/// The bucket of all is the last.
fn refusal(buckets: &[RateBucket], limited: Limited) -> BudgetRefusal {
    let by = if limited.index + 1 == buckets.len() {
        LimitedBy::Process
    } else {
        LimitedBy::Address
    };
    BudgetRefusal {
        by,
        wait: limited.wait,
    }
}

impl Lately {
    fn pause(&self, now: Instant) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(now);
        self.paused_until.map_or(Duration::ZERO, left)
    }

    /// Those that a call of these networks has to have room in: their own, and the one of all.
    fn buckets(
        &self,
        networks: [Option<Network>; 2],
        now: Instant,
    ) -> Result<Vec<RateBucket>, BudgetRefusal> {
        let wait = self.pause(now);
        if !wait.is_zero() {
            let by = LimitedBy::Discord;
            return Err(BudgetRefusal { by, wait });
        }
        let networks = networks.into_iter().flatten();
        let was_charged = networks
            .clone()
            .any(|network| self.was_charged(network, now));
        let mut of_all = bucket("login".to_owned(), PROCESS_PER_MINUTE);
        if was_charged {
            of_all.room = CHARGED_LEVEL_MAX;
        }
        Ok(networks.map(Network::bucket).chain([of_all]).collect())
    }

    /// Whether there was an invalid answer within the last minute.
    fn was_charged(&self, network: Network, now: Instant) -> bool {
        let at = self.charged.get(&network);
        at.is_some_and(|at| now.saturating_duration_since(*at) < MINUTE)
    }

    fn charge(&mut self, networks: [Option<Network>; 2], now: Instant) {
        if self.charged.len() >= CHARGED_MAX {
            self.charged
                .retain(|_, at| now.saturating_duration_since(*at) < MINUTE);
        }
        let networks = networks.into_iter().flatten();
        self.charged.extend(networks.map(|network| (network, now)));
    }
}

/// One login's right to call Discord. Until it is answered it counts as if the answer were invalid,
/// and so it does for good when it is dropped before: whoever hangs up early saves nothing.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: LoginBudget,
    networks: [Option<Network>; 2],
    buckets: Vec<RateBucket>,
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
        let limiter = &self.budget.0.limiter;
        limiter.charge(&self.buckets, now.into_std());
        self.budget.lately().charge(self.networks, now);
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
        self.budget.0.limiter.release(&self.buckets);
    }
}

#[cfg(test)]
mod tests;
