//! Since when a voice channel has been occupied, as VOICE_CHANNEL_START_TIME_UPDATE tells.

use std::collections::BTreeSet;

use serde_json::json;
use time::OffsetDateTime;

use super::{Event, Guild, Intents};
use crate::snowflake::Snowflake;

/// A room's time begins with its first person and ends, with its status, with its
/// last. The bot hears of rooms that it sees.
pub(super) fn settle(
    guild: &mut Guild,
    channels: &BTreeSet<Snowflake>,
    bot: Snowflake,
    now: OffsetDateTime,
) -> Vec<Event> {
    let mut events = Vec::new();
    for id in channels {
        let taken = guild
            .voice_states
            .iter()
            .any(|state| state.channel_id == *id);
        let Some(channel) = guild.channels.get_mut(*id) else {
            continue;
        };
        let mut told = Vec::new();
        if taken != channel.voice_started.is_some() {
            channel.voice_started = taken.then(|| now.unix_timestamp());
            let data = json!({
                "id": id,
                "guild_id": guild.id,
                "voice_start_time": channel.voice_started,
            });
            told.push(("VOICE_CHANNEL_START_TIME_UPDATE", data));
        }
        if !taken && channel.voice_status.take().is_some() {
            let data = json!({"id": id, "guild_id": guild.id, "status": null});
            told.push(("VOICE_CHANNEL_STATUS_UPDATE", data));
        }
        let shown = guild
            .channels
            .get(*id)
            .is_some_and(|channel| guild.shows(channel, bot));
        if shown {
            let event = |(name, data)| Event::new(name, Intents::GUILDS, guild.id, &data);
            events.extend(told.into_iter().map(event));
        }
    }
    events
}

/// The time of every room that has people begins.
pub(super) fn begin(guild: &mut Guild, now: OffsetDateTime) {
    let taken: BTreeSet<_> = guild
        .voice_states
        .iter()
        .map(|state| state.channel_id)
        .collect();
    for channel in guild.channels.iter_mut() {
        channel.voice_started = taken.contains(&channel.id).then(|| now.unix_timestamp());
    }
}
