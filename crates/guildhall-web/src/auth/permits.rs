//! Logins that may be with Discord at once; others wait for a moment. Addresses are served in
//! turn, and those of one address in order: many who come from one permit wait for each other.

use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::oneshot, time::timeout};

use super::budget::site;

/// Logins with Discord at once: 32, of about 0.6 s each, are 50 a second. Fewer than the invalid
/// answers that one address may cause, so that people who come together never meet that limit.
const AT_ONCE: usize = 32;

/// Further ones that wait. Somebody who waits costs a task and a request, a few KiB.
const WAITING_MAX: usize = 512;

/// Longest that one waits. Under honest load that is for 250 others of the same address.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The permits.
#[derive(Clone, Default)]
pub(super) struct LoginPermits(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    at_work: usize,
    /// One for each address that waits, in the order of their turns.
    lines: VecDeque<WaitingLine>,
}

/// Those of one address. Of IPv6 that is the /48, which one person may have whole; all whose
/// address is not known stand in one.
struct WaitingLine {
    of: Option<IpAddr>,
    waiting: VecDeque<oneshot::Sender<LoginPermit>>,
}

/// A permit, kept until it is dropped.
pub(super) struct LoginPermit(LoginPermits);

impl LoginPermits {
    /// A permit. `None`: too many wait, or for too long.
    pub(super) async fn enter(&self, address: Option<IpAddr>) -> Option<LoginPermit> {
        let of = address.map(|address| match address {
            IpAddr::V6(ip) => IpAddr::V6(site(ip)),
            IpAddr::V4(_) => address,
        });
        let turn = {
            let mut inner = self.lock();
            if inner.at_work < AT_ONCE {
                inner.at_work += 1;
                return Some(LoginPermit(self.clone()));
            }
            inner.wait(of)?
        };
        timeout(WAIT_MAX, turn).await.ok()?.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    /// Room at the end of a line. When none is left, the longest loses its last for who has fewer.
    fn wait(&mut self, of: Option<IpAddr>) -> Option<oneshot::Receiver<LoginPermit>> {
        self.forget_the_gone();
        let own = self.lines.iter().position(|line| line.of == of);
        let mine = own.map_or(0, |it| self.lines[it].waiting.len());
        let all: usize = self.lines.iter().map(|line| line.waiting.len()).sum();
        if all >= WAITING_MAX {
            let length = |line: &&mut WaitingLine| line.waiting.len();
            let longest = self.lines.iter_mut().max_by_key(length)?;
            if longest.waiting.len() <= mine + 1 {
                return None;
            }
            longest.waiting.pop_back();
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(own) = own {
            self.lines[own].waiting.push_back(sender);
        } else {
            let waiting = VecDeque::from([sender]);
            self.lines.push_back(WaitingLine { of, waiting });
        }
        Some(receiver)
    }

    /// Who is next; else the permit is free.
    fn leave(&mut self) -> Option<oneshot::Sender<LoginPermit>> {
        self.forget_the_gone();
        let Some(mut line) = self.lines.pop_front() else {
            self.at_work -= 1;
            return None;
        };
        let next = line.waiting.pop_front();
        if !line.waiting.is_empty() {
            self.lines.push_back(line);
        }
        next
    }

    /// Those who waited for too long, or hung up.
    fn forget_the_gone(&mut self) {
        for line in &mut self.lines {
            line.waiting.retain(|waiting| !waiting.is_closed());
        }
        self.lines.retain(|line| !line.waiting.is_empty());
    }
}

impl Drop for LoginPermit {
    fn drop(&mut self) {
        let next = self.0.lock().leave();
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
        let _permit = permits.enter(from).await?;
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
                inside.push(permits.enter(from).await.expect("a permit"));
            }
            let next = async { permits.enter(from).await.is_some() };
            let leave = async { drop(inside.pop()) };
            let (entered, ()) = tokio::join!(next, leave);
            assert!(entered);

            inside.extend(permits.enter(from).await);
            assert!(permits.enter(from).await.is_none(), "for too long");
            let waiting = (0..=WAITING_MAX).map(|_| permits.enter(from));
            let answers = join_all(waiting).await;
            assert!(answers.iter().all(Option::is_none));
            drop(inside);
            assert_eq!(permits.lock().at_work, 0);
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
            assert_eq!(permits.lock().at_work, 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_leaves_the_place_to_the_next() {
        let permits = LoginPermits::default();
        let mut inside = join_all((0..AT_ONCE).map(|_| permits.enter(None))).await;
        let mut gone = Box::pin(permits.enter(Some(address("203.0.113.7"))));
        let mut next = Box::pin(permits.enter(Some(address("203.0.113.8"))));
        assert!(futures_util::poll!(&mut gone).is_pending());
        assert!(futures_util::poll!(&mut next).is_pending());
        // The permit is on its way when its receiver goes.
        drop(inside.pop());
        drop(gone);
        assert!(next.await.is_some());
        drop(inside);
        assert_eq!(permits.lock().at_work, 0);
    }
}
