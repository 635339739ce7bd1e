//! When an IDENTIFY may be sent: Discord lets `max_concurrency` shards begin together, one for
//! each key `shard % max_concurrency`, and one per key in five seconds (Discord's documentation,
//! "Gateway", Sharding: Max Concurrency). More than that is answered by op 9.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use twilight_gateway::queue::Queue;

/// Rate limit for the IDENTIFYs of one bot in this process. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub(crate) struct IdentifyLimiter(Arc<Mutex<IdentifySlots>>);

#[derive(Debug)]
struct IdentifySlots {
    spacing: Duration,
    max_concurrency: u32,
    /// By key: when the next slot is free.
    free_at: BTreeMap<u32, Instant>,
}

impl IdentifyLimiter {
    /// None sent yet. `spacing`: between two of one key.
    pub(crate) fn new(spacing: Duration) -> Self {
        Self(Arc::new(Mutex::new(IdentifySlots {
            spacing,
            max_concurrency: 1,
            free_at: BTreeMap::new(),
        })))
    }

    /// What `/gateway/bot` said.
    pub(super) fn allow(&self, max_concurrency: u32) {
        self.lock().max_concurrency = max_concurrency.max(1);
    }

    /// Takes the next slot for a shard: it may IDENTIFY then. In order of asking.
    fn take(&self, shard: u32, now: Instant) -> Instant {
        let mut slots = self.lock();
        let key = shard % slots.max_concurrency;
        let at = slots.free_at.get(&key).copied();
        let at = at.map_or(now, |at| at.max(now));
        let next = at + slots.spacing;
        slots.free_at.insert(key, next);
        at
    }

    fn lock(&self) -> MutexGuard<'_, IdentifySlots> {
        self.0.lock()
    }
}

/// The library's queue of IDENTIFYs, for one connection. It lets one IDENTIFY pass, at its time: the
/// budget was looked at before the connection was made. Were Discord to ask for a second on the
/// same connection, that waits until the connection ends; a dropped sender would have the library
/// ask again without end.
#[derive(Clone, Debug)]
pub(super) struct OneIdentify {
    limiter: IdentifyLimiter,
    permit: Arc<Mutex<PermitState>>,
}

#[derive(Debug)]
enum PermitState {
    /// Not asked for yet.
    Unrequested,
    /// Granted then.
    Waiting(Instant, oneshot::Sender<()>),
    /// The connection had it. What was asked after it.
    Granted(Option<oneshot::Sender<()>>),
}

impl OneIdentify {
    pub(super) fn new(limiter: IdentifyLimiter) -> Self {
        Self {
            limiter,
            permit: Arc::new(Mutex::new(PermitState::Unrequested)),
        }
    }

    /// When [`OneIdentify::pass`] is due; `None`: nothing waits for it.
    pub(super) fn due(&self) -> Option<Instant> {
        match &*self.lock() {
            PermitState::Waiting(at, _) => Some(*at),
            PermitState::Unrequested | PermitState::Granted(_) => None,
        }
    }

    /// Lets pass what waits.
    pub(super) fn pass(&self) {
        let mut permit = self.lock();
        if let PermitState::Waiting(..) = *permit
            && let PermitState::Waiting(_, pass) =
                std::mem::replace(&mut *permit, PermitState::Granted(None))
        {
            // Who no longer waits needs no slot.
            let _gone = pass.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, PermitState> {
        self.permit.lock()
    }
}

impl Queue for OneIdentify {
    fn enqueue(&self, shard: u32) -> oneshot::Receiver<()> {
        let (pass, passed) = oneshot::channel();
        let mut permit = self.lock();
        match &mut *permit {
            PermitState::Granted(waiting) => *waiting = Some(pass),
            PermitState::Unrequested | PermitState::Waiting(..) => {
                let now = tokio::time::Instant::now().into_std();
                *permit = PermitState::Waiting(self.limiter.take(shard, now), pass);
            }
        }
        passed
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_secs(5);

    #[test]
    fn shards_of_one_key_go_one_by_one_and_keys_side_by_side() {
        let now = Instant::now();
        let limiter = IdentifyLimiter::new(SPACING);
        limiter.allow(2);
        let waits: Vec<Duration> = (0..6).map(|shard| limiter.take(shard, now) - now).collect();
        assert_eq!(
            waits,
            [0, 0, 5, 5, 10, 10].map(Duration::from_secs),
            "two together, every five seconds"
        );
        let later = now + Duration::from_mins(1);
        assert_eq!(limiter.take(0, later), later, "a slot is not saved up");
    }

    #[test]
    fn an_odd_answer_of_discords_is_the_strictest() {
        let now = Instant::now();
        let limiter = IdentifyLimiter::new(SPACING);
        limiter.allow(0);
        assert_eq!(limiter.take(0, now), now);
        assert_eq!(limiter.take(1, now), now + SPACING);
    }

    #[test]
    fn one_identify_passes_at_its_time_and_a_second_waits() {
        let limiter = IdentifyLimiter::new(SPACING);
        let queue = OneIdentify::new(limiter.clone());
        assert_eq!(queue.due(), None);
        let mut first = queue.enqueue(0);
        assert!(queue.due().is_some());
        assert_eq!(first.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        queue.pass();
        assert_eq!(first.try_recv(), Ok(()));
        let mut second = queue.enqueue(0);
        queue.pass();
        assert_eq!(second.try_recv(), Err(oneshot::error::TryRecvError::Empty));

        let next = OneIdentify::new(limiter);
        drop(next.enqueue(0));
        let due = next.due().expect("it waits");
        assert!(
            due > Instant::now() + SPACING / 2,
            "another connection's too"
        );
    }
}
