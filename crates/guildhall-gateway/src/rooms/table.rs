//! What is kept of rooms and invites: in memory for whoever asks, and in the store before anybody is
//! told of a change.

/// Invites, and who has come in by them.
mod invites;
/// What people make of their rooms of a lobby.
mod habits;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use guildhall_model::{
    ChannelId, GuildId, UnixMs, UserId,
    guild::{Overwrite, RoomManagement},
};
use guildhall_ports::{
    JournalError, RoomStore,
    journal::JournalFuture,
    room_store::{
        InviteId, InviteRecord, LobbyHabit, RoomChange, RoomNumber, RoomPhase, RoomRecord,
        SigningKey,
    },
};
use parking_lot::Mutex;
use tokio::sync::watch;

pub(crate) use invites::{SeatRefused, SeatTaken};

use super::{
    InviteSigner, RoomDraft, RoomSettings,
    census::{RoomCensus, is_unsettled},
    management_of,
};

/// A handle on it.
#[derive(Clone, Debug)]
pub(crate) struct RoomTable(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: RoomSettings,
    signer: InviteSigner,
    store: Arc<dyn RoomStore>,
    /// Held while a change is handed to the store, so that changes are kept in the order in which
    /// they are made.
    kept: Mutex<Kept>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Kept {
    last_number: RoomNumber,
    rooms: BTreeMap<RoomNumber, RoomRecord>,
    channels: HashMap<ChannelId, RoomNumber>,
    invites: BTreeMap<InviteId, InviteRecord>,
    habits: BTreeMap<(ChannelId, UserId), LobbyHabit>,
    /// When the owners of rooms left them; of those who are there, nothing.
    owners_left: HashMap<ChannelId, UnixMs>,
}

/// A room that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct RoomPlan {
    pub(crate) guild_id: GuildId,
    pub(crate) owner_id: UserId,
    pub(crate) name: String,
    /// The category that is tried first.
    pub(crate) parent_id: Option<ChannelId>,
    pub(crate) limit: u32,
    pub(crate) private: bool,
    pub(crate) lobby: Option<ChannelId>,
    pub(crate) now: UnixMs,
    /// The guild's rooms: what is made for this one is none of them.
    pub(crate) before: Vec<ChannelId>,
    /// The command that makes it.
    pub(crate) command: u64,
}

/// Why there is no place for a room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReserved {
    /// The person has as many as they may.
    #[error("one person may have {0} at a time")]
    OfPerson(usize),
    /// The guild has.
    #[error("a guild may have {0} at a time")]
    OfGuild(usize),
    /// It could not be kept.
    #[error(transparent)]
    NotKept(#[from] JournalError),
}

impl RoomTable {
    /// Everything that the store has. `fresh_key`: for invites, if there is none yet.
    pub(crate) async fn load(
        settings: RoomSettings,
        store: Arc<dyn RoomStore>,
        fresh_key: SigningKey,
    ) -> Result<Self, JournalError> {
        let kept = store.load(fresh_key).await?;
        let channels = kept.rooms.iter();
        let channels = channels.filter_map(|room| Some((room.phase.channel_id()?, room.number)));
        let of_habit = |habit: LobbyHabit| ((habit.lobby, habit.user_id), habit);
        let state = Kept {
            last_number: kept.last_number,
            channels: channels.collect(),
            rooms: kept.rooms.into_iter().map(|it| (it.number, it)).collect(),
            invites: kept.invites.into_iter().map(|it| (it.id, it)).collect(),
            habits: kept.habits.into_iter().map(of_habit).collect(),
            owners_left: HashMap::new(),
        };
        RoomCensus::of(state.rooms.values()).tell();
        Ok(Self(Arc::new(Shared {
            settings,
            signer: InviteSigner::new(kept.signing_key),
            store,
            kept: Mutex::new(state),
            changed: watch::Sender::new(0),
        })))
    }

    pub(crate) fn settings(&self) -> &RoomSettings {
        &self.0.settings
    }

    pub(crate) fn signer(&self) -> &InviteSigner {
        &self.0.signer
    }

