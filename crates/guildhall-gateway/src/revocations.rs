//! What was revoked: kept before anybody is answered or told, then told to every attachment.

/// In the order in which it is told.
mod numbered;

use std::{sync::Arc, time::Duration};

use guildhall_http::driver_time::{now, sleep_to};
use guildhall_model::{Revocation, session::after_all_begun_until};
use guildhall_ports::{
    Clock, JournalError, RevocationChange, RevocationStore, RevocationTable,
    revocation_table::Added,
};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use numbered::NumberedRevocations;

/// So many wait to be kept; whoever asks for one more waits. What waits is kept in one go.
const WAITING: usize = 1_024;

/// What can matter no more is forgotten this often.
const EXPIRE_EVERY: Duration = Duration::from_hours(1);

/// A handle on it.
#[derive(Clone, Debug)]
pub(crate) struct KeptRevocations {
    kept: Arc<Mutex<Kept>>,
    head: watch::Receiver<u64>,
    asks: mpsc::Sender<Ask>,
}

/// Of the store, what is durable.
#[derive(Debug, Default)]
struct Kept {
    table: RevocationTable,
    told: NumberedRevocations,
}

#[derive(Debug)]
struct Ask {
    revocation: Revocation,
    /// Whether it was kept before, or is no token that is sure to be used for the first time. Dropped: it was
    /// not kept.
    kept: oneshot::Sender<bool>,
}

/// The one who keeps it.
#[derive(Debug)]
pub(crate) struct RevocationWriter {
    store: Arc<dyn RevocationStore>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
    head: watch::Sender<u64>,
    asks: mpsc::Receiver<Ask>,
    /// What there was no room for, which the store has still.
    forgotten: Vec<RevocationChange>,
    /// That there is no room was said within the hour.
    is_full_said: bool,
}

/// Why nobody keeps it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RevocationWriterExit {
    /// As asked.
    Stopped,
    /// What must be kept cannot be.
    NotKept(JournalError),
}

/// Some of what was revoked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RevocationsRead {
    pub(crate) revocations: Vec<Revocation>,
    /// The number of the last of them, or up to which there is none.
    pub(crate) end: u64,
    /// There are some after that.
    pub(crate) more: bool,
}

/// Everything that the store has. A store that begins ends every session of before.
pub(crate) async fn load(
    store: Arc<dyn RevocationStore>,
    clock: Arc<dyn Clock>,
) -> Result<(KeptRevocations, RevocationWriter), JournalError> {
    let beginning = after_all_begun_until(clock.now());
    let loaded = store.load(beginning).await?;
    // By the time that it was asked with: the clock has gone on since.
    let begun = Revocation::Everybody {
        not_before: beginning,
    };
    if loaded.contains(&begun) {
        warn!(
            "[Gateway] Sessions that began before this are over: what was revoked then is not known"
        );
    }
    let (head, following) = watch::channel(0);
    let (asks, inbox) = mpsc::channel(WAITING);
    let mut writer = RevocationWriter {
        store,
        clock,
        kept: Arc::default(),
        head,
        asks: inbox,
        forgotten: Vec::new(),
        is_full_said: false,
    };
    writer.take(loaded);
    let revocations = KeptRevocations {
        kept: Arc::clone(&writer.kept),
        head: following,
        asks,
    };
    Ok((revocations, writer))
}

impl KeptRevocations {
    /// Keeps it and has it told, then answers whether it was kept before; without an end once this
    /// process ends. Of several who ask for the same one is told that it was not. A used token that there is
    /// no room for is not kept, and answered as if it had been.
    pub(crate) fn revoke(&self, revocation: Revocation) -> impl Future<Output = bool> + use<> {
        let asks = self.asks.clone();
        async move {
            let (kept, answer) = oneshot::channel();
            let ask = Ask { revocation, kept };
            if asks.send(ask).await.is_ok()
                && let Ok(known) = answer.await
            {
                return known;
            }
            std::future::pending().await
        }
    }

    /// Marks a change when there are revocations up to a higher number.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// At most so many after a number.
    pub(crate) fn read(&self, after: u64, most: usize) -> RevocationsRead {
        self.kept.lock().told.read(after, most)
    }
}

