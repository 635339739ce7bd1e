//! Letting somebody into a guild by an invite: only whoever consented to it in their own login, and
//! only into the invite's guild.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_link::frame::{AdmitDone, AdmitRequestBody, AdmitResult, Admitted, Newcomer};
use guildhall_model::{
    ChannelId, GuildId, Permissions, UserId,
    command::{CommandError, CommandErrorCode},
    guild::OverwriteTarget,
};

use super::{
    CommandContext,
    act::{genuine, gone, no_seats_left, revoked},
    discord_error, not_live, stopping,
};
use crate::{
    discord_rest::{CallTerms, MemberAdded, RestCaller, RestError},
    inbox::{About, QuestionAnswer},
    rooms::{SeatRefused, SeatTaken},
};

/// Discord makes nobody wait for longer in a login.
const THROTTLE: Duration = Duration::from_secs(2);

/// Looks at an invite and, where somebody is to be let in by it, lets them into its guild, for one of
/// its seats, by which they come into the room later.
pub(super) async fn admit(context: &CommandContext, request: &AdmitRequestBody) -> AdmitResult {
    if !context.rooms.settings().guilds_join {
        return Err(CommandError::new(
            CommandErrorCode::Forbidden,
            "This gateway lets nobody into guilds.",
        ));
    }
    let AdmitRequestBody { invite, newcomer } = request;
    let claims = invite.claims();
    let (guild_id, channel_id) = (claims.guild_id, claims.channel_id);
    let now_ms = context.clock.now();
    let (room, record) = genuine(&context.rooms, invite, guild_id, channel_id, now_ms)?;
    if room.locked {
        return Err(CommandError::new(
            CommandErrorCode::RoomLocked,
            "The room is locked; its owner can open it.",
        ));
    }
    let Some(Newcomer {
        user_id,
        access_token,
    }) = newcomer
    else {
        let seats = record.seats.unwrap_or(u32::MAX) as usize;
        if record.taken.len() >= seats {
            return Err(no_seats_left());
        }
        return Ok(Admitted::Valid.answer());
    };
    let user_id = *user_id;
    if is_blocked(context, guild_id, channel_id, user_id).await? {
        return Err(CommandError::new(
            CommandErrorCode::Blocked,
            "You are kept out of this room; its owner can let you in again.",
        ));
    }
    let rooms = &context.rooms;
    // An invite lets as many into the guild as into the room.
    let seat = rooms.take_seat(record.id, user_id).await;
    let seat = seat.map_err(|why| no_seat(&why))?;
    let terms = CallTerms {
        caller: RestCaller::Command(user_id),
        deadline: now() + context.call_time,
        longest_throttle: THROTTLE,
        reason: None,
    };
    let token = access_token.expose();
    let added = context
        .rest
        .add_member(&terms, guild_id, user_id, token)
        .await;
    let admitted = match added {
        Ok(MemberAdded::Added) => Admitted::Added,
        Ok(MemberAdded::AlreadyMember) => Admitted::Already,
        Err(error) => {
            // Whoever may be a member now keeps it.
            let may_be_in = matches!(error, RestError::Unknown(_));
            if seat == SeatTaken::New && !may_be_in {
                let left = rooms.leave_seat(record.id, user_id).await;
                left.map_err(|_| stopping())?;
            }
            let needed = &["CREATE_INSTANT_INVITE"];
            return Err(discord_error::of_room(&error, needed, now()));
        }
    };
    let at = context.tell_rights(guild_id, user_id).await;
    Ok(AdmitDone { admitted, at })
}

/// Whether the room's owner keeps somebody out of it, who need not be a member. While the room can't be
/// seen as Discord has it nobody knows, and nobody is let in.
async fn is_blocked(
    context: &CommandContext,
    guild_id: GuildId,
    channel_id: ChannelId,
    user_id: UserId,
) -> Result<bool, CommandError> {
    let asked = context.worlds.ask(guild_id, About::Rooms).await;
    let answer = asked.map_err(|_| stopping())?.map(|seen| seen.answer);
    let Some(QuestionAnswer::Rooms(seen)) = answer else {
        return Err(not_live());
    };
    let mut rooms = seen.rooms.iter().filter(|_| seen.live);
    let room = rooms.find(|room| room.channel_id == channel_id);
    let room = room.filter(|room| !room.obfuscated).ok_or_else(not_live)?;
    let named = OverwriteTarget::Member(user_id);
    let mut own = room.overwrites.iter().filter(|one| one.target == named);
    Ok(own.any(|one| one.deny.contains(Permissions::CONNECT)))
}

fn no_seat(why: &SeatRefused) -> CommandError {
    match why {
        SeatRefused::Unknown => gone(),
        SeatRefused::Revoked => revoked(),
        SeatRefused::NoneLeft => no_seats_left(),
        // What can't be kept ends the process by whoever else keeps something.
        SeatRefused::NotKept(_) => stopping(),
    }
}
