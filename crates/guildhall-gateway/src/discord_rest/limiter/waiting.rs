//! Calls that wait for a request to be let through, and which goes first.
//!
//! By start-time fair queueing: whoever asks for much has their calls spread over the future, one
//! behind what everybody else who waits gets meanwhile. So callers are served in rotation, each of
//! them in order, on one route and over all of them; and nobody is passed by newcomers for ever.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use guildhall_model::UserId;

use super::second::RestShare;
use crate::discord_rest::route::RouteKey;

/// On whose behalf a call is made: whose share it is paid from, and with whom it is served in
/// rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RestCaller {
    /// The gateway itself, to know who is here.
    LookUps,
    /// A command of this user.
    Command(UserId),
}

impl RestCaller {
    pub(in crate::discord_rest) fn share(self) -> RestShare {
        match self {
            Self::LookUps => RestShare::LookUps,
            Self::Command(_) => RestShare::Commands,
        }
    }
}

/// One call while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::discord_rest) struct CallId(pub u64);

/// A place in the queue: by start time, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueuePlace {
    start: u64,
    call: CallId,
}

impl QueuePlace {
    pub(super) fn call(self) -> CallId {
        self.call
    }
}

/// One call's part of the time that all who wait share.
const STEP: u64 = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct WaitingCalls {
    routes: BTreeMap<RouteKey, BTreeMap<QueuePlace, WaitingCall>>,
    places: HashMap<CallId, (RouteKey, QueuePlace)>,
    callers: HashMap<RestCaller, CallerTime>,
    /// Goes on by a step while each who waits is served once.
    now: u64,
}

#[derive(Clone, Copy, Debug)]
struct WaitingCall {
    caller: RestCaller,
    patience_until: Instant,
}

/// Forgotten when none of theirs waits and what they had is over.
#[derive(Clone, Copy, Debug, Default)]
struct CallerTime {
    /// When their next call starts, at the earliest.
    next: u64,
    waiting: usize,
}

impl WaitingCalls {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn add(
        &mut self,
        call: CallId,
        key: RouteKey,
        caller: RestCaller,
        patience_until: Instant,
    ) {
        let start = self.next_start(caller);
        let time = self.callers.entry(caller).or_default();
        time.next = start + STEP;
        time.waiting += 1;
        let place = QueuePlace { start, call };
        let waiting = WaitingCall {
            caller,
            patience_until,
        };
        self.routes.entry(key).or_default().insert(place, waiting);
        self.places.insert(call, (key, place));
    }

    /// How many calls of a route would go before one more of this caller's.
    pub(super) fn ahead(&self, key: RouteKey, caller: RestCaller) -> usize {
        let start = self.next_start(caller);
        let calls = self.routes.get(&key).into_iter().flatten();
        calls.take_while(|(place, _)| place.start <= start).count()
    }

    fn next_start(&self, caller: RestCaller) -> u64 {
        let next = self.callers.get(&caller).map_or(0, |time| time.next);
        next.max(self.now)
    }

    /// The first of each route.
    pub(super) fn heads(&self) -> impl Iterator<Item = (RouteKey, QueuePlace)> {
        let first = |(key, calls): (&RouteKey, &BTreeMap<QueuePlace, _>)| {
            Some((*key, *calls.first_key_value()?.0))
        };
        self.routes.iter().filter_map(first)
    }

    /// Some call of a route that waits no longer than until then.
    pub(super) fn impatient(&self, key: RouteKey, until: Instant) -> Option<CallId> {
        let mut calls = self.routes.get(&key)?.iter();
        let call = calls.find(|(_, call)| call.patience_until < until)?;
        Some(call.0.call)
    }

    /// Some call.
    pub(super) fn any(&self) -> Option<CallId> {
        self.places.keys().next().copied()
    }

    /// A call is served, which lets time pass.
    pub(super) fn serve(&mut self, call: CallId) {
        let Some((_, place)) = self.places.get(&call) else {
            return;
        };
        let start = place.start;
        let active = self.callers.values().filter(|time| time.waiting > 0);
        let active = u64::try_from(active.count()).unwrap_or(u64::MAX).max(1);
        self.now = (self.now + (STEP / active).max(1)).max(start);
        self.remove(call);
    }

    /// A call waits no more. False: it did not.
    pub(super) fn remove(&mut self, call: CallId) -> bool {
        let Some((key, place)) = self.places.remove(&call) else {
            return false;
        };
        let Some(calls) = self.routes.get_mut(&key) else {
            return false;
        };
        let waiting = calls.remove(&place);
        if calls.is_empty() {
            self.routes.remove(&key);
        }
        if let Some(time) = waiting.and_then(|call| self.callers.get_mut(&call.caller)) {
            time.waiting -= 1;
        }
        let now = self.now;
        self.callers
            .retain(|_, time| time.waiting > 0 || time.next > now);
        true
    }
}
