//! Logins that may be with Discord at once; others wait for a moment, in order.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// Logins with Discord at once: 32, of about 0.6 s each, are 50 a second. Fewer than the invalid
/// answers that one address may cause, so that people who come together never meet that limit.
const AT_ONCE: usize = 32;

/// Further ones that wait. Somebody who waits costs a task and a request, a few KiB.
const WAITING_MAX: usize = 512;

/// Longest that one waits. Under honest load that is for 250 others.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The places.
pub(super) struct Places {
    places: Semaphore,
    waiting: Semaphore,
}

impl Places {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            waiting: Semaphore::new(AT_ONCE + WAITING_MAX),
        }
    }

    /// A place, kept until it is dropped. `None`: too many wait, or for too long.
    pub(super) async fn enter(&self) -> Option<[SemaphorePermit<'_>; 2]> {
        let waiting = self.waiting.try_acquire().ok()?;
        let place = timeout(WAIT_MAX, self.places.acquire()).await;
        Some([place.ok()?.ok()?, waiting])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_beyond_wait_and_few_wait_at_all() {
        let places = Places::new();
        let mut inside = Vec::new();
        for _ in 0..AT_ONCE {
            inside.push(places.enter().await.expect("a place"));
        }
        let next = async { places.enter().await.is_some() };
        let leave = async { drop(inside.pop()) };
        let (entered, ()) = tokio::join!(next, leave);
        assert!(entered);

        inside.extend(places.enter().await);
        assert!(places.enter().await.is_none(), "for too long");
        let waiting = (0..=WAITING_MAX).map(|_| places.enter());
        let answers = futures_util::future::join_all(waiting).await;
        assert!(answers.iter().all(Option::is_none));
    }
}
