//! What is asked and done outside the task.

use std::time::Duration;

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId, GuildId,
    command::{CommandError, CommandResult},
};
use metrics::counter;
use tracing::info;

use crate::{
    discord_rest::{CallTerms, RestCaller},
    execute::{CommandContext, Executor, OwnCommand},
    inbox::{About, GuildSeen, QuestionAnswer, RoomOccupancy},
    upkeep::{idle_notices::IdleNotice, lobbies::Guest},
};

/// A command of the gateway's own is begun within this.
const BEGUN: Duration = Duration::from_secs(30);
/// A message is written within this, or not at all.
const WRITTEN: Duration = Duration::from_secs(15);
/// So long may Discord make it wait.
const THROTTLE: Duration = Duration::from_secs(5);

/// Something to be done.
pub(super) enum Errand {
    /// To see who is in these rooms.
    Look(GuildId, Vec<ChannelId>),
    /// To say of a room that it is idle, or not any more.
    Say(IdleNotice),
    /// To delete a room.
    Delete(GuildId, ChannelId),
    /// To give somebody a room.
    Serve(Guest),
    /// To tell somebody why they have none.
    Tell(Guest, CommandError),
}

/// What came of it.
pub(super) enum ErrandEnd {
    /// `None`: this gateway does not serve that guild.
    Looked(GuildId, Option<GuildSeen<RoomOccupancy>>),
    Said,
    NotDeleted(ChannelId),
    Served(Guest, Result<(), CommandError>),
    Done,
    /// The gateway is.
    Stopping,
}

impl Errand {
    /// Commands have their places in the order when this returns.
    pub(super) fn run(
        self,
        context: CommandContext,
        executor: &Executor,
    ) -> impl Future<Output = ErrandEnd> + Send + 'static {
        let command = match &self {
            Self::Delete(guild_id, channel_id) => Some(OwnCommand::DeleteIdle {
                guild_id: *guild_id,
                channel_id: *channel_id,
            }),
            Self::Serve(guest) => Some(OwnCommand::EnterLobby {
                guild_id: guest.guild_id,
                channel_id: guest.lobby,
                user_id: guest.user_id,
            }),
            _ => None,
        };
        let executed = command.map(|command| executor.execute_own(command, now() + BEGUN));
        async move {
            match executed {
                Some(executed) => self.executed(executed.await),
                None => self.asked(&context).await,
            }
        }
    }

    fn executed(self, result: CommandResult) -> ErrandEnd {
        match self {
            Self::Delete(_, channel_id) => match result {
                Ok(_) => {
                    counter!("guildhall_idle_rooms_total", "result" => "deleted").increment(1);
                    ErrandEnd::Done
                }
                Err(error) => {
                    counter!("guildhall_idle_rooms_total", "result" => "kept").increment(1);
                    info!(%error, "[Gateway] The idle room {channel_id} was not deleted");
                    ErrandEnd::NotDeleted(channel_id)
                }
            },
            Self::Serve(guest) => {
                let said = if result.is_ok() { "served" } else { "refused" };
                counter!("guildhall_lobby_joins_total", "result" => said).increment(1);
                ErrandEnd::Served(guest, result.map(drop))
            }
            Self::Look(..) | Self::Say(_) | Self::Tell(..) => ErrandEnd::Done,
        }
    }

    async fn asked(self, context: &CommandContext) -> ErrandEnd {
        match self {
            Self::Look(guild_id, channels) => look(context, guild_id, channels).await,
            Self::Say(notice) => {
                let about = About::Idle {
                    channel_id: notice.channel_id,
                    deletes_at: notice.deletes_at,
                };
                match context.worlds.ask(notice.guild_id, about).await {
                    Ok(_) => ErrandEnd::Said,
                    Err(_) => ErrandEnd::Stopping,
                }
            }
            Self::Tell(guest, error) => {
                tell(context, guest, &error).await;
                ErrandEnd::Done
            }
            Self::Delete(..) | Self::Serve(_) => ErrandEnd::Done,
        }
    }
}

async fn look(context: &CommandContext, guild_id: GuildId, channels: Vec<ChannelId>) -> ErrandEnd {
    let about = About::Occupants { channels };
    match context.worlds.ask(guild_id, about).await {
        Ok(Some(answered)) => match answered.answer {
            QuestionAnswer::Occupants(seen) => ErrandEnd::Looked(guild_id, Some(seen)),
            _ => ErrandEnd::Stopping,
        },
        Ok(None) => ErrandEnd::Looked(guild_id, None),
        Err(_) => ErrandEnd::Stopping,
    }
}

/// One message in the lobby's chat. Nothing depends on it.
async fn tell(context: &CommandContext, guest: Guest, error: &CommandError) {
    let terms = CallTerms {
        caller: RestCaller::Command(guest.user_id),
        deadline: now() + WRITTEN,
        longest_throttle: THROTTLE,
        reason: None,
    };
    let sentence = refusal(guest, error);
    // Of which there is one for each visit; a second one within minutes would be another visit's.
    let nonce = format!("{}-{}", guest.user_id, context.clock.now() / 1_000);
    let nonce: String = nonce.chars().take(25).collect();
    let written = context
        .rest
        .create_message(&terms, guest.lobby, &sentence, &nonce);
    if let Err(why) = written.await {
        info!("[Gateway] Nobody was told why there is no room: {why}");
    }
}

/// Names nobody in a way that calls them: mentions are not allowed in it.
fn refusal(guest: Guest, error: &CommandError) -> String {
    let missing = match &error.missing[..] {
        [] => String::new(),
        missing => format!(" (missing: {})", missing.join(", ")),
    };
    format!(
        "<@{}>: no room could be made for you. {}{missing}",
        guest.user_id, error.message
    )
}

#[cfg(test)]
mod tests {
    use guildhall_model::{UserId, command::CommandErrorCode};

    use super::*;

    #[test]
    fn whoever_has_no_room_is_told_what_is_missing() {
        let guest = Guest {
            guild_id: GuildId(1),
            lobby: ChannelId(2),
            user_id: UserId(3),
        };
        let error = CommandError::new(CommandErrorCode::TooManyRooms, "There are 50 rooms.");
        let expected = "<@3>: no room could be made for you. There are 50 rooms.";
        assert_eq!(refusal(guest, &error), expected);
        let error = CommandError::new(CommandErrorCode::BotForbidden, "The bot may not.");
        let error = error.missing(&["MANAGE_CHANNELS", "MOVE_MEMBERS"]);
        let expected = "<@3>: no room could be made for you. The bot may not. (missing: \
                        MANAGE_CHANNELS, MOVE_MEMBERS)";
        assert_eq!(refusal(guest, &error), expected);
    }
}
