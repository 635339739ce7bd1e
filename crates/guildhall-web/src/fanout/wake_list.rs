//! Who is to be woken: a list of streams, each with one place to leave its waker.

use std::{sync::Arc, task::Waker};

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};

/// One stream's bell. A stream leaves its waker here before it looks for something to send, so
/// that whatever happens after the look wakes it.
#[derive(Debug, Default)]
pub(crate) struct Signal(AtomicWaker);

impl Signal {
    /// Leaves the waker of the task that polls now.
    pub(crate) fn listen(&self, waker: &Waker) {
        self.0.register(waker);
    }

    /// Wakes the task once; again only after it has listened again.
    pub(crate) fn ring(&self) {
        self.0.wake();
    }
}

/// Streams that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct WakeList(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    signals: Vec<Option<Arc<Signal>>>,
    free: Vec<u32>,
}

/// A stream's place in one list; given back with [`WakeList::leave`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slot(u32);

impl WakeList {
    /// Takes a place. At most 2^32 streams wait in one list: sockets end long before.
    pub(crate) fn enter(&self, signal: &Arc<Signal>) -> Slot {
        let mut slots = self.lock();
        let signal = Some(Arc::clone(signal));
        if let Some(slot) = slots.free.pop() {
            slots.signals[slot as usize] = signal;
            return Slot(slot);
        }
        slots.signals.push(signal);
        Slot(u32::try_from(slots.signals.len() - 1).expect("fewer than 2^32 sockets"))
    }

    /// Gives the place back and says whether the list is empty now.
    pub(crate) fn leave(&self, slot: &Slot) -> bool {
        let mut slots = self.lock();
        slots.signals[slot.0 as usize] = None;
        slots.free.push(slot.0);
        if slots.free.len() < slots.signals.len() {
            return false;
        }
        *slots = Slots::default();
        true
    }

    /// Whether nobody waits here.
    pub(crate) fn is_empty(&self) -> bool {
        let slots = self.lock();
        slots.free.len() == slots.signals.len()
    }

    /// Wakes everybody here.
    pub(crate) fn ring(&self) {
        for signal in self.lock().signals.iter().flatten() {
            signal.ring();
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
    struct Rung(AtomicUsize);

    impl ArcWake for Rung {
        fn wake_by_ref(this: &Arc<Self>) {
            this.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_who_is_in_the_list_is_woken_and_once_per_listen() {
        let list = WakeList::default();
        let (stays, goes) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
        let rung = [Arc::new(Rung::default()), Arc::new(Rung::default())];
        stays.listen(&waker(Arc::clone(&rung[0])));
        goes.listen(&waker(Arc::clone(&rung[1])));
        let kept = list.enter(&stays);
        let left = list.enter(&goes);
        assert!(!list.leave(&left), "one is still in");

        list.ring();
        list.ring();

        let count = |of: &Arc<Rung>| of.0.load(Ordering::Relaxed);
        assert_eq!((count(&rung[0]), count(&rung[1])), (1, 0));
        assert!(list.leave(&kept) && list.is_empty());
    }

    #[test]
    fn a_place_given_back_is_taken_again() {
        let list = WakeList::default();
        let signal = Arc::new(Signal::default());
        let (first, second) = (list.enter(&signal), list.enter(&signal));
        assert_ne!(first, second);
        list.leave(&first);
        assert_eq!(list.enter(&signal), first);
    }
}
