//! When an IDENTIFY may be sent: Discord lets `max_concurrency` shards begin together, one for
//! each key `shard % max_concurrency`, and one per key in five seconds (Discord's documentation,
//! "Gateway", Sharding: Max Concurrency). More than that is answered by op 9.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use twilight_gateway::queue::Queue;

/// The places for IDENTIFYs of one bot in this process. Clones are handles on the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Identifies(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    spacing: Duration,
    max_concurrency: u32,
    /// By key: when the next place is free.
    free_at: BTreeMap<u32, Instant>,
}

impl Identifies {
    /// None sent yet. `spacing`: between two of one key.
    pub(crate) fn new(spacing: Duration) -> Self {
        Self(Arc::new(Mutex::new(Places {
            spacing,
            max_concurrency: 1,
            free_at: BTreeMap::new(),
        })))
    }

    /// What `/gateway/bot` said.
    pub(super) fn allow(&self, max_concurrency: u32) {
        self.lock().max_concurrency = max_concurrency.max(1);
    }

    /// Takes the next place for a shard: it may IDENTIFY then. In order of asking.
    fn take(&self, shard: u32, now: Instant) -> Instant {
        let mut places = self.lock();
        let key = shard % places.max_concurrency;
        let at = places.free_at.get(&key).copied();
        let at = at.map_or(now, |at| at.max(now));
        let next = at + places.spacing;
        places.free_at.insert(key, next);
        at
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The library's way of asking, for one connection. It lets one IDENTIFY pass, at its time: the
/// budget was looked at before the connection was made. Were Discord to ask for a second on the
/// same connection, that waits until the connection ends; a dropped sender would have the library
/// ask again without end.
#[derive(Clone, Debug)]
pub(super) struct OneIdentify {
    identifies: Identifies,
    asked: Arc<Mutex<Asked>>,
}

#[derive(Debug)]
enum Asked {
    /// Not yet.
    No,
    /// It may pass then.
    Waits(Instant, oneshot::Sender<()>),
    /// It passed. What was asked after it.
    Passed(Option<oneshot::Sender<()>>),
}

impl OneIdentify {
    pub(super) fn new(identifies: Identifies) -> Self {
        Self {
            identifies,
            asked: Arc::new(Mutex::new(Asked::No)),
        }
    }

    /// When [`OneIdentify::pass`] is due; `None`: nothing waits for it.
    pub(super) fn due(&self) -> Option<Instant> {
        match &*self.lock() {
            Asked::Waits(at, _) => Some(*at),
            Asked::No | Asked::Passed(_) => None,
        }
    }

    /// Lets pass what waits.
    pub(super) fn pass(&self) {
        let mut asked = self.lock();
        if let Asked::Waits(..) = *asked
            && let Asked::Waits(_, pass) = std::mem::replace(&mut *asked, Asked::Passed(None))
        {
            // Who no longer waits needs no place.
            let _gone = pass.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for OneIdentify {
    fn enqueue(&self, shard: u32) -> oneshot::Receiver<()> {
        let (pass, passed) = oneshot::channel();
        let mut asked = self.lock();
        match &mut *asked {
            Asked::Passed(waiting) => *waiting = Some(pass),
            Asked::No | Asked::Waits(..) => {
                let now = tokio::time::Instant::now().into_std();
                *asked = Asked::Waits(self.identifies.take(shard, now), pass);
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
        let identifies = Identifies::new(SPACING);
        identifies.allow(2);
        let waits: Vec<Duration> = (0..6)
            .map(|shard| identifies.take(shard, now) - now)
            .collect();
        assert_eq!(
            waits,
            [0, 0, 5, 5, 10, 10].map(Duration::from_secs),
            "two together, every five seconds"
        );
        let later = now + Duration::from_mins(1);
        assert_eq!(identifies.take(0, later), later, "a place is not saved up");
    }

    #[test]
    fn an_odd_answer_of_discords_is_the_strictest() {
        let now = Instant::now();
        let identifies = Identifies::new(SPACING);
        identifies.allow(0);
        assert_eq!(identifies.take(0, now), now);
        assert_eq!(identifies.take(1, now), now + SPACING);
    }

    #[test]
    fn one_identify_passes_at_its_time_and_a_second_waits() {
        let identifies = Identifies::new(SPACING);
        let queue = OneIdentify::new(identifies.clone());
        assert_eq!(queue.due(), None);
        let mut first = queue.enqueue(0);
        assert!(queue.due().is_some());
        assert_eq!(first.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        queue.pass();
        assert_eq!(first.try_recv(), Ok(()));
        let mut second = queue.enqueue(0);
        queue.pass();
        assert_eq!(second.try_recv(), Err(oneshot::error::TryRecvError::Empty));

        let next = OneIdentify::new(identifies);
        drop(next.enqueue(0));
        let due = next.due().expect("it waits");
        assert!(
            due > Instant::now() + SPACING / 2,
            "another connection's too"
        );
    }
}