    /// A place for one more room, by which it counts before Discord knows of it. Of several who ask
    /// for the last one gets it. `overwrites`: with which Discord will be asked for it first.
    pub(crate) async fn reserve(
        &self,
        plan: RoomPlan,
        overwrites: impl FnOnce(&RoomRecord) -> Vec<Overwrite>,
    ) -> Result<RoomRecord, NotReserved> {
        let (record, saved) = {
            let kept = &mut *self.0.kept.lock();
            let settings = &self.0.settings;
            let (of_guild, of_person) = kept.count(plan.guild_id, plan.owner_id);
            if of_person >= settings.per_user {
                return Err(NotReserved::OfPerson(settings.per_user));
            }
            if of_guild >= settings.max {
                return Err(NotReserved::OfGuild(settings.max));
            }
            kept.last_number = RoomNumber(kept.last_number.0 + 1);
            let mut record = RoomRecord {
                number: kept.last_number,
                guild_id: plan.guild_id,
                owner_id: plan.owner_id,
                phase: RoomPhase::Making { since: plan.now },
                name: plan.name,
                parent_id: plan.parent_id,
                limit: plan.limit,
                private: plan.private,
                locked: false,
                hidden: plan.private,
                role_id: None,
                mark: plan.now,
                overwrites: Vec::new(),
                before: plan.before,
                set_aside: Vec::new(),
                lobby: plan.lobby,
                made_at: plan.now,
                command: Some(plan.command),
                unsettled: true,
                late_until: None,
            };
            record.overwrites = overwrites(&record);
            (record.clone(), self.changed(kept, RoomChange::Room(record)))
        };
        saved.await?;
        Ok(record)
    }

    /// A room is like this from now on.
    pub(crate) fn put(&self, record: RoomRecord) -> JournalFuture<()> {
        let kept = &mut *self.0.kept.lock();
        self.changed(kept, RoomChange::Room(record))
    }

    /// A room is like this from now on, and somebody else's: of two that are handed to one person at
    /// once both must have a place.
    pub(crate) async fn hand_over(&self, record: RoomRecord) -> Result<(), NotReserved> {
        let saved = {
            let kept = &mut *self.0.kept.lock();
            let most = self.0.settings.per_user;
            let (_, of_person) = kept.count(record.guild_id, record.owner_id);
            if of_person >= most {
                return Err(NotReserved::OfPerson(most));
            }
            self.changed(kept, RoomChange::Room(record))
        };
        Ok(saved.await?)
    }

    /// Nothing is left of a room.
    pub(crate) fn forget(&self, number: RoomNumber) -> JournalFuture<()> {
        let kept = &mut *self.0.kept.lock();
        self.changed(kept, RoomChange::RoomGone(number))
    }

    pub(crate) fn by_number(&self, number: RoomNumber) -> Option<RoomRecord> {
        self.0.kept.lock().rooms.get(&number).cloned()
    }

    /// The room of a channel, whatever its phase.
    pub(crate) fn by_channel(&self, channel_id: ChannelId) -> Option<RoomRecord> {
        let kept = self.0.kept.lock();
        kept.rooms.get(kept.channels.get(&channel_id)?).cloned()
    }

    /// Of a command, the room that it makes.
    pub(crate) fn by_command(&self, command: u64, asked_at: UnixMs) -> Option<RoomRecord> {
        let kept = self.0.kept.lock();
        let mut rooms = kept.rooms.values().rev();
        let room = rooms.find(|it| it.command == Some(command) && it.made_at >= asked_at);
        room.cloned()
    }

    /// A person's rooms in a guild, the oldest first.
    pub(crate) fn of_owner(&self, guild_id: GuildId, owner_id: UserId) -> Vec<RoomRecord> {
        let kept = self.0.kept.lock();
        let rooms = kept.rooms.values();
        let theirs = rooms.filter(|it| it.guild_id == guild_id && it.owner_id == owner_id);
        theirs.cloned().collect()
    }

    /// The open room to which a lobby brings somebody: one that they wished for themselves. Where one
    /// was given to them the giver may wait in it.
    pub(crate) fn wished_for(
        &self,
        guild_id: GuildId,
        owner_id: UserId,
    ) -> Option<(RoomRecord, ChannelId)> {
        let theirs = self.of_owner(guild_id, owner_id).into_iter();
        let mut open = theirs.filter_map(|room| match room.phase {
            RoomPhase::Open { channel_id } if room.command.is_some() => Some((room, channel_id)),
            _ => None,
        });
        open.next()
    }

    /// All of them, by ascending number, whatever their phases.
    pub(crate) fn rooms(&self) -> Vec<RoomRecord> {
        self.0.kept.lock().rooms.values().cloned().collect()
    }

    /// Those of which Discord may not be as is kept.
    pub(crate) fn unsettled(&self) -> Vec<RoomNumber> {
        let kept = self.0.kept.lock();
        let unsettled = kept.rooms.values().filter(|room| is_unsettled(room));
        unsettled.map(|room| room.number).collect()
    }

