//! The open connections of one listener: how many there are, from where, and which are closed
//! when there are too many.
//!
//! A connection without a request (just opened, with half a head, kept alive between two requests)
//! is the first to go, the one that waits longest before the others. Then those whose answer is
//! complete here and not read there. One that is being answered, an open stream above all, never.

use std::{
    collections::HashMap,
    future::poll_fn,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;
use metrics::{Counter, Gauge, counter, gauge};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Closed together at most, so that a look at all connections pays for that many new ones.
const CLOSED_TOGETHER: usize = 32;

/// While so many that were told to close have not, nobody is let in. They hold descriptors that no
/// other count has.
const CLOSING_MOST: usize = 32;

/// The activity of a connection that no task has looked at yet. What it sent may be there already.
const NEW: u64 = 0;
/// A request is being answered.
const BUSY: u64 = 1;
/// It was told to close.
const CLOSING: u64 = 2;
/// From here on: it waits for a request, the longer the lower.
const FIRST_IDLE: u64 = 3;

/// The open connections of one listener. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    per_address: usize,
    next_idle: AtomicU64,
    idle: AtomicUsize,
    open: Mutex<Open>,
    changed: Notify,
    in_metrics: Gauge,
    closed_in_metrics: Counter,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    total: usize,
    closing: usize,
    of: HashMap<IpAddr, HashMap<u64, Arc<Activity>>>,
}

#[derive(Debug)]
struct Activity {
    /// `NEW`, `BUSY`, `CLOSING`, or since when it waits.
    now: AtomicU64,
    /// What is written waits for its reader.
    unread: AtomicBool,
    task: AtomicWaker,
}

/// One connection among those that are open; dropped, there is room for another.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    connections: Connections,
    address: IpAddr,
    id: u64,
    activity: Arc<Activity>,
}

/// Which bound refuses a connection, because each of those that it counts is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ConnectionLimit {
    /// All connections together.
    Total,
    /// Those of one address.
    PerAddress,
}

/// Whether the bound per address is for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressBound {
    Applies,
    /// It comes from this machine, or by a proxy that brings everybody.
    Exempt,
}

impl AddressBound {
    pub(crate) fn unless(exempt: bool) -> Self {
        if exempt { Self::Exempt } else { Self::Applies }
    }
}

impl Connections {
    /// At most `most` connections, and `per_address` of each address that is counted. `listener`
    /// is its name in metrics.
    pub(crate) fn new(listener: &'static str, most: usize, per_address: usize) -> Self {
        Self(Arc::new(Inner {
            most,
            per_address,
            next_idle: AtomicU64::new(FIRST_IDLE),
            idle: AtomicUsize::new(0),
            open: Mutex::default(),
            changed: Notify::new(),
            in_metrics: gauge!("guildhall_connections", "listener" => listener),
            closed_in_metrics: counter!("guildhall_connections_closed_total", "listener" => listener),
        }))
    }