impl RevocationWriter {
    /// Runs until it is stopped, or cannot keep something.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> RevocationWriterExit {
        let mut expire_at = now();
        loop {
            let mut asks = Vec::new();
            select! {
                biased;
                () = stop.cancelled() => return RevocationWriterExit::Stopped,
                taken = self.asks.recv_many(&mut asks, WAITING) => if taken == 0 {
                    // Whoever could ask is gone.
                    stop.cancelled().await;
                },
                () = sleep_to(Some(expire_at)) => {}
            }
            if now() >= expire_at {
                self.expire();
                expire_at = now() + EXPIRE_EVERY;
            }
            if let Err(error) = self.keep(asks).await {
                return RevocationWriterExit::NotKept(error);
            }
        }
    }

    /// All of it in one go; then it is told, and who asked is answered.
    async fn keep(&mut self, asks: Vec<Ask>) -> Result<(), JournalError> {
        let mut new: Vec<Revocation> = Vec::new();
        let mut known = Vec::with_capacity(asks.len());
        if !self.has_room(&asks) {
            self.expire();
        }
        {
            let table = &self.kept.lock().table;
            for Ask { revocation, .. } in &asks {
                let is_known = table.knows(revocation)
                    || new.iter().any(|new| is_same(new, revocation))
                    || !table.has_room(revocation, &new);
                known.push(is_known);
                if !is_known {
                    new.push(revocation.clone());
                }
            }
        }
        let mut changes = std::mem::take(&mut self.forgotten);
        changes.extend(new.iter().cloned().map(RevocationChange::Kept));
        if !changes.is_empty() {
            self.store.record(changes).await?;
        }
        for revocation in &new {
            counter!("guildhall_revocations_total", "whose" => whose(revocation)).increment(1);
        }
        self.take(new);
        for (ask, known) in asks.into_iter().zip(known) {
            // Whoever asked may have gone.
            _ = ask.kept.send(known);
        }
        Ok(())
    }

    /// Whether there is room for all of it, even for what is known.
    fn has_room(&self, asks: &[Ask]) -> bool {
        let asked: Vec<Revocation> = asks.iter().map(|ask| ask.revocation.clone()).collect();
        let table = &self.kept.lock().table;
        let mut each = asked.iter().enumerate();
        each.all(|(before, revocation)| table.has_room(revocation, &asked[..before]))
    }

    /// These are durable.
    fn take(&mut self, revocations: Vec<Revocation>) {
        let kept = &mut *self.kept.lock();
        for revocation in revocations {
            let Added::New { instead_of } = kept.table.add(revocation.clone()) else {
                continue;
            };
            kept.told.push(revocation);
            if let Some(forgotten) = instead_of {
                counter!("guildhall_revocations_forgotten_total").increment(1);
                if !std::mem::replace(&mut self.is_full_said, true) {
                    warn!(
                        alert = true,
                        "[Gateway] There is no room for all that was revoked: what would have \
                         ended first is forgotten"
                    );
                }
                self.forgotten.extend(gone(forgotten));
            }
        }
        kept.measure();
        self.head.send_replace(kept.told.head());
    }

    /// Forgets what can matter no more.
    fn expire(&mut self) {
        self.is_full_said = false;
        let kept = &mut *self.kept.lock();
        let expired = kept.table.expire(self.clock.now());
        self.forgotten.extend(expired.into_iter().filter_map(gone));
        kept.measure();
    }
}

impl Kept {
    fn measure(&mut self) {
        self.told.forget_but(&self.table);
        let count = u32::try_from(self.table.len()).unwrap_or(u32::MAX);
        gauge!("guildhall_revocations_kept").set(f64::from(count));
    }
}

/// Whether they say the same; of a used token that is its name, until when it is good may be another.
fn is_same(one: &Revocation, other: &Revocation) -> bool {
    one == other || one.used_token().is_some() && one.used_token() == other.used_token()
}

/// That it need not be known any more.
fn gone(revocation: Revocation) -> Option<RevocationChange> {
    match revocation {
        Revocation::Session { id, .. } => Some(RevocationChange::SessionGone(id)),
        Revocation::User { user_id, .. } => Some(RevocationChange::UserGone(user_id)),
        Revocation::Everybody { .. } => None,
    }
}

fn whose(revocation: &Revocation) -> &'static str {
    match revocation {
        Revocation::Session { .. } => "session",
        Revocation::User { .. } => "user",
        Revocation::Everybody { .. } => "everybody",
    }
}

#[cfg(test)]
pub(crate) mod tests;
