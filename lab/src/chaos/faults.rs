//! What goes wrong between the processes that are alive: a proxy before each instance's gateway, and
//! one before each instance's browsers.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use lab::fault_proxy::{Direction, Fault, FaultProxy};
use tokio::runtime::Runtime;

use super::rng::Rng;
use crate::bench::clock::now;

/// A silence of more than 10 s is a cut; one of more than 30 s, while something is to be written, too.
const LASTS_MS: std::ops::RangeInclusive<u64> = 200..=15_000;
/// Far less than what is sent.
const SLOW: std::ops::RangeInclusive<u64> = 2_000..=60_000;

/// The proxies, and what is wrong with each.
pub(super) struct Faults {
    runtime: Runtime,
    proxies: Vec<Proxy>,
    /// How many there were.
    pub(super) made: u64,
}

struct Proxy {
    before: String,
    faulty: FaultProxy,
    /// When it is good again.
    over: Option<std::time::Instant>,
}

impl Faults {
    pub(super) fn new() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            proxies: Vec::new(),
            made: 0,
        })
    }

    /// Puts a proxy before somebody; where it listens.
    pub(super) fn put_before(&mut self, who: &str, at: SocketAddr) -> anyhow::Result<SocketAddr> {
        let proxy = self.runtime.block_on(FaultProxy::start(at));
        let proxy = proxy.context("no proxy could be started")?;
        let at = proxy.at();
        self.proxies.push(Proxy {
            before: who.to_owned(),
            faulty: proxy,
            over: None,
        });
        Ok(at)
    }

    /// Something more goes wrong; what, in words.
    pub(super) fn one(&mut self, rng: &mut Rng) -> anyhow::Result<String> {
        self.mend();
        let count = u64::try_from(self.proxies.len())?;
        let index = usize::try_from(rng.within(0..=count.saturating_sub(1)))?;
        let proxy = self.proxies.get_mut(index).context("there is no proxy")?;
        self.made += 1;
        let fault = match rng.within(0..=4) {
            0 => {
                proxy.faulty.cut();
                return Ok(format!("{}: cut", proxy.before));
            }
            1 => Fault::Slow(u32::try_from(rng.within(SLOW))?),
            2 => Fault::Silent,
            3 => Fault::Dead(Direction::Up),
            _ => Fault::Dead(Direction::Down),
        };
        let lasts = rng.within(LASTS_MS);
        proxy.faulty.set(fault);
        proxy.over = Some(now() + Duration::from_millis(lasts));
        Ok(format!("{}: {fault:?} for {lasts} ms", proxy.before))
    }

    /// Ends what is over.
    pub(super) fn mend(&mut self) {
        for proxy in &mut self.proxies {
            if proxy.over.is_some_and(|over| over <= now()) {
                proxy.over = None;
                proxy.faulty.set(Fault::None);
            }
        }
    }

    /// Ends everything.
    pub(super) fn heal(&mut self) {
        for proxy in &mut self.proxies {
            proxy.over = None;
            proxy.faulty.set(Fault::None);
        }
    }
}
