//! Which commands go on later: of each kind about each room or person the newest alone.

use std::collections::{BTreeMap, HashMap};

use guildhall_model::{
    ChannelId, UnixMs, UserId,
    command::{Command, CommandRequest, Outcome},
};
use guildhall_ports::CommandState;

use crate::execute::{DELAYED, DELAYED_PER_ACTOR, JOINS_WAITING};

/// What a command waits for that goes on later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute) enum Delay {
    /// Discord's time.
    Queued { due: UnixMs },
    /// Somebody to appear in voice.
    Waiting { until: UnixMs },
}

impl Delay {
    /// As it is answered.
    pub(in crate::execute) fn outcome(self) -> Outcome {
        match self {
            Self::Queued { due } => Outcome::Queued { done_at: due },
            Self::Waiting { until } => Outcome::Waiting { until },
        }
    }

    /// As it is kept.
    pub(in crate::execute) fn state(self) -> CommandState {
        match self {
            Self::Queued { due } => CommandState::Queued { due },
            Self::Waiting { until } => CommandState::Waiting { until },
        }
    }
}

/// The numbers of those that are delayed.
#[derive(Debug, Default)]
pub(super) struct DelayedCommands {
    by_key: HashMap<DelayKey, (u64, UserId)>,
    /// Those by invites, the oldest first: an invite is good for a month, and by nobody's doing they
    /// would keep everybody else from waiting.
    joins: BTreeMap<u64, DelayKey>,
    /// How many are each person's.
    of_actor: HashMap<UserId, usize>,
}

/// What a newer command takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DelayKey {
    name: &'static str,
    about: (Option<ChannelId>, Option<UserId>),
}

impl DelayedCommands {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// One is delayed. Answers with the one whose place it takes.
    pub(super) fn insert(&mut self, request: &CommandRequest, id: u64) -> Option<u64> {
        let key = DelayKey::of(request);
        let older = self.remove(key);
        self.by_key.insert(key, (id, request.actor));
        if is_join(&request.command) {
            self.joins.insert(id, key);
        }
        *self.of_actor.entry(request.actor).or_default() += 1;
        older
    }

    /// The one of a key, if it came before another.
    pub(super) fn older(&self, key: DelayKey, newer: u64) -> Option<u64> {
        let (id, _) = self.by_key.get(&key)?;
        Some(*id).filter(|id| *id < newer)
    }

    pub(super) fn remove(&mut self, key: DelayKey) -> Option<u64> {
        let (id, actor) = self.by_key.remove(&key)?;
        self.joins.remove(&id);
        if let Some(count) = self.of_actor.get_mut(&actor) {
            *count -= 1;
            if *count == 0 {
                self.of_actor.remove(&actor);
            }
        }
        Some(id)
    }

    /// It is not delayed any more, if it was.
    pub(super) fn ended(&mut self, request: &CommandRequest, id: u64) {
        let key = DelayKey::of(request);
        if self
            .by_key
            .get(&key)
            .is_some_and(|(of_key, _)| *of_key == id)
        {
            self.remove(key);
        }
    }

    /// Whether one more of this person's may be.
    pub(super) fn may_delay(&self, actor: UserId, command: &Command) -> bool {
        let own = self.of_actor.get(&actor).copied().unwrap_or_default();
        // For one more by an invite an older one gives way.
        let has_place = is_join(command) || self.by_key.len() - self.joins.len() < DELAYED;
        has_place && own < DELAYED_PER_ACTOR
    }

    /// Takes out the oldest of those by invites while they are too many.
    pub(super) fn give_way(&mut self) -> Option<u64> {
        let (_, key) = self
            .joins
            .first_key_value()
            .filter(|_| self.joins.len() > JOINS_WAITING)?;
        self.remove(*key)
    }
}

fn is_join(command: &Command) -> bool {
    matches!(command, Command::JoinRoom { .. })
}

impl DelayKey {
    /// Somebody who is to be moved is in one room in the end, whichever was named first.
    pub(super) fn of_move(user_id: UserId) -> Self {
        Self {
            name: "connectUserToVoiceChannel",
            about: (None, Some(user_id)),
        }
    }

    pub(super) fn of(request: &CommandRequest) -> Self {
        let command = &request.command;
        match command {
            Command::ConnectUserToVoiceChannel { user_id, .. } => Self::of_move(*user_id),
            Command::JoinRoom { .. } => Self::of_move(request.actor),
            _ => Self {
                name: command.name(),
                about: (command.channel_id(), command.moves(request.actor)),
            },
        }
    }
}
