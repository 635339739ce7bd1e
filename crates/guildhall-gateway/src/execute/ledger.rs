//! Which commands there are, by number and by key, who waits for each, and what was answered.

/// Which go on later.
mod delayed;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use guildhall_model::{
    UnixMs, UserId,
    command::{Command, CommandError, CommandErrorCode, CommandRequest, CommandResult},
};
use guildhall_ports::{CommandState, Intent, KeptCommand, millis};
use tokio::sync::oneshot;

use super::{KEY_KEPT, KEYS};

pub(super) use delayed::Delay;
use delayed::{DelayKey, DelayedCommands};

/// Told once.
pub(super) type Waiter = oneshot::Sender<CommandResult>;

/// All that are under way, delayed, or ended with a key that is still good.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    last_id: u64,
    entries: BTreeMap<u64, LedgerEntry>,
    keys: HashMap<ScopedKey, u64>,
    delayed: DelayedCommands,
    /// Ended ones with a key, the oldest first.
    settled: VecDeque<(UnixMs, u64)>,
}

/// Within which a key means one command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ScopedKey {
    actor: UserId,
    name: &'static str,
    text: String,
}

#[derive(Debug)]
struct LedgerEntry {
    request: Arc<CommandRequest>,
    asked_at: UnixMs,
    waiters: Vec<Waiter>,
    state: EntryState,
}

#[derive(Debug)]
enum EntryState {
    /// In the queues.
    Running,
    /// Answered so, and goes on later.
    Delayed(Delay),
    Settled(CommandResult),
}

/// A command that is to be carried out.
#[derive(Clone, Debug)]
pub(super) struct AcceptedCommand {
    pub(super) id: u64,
    pub(super) request: Arc<CommandRequest>,
    pub(super) asked_at: UnixMs,
}

impl AcceptedCommand {
    /// It as it is to be kept.
    pub(super) fn kept(&self, state: CommandState) -> KeptCommand {
        KeptCommand {
            id: self.id,
            request: CommandRequest::clone(&self.request),
            asked_at: self.asked_at,
            state,
        }
    }
}

/// What is to be done with a command that an earlier process left.
#[derive(Clone, Debug)]
pub(super) enum Unsettled {
    /// It may have been done.
    Intended(Intent),
    Delayed(Delay),
    /// A newer one had taken its place.
    Superseded,
}

enum Ending {
    Settled(UnixMs),
    Unsettled(Unsettled),
}

fn restored(state: CommandState) -> (EntryState, Ending) {
    let delayed = |delay| {
        let left = Ending::Unsettled(Unsettled::Delayed(delay));
        (EntryState::Delayed(delay), left)
    };
    match state {
        CommandState::Settled { at, result } => {
            (EntryState::Settled(result.into()), Ending::Settled(at))
        }
        CommandState::Queued { due } => delayed(Delay::Queued { due }),
        CommandState::Waiting { until } => delayed(Delay::Waiting { until }),
        CommandState::Intended(intent) => {
            let left = Ending::Unsettled(Unsettled::Intended(intent));
            (EntryState::Running, left)
        }
    }
}

impl LedgerEntry {
    /// Tells somebody what came of it, at once or when that is known.
    fn answer(&mut self, waiter: Waiter) {
        let answer = match &self.state {
            EntryState::Running => return self.waiters.push(waiter),
            EntryState::Delayed(delay) => Ok(delay.outcome().answer()),
            EntryState::Settled(result) => result.clone(),
        };
        // Who asked may be gone.
        let _gone = waiter.send(answer);
    }
}

