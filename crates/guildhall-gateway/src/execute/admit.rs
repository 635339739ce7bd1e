//! Letting somebody into a guild by an invite: only whoever consented to it in their own login, and
//! only into the invite's guild.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_link::frame::{AdmitDone, AdmitRequestBody, AdmitResult, Admitted, Newcomer};
use guildhall_model::{
    Cursor, GuildId, UserId,
    command::{CommandError, CommandErrorCode},
};

use super::{
    CommandContext,
    act::{genuine, no_seats_left},
    discord_error,
};
use crate::{
    discord_rest::{CallTerms, MemberAdded, RestCaller},
    inbox::About,
};

/// Discord makes nobody wait for longer in a login.
const THROTTLE: Duration = Duration::from_secs(2);

/// Looks at an invite and, where somebody is to be let in by it, lets them into its guild. A seat is
/// taken only by coming into the room.
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
    let user_id = newcomer.as_ref().map(|newcomer| newcomer.user_id);
    let has_one = user_id.is_some_and(|user_id| record.taken.contains(&user_id));
    let seats = record.seats.unwrap_or(u32::MAX) as usize;
    if !has_one && record.taken.len() >= seats {
        return Err(no_seats_left());
    }
    let Some(Newcomer {
        user_id,
        access_token,
    }) = newcomer
    else {
        return Ok(Admitted::Valid.answer());
    };
    let user_id = *user_id;
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
            let needed = &["CREATE_INSTANT_INVITE"];
            return Err(discord_error::of_room(&error, needed, now()));
        }
    };
    let at = tell_rights(context, guild_id, user_id).await;
    Ok(AdmitDone { admitted, at })
}

/// What they were before, which may be no member at all, stands in the log no longer. Returns where it
/// says what they are. Where that can't be found out now it is when they are looked up the next time.
async fn tell_rights(
    context: &CommandContext,
    guild_id: GuildId,
    user_id: UserId,
) -> Option<Cursor> {
    let as_of = now();
    let membership = context.rest.membership(guild_id, user_id).await.ok()?;
    let about = About::MemberIs {
        user_id,
        membership,
        as_of,
    };
    let told = context.worlds.ask(guild_id, about).await.ok()??;
    Some(told.at.into())
}
