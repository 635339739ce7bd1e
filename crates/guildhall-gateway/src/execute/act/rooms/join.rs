//! Invites: signing one, calling it back, and coming in by it.

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId, GuildId,
    command::{CommandError, CommandErrorCode, InviteClaims, InviteToken, Judgement, Made},
    guild::{Membership, Overwrite, OverwriteTarget},
};
use guildhall_ports::room_store::{InviteId, InviteRecord, RoomNumber, RoomPhase, RoomRecord};

use super::{
    Act, Ended, RoomFailure, RoomResult, Scene, StepError, made,
    overwrites::{OverwriteChange, is_let_in},
    told_apart,
    work::back,
};
use crate::{
    discord_rest::RestError,
    execute::{act::done, busy, discord_error},
    inbox::Expectation,
    rooms::{InviteError, RoomTable, SeatRefused, SeatTaken},
};

/// No invite is good for longer.
const LONGEST: u64 = 30 * 24 * 3_600;

const THROTTLED: &str = "Discord takes no more of this at the moment; nothing was done.";

impl Act {
    pub(super) async fn create_invite(&mut self, seats: Option<u32>, seconds: u64) -> RoomResult {
        if seats == Some(0) || seconds == 0 || seconds > LONGEST {
            return Err(CommandError::new(
                CommandErrorCode::Invalid,
                format!("An invite has one seat or more, and is good for 1 to {LONGEST} seconds."),
            )
            .into());
        }
        self.judged().await?;
        let room = self.room()?;
        let Some(channel_id) = room.phase.channel_id() else {
            return Err(CommandError::nowhere().into());
        };
        let accepted = &self.accepted;
        let (rooms, asked_at) = (&self.context.rooms, accepted.asked_at);
        // Of one command that comes again after a crash it is one invite.
        let apart = told_apart(accepted.request.actor, asked_at, accepted.id);
        let id = rooms.signer().id_for(room.number, &apart);
        let expires_at = asked_at.saturating_add(seconds.saturating_mul(1_000));
        let claims = InviteClaims {
            guild_id: room.guild_id,
            channel_id,
            room: room.number.0,
            expires_at,
            id: id.0,
        };
        if rooms.invite(id).is_none() {
            let invite = InviteRecord {
                id,
                room: room.number,
                expires_at,
                seats,
                taken: Vec::new(),
                revoked: false,
            };
            let added = rooms.add_invite(invite, self.context.clock.now()).await?;
            if !added {
                return Err(CommandError::new(
                    CommandErrorCode::Busy,
                    "This room has as many invites as it may; revoke some, or all of them.",
                )
                .into());
            }
        }
        let token = rooms.signer().sign(claims);
        Ok(made(None, Made::Invite { token, expires_at }))
    }

    pub(super) async fn revoke_invites(&mut self, token: Option<InviteToken>) -> RoomResult {
        self.judged().await?;
        let room = self.room()?;
        let id = match token {
            // One that is over can be called back all the same.
            Some(token) => Some(InviteId(self.signed(&token, &room, 0)?.id)),
            None => None,
        };
        self.context.rooms.revoke(room.number, id).await?;
        Ok(done(None))
    }

    fn signed(
        &self,
        token: &InviteToken,
        room: &RoomRecord,
        now: u64,
    ) -> Result<InviteClaims, CommandError> {
        let Some(channel_id) = room.phase.channel_id() else {
            return Err(gone());
        };
        let signer = self.context.rooms.signer();
        signer
            .verify(token, room.guild_id, channel_id, now)
            .map_err(not_valid)
    }

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
            Err(error) => error.failure(THROTTLED, now),
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
        Err(error.failure(THROTTLED, self.context.clock.now()))
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

/// The room and the invite of a token that was signed here, is good now and was not called back.
pub(in crate::execute) fn genuine(
    rooms: &RoomTable,
    token: &InviteToken,
    guild_id: GuildId,
    channel_id: ChannelId,
    now: u64,
) -> Result<(RoomRecord, InviteRecord), CommandError> {
    let claims = rooms
        .signer()
        .verify(token, guild_id, channel_id, now)
        .map_err(not_valid)?;
    let room = rooms.by_channel(channel_id);
    let room = room.filter(|room| {
        room.number == RoomNumber(claims.room) && matches!(room.phase, RoomPhase::Open { .. })
    });
    let room = room.ok_or_else(gone)?;
    let invite = rooms.invite(InviteId(claims.id)).ok_or_else(gone)?;
    if invite.revoked {
        return Err(revoked());
    }
    Ok((room, invite))
}

fn not_valid(error: InviteError) -> CommandError {
    match error {
        InviteError::Expired => CommandError::new(
            CommandErrorCode::InviteExpired,
            "This invite's time is over; ask for another one.",
        ),
        InviteError::Forged => CommandError::new(
            CommandErrorCode::InviteInvalid,
            "This invite was not given here, or not like this.",
        ),
        InviteError::OtherGuild => CommandError::new(
            CommandErrorCode::InviteInvalid,
            "This invite is for another guild.",
        ),
        InviteError::OtherRoom => CommandError::new(
            CommandErrorCode::InviteInvalid,
            "This invite is for another room.",
        ),
    }
}

pub(in crate::execute) fn gone() -> CommandError {
    CommandError::new(
        CommandErrorCode::InviteInvalid,
        "The room of this invite is gone.",
    )
}

pub(in crate::execute) fn revoked() -> CommandError {
    CommandError::new(
        CommandErrorCode::InviteRevoked,
        "This invite was called back.",
    )
}

/// All that it is good for have come.
pub(in crate::execute) fn no_seats_left() -> CommandError {
    CommandError::new(
        CommandErrorCode::NoSeatsLeft,
        "As many as this invite is good for have come by it.",
    )
}

fn no_seat(why: SeatRefused) -> RoomFailure {
    match why {
        SeatRefused::Unknown => gone().into(),
        SeatRefused::Revoked => revoked().into(),
        SeatRefused::NoneLeft => no_seats_left().into(),
        SeatRefused::NotKept(error) => error.into(),
    }
}