impl Ledger {
    /// Takes in what an earlier process left, in ascending order of ids. Answers with those that are
    /// not settled.
    pub(super) fn restore(&mut self, kept: Vec<KeptCommand>) -> Vec<(AcceptedCommand, Unsettled)> {
        let mut unsettled: BTreeMap<u64, (AcceptedCommand, Unsettled)> = BTreeMap::new();
        for KeptCommand {
            id,
            request,
            asked_at,
            state,
        } in kept
        {
            self.last_id = self.last_id.max(id);
            let request = Arc::new(request);
            if let Some(key) = key_of(&request) {
                self.keys.insert(key, id);
            }
            let accepted = AcceptedCommand {
                id,
                request: Arc::clone(&request),
                asked_at,
            };
            let (state, left) = restored(state);
            if matches!(state, EntryState::Delayed(_))
                && let Some(older) = self.delayed.insert(&request, id)
            {
                // The process ended before it could tell the older one.
                self.resume(older);
                if let Some((_, left)) = unsettled.get_mut(&older) {
                    *left = Unsettled::Superseded;
                }
            }
            match left {
                Ending::Settled(at) => self.settled.push_back((at, id)),
                Ending::Unsettled(left) => _ = unsettled.insert(id, (accepted, left)),
            }
            let entry = LedgerEntry {
                request,
                asked_at,
                waiters: Vec::new(),
                state,
            };
            self.entries.insert(id, entry);
        }
        self.settled.make_contiguous().sort_unstable();
        unsettled.into_values().collect()
    }

    /// A command with a key that is known already is answered, or waits with the first. `Err`: it is
    /// none of these.
    pub(super) fn repeated(
        &mut self,
        request: CommandRequest,
        waiter: Waiter,
    ) -> Result<(), (CommandRequest, Waiter)> {
        match self.known(&request) {
            None => return Err((request, waiter)),
            Some(entry) if *entry.request == request => entry.answer(waiter),
            Some(_) => {
                let error = CommandError::new(
                    CommandErrorCode::KeyReused,
                    "This Idempotency-Key came with another request before.",
                );
                // Who asked may be gone.
                let _gone = waiter.send(Err(error));
            }
        }
        Ok(())
    }

    /// The same of one that is nothing new, whatever else is so: what never came, or came as something
    /// else, is nowhere.
    pub(super) fn recall(&mut self, request: &CommandRequest, waiter: Waiter) {
        match self.known(request).filter(|it| *it.request == *request) {
            Some(entry) => entry.answer(waiter),
            // Who asked may be gone.
            None => _ = waiter.send(Err(CommandError::nowhere())),
        }
    }

    /// The one of its key.
    fn known(&mut self, request: &CommandRequest) -> Option<&mut LedgerEntry> {
        let id = self.keys.get(&key_of(request)?)?;
        self.entries.get_mut(id)
    }

    /// A new command is under way.
    pub(super) fn accept(
        &mut self,
        request: CommandRequest,
        waiter: Waiter,
        now: UnixMs,
    ) -> AcceptedCommand {
        self.last_id += 1;
        let id = self.last_id;
        let request = Arc::new(request);
        if let Some(key) = key_of(&request) {
            self.keys.insert(key, id);
        }
        let entry = LedgerEntry {
            request: Arc::clone(&request),
            asked_at: now,
            waiters: vec![waiter],
            state: EntryState::Running,
        };
        self.entries.insert(id, entry);
        AcceptedCommand {
            id,
            request,
            asked_at: now,
        }
    }

    /// A delayed one goes on. `None`: another took its place.
    pub(super) fn resume(&mut self, id: u64) -> Option<AcceptedCommand> {
        let entry = self.entries.get_mut(&id)?;
        if !matches!(entry.state, EntryState::Delayed(_)) {
            return None;
        }
        entry.state = EntryState::Running;
        Some(AcceptedCommand {
            id,
            request: Arc::clone(&entry.request),
            asked_at: entry.asked_at,
        })
    }

    /// It goes on later, and whoever waits is told so. Answers with it.
    pub(super) fn delayed(&mut self, id: u64, delay: Delay) -> Option<AcceptedCommand> {
        let entry = self.entries.get_mut(&id)?;
        entry.state = EntryState::Delayed(delay);
        tell(&mut entry.waiters, &Ok(delay.outcome().answer()));
        let accepted = AcceptedCommand {
            id,
            request: Arc::clone(&entry.request),
            asked_at: entry.asked_at,
        };
        self.delayed.insert(&accepted.request, id);
        Some(accepted)
    }

