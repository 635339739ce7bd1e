//! How many logins may call Discord at once; others wait for a moment. Addresses are served round
//! robin, and those of one address in order: many who come from one address wait for each other.

use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::oneshot, time::timeout};

use super::budget::site;

/// Logins that call Discord at once: 32, of about 0.6 s each, are 50 a second. Fewer than the
/// invalid answers that one address may cause, so that people who come together never meet that
/// limit.
const AT_ONCE: usize = 32;

/// Further ones that wait. Somebody who waits costs a task and a request, a few KiB.
const WAITING_MAX: usize = 512;

/// Longest that one waits. Under honest load that is for 250 others of the same address.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The permits, and who waits for one.
#[derive(Clone, Default)]
pub(super) struct LoginPermits(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    in_use: usize,
    /// One for each address that waits; the first is served next.
    queues: VecDeque<AddressQueue>,
}

/// Those of one address. Of IPv6 that is the /48, which one person may have whole; all whose
/// address is not known are in one.
struct AddressQueue {
    of: Option<IpAddr>,
    waiting: VecDeque<oneshot::Sender<LoginPermit>>,
}

/// A permit, kept until it is dropped.
pub(super) struct LoginPermit(LoginPermits);

impl LoginPermits {
    /// A permit. `None`: too many wait, or for too long.
    pub(super) async fn acquire(&self, address: Option<IpAddr>) -> Option<LoginPermit> {
        let of = address.map(|address| match address {
            IpAddr::V6(ip) => IpAddr::V6(site(ip)),
            IpAddr::V4(_) => address,
        });
        let granted = {
            let mut inner = self.lock();
            if inner.in_use < AT_ONCE {
                inner.in_use += 1;
                return Some(LoginPermit(self.clone()));
            }
            inner.enqueue(of)?
        };
        timeout(WAIT_MAX, granted).await.ok()?.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    /// Adds to the queue of an address. When no room is left, the longest loses its last for one
    /// with fewer.
    fn enqueue(&mut self, of: Option<IpAddr>) -> Option<oneshot::Receiver<LoginPermit>> {
        self.drop_cancelled();
        let own = self.queues.iter().position(|queue| queue.of == of);
        let mine = own.map_or(0, |it| self.queues[it].waiting.len());
        let all: usize = self.queues.iter().map(|queue| queue.waiting.len()).sum();
        if all >= WAITING_MAX {
            let length = |queue: &&mut AddressQueue| queue.waiting.len();
            let longest = self.queues.iter_mut().max_by_key(length)?;
            if longest.waiting.len() <= mine + 1 {
                return None;
            }
            longest.waiting.pop_back();
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(own) = own {
            self.queues[own].waiting.push_back(sender);
        } else {
            let waiting = VecDeque::from([sender]);
            self.queues.push_back(AddressQueue { of, waiting });
        }
        Some(receiver)
    }

    /// Who gets the permit; `None`: it is free.
    fn release(&mut self) -> Option<oneshot::Sender<LoginPermit>> {
        self.drop_cancelled();
        let Some(mut queue) = self.queues.pop_front() else {
            self.in_use -= 1;
            return None;
        };
        let next = queue.waiting.pop_front();
        if !queue.waiting.is_empty() {
            self.queues.push_back(queue);
        }
        next
    }

    /// Removes those who waited for too long, or hung up.
    fn drop_cancelled(&mut self) {
        for queue in &mut self.queues {
            queue.waiting.retain(|waiting| !waiting.is_closed());
        }
        self.queues.retain(|queue| !queue.waiting.is_empty());
    }
}

impl Drop for LoginPermit {
    fn drop(&mut self) {
        let next = self.0.lock().release();
        if let Some(next) = next {
            // To somebody who went just now it comes back, and is dropped here for the next.
            drop(next.send(LoginPermit(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep_until};

    use super::*;

    /// About as long as Discord takes for one sign-in.
    const CALL: Duration = Duration::from_millis(600);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// A sign-in: how long it waited, where it found a permit.
    async fn sign_in(permits: &LoginPermits, from: Option<IpAddr>) -> Option<Duration> {
        let begin = Instant::now();
        let _permit = permits.acquire(from).await?;
        let waited = begin.elapsed();
        sleep_until(Instant::now() + CALL).await;
        Some(waited)
    }

    #[tokio::test(start_paused = true)]
    async fn those_beyond_wait_and_few_wait_at_all() {
        for from in [None, Some(address("203.0.113.7"))] {
            let permits = LoginPermits::default();
            let mut inside = Vec::new();
            for _ in 0..AT_ONCE {
                inside.push(permits.acquire(from).await.expect("a permit"));
            }
            let next = async { permits.acquire(from).await.is_some() };
            let leave = async { drop(inside.pop()) };
            let (entered, ()) = tokio::join!(next, leave);
            assert!(entered);

            inside.extend(permits.acquire(from).await);
            assert!(permits.acquire(from).await.is_none(), "for too long");
            let waiting = (0..=WAITING_MAX).map(|_| permits.acquire(from));
            let answers = join_all(waiting).await;
            assert!(answers.iter().all(Option::is_none));
            drop(inside);
            assert_eq!(permits.lock().in_use, 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_from_elsewhere_passes_by_hundreds_of_one_address() {
        for (many, newcomer) in [
            ("203.0.113.7", "203.0.113.8"),
            ("2001:db8:7::", "2001:db8:8::"),
            ("2001:db8:7::", "203.0.113.8"),
        ] {
            let permits = LoginPermits::default();
            let crowd = join_all((0..640_u128).map(|n| {
                let from = match address(many) {
                    IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() + (n << 64)).into()),
                    from @ IpAddr::V4(_) => from,
                };
                sign_in(&permits, Some(from))
            }));
            let from_elsewhere = async {
                sleep_until(Instant::now() + Duration::from_millis(100)).await;
                join_all((0..20).map(|_| sign_in(&permits, Some(address(newcomer))))).await
            };
            let (crowd, from_elsewhere) = tokio::join!(crowd, from_elsewhere);
            for waited in from_elsewhere {
                let waited = waited.expect("a permit");
                assert!(waited <= 2 * CALL, "{waited:?}");
            }
            let served = crowd.iter().flatten().count();
            assert!((200..=AT_ONCE + WAITING_MAX).contains(&served), "{served}");
            assert_eq!(permits.lock().in_use, 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_leaves_the_place_to_the_next() {
        let permits = LoginPermits::default();
        let mut inside = join_all((0..AT_ONCE).map(|_| permits.acquire(None))).await;
        let mut gone = Box::pin(permits.acquire(Some(address("203.0.113.7"))));
        let mut next = Box::pin(permits.acquire(Some(address("203.0.113.8"))));
        assert!(futures_util::poll!(&mut gone).is_pending());
        assert!(futures_util::poll!(&mut next).is_pending());
        // The permit is on its way when its receiver goes.
        drop(inside.pop());
        drop(gone);
        assert!(next.await.is_some());
        drop(inside);
        assert_eq!(permits.lock().in_use, 0);
    }
}
