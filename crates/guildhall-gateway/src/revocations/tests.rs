use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use guildhall_model::{
    SessionId, UnixMs, UserId,
    session::{CLOCK_SKEW_MAX, SESSION_LIFE_MAX},
};
use guildhall_ports::{ManualClock, journal::JournalFuture, memory::MemoryRevocationStore};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::*;

pub(crate) const NOW: UnixMs = 1_764_300_000_000;

#[tokio::test]
async fn what_is_answered_is_kept_and_told_and_what_is_known_changes_nothing() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let mut following = gateway.revocations.follow();
    let head = *following.borrow_and_update();
    gateway.revocations.revoke(user(5, NOW)).await;
    assert!(following.has_changed().expect("it runs"));
    let read = gateway.revocations.read(head, 9);
    assert_eq!(read.revocations, [user(5, NOW)]);
    following.mark_unchanged();
    gateway.revocations.revoke(user(5, NOW)).await;
    gateway.revocations.revoke(user(5, NOW - 1)).await;
    assert_eq!(gateway.revocations.read(read.end, 9).revocations, []);

    let store = gateway.end().await;
    let next = Keeping::begin(store).await;
    let beginning = Revocation::of_everybody(NOW);
    let all = next.revocations.read(0, 9).revocations;
    assert_eq!(all, [user(5, NOW), beginning]);
}

/// Signing out everywhere and a removed application come together, each with a time of its own.
#[tokio::test]
async fn of_two_words_about_one_user_that_come_at_once_the_later_time_is_kept() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let all = [user(5, NOW + 2), user(5, NOW), user(5, NOW + 1)];
    let asked = all.map(|revocation| gateway.revocations.revoke(revocation));
    futures_util::future::join_all(asked).await;
    let next = Keeping::begin(gateway.end().await).await;
    let kept = next.revocations.read(0, 9).revocations;
    assert_eq!(kept, [user(5, NOW + 2), Revocation::of_everybody(NOW)]);
}

/// By this a token that is good once is used up.
#[tokio::test]
async fn of_several_who_ask_for_the_same_one_is_first_also_after_a_restart() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let used = Revocation::Session {
        id: SessionId::of_used_token("one"),
        user_id: UserId(5),
        ends_at: NOW + 600_000,
    };
    let longer = Revocation::Session {
        id: SessionId::of_used_token("one"),
        user_id: UserId(5),
        ends_at: NOW + 700_000,
    };
    let asked = [&used, &longer].into_iter().cycle().take(9);
    let asked = asked.map(|used| gateway.revocations.revoke(used.clone()));
    let known = futures_util::future::join_all(asked).await;
    assert_eq!(known.iter().filter(|known| !**known).count(), 1);
    for again in [&used, &longer] {
        assert!(gateway.revocations.revoke(again.clone()).await);
    }
    let next = Keeping::begin(gateway.end().await).await;
    assert!(next.revocations.revoke(used).await);
}

/// What is forgotten could be used again.
#[tokio::test]
async fn a_used_token_is_forgotten_only_once_it_is_good_no_more() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let token = |number: u64, ends_at| Revocation::Session {
        id: SessionId::of_used_token(&number.to_string()),
        user_id: UserId(5),
        ends_at,
    };
    let session = |number: u64| Revocation::Session {
        id: SessionId::new(number.to_string()),
        user_id: UserId(5),
        ends_at: NOW + 30_000_000,
    };
    let all = (0..250).map(|number| gateway.revocations.revoke(token(number, NOW + 1_000)));
    let known = futures_util::future::join_all(all).await;
    assert_eq!(known.iter().filter(|known| !**known).count(), 200);
    let sessions = (0..250).map(|number| gateway.revocations.revoke(session(number)));
    futures_util::future::join_all(sessions).await;
    for number in 0..250 {
        assert!(gateway.revocations.revoke(token(number, NOW + 2_000)).await);
    }
    let next = Keeping::begin(gateway.end().await).await;
    for number in 0..200 {
        assert!(next.revocations.revoke(token(number, NOW + 1_000)).await);
    }
    let skew = UnixMs::try_from(CLOCK_SKEW_MAX.as_millis()).expect("a minute");
    next.clock.set(NOW + 1_000 + skew);
    let later = token(300, NOW + 100_000);
    assert!(!next.revocations.revoke(later).await, "there is room again");
}

#[tokio::test]
async fn many_at_once_are_all_kept() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let all = (0..3 * WAITING as u64).map(|id| gateway.revocations.revoke(user(id, NOW)));
    futures_util::future::join_all(all).await;
    let read = gateway.revocations.read(0, usize::MAX);
    assert_eq!(read.revocations.len(), 3 * WAITING + 1);
}

