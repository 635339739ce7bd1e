//! Lists of streams that are woken together.

use std::{sync::Arc, task::Waker};

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};

/// Wakes the task that polls one stream. A stream registers before it looks for something to send,
/// so that whatever happens after the look wakes it.
#[derive(Debug, Default)]
pub(crate) struct StreamWaker(AtomicWaker);

impl StreamWaker {
    /// Registers the task that polls now.
    pub(crate) fn register(&self, waker: &Waker) {
        self.0.register(waker);
    }

    /// Wakes the task once; again only after it has registered again.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

/// Streams that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct WakeList(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    wakers: Vec<Option<Arc<StreamWaker>>>,
    free: Vec<u32>,
}

/// A stream's entry in one list, for [`WakeList::remove`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl WakeList {
    /// Adds a stream. At most 2^32 wait in one list: sockets end long before.
    pub(crate) fn add(&self, waker: &Arc<StreamWaker>) -> Slot {
        let mut slots = self.lock();
        let waker = Some(Arc::clone(waker));
        if let Some(slot) = slots.free.pop() {
            slots.wakers[slot as usize] = waker;
            return Slot(slot);
        }
        slots.wakers.push(waker);
        Slot(u32::try_from(slots.wakers.len() - 1).expect("fewer than 2^32 sockets"))
    }

    /// Removes a stream and says whether the list is empty now.
    pub(crate) fn remove(&self, slot: &Slot) -> bool {
        let mut slots = self.lock();
        slots.wakers[slot.0 as usize] = None;
        slots.free.push(slot.0);
        if slots.free.len() < slots.wakers.len() {
            return false;
        }
        *slots = Slots::default();
        true
    }

    /// Whether nobody waits here.
    pub(crate) fn is_empty(&self) -> bool {
        let slots = self.lock();
        slots.free.len() == slots.wakers.len()
    }

    /// Wakes everybody here.
    pub(crate) fn wake(&self) {
        for waker in self.lock().wakers.iter().flatten() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::task::{ArcWake, waker};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl ArcWake for Wakes {
        fn wake_by_ref(this: &Arc<Self>) {
            this.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_who_is_in_the_list_is_woken_and_once_per_registration() {
        let list = WakeList::default();
        let (stays, goes) = (
            Arc::new(StreamWaker::default()),
            Arc::new(StreamWaker::default()),
        );
        let wakes = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
        stays.register(&waker(Arc::clone(&wakes[0])));
        goes.register(&waker(Arc::clone(&wakes[1])));
        let kept = list.add(&stays);
        let left = list.add(&goes);
        assert!(!list.remove(&left), "one is still in");

        list.wake();
        list.wake();

        let count = |of: &Arc<Wakes>| of.0.load(Ordering::Relaxed);
        assert_eq!((count(&wakes[0]), count(&wakes[1])), (1, 0));
        assert!(list.remove(&kept) && list.is_empty());
    }

    #[test]
    fn a_free_slot_is_used_again() {
        let list = WakeList::default();
        let waker = Arc::new(StreamWaker::default());
        let (first, second) = (list.add(&waker), list.add(&waker));
        assert_ne!(first, second);
        list.remove(&first);
        assert_eq!(list.add(&waker), first);
    }
}
