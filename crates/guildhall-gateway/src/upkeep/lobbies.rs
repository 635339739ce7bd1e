//! Who has joined a lobby and is to be given a room. Pure.
//!
//! Whoever is in a lobby is served, however that became known: an event, or a look at who is there when
//! the gateway comes back. One who leaves before is not; one who leaves and comes back is served anew,
//! though not more often than once in a while.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{CommandError, CommandErrorCode},
};

/// Between two rooms of one person.
const COOLDOWN: Duration = Duration::from_secs(10);
/// What is not possible at the moment is tried again after so long at the least,
const RETRY: Duration = Duration::from_secs(5);
/// so often at the most.
const TRIES: u32 = 3;
/// and only where Discord asks for no more patience than this: whoever sits in a lobby is told of limits that
/// last. That of new roles is two days.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everybody in a lobby.
#[derive(Debug, Default)]
pub(super) struct Lobbies {
    guests: BTreeMap<Guest, Visit>,
    /// When somebody was served last.
    served: BTreeMap<UserId, Instant>,
    due: BTreeSet<(Instant, Guest)>,
    outputs: VecDeque<LobbyOutput>,
}

/// Somebody in a lobby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Guest {
    pub(super) guild_id: GuildId,
    pub(super) lobby: ChannelId,
    pub(super) user_id: UserId,
}

/// What happens in lobbies.
#[derive(Clone, Debug)]
pub(super) enum LobbyInput {
    /// Somebody has come.
    Joined(Guest, RoomOwned),
    /// Somebody has gone.
    WentAway(Guest),
    /// These are in a lobby, and nobody else.
    Seen {
        guild_id: GuildId,
        lobby: ChannelId,
        occupants: BTreeMap<UserId, RoomOwned>,
    },
    /// What became of somebody whom [`LobbyOutput::Serve`] named.
    Served(Guest, Result<(), CommandError>),
    TimePassed,
}

/// What somebody in a lobby has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoomOwned {
    /// A room, into which they are moved.
    Yes,
    /// None: one is made.
    No,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LobbyOutput {
    /// Somebody is to be given a room, or be moved into the one that they have.
    Serve(Guest),
    /// Somebody is to be told why they have none.
    Tell(Guest, CommandError),
}

/// One stay in a lobby.
#[derive(Debug)]
struct Visit {
    state: VisitState,
    /// So often was it tried.
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VisitState {
    /// To be served then.
    Waiting(Instant),
    /// Somebody is at it.
    Serving(Presence),
    /// It is over: they were moved, or told why not. Nothing more is done until they come again.
    Over,
}

/// Where somebody is while they are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    There,
    /// Moved, or gone by themselves.
    Gone,
    /// Gone and come again.
    Back,
}

impl Lobbies {
    pub(super) fn handle(&mut self, input: LobbyInput, now: Instant) {
        match input {
            LobbyInput::Joined(guest, room_owned) => self.joined(guest, room_owned, now),
            LobbyInput::WentAway(guest) => self.went_away(guest),
            LobbyInput::Seen {
                guild_id,
                lobby,
                occupants,
            } => self.seen(guild_id, lobby, &occupants, now),
            LobbyInput::Served(guest, result) => self.served(guest, result, now),
            LobbyInput::TimePassed => {}
        }
        self.pass_time(now);
    }

