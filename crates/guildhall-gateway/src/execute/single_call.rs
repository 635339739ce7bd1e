//! Commands that are one request to Discord each. All others are about rooms of ours, and take several
//! steps.

use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{Before, Command, CommandRequest},
};

use crate::discord_rest::{CallTerms, ChannelChange, DiscordRest, RestError};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SingleCall {
    /// `None`: out of voice.
    Move(GuildId, UserId, Option<ChannelId>),
    Rename(ChannelId, String),
    SetLimit(ChannelId, u32),
    /// Empty: none.
    SetStatus(ChannelId, String),
}

impl SingleCall {
    /// `None`: it takes several.
    pub(super) fn of(request: &CommandRequest) -> Option<Self> {
        Some(match &request.command {
            Command::ConnectUserToVoiceChannel {
                guild_id,
                channel_id,
                user_id,
            } => Self::Move(*guild_id, *user_id, Some(*channel_id)),
            Command::Disconnect { guild_id } => Self::Move(*guild_id, request.actor, None),
            Command::KickFromRoom {
                guild_id, user_id, ..
            } => Self::Move(*guild_id, *user_id, None),
            Command::RenameRoom {
                channel_id, name, ..
            } => Self::Rename(*channel_id, name.clone()),
            Command::SetRoomLimit {
                channel_id, limit, ..
            } => Self::SetLimit(*channel_id, *limit),
            Command::SetRoomStatus {
                channel_id, status, ..
            } => Self::SetStatus(*channel_id, status.clone().unwrap_or_default()),
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
            | Command::JoinRoom { .. } => return None,
        })
    }

    /// Has Discord do it.
    pub(super) async fn act(
        &self,
        rest: &DiscordRest,
        terms: &CallTerms<'_>,
    ) -> Result<(), RestError> {
        match self {
            Self::Move(guild_id, user_id, to) => {
                rest.move_member(terms, *guild_id, *user_id, *to).await
            }
            Self::Rename(channel_id, name) => {
                let change = ChannelChange {
                    name: Some(name),
                    user_limit: None,
                };
                rest.modify_channel(terms, *channel_id, change).await
            }
            Self::SetLimit(channel_id, limit) => {
                let change = ChannelChange {
                    name: None,
                    user_limit: Some(*limit),
                };
                rest.modify_channel(terms, *channel_id, change).await
            }
            Self::SetStatus(channel_id, status) => {
                rest.set_voice_status(terms, *channel_id, status).await
            }
        }
    }

    /// What Discord says is so of that which it changes. `None`: Discord has no way to say.
    pub(super) async fn is_now(
        &self,
        rest: &DiscordRest,
        terms: &CallTerms<'_>,
    ) -> Result<Option<Before>, RestError> {
        Ok(Some(match self {
            Self::Move(guild_id, user_id, _) => {
                Before::Room(rest.voice_state(terms, *guild_id, *user_id).await?)
            }
            Self::Rename(channel_id, _) => {
                Before::Name(rest.channel(terms, *channel_id).await?.name)
            }
            Self::SetLimit(channel_id, _) => {
                Before::Limit(rest.channel(terms, *channel_id).await?.user_limit)
            }
            Self::SetStatus(..) => return Ok(None),
        }))
    }
}
