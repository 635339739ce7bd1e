//! Coming in by an invite.

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId,
    command::{CommandError, InviteToken, Judgement},
    guild::{Membership, Overwrite, OverwriteTarget},
};
use guildhall_ports::room_store::{InviteId, InviteRecord, RoomRecord};

use super::{
    Act, Ended, RoomFailure, RoomResult, Scene, StepError,
    invites::{genuine, gone, no_seats_left, revoked},
    overwrites::{OverwriteChange, is_let_in},
    work::back,
};
use crate::{
    discord_rest::RestError,
    execute::{act::done, busy, discord_error},
    inbox::Expectation,
    rooms::{SeatRefused, SeatTaken},
};

impl Act {
    /// By an invite: a seat, then access, then the person. Where one fails, those before it are given
    /// back; who was let in before keeps that.
    pub(super) async fn join_room(&mut self, token: InviteToken) -> RoomResult {
        let request = &self.accepted.request;
        let (guild_id, actor) = (request.command.guild_id(), request.actor);
        let channel_id = self.channel_id();
        let now = self.context.clock.now();
        let (room, invite) = genuine(&self.context.rooms, &token, guild_id, channel_id, now)?;
        let Some(judgement) = self.judged().await? else {
            return Ok(done(None));
        };
        let waits = judgement == Judgement::NotInVoice;
        if waits && self.appears_until.is_none() && !self.may_delay {
            return Err(busy().into());
        }
        let scene = self.scene().await?;
        let there = scene.room.as_ref().ok_or_else(gone)?;
        let mut is_new = false;
        if room.owner_id != actor && !self.is_in_by(&room, &there.overwrites).await? {
            is_new = self.let_in(&room, &invite, channel_id, &scene).await? == SeatTaken::New;
        }
        let until = token.claims().expires_at;
        if waits {
            return Err(RoomFailure::Waiting(self.appears_until.unwrap_or(until)));
        }
        let failure = match self.work().move_to(actor, Some(channel_id)).await {
            Ok(true) => {
                let request = &self.accepted.request;
                let expected = Expectation::Done(request.actor, request.command.clone());
                return Ok(done(self.seen(expected).await?));
            }
            Ok(false) if self.may_delay => {
                return Err(RoomFailure::Waiting(self.appears_until.unwrap_or(until)));
            }
            Ok(false) => busy().into(),
            Err(StepError::Ended(ended)) => return Err(ended.into()),
            Err(error) => self.failed(error),
        };
        if is_new {
            self.shut_out(&room, &invite, channel_id, &scene).await?;
        }
        Err(failure)
    }

    /// Whether the actor is let in already, by name or by the room's role: then no seat is taken, and
    /// nothing is taken back.
    async fn is_in_by(
        &self,
        room: &RoomRecord,
        overwrites: &[Overwrite],
    ) -> Result<bool, RoomFailure> {
        let actor = self.accepted.request.actor;
        let Some(role_id) = room.role_id.filter(|_| !is_let_in(overwrites, actor)) else {
            return Ok(is_let_in(overwrites, actor));
        };
        // Discord is asked: the world hears of others' roles only now and then.
        match self.context.rest.membership(room.guild_id, actor).await {
            Ok(Membership::Member { roles, .. }) => Ok(roles.contains(&role_id)),
            Ok(Membership::Stranger) => Ok(false),
            Err(RestError::Unauthorised) => Err(Ended::TokenRefused.into()),
            Err(error) => Err(discord_error::of_room(&error, &[], now()).into()),
        }
    }

    /// A seat and access; a seat alone is given back.
    async fn let_in(
        &self,
        room: &RoomRecord,
        invite: &InviteRecord,
        channel_id: ChannelId,
        scene: &Scene,
    ) -> Result<SeatTaken, RoomFailure> {
        let (rooms, actor) = (&self.context.rooms, self.accepted.request.actor);
        let seat = rooms.take_seat(invite.id, actor).await.map_err(no_seat)?;
        // What an earlier process began may have taken it.
        let is_begun = self.due.is_none() && self.appears_until.is_none();
        let seat = if is_begun { SeatTaken::New } else { seat };
        let work = self.work();
        let given = match (room.role_id, self.access(channel_id, scene)) {
            (Some(role_id), _) => work.give_role(actor, role_id).await,
            (None, Ok(Some(change))) => work.change(channel_id, change).await,
            (None, Ok(None)) => Ok(()),
            (None, Err(error)) => Err(StepError::Failed(error)),
        };
        let Err(error) = given else {
            return Ok(seat);
        };
        if let StepError::Ended(ended) = error {
            return Err(ended.into());
        }
        if seat == SeatTaken::New {
            self.shut_out(room, invite, channel_id, scene).await?;
        }
        Err(self.failed(error))
    }

    /// What lets the actor in by name.
    fn access(
        &self,
        channel_id: ChannelId,
        scene: &Scene,
    ) -> Result<Option<OverwriteChange>, CommandError> {
        let terms = self.overwrite_terms(scene)?;
        let there = scene.room.as_ref().ok_or_else(gone)?;
        debug_assert_eq!(Some(channel_id), self.accepted.request.command.channel_id());
        let target = OverwriteTarget::Member(self.accepted.request.actor);
        Ok(terms.let_in(&there.overwrites, target))
    }

    /// Access first, then the seat: a seat that is free is worth nothing to whoever is still let in.
    /// Where access can't be taken back the seat stays theirs.
    async fn shut_out(
        &self,
        room: &RoomRecord,
        invite: &InviteRecord,
        channel_id: ChannelId,
        scene: &Scene,
    ) -> Result<(), RoomFailure> {
        let (work, actor) = (self.work(), self.accepted.request.actor);
        let before = scene.room.as_ref().map_or(&[][..], |room| &room.overwrites);
        let taken = if let Some(role_id) = room.role_id {
            work.take_role(actor, role_id).await
        } else {
            let back = back(before, OverwriteTarget::Member(actor));
            work.change(channel_id, back).await
        };
        match taken {
            Ok(()) => Ok(self.context.rooms.leave_seat(invite.id, actor).await?),
            Err(StepError::Ended(ended)) => Err(ended.into()),
            Err(_) => Ok(()),
        }
    }

    /// Too old to be done now: who was not let in has no seat.
    pub(super) async fn unjoin(&mut self, token: InviteToken) -> RoomResult {
        let actor = self.accepted.request.actor;
        let scene = self.look().await?;
        let overwrites = scene.room.as_ref().map(|room| &room.overwrites[..]);
        let room = self.context.rooms.by_channel(self.channel_id());
        let is_in = match room.zip(overwrites) {
            Some((room, overwrites)) => self.is_in_by(&room, overwrites).await?,
            None => false,
        };
        if !is_in {
            let id = InviteId(token.claims().id);
            self.context.rooms.leave_seat(id, actor).await?;
        }
        Err(super::create::too_old().into())
    }
}

fn no_seat(why: SeatRefused) -> RoomFailure {
    match why {
        SeatRefused::Unknown => gone().into(),
        SeatRefused::Revoked => revoked().into(),
        SeatRefused::NoneLeft => no_seats_left().into(),
        SeatRefused::NotKept(error) => error.into(),
    }
}
