//! What Discord is asked for, command by command.

use guildhall_model::command::{Before, Command, CommandRequest};

use crate::discord_rest::{CallTerms, ChannelChange, DiscordRest, RestError};

/// Has Discord do a command.
pub(super) async fn act(
    rest: &DiscordRest,
    terms: &CallTerms<'_>,
    request: &CommandRequest,
) -> Result<(), RestError> {
    match &request.command {
        Command::ConnectUserToVoiceChannel {
            guild_id,
            channel_id,
            user_id,
        } => {
            let to = Some(*channel_id);
            rest.move_member(terms, *guild_id, *user_id, to).await
        }
        Command::Disconnect { guild_id } => {
            rest.move_member(terms, *guild_id, request.actor, None)
                .await
        }
        Command::KickFromRoom {
            guild_id, user_id, ..
        } => rest.move_member(terms, *guild_id, *user_id, None).await,
        Command::RenameRoom {
            channel_id, name, ..
        } => {
            let change = ChannelChange {
                name: Some(name),
                user_limit: None,
            };
            rest.modify_channel(terms, *channel_id, change).await
        }
        Command::SetRoomLimit {
            channel_id, limit, ..
        } => {
            let change = ChannelChange {
                name: None,
                user_limit: Some(*limit),
            };
            rest.modify_channel(terms, *channel_id, change).await
        }
        Command::SetRoomStatus {
            channel_id, status, ..
        } => {
            let status = status.as_deref().unwrap_or_default();
            rest.set_voice_status(terms, *channel_id, status).await
        }
        // Done in several steps.
        Command::CreateRoom { .. }
        | Command::EnterLobby { .. }
        | Command::LockRoom { .. }
        | Command::HideRoom { .. }
        | Command::TransferRoom { .. }
        | Command::ClaimRoom { .. }
        | Command::CloseRoom { .. }
        | Command::BlockFromRoom { .. }
        | Command::UnblockFromRoom { .. }
        | Command::CreateInvite { .. }
        | Command::RevokeInvites { .. }
        | Command::JoinRoom { .. } => Ok(()),
    }
}

/// Asks Discord whether it is as a command wants it. `None`: Discord has no way to say.
pub(super) async fn is_so(
    rest: &DiscordRest,
    terms: &CallTerms<'_>,
    request: &CommandRequest,
) -> Result<Option<bool>, RestError> {
    let command = &request.command;
    let is_now = match command {
        // Of what Guildhall alone keeps Discord knows nothing.
        Command::SetRoomStatus { .. }
        | Command::CreateRoom { .. }
        | Command::LockRoom { .. }
        | Command::HideRoom { .. }
        | Command::TransferRoom { .. }
        | Command::ClaimRoom { .. }
        | Command::CloseRoom { .. }
        | Command::BlockFromRoom { .. }
        | Command::UnblockFromRoom { .. }
        | Command::CreateInvite { .. }
        | Command::RevokeInvites { .. } => return Ok(None),
        Command::RenameRoom { channel_id, .. } => {
            Before::Name(rest.channel(terms, *channel_id).await?.name)
        }
        Command::SetRoomLimit { channel_id, .. } => {
            Before::Limit(rest.channel(terms, *channel_id).await?.user_limit)
        }
        Command::ConnectUserToVoiceChannel { .. }
        | Command::KickFromRoom { .. }
        | Command::EnterLobby { .. }
        | Command::JoinRoom { .. }
        | Command::Disconnect { .. } => {
            let user_id = command.moves(request.actor).unwrap_or(request.actor);
            let there = rest.voice_state(terms, command.guild_id(), user_id).await?;
            Before::Room(there)
        }
    };
    Ok(Some(is_now.is_after(command, request.actor)))
}