    /// What it is called.
    pub(super) fn name(&self, id: u64) -> &'static str {
        let entry = self.entries.get(&id);
        entry.map_or("unknown", |entry| entry.request.command.name())
    }

    /// Whether one more of this person's may be delayed.
    pub(super) fn may_delay(&self, request: &CommandRequest) -> bool {
        self.delayed.may_delay(request.actor, &request.command)
    }

    /// Those that wait and are not waited for any more, since younger ones are too many. They are to
    /// be settled.
    pub(super) fn give_way(&mut self) -> Vec<AcceptedCommand> {
        let mut gone = Vec::new();
        while let Some(id) = self.delayed.give_way() {
            gone.extend(self.resume(id));
        }
        gone
    }

    /// Whether a command is in the queues, or will be.
    pub(super) fn is_under_way(&self, id: u64) -> bool {
        let entry = self.entries.get(&id);
        entry.is_some_and(|entry| matches!(entry.state, EntryState::Running))
    }

    /// A number for what is in the queues and no command.
    pub(super) fn number(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Older ones that are delayed, and are not any more, since a newer one was done or is delayed:
    /// one of its kind, and for whoever was taken out of voice where they were to be moved. They are
    /// to be settled.
    pub(super) fn supersede(&mut self, newer: u64) -> Vec<AcceptedCommand> {
        let Some(entry) = self.entries.get(&newer) else {
            return Vec::new();
        };
        let CommandRequest { actor, command, .. } = &*entry.request;
        let is_out = matches!(
            command,
            Command::Disconnect { .. } | Command::KickFromRoom { .. }
        );
        let moved = command.moves(*actor).filter(|_| is_out);
        let keys = [
            Some(DelayKey::of(&entry.request)),
            moved.map(DelayKey::of_move),
        ];
        let older = keys.into_iter().flatten().filter_map(|key| {
            let older = self.delayed.older(key, newer);
            older.map(|older| (key, older))
        });
        let older: Vec<(DelayKey, u64)> = older.collect();
        let superseded = older.into_iter().filter_map(|(key, older)| {
            self.delayed.remove(key);
            self.resume(older)
        });
        superseded.collect()
    }

    /// It has ended, and whoever waits is told how. `repeatable`: its key answers the same from now
    /// on; else it is as if it had never come.
    pub(super) fn settled(
        &mut self,
        id: u64,
        result: CommandResult,
        repeatable: bool,
        now: UnixMs,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        tell(&mut entry.waiters, &result);
        self.delayed.ended(&entry.request, id);
        if repeatable && entry.request.key.is_some() {
            entry.state = EntryState::Settled(result);
            self.settled.push_back((now, id));
        } else {
            self.remove(id);
        }
    }

    /// Takes out those whose keys are no longer good, or are too many.
    pub(super) fn expire(&mut self, now: UnixMs) -> Vec<u64> {
        let mut gone = Vec::new();
        while let Some(&(at, id)) = self.settled.front() {
            let is_good = at.saturating_add(millis(KEY_KEPT)) > now;
            if is_good && self.settled.len() <= KEYS {
                break;
            }
            self.settled.pop_front();
            self.remove(id);
            gone.push(id);
        }
        gone
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        if let Some(key) = key_of(&entry.request)
            && self.keys.get(&key) == Some(&id)
        {
            self.keys.remove(&key);
        }
    }
}

fn tell(waiters: &mut Vec<Waiter>, result: &CommandResult) {
    for waiter in waiters.drain(..) {
        // Who asked may be gone.
        let _gone = waiter.send(result.clone());
    }
}

fn key_of(request: &CommandRequest) -> Option<ScopedKey> {
    request.key.clone().map(|text| ScopedKey {
        actor: request.actor,
        name: request.command.name(),
        text,
    })
}

#[cfg(test)]
mod tests;