    /// Lets a new connection in; others that are not in use are told to close for it.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        bound: AddressBound,
    ) -> Result<ConnectionPermit, ConnectionLimit> {
        let mut open = self.open();
        let of_address = open.of.get(&address).map_or(0, HashMap::len);
        if bound == AddressBound::Applies && of_address >= self.0.per_address {
            let wanted = (of_address / 16).clamp(1, CLOSED_TOGETHER);
            if self.close_some(&mut open, Some(address), wanted) == 0 {
                return Err(ConnectionLimit::PerAddress);
            }
        }
        if open.total >= self.0.most {
            let wanted = (open.total / 16).clamp(1, CLOSED_TOGETHER);
            if self.close_some(&mut open, None, wanted) == 0 {
                return Err(ConnectionLimit::Total);
            }
        }
        let id = open.next;
        open.next += 1;
        open.total += 1;
        let activity = Arc::new(Activity {
            now: AtomicU64::new(NEW),
            unread: AtomicBool::new(false),
            task: AtomicWaker::new(),
        });
        let of_address = open.of.entry(address).or_default();
        of_address.insert(id, Arc::clone(&activity));
        self.0.in_metrics.increment(1);
        Ok(ConnectionPermit {
            connections: self.clone(),
            address,
            id,
            activity,
        })
    }

    /// Tells some that are not in use to close, because descriptors have run out. Returns how many.
    pub(crate) fn close_idle(&self) -> u64 {
        self.close_some(&mut self.open(), None, CLOSED_TOGETHER)
    }

    /// Waits while many were told to close and have not.
    pub(crate) async fn closing_done(&self) {
        while self.open().closing >= CLOSING_MOST {
            self.changed().await;
        }
    }

    /// Waits until a connection has gone, or has something to close for.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock()
    }

    fn close_some(&self, open: &mut Open, of: Option<IpAddr>, wanted: usize) -> u64 {
        // Nearly all others are streams then: no need to look at each.
        if self.0.idle.load(SeqCst) == 0 {
            return 0;
        }
        let within = open.of.iter();
        let within = within.filter(|(address, _)| of.is_none_or(|of| of == **address));
        let mut idle: Vec<_> = within
            .flat_map(|(address, all)| all.iter().map(|(id, activity)| (*address, *id, activity)))
            .filter_map(|(address, id, activity)| {
                let since = activity.now.load(SeqCst);
                let rank = (activity.unread.load(SeqCst), since);
                (since >= FIRST_IDLE).then_some((rank, address, id))
            })
            .collect();
        if idle.len() > wanted {
            idle.select_nth_unstable(wanted);
            idle.truncate(wanted);
        }
        let mut closed = 0;
        for ((_, since), address, id) in idle {
            let Some(of_address) = open.of.get_mut(&address) else {
                continue;
            };
            let told = of_address.get(&id).is_some_and(|activity| {
                let now = &activity.now;
                now.compare_exchange(since, CLOSING, SeqCst, SeqCst).is_ok()
            });
            if told && let Some(activity) = of_address.remove(&id) {
                if of_address.is_empty() {
                    open.of.remove(&address);
                }
                self.0.idle.fetch_sub(1, SeqCst);
                open.total -= 1;
                open.closing += 1;
                closed += 1;
                activity.task.wake();
            }
        }
        self.0.closed_in_metrics.increment(closed);
        closed
    }
}

impl ConnectionPermit {
    /// Waits until the connection is told to close, and no request has come since. To be polled
    /// after the connection's task has looked at what had come: from then on it may be told.
    pub(crate) async fn told_to_close(&self) {
        poll_fn(|cx| {
            self.activity.task.register(cx.waker());
            if self.activity.now.load(SeqCst) == NEW {
                self.set_idle();
            }
            if self.is_closing() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// A request has come.
    pub(crate) fn set_busy(&self) {
        match self.activity.now.swap(BUSY, SeqCst) {
            CLOSING => {
                // It was faster than its end: it counts again, even if that is one too many.
                let mut open = self.connections.open();
                open.closing -= 1;
                open.total += 1;
                let of_address = open.of.entry(self.address).or_default();
                of_address.insert(self.id, Arc::clone(&self.activity));
            }
            FIRST_IDLE.. => {
                self.connections.0.idle.fetch_sub(1, SeqCst);
            }
            _ => {}
        }
    }

    /// Its answer is complete, as far as we are concerned: it waits for the next request.
    pub(crate) fn set_idle(&self) {
        let inner = &self.connections.0;
        let since = inner.next_idle.fetch_add(1, SeqCst);
        // Before the state, which lets another thread count it down.
        inner.idle.fetch_add(1, SeqCst);
        let before = self.activity.now.swap(since, SeqCst);
        debug_assert!(
            before <= BUSY,
            "it was not told to close: only who waits is"
        );
        // A listener that had nobody to close has somebody now.
        inner.changed.notify_one();
    }

    /// Whether what was written waits for its reader.
    pub(crate) fn set_unread(&self, unread: bool) {
        self.activity.unread.store(unread, SeqCst);
    }

    fn is_closing(&self) -> bool {
        self.activity.now.load(SeqCst) == CLOSING
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let inner = &self.connections.0;
        let mut open = self.connections.open();
        // Under the lock: nobody is told to close meanwhile.
        let now = self.activity.now.load(SeqCst);
        if now == CLOSING {
            open.closing -= 1;
        } else {
            open.total -= 1;
            if let Some(of_address) = open.of.get_mut(&self.address) {
                of_address.remove(&self.id);
                if of_address.is_empty() {
                    open.of.remove(&self.address);
                }
            }
            if now >= FIRST_IDLE {
                inner.idle.fetch_sub(1, SeqCst);
            }
        }
        drop(open);
        inner.in_metrics.decrement(1);
        inner.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
