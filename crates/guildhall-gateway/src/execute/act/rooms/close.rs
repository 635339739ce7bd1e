//! Deleting a room: its record says so first, and goes last.

use guildhall_model::{
    ChannelId,
    command::{CommandError, CommandErrorCode},
};
use guildhall_ports::room_store::{RoomPhase, RoomRecord};

use super::{Act, RoomFailure, RoomResult, StepError};
use crate::{
    execute::{GATEWAY_ITSELF, act::done},
    inbox::Expectation,
};

const NOT_DELETED: &str = "Discord deletes nothing at the moment; the room stays.";

impl Act {
    pub(super) async fn close_room(&mut self, channel_id: ChannelId) -> RoomResult {
        let Some(room) = self.context.rooms.by_channel(channel_id) else {
            if self.kept {
                // It was begun before, and its record goes last.
                return Ok(done(self.seen(Expectation::RoomGone(channel_id)).await?));
            }
            self.judged().await?;
            return Err(self
                .room()
                .err()
                .unwrap_or_else(CommandError::nowhere)
                .into());
        };
        if !matches!(room.phase, RoomPhase::Closing { .. }) {
            if self.accepted.request.actor == GATEWAY_ITSELF {
                self.is_unused(channel_id).await?;
                return self.delete_idle(room, channel_id).await;
            }
            if self.judged().await?.is_none() {
                // Gone at Discord; its record follows.
                return self.delete(room, channel_id).await;
            }
            self.scene().await?;
        }
        self.delete(room, channel_id).await
    }

    async fn delete(&self, mut room: RoomRecord, channel_id: ChannelId) -> RoomResult {
        let before = room.clone();
        let work = self.work();
        work.begin_to_close(&mut room, Some(channel_id)).await?;
        match work.clear_away(room, false).await {
            Ok(_) => {}
            Err(StepError::Throttled(until)) => return Err(RoomFailure::Queued(until)),
            Err(StepError::Ended(ended)) => return Err(ended.into()),
            // It is tried again while its record says that it is closing.
            Err(StepError::Lost) => return Err(super::super::unknown().into()),
            Err(StepError::Failed(error)) => {
                if self.has_channel(channel_id).await? {
                    if matches!(before.phase, RoomPhase::Open { .. }) {
                        self.context.rooms.put(before).await?;
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(done(self.seen(Expectation::RoomGone(channel_id)).await?))
    }

    async fn has_channel(&self, channel_id: ChannelId) -> Result<bool, RoomFailure> {
        let there = self.work().has_channel(channel_id).await;
        there.map_err(|error| self.failed(error))
    }

    /// One that nobody needs. Its record says that it closes only once its channel is gone: whatever cuts
    /// this short, somebody may come meanwhile, so it is empty for all of its time anew, or stays.
    async fn delete_idle(&self, mut room: RoomRecord, channel_id: ChannelId) -> RoomResult {
        let rooms = &self.context.rooms;
        let before = room.clone();
        room.unsettled = true;
        rooms.put(room.clone()).await?;
        let work = self.work();
        if let Err(error) = work.delete_channel(channel_id).await {
            if let StepError::Ended(ended) = error {
                return Err(ended.into());
            }
            if self.has_channel(channel_id).await? {
                rooms.put(before).await?;
                return Err(error.failure(NOT_DELETED, self.context.clock.now()));
            }
        }
        work.begin_to_close(&mut room, Some(channel_id)).await?;
        // What is left of it is tried again while its record says that it is closing.
        if let Err(StepError::Ended(ended)) = work.clear_rest(room, false).await {
            return Err(ended.into());
        }
        Ok(done(self.seen(Expectation::RoomGone(channel_id)).await?))
    }

    /// Nobody is there, nor on its page, as far as can be seen at this moment.
    async fn is_unused(&self, channel_id: ChannelId) -> Result<(), RoomFailure> {
        let scene = self.look().await?;
        let room = scene.room.as_ref().filter(|_| scene.live);
        let is_empty = room.is_some_and(|room| !room.obfuscated && room.occupants.is_empty());
        let viewed = self.context.viewers.viewed();
        if is_empty && viewed.is_some_and(|viewed| !viewed.contains(&channel_id)) {
            return Ok(());
        }
        Err(CommandError::new(
            CommandErrorCode::Superseded,
            "Somebody is there, or on its page, or it can't be seen whether.",
        )
        .into())
    }
}
