//! Invites: signing one, calling it back, and whether one is good.

use guildhall_model::{
    ChannelId, GuildId,
    command::{CommandError, CommandErrorCode, InviteClaims, InviteToken, Made},
};
use guildhall_ports::room_store::{InviteId, InviteRecord, RoomNumber, RoomPhase, RoomRecord};

use super::{Act, RoomResult, made, told_apart};
use crate::{
    execute::act::done,
    rooms::{InviteError, RoomTable},
};

/// No invite is good for longer.
const LONGEST: u64 = 30 * 24 * 3_600;

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
                    CommandErrorCode::TooManyInvites,
                    "This room has as many invites as it may (100); revoke some, or all of them.",
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
    // Of a room that is there only those are forgotten that are over, or were called back.
    let invite = rooms.invite(InviteId(claims.id)).ok_or_else(revoked)?;
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
