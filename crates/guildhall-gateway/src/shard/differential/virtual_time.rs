//! A clock that stands still while anything is being said, although what is said goes through
//! sockets of the kernel's.
//!
//! Tokio's paused clock goes to the next timer when all tasks wait, and bytes on their way through
//! a socket are nothing that it knows of: a reply that is a microsecond late would find its sender's
//! timeout passed. So whoever drives a test does two things. While bytes may be on their way it
//! polls without a break, and time stands still ([`frozen`]). When both ends are known to be idle
//! it waits, and gets control back after each single step of the clock ([`Steps::next`]).

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::poll_immediate;
use parking_lot::Mutex;
use tokio::{runtime::Builder, sync::Notify, task::yield_now, time::Instant};

/// No test of a microsecond's work takes as long, on however slow a machine.
const PATIENCE: Duration = Duration::from_secs(20);

const POLLS: u32 = 40;

/// The steps of the clock.
#[derive(Debug)]
pub(super) struct Steps(Arc<Notify>);

/// Runs to its end, on a clock of its own that begins with this.
pub(super) fn run<T>(act: impl AsyncFnOnce(Steps) -> T) -> T {
    let stepped = Arc::new(Notify::new());
    let steps = Steps(Arc::clone(&stepped));
    let last = Mutex::new(None);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_unpark(move || {
            // Who is woken has to run before the clock goes on, so only for a step of it.
            let now = Some(Instant::now());
            if std::mem::replace(&mut *last.lock(), now) != now {
                stepped.notify_one();
            }
        })
        .build();
    runtime.expect("a runtime").block_on(act(steps))
}

impl Steps {
    /// Waits until all tasks wait and the clock has made one step. To be cancelled at any time.
    pub(super) async fn next(&self) {
        self.0.notified().await;
    }
}

/// What `future` comes to, with the clock standing still.
///
/// # Panics
///
/// If it comes to nothing for 20 seconds of real time.
pub(super) async fn frozen<F: Future>(future: F) -> F::Output {
    let output = frozen_for(PATIENCE, future).await;
    output.expect("the other end comes to it")
}

/// The same, for so long in real time, and for some polls however busy the machine is.
pub(super) async fn frozen_for<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let (begun, mut polls) = (RealTime::now(), 0);
    while begun.elapsed() < limit || polls < POLLS {
        polls += 1;
        if let Some(output) = poll_immediate(&mut future).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Real time, for what the clock of a test says nothing about.
#[derive(Clone, Copy, Debug)]
pub(super) struct RealTime(std::time::Instant);

impl RealTime {
    #[expect(clippy::disallowed_methods, reason = "this is a test's driver")]
    pub(super) fn now() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
