//! The guilds as they are at one position of the log, and the one reducer: `world(P)` + event =
//! `world(P + 1)`. Total: any event fits any world, so a replica never has a reason to stop.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use crate::{
    Change, Event, GuildId, RoleId, UserId,
    guild::{Guild, Membership, Room},
};

/// Every guild of one log.
///
/// Promise: `world(P)` with the events after `P` up to `Q` applied equals `world(Q)`, and
/// [`World::apply`] is the only thing that changes one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct World {
    /// The guilds the bot is in, those in an outage included.
    pub guilds: BTreeMap<GuildId, Guild>,
}

impl World {
    /// Raised when the world keeps something that it did not keep before, or reads Discord
    /// differently: a world of another format is readable, and has to be compared afresh.
    ///
    /// Not raised by the timeouts of memberships: what the watched users are is in no comparison
    /// with Discord. Each process looks it up again before it answers for anybody, and then every
    /// minute.
    pub const FORMAT: u32 = 3;

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) {
        match (&event.change, self.guilds.entry(event.guild_id)) {
            (Change::GuildAvailable(Some(guild)), entry) => {
                entry.insert_entry(Guild::clone(guild));
            }
            (Change::GuildRemoved, Entry::Occupied(entry)) => {
                entry.remove();
            }
            (change, Entry::Occupied(mut entry)) => entry.get_mut().apply(change),
            (_, Entry::Vacant(_)) => {}
        }
    }

    /// Applies events in order.
    #[must_use]
    pub fn apply_all<'a>(mut self, events: impl IntoIterator<Item = &'a Event>) -> Self {
        for event in events {
            self.apply(event);
        }
        self
    }
}

impl Guild {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::VoiceJoined(occupant) => {
                self.pending_voice.remove(&occupant.user_id);
                self.voice.insert(occupant.user_id, occupant.clone());
            }
            Change::VoiceUpdated(occupant) => {
                if let Some(known) = self.voice.get_mut(&occupant.user_id) {
                    known.clone_from(occupant);
                }
            }
            Change::VoiceLeft {
                previous_channel_id,
                user_id,
            } => {
                let there = self.voice.get(user_id).map(|known| known.channel_id);
                if there == Some(*previous_channel_id) {
                    self.voice.remove(user_id);
                }
            }
            Change::VoicePending(there) => {
                self.pending_voice.insert(there.user_id, there.clone());
            }
            Change::VoicePendingRemoved { user_id } => {
                self.pending_voice.remove(user_id);
            }
            Change::RoomCreated(room) => {
                self.rooms.insert(room.info.channel_id, room.clone());
            }
            Change::RoomUpdated(info) => {
                if let Some(Room { info: known, .. }) = self.rooms.get_mut(&info.channel_id) {
                    known.clone_from(info);
                }
            }
            Change::RoomRights { channel_id, rights } => {
                if let Some(room) = self.rooms.get_mut(channel_id) {
                    room.rights.clone_from(rights);
                }
            }
            Change::RoomDeleted { channel_id } => {
                self.rooms.remove(channel_id);
                // INVARIANT(no-ghost): nobody is in a room that does not exist.
                self.voice
                    .retain(|_, occupant| occupant.channel_id != *channel_id);
            }
            Change::CategorySet {
                channel_id,
                category,
            } => {
                self.categories.insert(*channel_id, category.clone());
            }
            Change::CategoryRemoved { channel_id } => {
                self.categories.remove(channel_id);
            }
            Change::GuildAvailable(_) => self.available = true,
            Change::GuildUnavailable => self.available = false,
            Change::GuildUpdated(info) => self.info.clone_from(info),
            Change::OwnerChanged { owner_id } => self.owner_id = *owner_id,
            Change::RoleSet(role) => {
                self.roles.insert(role.role_id, role.permissions);
            }
            Change::RoleRemoved { role_id } => {
                self.roles.remove(role_id);
                self.take_role(*role_id);
            }
            Change::Rights {
                user_id,
                membership,
            } => self.set_membership(*user_id, membership.as_ref()),
            Change::RightsReset => self.memberships.clear(),
            #[cfg(any(test, feature = "arbitrary"))]
            Change::RoomKnocked(_) => {}
            Change::RoomIdle { .. }
            | Change::GuildRemoved
            | Change::Gap { .. }
            | Change::Unknown => {}
        }
    }

    fn set_membership(&mut self, user_id: UserId, membership: Option<&Membership>) {
        match membership {
            Some(is) => _ = self.memberships.insert(user_id, is.clone()),
            None => _ = self.memberships.remove(&user_id),
        }
    }

    /// INVARIANT(dead-role): nobody keeps a role that went. Else whoever had it would see its rooms
    /// again at once when it is told of once more, by a late or doubled dispatch. A world from before
    /// this rule may hold such ids: they give nothing while the role is away, so it is of the same
    /// format.
    fn take_role(&mut self, role_id: RoleId) {
        for membership in self.memberships.values_mut() {
            membership.remove_role(role_id);
        }
    }
}

#[cfg(test)]
mod tests;
