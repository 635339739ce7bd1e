//! How many streams or requests there may be at one time: of one user, of one address, and
//! together.

use std::{collections::HashMap, hash::Hash, net::IpAddr, sync::Arc};

use guildhall_http::{ClientAddress, LogThrottle};
use metrics::{Counter, Gauge, counter, gauge};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use tracing::warn;

use crate::auth::Account;

/// Counts what is open: streams, or requests that are being answered.
#[derive(Clone, Debug)]
pub(crate) struct ConcurrencyLimiter(Arc<Inner>);

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    Streams,
    StateRequests,
    RpcRequests,
}

/// The numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConcurrencyLimits {
    pub(crate) together: usize,
    pub(crate) per_user: usize,
    /// This machine's own are not counted: whatever comes from it is a proxy that is not listed,
    /// or somebody who has the machine.
    pub(crate) per_address: usize,
}

/// Which of the numbers is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReached {
    Together,
    User,
    Address,
}

#[derive(Debug)]
struct Inner {
    what: Counted,
    limit: ConcurrencyLimits,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    together: usize,
    of_user: HashMap<Account, usize>,
    of_address: HashMap<IpAddr, usize>,
    notices: [LogThrottle; 3],
}

/// The right to have one open; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: ConcurrencyLimiter,
    account: Account,
    address: Option<IpAddr>,
}

impl ConcurrencyLimiter {
    /// Bounds for these.
    pub(crate) fn new(what: Counted, limit: ConcurrencyLimits) -> Self {
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
    pub(crate) fn publish_limits(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a number of streams")]
        self.most_in_metrics().set(self.0.limit.together as f64);
        self.in_metrics().increment(0);
        for reached in [
            LimitReached::Together,
            LimitReached::User,
            LimitReached::Address,
        ] {
            self.refused(reached).increment(0);
        }
    }

    /// Permission for one more, if no limit is reached.
    pub(crate) fn acquire(
        &self,
        account: impl Into<Account>,
        client: ClientAddress,
        now: Instant,
    ) -> Result<Permit, LimitReached> {
        let account = account.into();
        let counted = account.counts_address() && !client.0.is_loopback();
        let address = counted.then_some(client.0);
        let limit = self.0.limit;
        let mut open = self.open();
        let reached = if open.together >= limit.together {
            Some(LimitReached::Together)
        } else if count(&open.of_user, &account) >= limit.per_user {
            Some(LimitReached::User)
        } else if address.is_some_and(|it| count(&open.of_address, &it) >= limit.per_address) {
            Some(LimitReached::Address)
        } else {
            None
        };
        if let Some(reached) = reached {
            let times = open.notices[reached as usize].happened(now);
            drop(open);
            self.report_refusal(reached, times);
            return Err(reached);
        }
        open.together += 1;
        *open.of_user.entry(account.clone()).or_default() += 1;
        if let Some(address) = address {
            *open.of_address.entry(address).or_default() += 1;
        }
        self.in_metrics().increment(1);
        Ok(Permit {
            limiter: self.clone(),
            account,
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock()
    }

    fn report_refusal(&self, reached: LimitReached, times: Option<u64>) {
        self.refused(reached).increment(1);
        if let Some(times) = times {
            let ConcurrencyLimits {
                together,
                per_user,
                per_address,
            } = self.0.limit;
            let (what, bound) = (self.0.what, reached.name());
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
impl ConcurrencyLimiter {
    fn in_metrics(&self) -> Gauge {
        match self.0.what {
            Counted::Streams => gauge!("guildhall_streams"),
            Counted::StateRequests => gauge!("guildhall_state_requests"),
            Counted::RpcRequests => gauge!("guildhall_rpc_under_way"),
        }
    }

    fn most_in_metrics(&self) -> Gauge {
        match self.0.what {
            Counted::Streams => gauge!("guildhall_streams_max"),
            Counted::StateRequests => gauge!("guildhall_state_requests_max"),
            Counted::RpcRequests => gauge!("guildhall_rpc_under_way_max"),
        }
    }

    fn refused(&self, reached: LimitReached) -> Counter {
        match self.0.what {
            Counted::Streams => {
                counter!("guildhall_streams_refused_total", "bound" => reached.name())
            }
            Counted::StateRequests => {
                counter!("guildhall_state_requests_refused_total", "bound" => reached.name())
            }
            Counted::RpcRequests => {
                counter!("guildhall_rpc_refused_total", "bound" => reached.name())
            }
        }
    }
}

impl LimitReached {
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
        let mut open = self.limiter.open();
        open.together -= 1;
        leave(&mut open.of_user, &self.account);
        if let Some(address) = &self.address {
            leave(&mut open.of_address, address);
        }
        drop(open);
        self.limiter.in_metrics().decrement(1);
    }
}

#[cfg(test)]
mod tests;