/// Whoever asked and did not wait for the answer asked all the same.
#[tokio::test]
async fn whoever_is_gone_when_it_is_kept_had_it_kept() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let mut following = gateway.revocations.follow();
    following.mark_unchanged();
    let mut asking = Box::pin(gateway.revocations.revoke(user(5, NOW)));
    assert!(futures_util::poll!(&mut asking).is_pending());
    drop(asking);
    following.changed().await.expect("it runs");
    let all = gateway.revocations.read(0, 9).revocations;
    assert!(all.contains(&user(5, NOW)));
}

#[tokio::test(start_paused = true)]
async fn what_can_matter_no_more_is_taken_out_of_the_store() {
    let gateway = Keeping::begin(MemoryRevocationStore::default()).await;
    let id = SessionId::new("one".to_owned());
    let ends_at = NOW + 1_000;
    let session = Revocation::Session {
        id,
        user_id: UserId(5),
        ends_at,
    };
    gateway.revocations.revoke(session.clone()).await;
    gateway.revocations.revoke(user(5, NOW)).await;
    let skew = UnixMs::try_from(CLOCK_SKEW_MAX.as_millis()).expect("a minute");
    gateway.clock.set(ends_at + skew);
    gateway.an_hour_passes().await;
    let life = UnixMs::try_from(SESSION_LIFE_MAX.as_millis()).expect("30 days");
    gateway.clock.set(NOW + life + skew - 1);
    gateway.an_hour_passes().await;
    let everybody = Revocation::of_everybody(NOW);
    let kept = gateway.store.load(0).await;
    assert_eq!(kept, Ok(vec![user(5, NOW), everybody.clone()]));
    gateway.clock.set(NOW + life + skew);
    gateway.an_hour_passes().await;
    assert_eq!(gateway.store.load(0).await, Ok(vec![everybody]));
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_told_and_ends_the_role() {
    let store = MayFail::default();
    let fails = Arc::clone(&store.fails);
    let gateway = Keeping::begin(store).await;
    let head = *gateway.revocations.follow().borrow();
    fails.store(true, Ordering::Relaxed);
    let mut asking = Box::pin(gateway.revocations.revoke(user(5, NOW)));
    assert!(futures_util::poll!(&mut asking).is_pending());
    let exit = gateway.writer.await.expect("no panic");
    assert!(matches!(exit, RevocationWriterExit::NotKept(_)), "{exit:?}");
    assert!(futures_util::poll!(&mut asking).is_pending(), "no answer");
    assert_eq!(gateway.revocations.read(head, 9).revocations, []);
}

/// Of a gateway that begins.
pub(crate) fn begun() -> (KeptRevocations, RevocationWriter) {
    let store = Arc::new(MemoryRevocationStore::default());
    let loaded = load(store, Arc::new(ManualClock::at(NOW)));
    let loaded = loaded.now_or_never().expect("in memory");
    loaded.expect("is read")
}

struct Keeping<Store> {
    revocations: KeptRevocations,
    store: Arc<Store>,
    clock: Arc<ManualClock>,
    stop: CancellationToken,
    writer: JoinHandle<RevocationWriterExit>,
}

impl<Store: RevocationStore + Clone + 'static> Keeping<Store> {
    async fn begin(store: Store) -> Self {
        let (store, clock) = (Arc::new(store), Arc::new(ManualClock::at(NOW)));
        let port = Arc::<Store>::clone(&store);
        let loaded = load(port, Arc::<ManualClock>::clone(&clock)).await;
        let (revocations, writer) = loaded.expect("is read");
        let stop = CancellationToken::new();
        Self {
            revocations,
            store,
            clock,
            writer: TaskTracker::new().spawn(writer.run(stop.clone())),
            stop,
        }
    }

    /// Whoever asks behind it is answered behind what is due then.
    async fn an_hour_passes(&self) {
        tokio::time::advance(EXPIRE_EVERY).await;
        let known = Revocation::Everybody { not_before: 0 };
        self.revocations.revoke(known).await;
    }

    async fn end(self) -> Store {
        self.stop.cancel();
        let exit = self.writer.await.expect("no panic");
        assert_eq!(exit, RevocationWriterExit::Stopped);
        Store::clone(&self.store)
    }
}

fn user(id: u64, not_before: UnixMs) -> Revocation {
    Revocation::User {
        user_id: UserId(id),
        not_before,
    }
}

/// A disk that may be full.
#[derive(Clone, Debug, Default)]
struct MayFail {
    kept: MemoryRevocationStore,
    fails: Arc<AtomicBool>,
}

impl RevocationStore for MayFail {
    fn load(&self, not_before: UnixMs) -> JournalFuture<Vec<Revocation>> {
        self.kept.load(not_before)
    }

    fn record(&self, changes: Vec<RevocationChange>) -> JournalFuture<()> {
        if self.fails.load(Ordering::Relaxed) {
            let full = JournalError::Failed("the disk is full".to_owned());
            return Box::pin(async { Err(full) });
        }
        self.kept.record(changes)
    }
}
