//! What Discord's errors mean to whoever gave the command.

use std::time::Instant;

use guildhall_model::command::{Command, CommandError, CommandErrorCode};
use guildhall_ports::millis;

use crate::discord_rest::{
    DiscordRefusal, RestError,
    error_code::{
        INVALID_FORM, MISSING_ACCESS, MISSING_PERMISSIONS, MOST_CHANNELS, MOST_OVERWRITES,
        MOST_ROLES, NEEDS_TWO_FACTORS, UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MEMBER,
        UNKNOWN_USER, UNKNOWN_VOICE_STATE,
    },
};

/// What is told where Discord makes somebody wait.
pub(super) const THROTTLED: &str = "Discord takes no more of this at the moment; nothing was done.";

/// As the person is told. Errors that are not final for the command are the caller's.
pub(super) fn translated(error: &RestError, command: &Command, now: Instant) -> CommandError {
    of_room(error, needed_of_the_bot(command), now)
}

/// The same. `needed`: what Discord demands of the bot for it.
pub(super) fn of_room(
    error: &RestError,
    needed: &'static [&'static str],
    now: Instant,
) -> CommandError {
    match error {
        RestError::Refused(refusal) => refused(refusal, needed),
        RestError::Throttled { until } | RestError::Overloaded { until } => {
            CommandError::new(CommandErrorCode::Busy, THROTTLED)
                .retry_after_ms(millis(until.saturating_duration_since(now)))
        }
        RestError::Unreachable(_) => CommandError::new(
            CommandErrorCode::DiscordFailed,
            "Discord did not answer; nothing was done.",
        )
        .retry_after_ms(1_000),
        RestError::Unknown(_) | RestError::Unauthorised => super::unknown(),
    }
}

fn refused(refusal: &DiscordRefusal, needed: &[&str]) -> CommandError {
    let not_found = |what| CommandError::new(CommandErrorCode::NotFound, what);
    let too_many = |what| CommandError::new(CommandErrorCode::TooManyRooms, what);
    match refusal.code {
        MISSING_PERMISSIONS => lacks(needed, " or "),
        MISSING_ACCESS => lacks(&["VIEW_CHANNEL", "CONNECT"], " or "),
        MOST_ROLES => too_many(
            "The guild has as many roles as Discord lets it have (250); whoever manages them can \
             delete some.",
        ),
        MOST_CHANNELS => too_many(
            "The guild has as many channels as Discord lets it have (500); whoever manages them can \
             delete some.",
        ),
        MOST_OVERWRITES => too_many(
            "The room names as many people and roles as Discord lets it (1,000); its owner can close \
             it and make another one.",
        ),
        NEEDS_TWO_FACTORS => CommandError::new(
            CommandErrorCode::BotForbidden,
            "This guild demands two-factor authentication, and the bot's owner has none: they can \
             turn it on.",
        ),
        UNKNOWN_CHANNEL | UNKNOWN_GUILD => not_found("Discord knows no such room any more."),
        UNKNOWN_MEMBER | UNKNOWN_USER => not_found("That person is no member of the guild."),
        UNKNOWN_VOICE_STATE => {
            CommandError::new(CommandErrorCode::NotInRoom, "That person is not in voice.")
        }
        INVALID_FORM => {
            let fields = refusal.form.iter();
            let said: Vec<String> = fields
                .map(|wrong| format!("{}: {}", wrong.field, wrong.message))
                .collect();
            let said = format!("Discord refuses these values. {}", said.join(" "));
            CommandError::new(CommandErrorCode::Invalid, said.trim_end())
        }
        code => CommandError::new(
            CommandErrorCode::DiscordFailed,
            format!("Discord refused it (HTTP {}, code {code}).", refusal.status),
        ),
    }
}

/// The bot lacks all of these.
pub(super) fn bot_lacks(permissions: &[&str]) -> CommandError {
    lacks(permissions, " and ")
}

fn lacks(permissions: &[&str], between: &str) -> CommandError {
    let named = permissions.join(between);
    CommandError::new(
        CommandErrorCode::BotForbidden,
        format!(
            "The bot lacks {named} there; whoever manages the guild's roles can give it to the bot."
        ),
    )
    .missing(permissions)
}

/// What Discord demands of the bot.
pub(super) fn needed_of_the_bot(command: &Command) -> &'static [&'static str] {
    match command {
        Command::ConnectUserToVoiceChannel { .. } => &["MOVE_MEMBERS", "CONNECT"],
        Command::Disconnect { .. } | Command::KickFromRoom { .. } => &["MOVE_MEMBERS"],
        Command::RenameRoom { .. } | Command::SetRoomLimit { .. } | Command::CloseRoom { .. } => {
            &["MANAGE_CHANNELS"]
        }
        Command::CreateRoom { .. } | Command::EnterLobby { .. } => {
            &["MANAGE_CHANNELS", "MANAGE_ROLES", "MOVE_MEMBERS"]
        }
        Command::JoinRoom { .. } | Command::BlockFromRoom { .. } => {
            &["MANAGE_ROLES", "MOVE_MEMBERS"]
        }
        Command::LockRoom { .. }
        | Command::HideRoom { .. }
        | Command::TransferRoom { .. }
        | Command::ClaimRoom { .. }
        | Command::UnblockFromRoom { .. } => &["MANAGE_ROLES"],
        Command::CreateInvite { .. } | Command::RevokeInvites { .. } => &[],
        Command::SetRoomStatus { .. } => &["SET_VOICE_CHANNEL_STATUS", "MANAGE_CHANNELS"],
    }
}
