//! Who is kept out of a room: by name, and out of it first of all.

use guildhall_model::{
    UserId,
    command::{Command, CommandErrorCode},
};

use super::{
    Act, RoomFailure, RoomResult, StepError,
    overwrites::{forget, is_let_in, keep_out},
};
use crate::{execute::act::done, inbox::Expectation};

impl Act {
    /// Keeps somebody out, and takes them out if they are there.
    pub(super) async fn block(&mut self, user_id: UserId) -> RoomResult {
        let is_kick = matches!(self.accepted.request.command, Command::KickFromRoom { .. });
        let begun_before = self.kept;
        match self.judged().await {
            Ok(None) if !begun_before => return Ok(done(None)),
            // Out of it they are already, and are kept out now.
            Err(RoomFailure::Refused(error))
                if begun_before && error.code == CommandErrorCode::NotInRoom => {}
            judged => _ = judged?,
        }
        let room = self.room()?;
        let scene = self.scene().await?;
        let Some((there, channel_id)) = scene.room.as_ref().zip(room.phase.channel_id()) else {
            return Err(super::CommandError::nowhere().into());
        };
        let work = self.work();
        let changes: Vec<_> = keep_out(&there.overwrites, user_id).into_iter().collect();
        let kept_out = work
            .change_all(channel_id, &there.overwrites, &changes)
            .await;
        kept_out.map_err(|(error, _)| self.failed(error))?;
        if (is_kick || there.occupants.contains(&user_id))
            // Who is not in voice any more is out of it.
            && let Err(error) = work.move_to(user_id, None).await
        {
            work.change_back(channel_id, &there.overwrites, &changes)
                .await;
            return Err(self.failed(error));
        }
        if let Some(role_id) = room.role_id
            && let Err(StepError::Ended(ended)) = work.take_role(user_id, role_id).await
        {
            // By name they are kept out whatever their roles are.
            return Err(ended.into());
        }
        let request = &self.accepted.request;
        let expected = Expectation::Done(request.actor, request.command.clone());
        Ok(done(self.seen(expected).await?))
    }

    /// Keeps somebody out no longer. They are not let in by that.
    pub(super) async fn unblock(&mut self, user_id: UserId) -> RoomResult {
        if self.judged().await?.is_none() {
            return Ok(done(None));
        }
        let room = self.room()?;
        let scene = self.scene().await?;
        let Some((there, channel_id)) = scene.room.as_ref().zip(room.phase.channel_id()) else {
            return Err(super::CommandError::nowhere().into());
        };
        if !is_let_in(&there.overwrites, user_id)
            && let Some(change) = forget(&there.overwrites, user_id)
        {
            let changed = self.work().change(channel_id, change).await;
            changed.map_err(|error| self.failed(error))?;
        }
        let request = &self.accepted.request;
        let expected = Expectation::Done(request.actor, request.command.clone());
        Ok(done(self.seen(expected).await?))
    }
}
