//! How long rooms live: when one is idle, when that is said, and when it is deleted. Pure.
//!
//! A room is idle while Discord is live in its guild, the bot can view it, nobody is in it, and nobody
//! has its page open; all of that is handed in. Whatever interrupts it makes the clock begin anew, so a
//! deletion needs all of the time, and what is not known counts as somebody being there.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use guildhall_model::{ChannelId, GuildId, UserId};

/// So long before it is deleted a room is said to be idle.
const NOTICE: Duration = Duration::from_secs(30);

/// The clocks of all open rooms.
#[derive(Debug, Default)]
pub(super) struct IdleClocks {
    rooms: BTreeMap<ChannelId, LivingRoom>,
    /// Whose page is open; `None`: nobody knows.
    viewed: Option<BTreeSet<ChannelId>>,
    /// When something is to be done about which room.
    due: BTreeSet<(Instant, ChannelId)>,
    outputs: VecDeque<IdleOutput>,
}

/// A room that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenRoom {
    pub(super) guild_id: GuildId,
    pub(super) channel_id: ChannelId,
    pub(super) owner_id: UserId,
    /// So long may it be empty.
    pub(super) idle: Duration,
}

/// What happens to rooms.
#[derive(Clone, Debug)]
pub(super) enum IdleInput {
    /// All rooms that there are now.
    Open(Vec<OpenRoom>),
    /// These people are in a room, and that is what Discord holds.
    Seen {
        channel_id: ChannelId,
        occupants: BTreeSet<UserId>,
    },
    /// Nobody knows who is in a room: its guild is unavailable, Discord is not live, or the bot can't
    /// view it.
    Unseen(ChannelId),
    /// Somebody came into a room or left it: until it is seen again nobody knows who is in it.
    Disturbed(ChannelId),
    /// The rooms whose page somebody has open; `None`: nobody knows, since no web role is there.
    Viewed(Option<BTreeSet<ChannelId>>),
    /// An earlier process said that a room is idle.
    AnnouncedBefore(ChannelId),
    /// A room was not deleted.
    NotDeleted(ChannelId),
    TimePassed,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdleOutput {
    /// It is to be said that a room is deleted after this.
    Announce {
        guild_id: GuildId,
        channel_id: ChannelId,
        deleted_in: Duration,
    },
    /// It is to be said that it is not.
    TakeBack {
        guild_id: GuildId,
        channel_id: ChannelId,
    },
    /// A room is to be deleted.
    Delete {
        guild_id: GuildId,
        channel_id: ChannelId,
    },
    /// The owner of a room is not in it from now on; or is, or nobody knows.
    OwnerIsAway { channel_id: ChannelId, away: bool },
}

#[derive(Debug)]
struct LivingRoom {
    room: OpenRoom,
    /// `None`: nobody knows.
    occupants: Option<BTreeSet<UserId>>,
    /// They may be others by now.
    disturbed: bool,
    owner_away: bool,
    clock: IdleClock,
}

/// How far a room is from being deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdleClock {
    /// It is not idle.
    Stopped,
    /// It was said to be idle by an earlier process, and nothing of that is known.
    SaidBefore,
    Running {
        announce_at: Instant,
        delete_at: Instant,
    },
    Announced {
        delete_at: Instant,
    },
    /// Somebody is at it.
    Deleting,
}

impl IdleClock {
    fn due(self) -> Option<Instant> {
        match self {
            Self::Running { announce_at, .. } => Some(announce_at),
            Self::Announced { delete_at } => Some(delete_at),
            Self::Stopped | Self::SaidBefore | Self::Deleting => None,
        }
    }
}

impl IdleClocks {
    pub(super) fn handle(&mut self, input: IdleInput, now: Instant) {
        match input {
            IdleInput::Open(rooms) => self.open(rooms, now),
            IdleInput::Seen {
                channel_id,
                occupants,
            } => self.see(channel_id, Some(occupants), now),
            IdleInput::Unseen(channel_id) => self.see(channel_id, None, now),
            IdleInput::Disturbed(channel_id) => self.disturb(channel_id, now),
            IdleInput::Viewed(viewed) => self.view(viewed, now),
            IdleInput::AnnouncedBefore(channel_id) => {
                if let Some(living) = self.rooms.get_mut(&channel_id)
                    && living.clock == IdleClock::Stopped
                {
                    living.clock = IdleClock::SaidBefore;
                }
                self.settle(channel_id, now);
            }
            IdleInput::NotDeleted(channel_id) => {
                if let Some(living) = self.rooms.get_mut(&channel_id)
                    && living.clock == IdleClock::Deleting
                {
                    // It was said to be deleted, and it is not.
                    living.clock = IdleClock::SaidBefore;
                }
                self.settle(channel_id, now);
            }
            IdleInput::TimePassed => {}
        }
        self.pass_time(now);
    }

