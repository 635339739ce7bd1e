//! How many of something there may be at one time: of one user, of one address, and together.

use std::{collections::HashMap, hash::Hash, net::IpAddr, sync::Arc};

use guildhall_model::UserId;
use metrics::{Counter, Gauge, counter, gauge};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use tracing::warn;

use crate::http::{ClientAddress, Notice};

/// Counts what is open: streams, or requests that are being answered.
#[derive(Clone, Debug)]
pub(crate) struct Limits(Arc<Inner>);

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    Streams,
    StateRequests,
}

/// The numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) together: usize,
    pub(crate) per_user: usize,
    /// This machine's own are not counted: whatever comes from it is a proxy that is not listed,
    /// or somebody who has the machine.
    pub(crate) per_address: usize,
}

/// Which of the numbers is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Together,
    User,
    Address,
}

#[derive(Debug)]
struct Inner {
    what: Counted,
    limit: Limit,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    together: usize,
    of_user: HashMap<UserId, usize>,
    of_address: HashMap<IpAddr, usize>,
    notices: [Notice; 3],
}

/// The right to have one open; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Limits,
    user: UserId,
    address: Option<IpAddr>,
}

impl Limits {
    /// Bounds for these.
    pub(crate) fn new(what: Counted, limit: Limit) -> Self {
        Self(Arc::new(Inner {
            what,
            limit,
            open: Mutex::new(Open {
                together: 0,
                of_user: HashMap::new(),
                of_address: HashMap::new(),
                notices: Default::default(),
            }),
        }))
    }

    /// Puts the numbers, and zeros for alerts, into the process's metrics.
    pub(crate) fn announce(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a number of streams")]
        self.most_in_metrics().set(self.0.limit.together as f64);
        self.in_metrics().increment(0);
        for full in [Full::Together, Full::User, Full::Address] {
            self.refused(full).increment(0);
        }
    }

    /// A place for one more, if there is one.
    pub(crate) fn enter(
        &self,
        user: UserId,
        client: ClientAddress,
        now: Instant,
    ) -> Result<Permit, Full> {
        let address = (!client.0.is_loopback()).then_some(client.0);
        let limit = self.0.limit;
        let mut open = self.open();
        let full = if open.together >= limit.together {
            Some(Full::Together)
        } else if count(&open.of_user, &user) >= limit.per_user {
            Some(Full::User)
        } else if address.is_some_and(|it| count(&open.of_address, &it) >= limit.per_address) {
            Some(Full::Address)
        } else {
            None
        };
        if let Some(full) = full {
            let times = open.notices[full as usize].happened(now);
            drop(open);
            self.refuse(full, times);
            return Err(full);
        }
        open.together += 1;
        *open.of_user.entry(user).or_default() += 1;
        if let Some(address) = address {
            *open.of_address.entry(address).or_default() += 1;
        }
        self.in_metrics().increment(1);
        Ok(Permit {
            limits: self.clone(),
            user,
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock()
    }

    fn refuse(&self, full: Full, times: Option<u64>) {
        self.refused(full).increment(1);
        if let Some(times) = times {
            let Limit {
                together,
                per_user,
                per_address,
            } = self.0.limit;
            let (what, bound) = (self.0.what, full.name());
            warn!(
                ?what,
                bound,
                times,
                "refused: there may be {together}, {per_user} of a user, {per_address} of an address"
            );
        }
    }
}

/// Metrics are named whole, so that a search for one finds it.
impl Limits {
    fn in_metrics(&self) -> Gauge {
        match self.0.what {
            Counted::Streams => gauge!("guildhall_streams"),
            Counted::StateRequests => gauge!("guildhall_state_requests"),
        }
    }

    fn most_in_metrics(&self) -> Gauge {
        match self.0.what {
            Counted::Streams => gauge!("guildhall_streams_max"),
            Counted::StateRequests => gauge!("guildhall_state_requests_max"),
        }
    }

    fn refused(&self, full: Full) -> Counter {
        match self.0.what {
            Counted::Streams => counter!("guildhall_streams_refused_total", "bound" => full.name()),
            Counted::StateRequests => {
                counter!("guildhall_state_requests_refused_total", "bound" => full.name())
            }
        }
    }
}

impl Full {
    fn name(self) -> &'static str {
        match self {
            Self::Together => "process",
            Self::User => "user",
            Self::Address => "address",
        }
    }
}

fn count<K: Hash + Eq>(of: &HashMap<K, usize>, key: &K) -> usize {
    of.get(key).copied().unwrap_or_default()
}

fn leave<K: Hash + Eq>(of: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = of.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            of.remove(key);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.together -= 1;
        leave(&mut open.of_user, &self.user);
        if let Some(address) = &self.address {
            leave(&mut open.of_address, address);
        }
        drop(open);
        self.limits.in_metrics().decrement(1);
    }
}

#[cfg(test)]
mod tests;
