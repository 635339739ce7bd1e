//! What sessions need of the gateways.

use futures_util::future::BoxFuture;
use guildhall_model::Revocation;
use guildhall_ports::Unavailable;

/// The gateways, as far as the end of sessions needs them: one of them keeps what is revoked, so that
/// it outlives every process, and tells it to all instances.
pub(crate) trait SharedRevocations: Send + Sync {
    /// Has a gateway keep it. Answered within seconds. What no gateway has kept by then is not
    /// forgotten: it goes to the next one there is.
    fn share(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Whether it is known here what was revoked elsewhere, and before this process began. Once so it
    /// stays so.
    fn are_known(&self) -> bool;

    /// Waits until it is. May be dropped and called again.
    fn until_known(&self) -> BoxFuture<'_, ()>;
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use parking_lot::Mutex;
    use tokio::sync::watch;

    use super::*;

    /// Gateways as a test wants them.
    #[derive(Debug)]
    pub(crate) struct PlayedRevocations {
        pub(crate) is_away: AtomicBool,
        /// It is there, and never answers.
        pub(crate) hangs: AtomicBool,
        pub(crate) knows: watch::Sender<bool>,
        pub(crate) kept: Mutex<Vec<Revocation>>,
    }

    impl PlayedRevocations {
        /// One that is there and has told everything.
        pub(crate) fn there() -> Arc<Self> {
            Arc::new(Self {
                is_away: AtomicBool::new(false),
                hangs: AtomicBool::new(false),
                knows: watch::Sender::new(true),
                kept: Mutex::default(),
            })
        }
    }

    impl SharedRevocations for PlayedRevocations {
        fn share(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), Unavailable>> {
            Box::pin(async {
                if self.hangs.load(Ordering::Relaxed) {
                    return std::future::pending().await;
                }
                if self.is_away.load(Ordering::Relaxed) {
                    return Err(Unavailable("no gateway".to_owned()));
                }
                self.kept.lock().push(revocation);
                Ok(())
            })
        }

        fn are_known(&self) -> bool {
            *self.knows.borrow()
        }

        fn until_known(&self) -> BoxFuture<'_, ()> {
            let mut knows = self.knows.subscribe();
            Box::pin(async move {
                let waited = knows.wait_for(|known| *known).await;
                waited.expect("its sender is borrowed");
            })
        }
    }
}
