//! Dispatches in the shapes of Discord's documentation ("Gateway Events", "Voice", "Channels",
//! "Guild", "User"), with the fields that we do not keep too.

use serde_json::{Value, json};

pub(super) const BOT: u64 = 5;
pub(super) const OWNER: u64 = 7;
pub(super) const ANN: u64 = 80_351_110_224_678_912;
pub(super) const BOB: u64 = 10;
pub(super) const CATEGORY: u64 = 400;
pub(super) const MOON: u64 = 401;
pub(super) const SUN: u64 = 402;
pub(super) const TEXT: u64 = 403;
pub(super) const GATED: u64 = 3;

/// A guild with a category, two rooms in it, a text channel, and nobody in voice.
pub(super) fn guild() -> Value {
    json!({
        "id": "1",
        "name": "Discord Testers",
        "icon": "f64c482b807da4f539cff778d174971c",
        "description": "The official place to report Discord Bugs!",
        "splash": null,
        "discovery_splash": null,
        "features": ["ANIMATED_ICON", "COMMUNITY"],
        "emojis": [],
        "banner": null,
        "owner_id": OWNER.to_string(),
        "application_id": null,
        "region": null,
        "afk_channel_id": null,
        "afk_timeout": 300,
        "system_channel_id": null,
        "widget_enabled": true,
        "verification_level": 3,
        "roles": [role(1, "1049600"), role(GATED, "0")],
        "default_message_notifications": 1,
        "mfa_level": 1,
        "preferred_locale": "en-US",
        "joined_at": "2021-03-31T18:45:31.297561+00:00",
        "large": false,
        "member_count": 3,
        "voice_states": [],
        "members": [member(BOT)],
        "channels": [
            category(CATEGORY, "Voice"), channel(MOON, "The Moon"), channel(SUN, "The Sun"), text(TEXT),
        ],
        "threads": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    })
}

pub(super) fn outage() -> Value {
    json!({ "id": "1", "unavailable": true })
}

pub(super) fn ready(guilds: &[u64]) -> Value {
    let stub = |id: &u64| json!({ "id": id.to_string(), "unavailable": true });
    json!({
        "v": 10,
        "user": user(BOT),
        "guilds": guilds.iter().map(stub).collect::<Vec<_>>(),
        "session_id": "90326bd25d71d39b9ef95b299e3872ff",
        "resume_gateway_url": "wss://us-east1-b.gateway.discord.gg",
        "shard": [0, 1],
        "application": { "id": "5", "flags": 0 },
    })
}

/// A VOICE_STATE_UPDATE.
pub(super) fn voice_state(user_id: u64, channel: Option<u64>) -> Value {
    json!({
        "guild_id": "1",
        "channel_id": channel.map(|id| id.to_string()),
        "user_id": user_id.to_string(),
        "member": member(user_id),
        "session_id": "90326bd25d71d39b9ef95b299e3872ff",
        "deaf": false,
        "mute": false,
        "self_deaf": false,
        "self_mute": false,
        "self_video": false,
        "suppress": false,
        "request_to_speak_timestamp": null,
    })
}

/// A voice state of a GUILD_CREATE: of no guild and without a member.
pub(super) fn partial_voice_state(user_id: u64, channel: u64) -> Value {
    without(
        without(voice_state(user_id, Some(channel)), "guild_id"),
        "member",
    )
}

pub(super) fn member(user_id: u64) -> Value {
    json!({
        "user": user(user_id),
        "nick": null,
        "avatar": null,
        "banner": null,
        "roles": [],
        "joined_at": "2015-04-26T06:26:56.936000+00:00",
        "premium_since": null,
        "deaf": false,
        "mute": false,
        "flags": 0,
        "pending": false,
        "communication_disabled_until": null,
    })
}

/// A GUILD_MEMBER_UPDATE: documented without `flags`.
pub(super) fn member_update(user_id: u64) -> Value {
    with(without(member(user_id), "flags"), "guild_id", "1")
}

pub(super) fn user(user_id: u64) -> Value {
    json!({
        "id": user_id.to_string(),
        "username": format!("user{}", user_id % 1_000),
        "discriminator": "0",
        "global_name": null,
        "avatar": null,
        "bot": user_id == BOT,
        "public_flags": 64,
        "banner": null,
        "accent_color": null,
        "primary_guild": null,
    })
}

pub(super) fn role(id: u64, permissions: &str) -> Value {
    json!({
        "id": id.to_string(),
        "name": format!("role {id}"),
        "color": 3_447_003,
        "colors": { "primary_color": 3_447_003, "secondary_color": null, "tertiary_color": null },
        "hoist": true,
        "icon": null,
        "unicode_emoji": null,
        "position": 1,
        "permissions": permissions,
        "managed": false,
        "mentionable": false,
        "flags": 0,
    })
}

/// A voice channel in the category.
pub(super) fn channel(id: u64, name: &str) -> Value {
    json!({
        "id": id.to_string(),
        "type": 2,
        "guild_id": "1",
        "position": id - 400,
        "permission_overwrites": [],
        "name": name,
        "topic": null,
        "nsfw": false,
        "last_message_id": null,
        "bitrate": 64_000,
        "user_limit": 0,
        "rate_limit_per_user": 0,
        "parent_id": CATEGORY.to_string(),
        "rtc_region": null,
        "flags": 0,
    })
}

pub(super) fn category(id: u64, name: &str) -> Value {
    with(with(channel(id, name), "type", 4), "parent_id", Value::Null)
}

pub(super) fn text(id: u64) -> Value {
    with(channel(id, "general"), "type", 0)
}

/// A channel that the bot may not view, as Discord sends it.
pub(super) fn obfuscated(channel: Value) -> Value {
    let hidden = json!([overwrite(0, 1, "0", "1024")]);
    let channel = with(channel, "name", "___hidden___");
    with(
        with(channel, "permission_overwrites", hidden),
        "flags",
        131_072,
    )
}

pub(super) fn overwrite(kind: u64, id: u64, allow: &str, deny: &str) -> Value {
    json!({ "id": id.to_string(), "type": kind, "allow": allow, "deny": deny })
}

/// The payload with one field set; of a member's `user` by `user.NAME`.
pub(super) fn with(mut payload: Value, field: &str, value: impl Into<Value>) -> Value {
    let (holder, field) = match field.split_once('.') {
        Some((holder, field)) => (&mut payload[holder], field),
        None => (&mut payload, field),
    };
    holder[field] = value.into();
    payload
}

/// The payload without one field.
pub(super) fn without(mut payload: Value, field: &str) -> Value {
    let fields = payload.as_object_mut().expect("payloads are objects");
    fields.remove(field);
    payload
}