    pub(super) fn poll_output(&mut self) -> Option<IdleOutput> {
        self.outputs.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The rooms that it knows.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &OpenRoom> {
        self.rooms.values().map(|living| &living.room)
    }

    fn open(&mut self, rooms: Vec<OpenRoom>, now: Instant) {
        let there: BTreeSet<ChannelId> = rooms.iter().map(|room| room.channel_id).collect();
        self.rooms.retain(|channel_id, living| {
            let stays = there.contains(channel_id);
            if let Some(due) = living.clock.due().filter(|_| !stays) {
                self.due.remove(&(due, *channel_id));
            }
            stays
        });
        for room in rooms {
            let channel_id = room.channel_id;
            let living = self.rooms.entry(channel_id).or_insert(LivingRoom {
                room,
                occupants: None,
                disturbed: false,
                owner_away: false,
                clock: IdleClock::Stopped,
            });
            let before = std::mem::replace(&mut living.room, room);
            if before.owner_id != room.owner_id {
                // Another's absence is not this one's.
                living.owner_away = false;
                self.outputs.push_back(IdleOutput::OwnerIsAway {
                    channel_id,
                    away: false,
                });
            }
            self.settle(channel_id, now);
        }
    }

    fn see(&mut self, channel_id: ChannelId, occupants: Option<BTreeSet<UserId>>, now: Instant) {
        if let Some(living) = self.rooms.get_mut(&channel_id) {
            living.occupants = occupants;
            living.disturbed = false;
            self.settle(channel_id, now);
        }
    }

    /// Of its owner nothing else is known than before, so that they are not away anew whenever somebody
    /// moves.
    fn disturb(&mut self, channel_id: ChannelId, now: Instant) {
        if let Some(living) = self.rooms.get_mut(&channel_id) {
            living.disturbed = true;
            self.settle(channel_id, now);
        }
    }

    fn view(&mut self, viewed: Option<BTreeSet<ChannelId>>, now: Instant) {
        self.viewed = viewed;
        let all: Vec<ChannelId> = self.rooms.keys().copied().collect();
        for channel_id in all {
            self.settle(channel_id, now);
        }
    }

    /// Its clock runs, or does not, as its state wants.
    fn settle(&mut self, channel_id: ChannelId, now: Instant) {
        self.settle_owner(channel_id);
        let Some(living) = self.rooms.get(&channel_id) else {
            return;
        };
        let is_empty = living.occupants.as_ref().is_some_and(BTreeSet::is_empty);
        let is_empty = is_empty && !living.disturbed;
        let is_unviewed = self.viewed.as_ref();
        let is_unviewed = is_unviewed.is_some_and(|viewed| !viewed.contains(&channel_id));
        let is_idle = is_empty && is_unviewed;
        match living.clock {
            IdleClock::SaidBefore => {
                self.stop(channel_id);
                self.settle(channel_id, now);
            }
            IdleClock::Stopped if is_idle => {
                let idle = living.room.idle;
                let clock = IdleClock::Running {
                    announce_at: now + idle.saturating_sub(NOTICE),
                    delete_at: now + idle,
                };
                self.set_clock(channel_id, clock);
            }
            IdleClock::Running { .. } | IdleClock::Announced { .. } if !is_idle => {
                self.stop(channel_id);
            }
            // What is being deleted goes on being deleted.
            IdleClock::Stopped
            | IdleClock::Running { .. }
            | IdleClock::Announced { .. }
            | IdleClock::Deleting => {}
        }
    }

    fn settle_owner(&mut self, channel_id: ChannelId) {
        let Some(living) = self.rooms.get_mut(&channel_id) else {
            return;
        };
        let occupants = living.occupants.as_ref();
        let away = occupants.is_some_and(|there| !there.contains(&living.room.owner_id));
        if std::mem::replace(&mut living.owner_away, away) != away {
            self.outputs
                .push_back(IdleOutput::OwnerIsAway { channel_id, away });
        }
    }

    /// What is due is done. Whoever was told nothing is told first, however late it is.
    fn pass_time(&mut self, now: Instant) {
        while let Some((due, channel_id)) = self.due.first().copied()
            && due <= now
        {
            self.due.remove(&(due, channel_id));
            let Some(living) = self.rooms.get_mut(&channel_id) else {
                continue;
            };
            let guild_id = living.room.guild_id;
            match living.clock {
                IdleClock::Running { delete_at, .. } => {
                    let notice = NOTICE.min(living.room.idle);
                    let delete_at = delete_at.max(now + notice);
                    self.outputs.push_back(IdleOutput::Announce {
                        guild_id,
                        channel_id,
                        deleted_in: delete_at - now,
                    });
                    self.set_clock(channel_id, IdleClock::Announced { delete_at });
                }
                IdleClock::Announced { .. } => {
                    self.outputs.push_back(IdleOutput::Delete {
                        guild_id,
                        channel_id,
                    });
                    self.set_clock(channel_id, IdleClock::Deleting);
                }
                IdleClock::Stopped | IdleClock::SaidBefore | IdleClock::Deleting => {}
            }
        }
    }

    /// It begins anew whenever it runs again. What is being deleted goes on being deleted.
    fn stop(&mut self, channel_id: ChannelId) {
        let Some(living) = self.rooms.get(&channel_id) else {
            return;
        };
        let guild_id = living.room.guild_id;
        match living.clock {
            IdleClock::Deleting | IdleClock::Stopped => return,
            IdleClock::Announced { .. } | IdleClock::SaidBefore => {
                self.outputs.push_back(IdleOutput::TakeBack {
                    guild_id,
                    channel_id,
                });
            }
            IdleClock::Running { .. } => {}
        }
        self.set_clock(channel_id, IdleClock::Stopped);
    }

    fn set_clock(&mut self, channel_id: ChannelId, clock: IdleClock) {
        let Some(living) = self.rooms.get_mut(&channel_id) else {
            return;
        };
        if let Some(due) = living.clock.due() {
            self.due.remove(&(due, channel_id));
        }
        living.clock = clock;
        if let Some(due) = clock.due() {
            self.due.insert((due, channel_id));
        }
    }
}

#[cfg(test)]
mod tests;
