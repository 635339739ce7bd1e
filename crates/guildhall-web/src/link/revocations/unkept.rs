//! Revocations that no gateway has kept yet, and who waits for that.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use guildhall_model::Revocation;
use guildhall_ports::Unavailable;
use tokio::sync::oneshot;

/// Of more that wait the one is dropped that would matter no more first.
const MOST: usize = 10_000;

/// So many are on their way at one time, of the requests that one connection has room for.
const UNDER_WAY: usize = 64;

/// One that was not kept is sent again after so long.
const REST: Duration = Duration::from_secs(5);

type WhenKept = oneshot::Sender<Result<(), Unavailable>>;

/// Bounded, and pure but for the askers' answers.
#[derive(Debug, Default)]
pub(super) struct UnkeptRevocations {
    /// All of them.
    askers: BTreeMap<Revocation, Vec<WhenKept>>,
    to_send: BTreeSet<Revocation>,
    under_way: BTreeSet<Revocation>,
    resting: BTreeSet<Revocation>,
    rest_until: Option<Instant>,
    is_attached: bool,
}

impl UnkeptRevocations {
    /// Adds one, if it does not wait already. The answer comes when it is kept, or was not; at once
    /// while no gateway is attached.
    pub(super) fn add(
        &mut self,
        revocation: Revocation,
    ) -> oneshot::Receiver<Result<(), Unavailable>> {
        let (asker, answer) = oneshot::channel();
        if !self.askers.contains_key(&revocation) {
            self.make_room();
        }
        let askers = self.askers.entry(revocation.clone()).or_default();
        if !self.is_attached {
            // Whoever asked may have gone.
            _ = asker.send(Err(no_gateway()));
            return answer;
        }
        askers.push(asker);
        self.resting.remove(&revocation);
        if !self.under_way.contains(&revocation) {
            self.to_send.insert(revocation);
        }
        answer
    }

    /// Adds one that nobody waits for, if there is room: it is sent to the gateway that is attached
    /// next.
    pub(super) fn add_unasked(&mut self, revocation: Revocation) {
        if self.askers.len() < MOST {
            self.askers.entry(revocation).or_default();
        }
    }

    pub(super) fn is_attached(&self) -> bool {
        self.is_attached
    }

    pub(super) fn len(&self) -> usize {
        self.askers.len()
    }

    /// A gateway is attached: all of them are sent.
    pub(super) fn attached(&mut self) {
        self.is_attached = true;
        self.rest();
        self.to_send = self.askers.keys().cloned().collect();
    }

    /// It is not any more, and nobody is answered by it.
    pub(super) fn detached(&mut self) {
        self.is_attached = false;
        self.rest();
        for asker in self.askers.values_mut().flat_map(std::mem::take) {
            _ = asker.send(Err(no_gateway()));
        }
    }

    /// The next to be sent.
    pub(super) fn next(&mut self, now: Instant) -> Option<Revocation> {
        if self.rest_until.is_some_and(|until| now >= until) {
            self.rest_until = None;
            self.to_send.append(&mut self.resting);
        }
        if self.under_way.len() >= UNDER_WAY {
            return None;
        }
        let next = self.to_send.pop_first()?;
        self.under_way.insert(next.clone());
        Some(next)
    }

    /// When to ask for the next at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.rest_until
    }

    /// What became of one that was sent.
    pub(super) fn answered(
        &mut self,
        revocation: &Revocation,
        kept: &Result<(), Unavailable>,
        now: Instant,
    ) {
        self.under_way.remove(revocation);
        // Of one that made room for another nothing is known.
        let Some(askers) = self.askers.get_mut(revocation) else {
            return;
        };
        for asker in std::mem::take(askers) {
            _ = asker.send(kept.clone());
        }
        if kept.is_ok() {
            self.forget(revocation);
        } else if self.is_attached && self.resting.insert(revocation.clone()) {
            self.rest_until.get_or_insert(now + REST);
        }
    }

    fn rest(&mut self) {
        self.to_send.clear();
        self.under_way.clear();
        self.resting.clear();
        self.rest_until = None;
    }

    fn make_room(&mut self) {
        if self.askers.len() < MOST {
            return;
        }
        let all = self.askers.keys();
        if let Some(first) = all.min_by_key(|it| it.until()).cloned() {
            self.forget(&first);
        }
    }

    fn forget(&mut self, revocation: &Revocation) {
        self.askers.remove(revocation);
        self.to_send.remove(revocation);
        self.resting.remove(revocation);
    }
}

fn no_gateway() -> Unavailable {
    Unavailable("no gateway is attached".to_owned())
}

#[cfg(test)]
mod tests;
