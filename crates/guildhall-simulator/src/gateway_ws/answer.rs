//! What a session is answered: how the bot is shown, member chunks, channel info, sounds, and where
//! the bot's own voice goes.
//!
//! A question about a guild that the bot is not in, or that is another shard's,
//! gets no answer, and neither does the whole member list without GUILD_MEMBERS.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::members;
use crate::{
    sessions::{ChannelField, ChannelInfoRequest, SessionRequest, UpdateVoiceState},
    snowflake::Snowflake,
    state::{Core, Discord},
    world::{Edit, Guild, Permissions, VoiceEdit, event_text},
};

/// Answers a session of this simulator.
pub(super) async fn answer(
    discord: &Discord,
    session_id: &str,
    request: SessionRequest,
    now: Instant,
) {
    match request {
        SessionRequest::UpdatePresence(presence) => {
            // The bot is there, so nothing is refused.
            let _ = discord.change(now, |world| {
                let bot = world.bot_id();
                world.set_presence(bot, presence)
            });
        }
        SessionRequest::UpdateVoiceState(update) => set_own_voice(discord, session_id, update, now),
        SessionRequest::GuildMembers(request) => {
            members::answer(discord, session_id, request, now).await;
        }
        SessionRequest::SoundboardSounds(guild_ids) => discord.with(|core| {
            for guild_id in guild_ids {
                if core.sessions.receives(&core.world, session_id, guild_id) {
                    let data = json!({"guild_id": guild_id, "soundboard_sounds": []});
                    core.sessions
                        .push_to(session_id, "SOUNDBOARD_SOUNDS", event_text(&data));
                }
            }
        }),
        SessionRequest::ChannelInfo(request) => discord.with(|core| {
            if !core
                .sessions
                .receives(&core.world, session_id, request.guild_id)
            {
                return;
            }
            if let Some(guild) = core.world.bot_guild(request.guild_id) {
                let data = channel_info(guild, core.world.bot_id(), &request);
                core.sessions
                    .push_to(session_id, "CHANNEL_INFO", event_text(&data));
            }
        }),
    }
}

/// Joins, moves or leaves. Where the bot may not connect nothing happens, and neither
/// does it in a guild of another shard.
fn set_own_voice(discord: &Discord, session_id: &str, update: UpdateVoiceState, now: Instant) {
    let receives = |core: &mut Core| {
        core.sessions
            .receives(&core.world, session_id, update.guild_id)
    };
    if !discord.with(receives) {
        return;
    }
    let moved = discord.change(now, |world| {
        let bot = world.bot_id();
        let guild = world
            .bot_guild(update.guild_id)
            .filter(|guild| guild.available);
        let before = guild.and_then(|guild| Some(guild.voice_states.get(bot)?.channel_id));
        let allowed = guild.is_some_and(|guild| {
            update
                .channel_id
                .is_none_or(|id| Some(id) == before || may_connect(guild, id, bot))
        });
        if !allowed || (before.is_none() && update.channel_id.is_none()) {
            return Ok((false, Vec::new()));
        }
        let edit = VoiceEdit {
            channel_id: Edit::from(update.channel_id),
            self_mute: Some(update.self_mute.unwrap_or_default()),
            self_deaf: Some(update.self_deaf.unwrap_or_default()),
            ..VoiceEdit::default()
        };
        let ((), events) = world.set_voice(update.guild_id, bot, edit)?;
        Ok((
            update.channel_id.is_some() && before != update.channel_id,
            events,
        ))
    });
    // There is no voice server here: a null endpoint is how Discord says that none is
    // allocated yet.
    if let Ok(true) = moved {
        discord.with(|core| {
            core.sessions.joined_voice(session_id, update.guild_id);
            let token = core.world.secret().hex();
            let data = json!({"token": token, "guild_id": update.guild_id, "endpoint": null});
            core.sessions
                .push_to(session_id, "VOICE_SERVER_UPDATE", event_text(&data));
        });
    }
}

fn may_connect(guild: &Guild, channel_id: Snowflake, bot: Snowflake) -> bool {
    let Some(channel) = guild.channels.get(channel_id) else {
        return false;
    };
    let permissions = guild.permissions_in(bot, channel);
    let inside = guild
        .voice_states
        .iter()
        .filter(|state| state.channel_id == channel_id)
        .count();
    let limit = usize::try_from(channel.user_limit).unwrap_or(usize::MAX);
    let room = limit == 0 || inside < limit || permissions.has(Permissions::MOVE_MEMBERS);
    channel.kind.is_voice()
        && room
        && permissions.has(Permissions::VIEW_CHANNEL.union(Permissions::CONNECT))
}

/// The voice channels that the bot may view and that have something to say.
fn channel_info(guild: &Guild, bot: Snowflake, request: &ChannelInfoRequest) -> Value {
    let told: Vec<_> = guild
        .channels
        .iter()
        .filter(|channel| channel.kind.is_voice() && guild.shows(channel, bot))
        .filter_map(|channel| {
            let asked = |field| request.fields.contains(&field);
            let status = channel.voice_status.as_ref();
            let status = status.filter(|_| asked(ChannelField::Status));
            let started = channel.voice_started;
            let started = started.filter(|_| asked(ChannelField::VoiceStartTime));
            let mut told = json!({"id": channel.id});
            if let Some(status) = status {
                told["status"] = json!(status);
            }
            if let Some(started) = started {
                told["voice_start_time"] = json!(started);
            }
            (status.is_some() || started.is_some()).then_some(told)
        })
        .collect();
    json!({"guild_id": guild.id, "channels": told})
}
