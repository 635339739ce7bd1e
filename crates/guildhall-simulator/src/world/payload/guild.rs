//! Guild objects, and GUILD_CREATE.

use serde_json::{Value, json};

use super::{
    MemberObject, VoiceStateObject, active_threads, channel::seen_channel, presence, role_object,
};
use crate::{
    snowflake::Snowflake,
    world::{Appears, Guild, Intents, Table, User},
};

/// What the simulator has none of.
const EMPTY: [&str; 3] = [
    "stage_instances",
    "guild_scheduled_events",
    "soundboard_sounds",
];

/// What the audit log tells of a guild.
pub(in crate::world) fn guild_facts(guild: &Guild) -> Value {
    let mut facts = json!({"name": guild.name, "owner_id": guild.owner_id});
    for (name, value) in &guild.settings {
        facts[*name] = value.clone();
    }
    facts
}

/// Guild object, without what only GUILD_CREATE has.
pub(crate) fn guild_object(guild: &Guild) -> Value {
    let mut object = json!({
        "id": guild.id,
        "name": guild.name,
        "icon": guild.icon,
        "splash": null,
        "discovery_splash": null,
        "owner_id": guild.owner_id,
        "afk_channel_id": null,
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 2,
        "roles": guild.roles.iter().map(role_object).collect::<Vec<_>>(),
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": null,
        "system_channel_id": null,
        "system_channel_flags": 0,
        "rules_channel_id": null,
        "max_presences": null,
        "max_members": 500_000,
        "vanity_url_code": null,
        "description": null,
        "banner": null,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": null,
        "safety_alerts_channel_id": null,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": false,
        "widget_enabled": false,
        "widget_channel_id": null,
        "hub_type": null,
        "latest_onboarding_question_id": null,
        "incidents_data": null,
    });
    for (name, value) in &guild.settings {
        object[*name] = value.clone();
    }
    object
}

/// GUILD_CREATE for a session with these intents.
///
/// Members are the bot and whoever is in voice. With GUILD_PRESENCES they are all
/// of them, unless there are more than `large_threshold`: then those who are
/// offline, not in voice, and without a role and a nickname are left out. Voice states come with
/// GUILD_VOICE_STATES only.
pub(crate) fn guild_create(
    guild: &Guild,
    users: &Table<User>,
    bot: Snowflake,
    intents: Intents,
    large_threshold: usize,
    appears: Appears,
) -> Value {
    let large = guild.members.len() > large_threshold;
    let presences = intents.has(Intents::GUILD_PRESENCES);
    let everybody = presences && !large;
    let online = |user_id| {
        let user = users.get(user_id);
        presences && user.is_some_and(|user| !user.presence.is_offline())
    };
    let members: Vec<_> = guild
        .members
        .iter()
        .filter(|member| {
            let id = member.user_id;
            let known = presences && (!member.roles.is_empty() || member.nick.is_some());
            everybody || known || id == bot || guild.voice_states.contains(id) || online(id)
        })
        .filter_map(|member| Some(MemberObject::new(member, users.get(member.user_id)?)))
        .collect();
    let voice_states = if intents.has(Intents::GUILD_VOICE_STATES) {
        voice_states(guild)
    } else {
        Vec::new()
    };
    let channels = guild.channels.iter();
    let channels: Vec<_> = channels
        .map(|channel| seen_channel(guild, channel, bot))
        .collect();
    let mut object = guild_object(guild);
    let own = guild.members.get(bot);
    object["joined_at"] = json!(own.map(|member| member.joined_at.as_str()));
    object["large"] = json!(large);
    // A guild just joined was never unavailable: there the key is missing.
    if appears == Appears::Available {
        object["unavailable"] = json!(false);
    }
    object["member_count"] = json!(guild.members.len());
    object["members"] = json!(members);
    object["voice_states"] = json!(voice_states);
    object["channels"] = json!(channels);
    object["threads"] = json!(active_threads(guild, bot).0);
    let presences: Vec<_> = guild
        .members
        .iter()
        .filter(|member| online(member.user_id))
        .filter_map(|member| users.get(member.user_id).map(presence))
        .collect();
    object["presences"] = json!(presences);
    for empty in EMPTY {
        object[empty] = json!([]);
    }
    object
}

fn voice_states(guild: &Guild) -> Vec<VoiceStateObject<'_>> {
    let states = guild.voice_states.iter();
    states
        .filter_map(|state| {
            let member = guild.members.get(state.user_id)?;
            Some(VoiceStateObject::bare(state, member))
        })
        .collect()
}

/// What READY and outages show of a guild.
pub(crate) fn unavailable(guild_id: Snowflake) -> Value {
    json!({"id": guild_id, "unavailable": true})
}
