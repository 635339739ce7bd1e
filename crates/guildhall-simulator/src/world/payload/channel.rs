//! Channel objects, and what is left of those that the bot may not view.

use serde_json::{Value, json};

use super::{thread::partial_thread, thread_object, without};
use crate::{
    snowflake::{Snowflake, iso},
    world::{Channel, ChannelKind, Guild, Permissions},
};

/// Channel flag: the bot may not view it, what it got is a placeholder.
const CHANNEL_OBFUSCATED: u64 = 1 << 17;
/// The name such a channel has.
const HIDDEN_NAME: &str = "___hidden___";

/// What the audit log tells of a channel.
pub(in crate::world) fn channel_facts(channel: &Channel) -> Value {
    without(
        channel_object(channel),
        &["id", "last_message_id", "last_pin_timestamp"],
    )
}

/// Channel object as the bot may see it, with `guild_id`.
pub(crate) fn channel_dispatch(guild: &Guild, channel: &Channel, bot: Snowflake) -> Value {
    if let Some(thread) = guild.threads.get(channel.id) {
        return thread_object(guild, thread, bot);
    }
    let mut object = seen_channel(guild, channel, bot);
    object["guild_id"] = json!(guild.id);
    object
}

/// The same as a part of its guild.
pub(super) fn seen_channel(guild: &Guild, channel: &Channel, bot: Snowflake) -> Value {
    if guild.shows(channel, bot) {
        channel_object(channel)
    } else {
        obfuscated_channel(guild, channel)
    }
}

/// Channel objects that the bot may see, for REST; hidden ones are left out.
pub(crate) fn visible_channels(guild: &Guild, bot: Snowflake) -> Vec<Value> {
    guild
        .channels
        .iter()
        .filter(|channel| guild.shows(channel, bot))
        .map(|channel| channel_dispatch(guild, channel, bot))
        .collect()
}

fn channel_object(channel: &Channel) -> Value {
    let mut object = json!({
        "id": channel.id,
        "type": channel.kind,
        "name": channel.name,
        "position": channel.position,
        "parent_id": channel.parent_id,
        "permission_overwrites": channel.overwrites,
        "flags": 0,
    });
    match channel.kind {
        ChannelKind::Category => {}
        ChannelKind::Voice | ChannelKind::Stage => {
            object["bitrate"] = json!(channel.settings.bitrate);
            object["user_limit"] = json!(channel.user_limit);
            object["rtc_region"] = json!(channel.settings.rtc_region);
            object["video_quality_mode"] = json!(channel.settings.video_quality_mode);
            object["nsfw"] = json!(channel.settings.nsfw);
            object["rate_limit_per_user"] = json!(channel.settings.rate_limit_per_user);
            tell_last(&mut object, channel);
        }
        ChannelKind::Direct
        | ChannelKind::AnnouncementThread
        | ChannelKind::PublicThread
        | ChannelKind::PrivateThread => {
            tell_last(&mut object, channel);
        }
        ChannelKind::Text | ChannelKind::Announcement | ChannelKind::Forum => {
            object["topic"] = json!(channel.settings.topic);
            object["nsfw"] = json!(channel.settings.nsfw);
            object["rate_limit_per_user"] = json!(channel.settings.rate_limit_per_user);
            tell_last(&mut object, channel);
        }
    }
    for (name, value) in [
        (
            "default_auto_archive_duration",
            channel.settings.default_auto_archive_duration,
        ),
        (
            "default_thread_rate_limit_per_user",
            channel.settings.default_thread_rate_limit_per_user,
        ),
    ] {
        if let Some(value) = value {
            object[name] = json!(value);
        }
    }
    if channel.kind == ChannelKind::Forum {
        object["available_tags"] = json!([]);
        object["default_reaction_emoji"] = Value::Null;
        object["default_sort_order"] = Value::Null;
        object["default_forum_layout"] = json!(0);
    }
    object
}

/// What was said and pinned last.
fn tell_last(object: &mut Value, channel: &Channel) {
    object["last_message_id"] = json!(channel.last_message_id);
    object["last_pin_timestamp"] = json!(channel.last_pin.map(iso));
}

/// Partial Channel object of an interaction, with what somebody may do there.
pub(in crate::world) fn partial_channel(
    guild: &Guild,
    channel: &Channel,
    rights: Permissions,
) -> Value {
    let mut object = match guild.threads.get(channel.id) {
        Some(thread) => partial_thread(guild, thread),
        None if channel.kind == ChannelKind::Direct => json!({
            "id": channel.id,
            "type": channel.kind,
            "last_message_id": channel.last_message_id,
            "last_pin_timestamp": channel.last_pin.map(iso),
            "flags": 0,
        }),
        None => without(channel_object(channel), &["permission_overwrites"]),
    };
    if guild.direct_with.is_none() {
        object["guild_id"] = json!(guild.id);
    }
    object["permissions"] = json!(rights);
    object
}

/// What is left of a channel that the bot may not view: its id, type and place.
fn obfuscated_channel(guild: &Guild, channel: &Channel) -> Value {
    let mut object = channel_object(channel);
    object["name"] = json!(HIDDEN_NAME);
    object["flags"] = json!(CHANNEL_OBFUSCATED);
    object["permission_overwrites"] =
        json!([{"id": guild.id, "type": 0, "allow": "0", "deny": "1024"}]);
    if channel.kind.is_voice() {
        object["user_limit"] = json!(0);
    }
    for secret in ["topic", "last_message_id", "last_pin_timestamp"] {
        if object.get(secret).is_some() {
            object[secret] = Value::Null;
        }
    }
    object
}
