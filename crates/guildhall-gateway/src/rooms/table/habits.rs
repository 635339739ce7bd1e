//! What people make of their rooms of a lobby, for the next one.

use std::future::ready;

use guildhall_model::{
    ChannelId, UnixMs,
    command::{Command, CommandRequest},
};
use guildhall_ports::{
    journal::JournalFuture,
    room_store::{LobbyHabit, RoomChange, RoomPhase},
};

use super::RoomTable;

/// Of so many people in so many lobbies. For a further one that which is oldest goes.
const HABITS: usize = 10_000;

impl RoomTable {
    /// A command was done. If it was an owner's, about the name or the limit of their room of a lobby,
    /// that is what their next one is like.
    pub(crate) fn learn(&self, request: &CommandRequest, now: UnixMs) -> JournalFuture<()> {
        let (channel_id, name, limit) = match &request.command {
            Command::RenameRoom {
                channel_id, name, ..
            } => (*channel_id, Some(name.clone()), None),
            Command::SetRoomLimit {
                channel_id, limit, ..
            } => (*channel_id, None, Some(*limit)),
            _ => return Box::pin(ready(Ok(()))),
        };
        let Some(lobby) = self.lobby_of(channel_id, request) else {
            return Box::pin(ready(Ok(())));
        };
        let kept = &mut *self.0.kept.lock();
        let key = (lobby, request.actor);
        let before = kept.habits.get(&key).cloned();
        let is_new = before.is_none();
        let before = before.unwrap_or(LobbyHabit {
            guild_id: request.command.guild_id(),
            lobby,
            user_id: request.actor,
            name: None,
            limit: None,
            at: now,
        });
        let habit = LobbyHabit {
            name: name.or(before.name.clone()),
            limit: limit.or(before.limit),
            at: now,
            ..before
        };
        let mut changes = vec![RoomChange::Habit(habit)];
        if is_new
            && kept.habits.len() >= HABITS
            && let Some(oldest) = kept.habits.values().min_by_key(|habit| habit.at)
        {
            changes.push(RoomChange::HabitGone {
                lobby: oldest.lobby,
                user_id: oldest.user_id,
            });
        }
        self.all_changed(kept, changes)
    }

    /// The lobby that a room came of, if the room is this actor's.
    fn lobby_of(&self, channel_id: ChannelId, request: &CommandRequest) -> Option<ChannelId> {
        let room = self.by_channel(channel_id)?;
        let is_open = matches!(room.phase, RoomPhase::Open { .. });
        let lobby = room.lobby?;
        (is_open && room.owner_id == request.actor).then_some(lobby)
    }
}
