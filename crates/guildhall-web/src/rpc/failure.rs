//! Why something was not done, as HTTP says it.

use std::time::Duration;

use guildhall_link::{frame::RefusalCode, receiver::Unanswered};
use guildhall_model::command::{CommandError, CommandErrorCode as Code};
use guildhall_ports::rate_limiter::Limited;
use http::StatusCode;

use crate::http::ApiError;

/// A gateway that restarts is back by then.
const SOON: Duration = Duration::from_secs(2);

/// There is no such command.
pub(super) const UNKNOWN_COMMAND: ApiError = ApiError::new(
    StatusCode::NOT_FOUND,
    "unknown_command",
    "There is no such command.",
);

/// What a request names is nowhere, as far as the asker may know.
pub(super) const NOWHERE: ApiError = ApiError::not_found(CommandError::NOWHERE);

/// A program that is nobody asks about itself.
pub(super) const NOBODY: ApiError = ApiError::invalid(
    "You are a program and no person: say whom you mean by userId, or by Guildhall-As.",
);

/// The gateway did not say what it made.
pub(super) const NOTHING_MADE: ApiError = ApiError::new(
    StatusCode::BAD_GATEWAY,
    "unknown",
    "The gateway did not say what was made. What the stream shows tells.",
);

/// The asker is no member of the guild that an invite is into. `sign_in_url`: where that lets them in.
pub(super) fn not_member(sign_in_url: Option<String>) -> ApiError {
    let message = if sign_in_url.is_some() {
        "You are no member of the server that this invite is into. Sign in by the invite to be let in."
    } else {
        "You are no member of the server that this invite is into. Join it in Discord, then sign in \
         here again."
    };
    ApiError {
        sign_in_url: sign_in_url.map(String::into_boxed_str),
        ..ApiError::new(StatusCode::FORBIDDEN, "not_member", message)
    }
}

/// The asker did this too often.
pub(super) fn limited(limited: Limited) -> ApiError {
    ApiError::too_many("You do this too often. Try again later.").retry_in(limited.wait)
}

/// A command was refused, or failed.
pub(super) fn refused(error: CommandError) -> ApiError {
    let (status, code) = in_http(error.code);
    let refused = ApiError {
        message: error.message.into(),
        missing: error.missing,
        ..ApiError::new(status, code, "")
    };
    match error.retry_after_ms {
        Some(ms) => refused.retry_in(Duration::from_millis(ms)),
        None if status == StatusCode::SERVICE_UNAVAILABLE => refused.retry_in(SOON),
        None => refused,
    }
}

/// The gateway did not say what came of a command.
pub(super) fn unanswered(why: Unanswered) -> ApiError {
    match why {
        Unanswered::Down => ApiError::unavailable(
            "The connection to the gateway is down, or was lost meanwhile. The same request with \
             the same Idempotency-Key tells later whether it was done.",
        )
        .retry_in(SOON),
        Unanswered::Busy | Unanswered::Refused(RefusalCode::Busy) => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too many commands wait. Nothing was done.",
        )
        .retry_in(SOON),
        Unanswered::Late | Unanswered::Refused(RefusalCode::Deadline) => ApiError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "deadline",
            "It was not done in time. The same request with the same Idempotency-Key tells later \
             whether it was done.",
        ),
        Unanswered::Refused(
            RefusalCode::UnknownKind | RefusalCode::Malformed | RefusalCode::Other,
        ) => ApiError::unavailable("The gateway does not know this command. Nothing was done.")
            .retry_in(SOON),
    }
}

fn in_http(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
        Code::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        Code::TimedOut => (StatusCode::FORBIDDEN, "timed_out"),
        Code::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        Code::NotInRoom => (StatusCode::CONFLICT, "not_in_room"),
        Code::RoomFull => (StatusCode::CONFLICT, "room_full"),
        Code::NotManaged => (StatusCode::CONFLICT, "not_managed"),
        Code::RoomLocked => (StatusCode::CONFLICT, "room_locked"),
        Code::Blocked => (StatusCode::FORBIDDEN, "blocked"),
        Code::InviteInvalid => (StatusCode::FORBIDDEN, "invite_invalid"),
        Code::InviteExpired => (StatusCode::FORBIDDEN, "invite_expired"),
        Code::InviteRevoked => (StatusCode::FORBIDDEN, "invite_revoked"),
        Code::NoSeatsLeft => (StatusCode::CONFLICT, "no_seats_left"),
        Code::TooManyRooms => (StatusCode::CONFLICT, "too_many_rooms"),
        Code::TooManyInvites => (StatusCode::CONFLICT, "too_many_invites"),
        Code::OwnerPresent => (StatusCode::CONFLICT, "owner_present"),
        Code::BotForbidden => (StatusCode::CONFLICT, "bot_forbidden"),
        Code::Superseded => (StatusCode::CONFLICT, "superseded"),
        Code::KeyReused => (StatusCode::CONFLICT, "key_reused"),
        Code::GuildUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "guild_unavailable"),
        Code::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        Code::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        Code::DiscordFailed => (StatusCode::BAD_GATEWAY, "discord_failed"),
        // Of a word that this build does not know, neither is it known whether it was done.
        Code::Unknown | Code::Other => (StatusCode::BAD_GATEWAY, "unknown"),
        Code::Deadline => (StatusCode::GATEWAY_TIMEOUT, "deadline"),
    }
}