    pub(super) fn poll_output(&mut self) -> Option<LobbyOutput> {
        self.outputs.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    fn joined(&mut self, guest: Guest, room_owned: RoomOwned, now: Instant) {
        match self.guests.get_mut(&guest).map(|visit| &mut visit.state) {
            None => self.begin(guest, room_owned, now),
            Some(VisitState::Serving(presence @ Presence::Gone)) => *presence = Presence::Back,
            // An event of whom a look has found already.
            Some(VisitState::Serving(_) | VisitState::Waiting(_) | VisitState::Over) => {}
        }
    }

    fn went_away(&mut self, guest: Guest) {
        match self.guests.get_mut(&guest).map(|visit| &mut visit.state) {
            None => {}
            Some(VisitState::Serving(presence)) => *presence = Presence::Gone,
            Some(VisitState::Waiting(_) | VisitState::Over) => self.end(guest),
        }
    }

    fn seen(
        &mut self,
        guild_id: GuildId,
        lobby: ChannelId,
        occupants: &BTreeMap<UserId, RoomOwned>,
        now: Instant,
    ) {
        let known = self.guests.keys().filter(|guest| guest.lobby == lobby);
        let gone: Vec<Guest> = known
            .filter(|guest| !occupants.contains_key(&guest.user_id))
            .copied()
            .collect();
        for guest in gone {
            self.went_away(guest);
        }
        for (user_id, room_owned) in occupants {
            let guest = Guest {
                guild_id,
                lobby,
                user_id: *user_id,
            };
            self.joined(guest, *room_owned, now);
        }
    }

    fn served(&mut self, guest: Guest, result: Result<(), CommandError>, now: Instant) {
        let Some(visit) = self.guests.get_mut(&guest) else {
            return;
        };
        let VisitState::Serving(presence) = visit.state else {
            return;
        };
        match presence {
            Presence::Gone => return self.end(guest),
            Presence::Back => {
                self.end(guest);
                let room_owned = match result {
                    Ok(()) => RoomOwned::Yes,
                    Err(_) => RoomOwned::No,
                };
                return self.begin(guest, room_owned, now);
            }
            Presence::There => {}
        }
        match result {
            Ok(()) => visit.state = VisitState::Over,
            Err(error) if is_passing(&error) && visit.tries < TRIES => {
                self.wait(guest, now + asked_wait(&error).max(RETRY));
            }
            Err(error) => {
                visit.state = VisitState::Over;
                if error.code != CommandErrorCode::NotInRoom {
                    self.outputs.push_back(LobbyOutput::Tell(guest, error));
                }
            }
        }
    }

    /// Who has just been given a room and has none any more waits.
    fn begin(&mut self, guest: Guest, room_owned: RoomOwned, now: Instant) {
        self.served.retain(|_, at| now < *at + COOLDOWN);
        let at = match room_owned {
            RoomOwned::Yes => None,
            RoomOwned::No => self.served.get(&guest.user_id),
        };
        let at = at.map_or(now, |at| *at + COOLDOWN);
        let visit = Visit {
            state: VisitState::Over,
            tries: 0,
        };
        self.guests.insert(guest, visit);
        self.wait(guest, at);
    }

    fn wait(&mut self, guest: Guest, at: Instant) {
        if let Some(visit) = self.guests.get_mut(&guest) {
            visit.state = VisitState::Waiting(at);
            self.due.insert((at, guest));
        }
    }

    fn end(&mut self, guest: Guest) {
        let ended = self.guests.remove(&guest);
        if let Some(VisitState::Waiting(at)) = ended.map(|visit| visit.state) {
            self.due.remove(&(at, guest));
        }
    }

    fn pass_time(&mut self, now: Instant) {
        while let Some((at, guest)) = self.due.first().copied()
            && at <= now
        {
            self.due.remove(&(at, guest));
            if let Some(visit) = self.guests.get_mut(&guest) {
                visit.state = VisitState::Serving(Presence::There);
                visit.tries += 1;
                self.served.insert(guest.user_id, now);
                self.outputs.push_back(LobbyOutput::Serve(guest));
            }
        }
    }
}

fn asked_wait(error: &CommandError) -> Duration {
    error.retry_after_ms.map_or(RETRY, Duration::from_millis)
}

/// Whether it may well be possible in a moment.
fn is_passing(error: &CommandError) -> bool {
    let may_pass = matches!(
        error.code,
        CommandErrorCode::Busy
            | CommandErrorCode::GuildUnavailable
            | CommandErrorCode::Stopping
            | CommandErrorCode::Deadline
            | CommandErrorCode::DiscordFailed
            | CommandErrorCode::Unknown
            // That they have left is heard in a moment, or they came a moment ago.
            | CommandErrorCode::NotInRoom
            // What was deleted meanwhile; where that is the category, it stays so.
            | CommandErrorCode::NotFound
    );
    may_pass && asked_wait(error) <= PATIENCE
}

#[cfg(test)]
mod tests;