    /// What web roles are to know of those that have a channel, until Discord has deleted it.
    pub(crate) fn managed(&self) -> Vec<(GuildId, ChannelId, RoomManagement)> {
        let kept = self.0.kept.lock();
        let known = kept.rooms.values().filter_map(|room| {
            let channel_id = room.phase.channel_id()?;
            Some((room.guild_id, channel_id, management_of(room)))
        });
        known.collect()
    }

    /// Those that Discord may have made, or may make yet.
    pub(crate) fn being_made(&self) -> Vec<(GuildId, RoomNumber, RoomDraft)> {
        let kept = self.0.kept.lock();
        let unknown = kept.rooms.values();
        let unknown = unknown.filter(|room| room.phase.channel_id().is_none());
        let drafts =
            unknown.filter_map(|room| Some((room.guild_id, room.number, RoomDraft::of(room)?)));
        drafts.collect()
    }

    /// What a person made of their last room of a lobby.
    pub(crate) fn habit(&self, lobby: ChannelId, user_id: UserId) -> Option<LobbyHabit> {
        self.0.kept.lock().habits.get(&(lobby, user_id)).cloned()
    }

    /// The owner of a room came (`None`), or left it at that time.
    pub(crate) fn set_owner_left_at(&self, channel_id: ChannelId, at: Option<UnixMs>) {
        let owners_left = &mut self.0.kept.lock().owners_left;
        match at {
            Some(at) => _ = owners_left.insert(channel_id, at),
            None => _ = owners_left.remove(&channel_id),
        }
    }

    /// Since when the owner of a room is known not to be in it.
    pub(crate) fn owner_left_at(&self, channel_id: ChannelId) -> Option<UnixMs> {
        self.0.kept.lock().owners_left.get(&channel_id).copied()
    }

    /// A number that is another after each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    fn changed(&self, kept: &mut Kept, change: RoomChange) -> JournalFuture<()> {
        self.all_changed(kept, vec![change])
    }

    fn all_changed(&self, kept: &mut Kept, changes: Vec<RoomChange>) -> JournalFuture<()> {
        for change in &changes {
            kept.apply(change);
        }
        let is_of_room =
            |change: &RoomChange| matches!(change, RoomChange::Room(_) | RoomChange::RoomGone(_));
        if changes.iter().any(is_of_room) {
            RoomCensus::of(kept.rooms.values()).tell();
        }
        self.0.changed.send_modify(|number| *number += 1);
        self.0.store.save(changes)
    }
}

impl Kept {
    /// How many a guild has, and a person there, without those that are being deleted.
    fn count(&self, guild_id: GuildId, owner_id: UserId) -> (usize, usize) {
        let there = self.rooms.values().filter(|room| {
            let is_closing = matches!(room.phase, RoomPhase::Closing { .. });
            room.guild_id == guild_id && !is_closing
        });
        there.fold((0, 0), |(of_guild, of_person), room| {
            let is_theirs = usize::from(room.owner_id == owner_id);
            (of_guild + 1, of_person + is_theirs)
        })
    }

    fn apply(&mut self, change: &RoomChange) {
        match change {
            RoomChange::Room(room) => {
                self.unlink(room.number);
                if let Some(channel_id) = room.phase.channel_id() {
                    self.channels.insert(channel_id, room.number);
                }
                self.rooms.insert(room.number, room.clone());
            }
            RoomChange::RoomGone(number) => {
                if let Some(channel_id) = self.unlink(*number) {
                    self.owners_left.remove(&channel_id);
                }
                self.rooms.remove(number);
                self.invites.retain(|_, invite| invite.room != *number);
            }
            RoomChange::Invite(invite) => _ = self.invites.insert(invite.id, invite.clone()),
            RoomChange::InviteGone(id) => _ = self.invites.remove(id),
            RoomChange::Habit(habit) => {
                let key = (habit.lobby, habit.user_id);
                self.habits.insert(key, habit.clone());
            }
            RoomChange::HabitGone { lobby, user_id } => {
                self.habits.remove(&(*lobby, *user_id));
            }
        }
    }

    /// A room has no channel for now.
    fn unlink(&mut self, number: RoomNumber) -> Option<ChannelId> {
        let channel_id = self.rooms.get(&number)?.phase.channel_id()?;
        self.channels.remove(&channel_id);
        Some(channel_id)
    }
}

#[cfg(test)]
mod tests;
