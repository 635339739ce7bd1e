//! What was revoked: sent to the gateway until it is kept there, and told by it.

/// What no gateway has kept yet.
mod unkept;

use std::{sync::Arc, time::Duration};

use guildhall_http::driver_time::{now, sleep_to};
use guildhall_link::receiver::Unanswered;
use guildhall_model::{Revocation, UnixMs};
use guildhall_ports::{RevocationTable, SessionStore, Unavailable};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::{
    select,
    sync::{Notify, watch},
    time::timeout,
};
use tracing::{error, info, warn};

use unkept::UnkeptRevocations;

/// How long a gateway may take to keep one. Somebody waits to be signed out.
pub(super) const REVOKE_LIMIT: Duration = Duration::from_secs(5);

/// A handle on it.
#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn SessionStore>,
    known: watch::Sender<bool>,
    unkept: Mutex<UnkeptRevocations>,
    /// What the gateway that is being attached has told until now.
    telling: Mutex<RevocationTable>,
    /// One more may be sent.
    wake: Notify,
}

/// One that is on its way to a gateway.
#[derive(Debug)]
pub(super) struct SentRevocation {
    revocations: Revocations,
    revocation: Revocation,
}

impl Revocations {
    /// What a gateway tells is put into this store.
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self(Arc::new(Shared {
            known: watch::Sender::new(store.is_shared()),
            store,
            unkept: Mutex::default(),
            telling: Mutex::default(),
            wake: Notify::new(),
        }))
    }

    /// Has a gateway keep it and tell every web role. Whoever asks has put it into this process's
    /// own store before.
    ///
    /// Answered within 5 s, at once while no gateway is attached. [`Unavailable`]: no gateway has
    /// said that it is kept. It goes on being sent until one has, for as long as this process runs,
    /// unless ten thousand wait.
    pub(crate) async fn send(&self, revocation: Revocation) -> Result<(), Unavailable> {
        let answer = self.0.unkept.lock().add(revocation);
        self.measure();
        self.0.wake.notify_one();
        let late = || Unavailable("the gateway did not answer".to_owned());
        match timeout(REVOKE_LIMIT, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    /// Whether this process knows what was revoked before it, and elsewhere: a gateway told it once,
    /// or its store knows by itself. Before that nobody can be let in; it never turns false again,
    /// since what was told stays in force while no gateway is there.
    pub(crate) fn are_known(&self) -> bool {
        *self.0.known.borrow()
    }

    /// Waits until they are. May be dropped and called again.
    pub(crate) async fn until_known(&self) {
        let mut known = self.0.known.subscribe();
        let known = known.wait_for(|known| *known).await;
        known.expect("its sender is borrowed");
    }

    /// Waits until there is one to be sent. May be dropped and called again.
    pub(super) async fn next_to_send(&self) -> SentRevocation {
        loop {
            let (next, deadline) = {
                let mut unkept = self.0.unkept.lock();
                (unkept.next(now()), unkept.deadline())
            };
            if let Some(revocation) = next {
                return SentRevocation {
                    revocations: self.clone(),
                    revocation,
                };
            }
            select! {
                () = self.0.wake.notified() => {}
                () = sleep_to(deadline) => {}
            }
        }
    }

    /// A gateway tells of these.
    pub(super) async fn told(
        &self,
        revocations: Vec<Revocation>,
        now: UnixMs,
    ) -> Result<(), Unavailable> {
        let told = revocations.len() as u64;
        for revocation in revocations {
            if !self.0.unkept.lock().is_attached() {
                self.0.telling.lock().add(revocation.clone());
            }
            self.0.store.revoke(revocation, now).await?;
        }
        counter!("guildhall_revocations_told_total").increment(told);
        Ok(())
    }

    /// A gateway has told all there is: it is attached, and is sent what no other has kept, and what it
    /// did not tell although it is known here. It may have a file of its own, or an older copy.
    pub(super) fn attached(&self, now: UnixMs) {
        if !self.0.known.send_replace(true) {
            info!("[Gateway Client] It is known now which sessions are over: people are let in");
        }
        let told = std::mem::take(&mut *self.0.telling.lock());
        let known = if self.0.store.is_shared() {
            Vec::new()
        } else {
            self.0.store.all()
        };
        let mut unkept = self.0.unkept.lock();
        for revocation in known {
            if revocation.until() > now && !told.knows(&revocation) {
                unkept.add_unasked(revocation);
            }
        }
        unkept.attached();
        drop(unkept);
        self.measure();
        self.0.wake.notify_one();
    }

    /// It is attached, and of a release that knows of no revocations.
    pub(super) fn not_told(&self) {
        if self.are_known() {
            warn!(
                "[Gateway Client] The gateway keeps no revocations: update it. Signing out is refused until then"
            );
        } else {
            error!(
                alert = true,
                "[Gateway Client] The gateway does not say which sessions are over: update it. \
                 Nobody is let in until then"
            );
        }
    }

    /// No gateway is attached any more.
    pub(super) fn detached(&self) {
        self.0.unkept.lock().detached();
        *self.0.telling.lock() = RevocationTable::default();
    }

    fn measure(&self) {
        let count = u32::try_from(self.0.unkept.lock().len()).unwrap_or(u32::MAX);
        gauge!("guildhall_revocations_unkept").set(f64::from(count));
    }
}

impl SentRevocation {
    pub(super) fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// What became of it.
    pub(super) fn answered(self, answer: Result<(), Unanswered>) {
        let Self {
            revocations,
            revocation,
        } = self;
        if let Err(why) = answer {
            warn!(
                ?why,
                "[Gateway Client] A revocation was not kept; it is sent again"
            );
        }
        let kept = answer.map_err(|_| Unavailable("the gateway did not keep it".to_owned()));
        let mut unkept = revocations.0.unkept.lock();
        unkept.answered(&revocation, &kept, now());
        drop(unkept);
        revocations.measure();
        revocations.0.wake.notify_one();
    }
}

#[cfg(test)]
pub(crate) mod tests;
