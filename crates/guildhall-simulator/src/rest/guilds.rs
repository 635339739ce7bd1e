//! Guilds as the bot sees them.

use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::Form,
    params::{Ids, Query},
};
use crate::world::{
    ChannelKind, Edit, Guild, GuildEdit, Permissions, World, guild_object, visible_channels,
};

/// `GET /guilds/{guild_id}`
pub(super) async fn guild(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let mut object = guild_object(guild);
        if query.flag("with_counts") {
            object["approximate_member_count"] = json!(guild.members.len());
            object["approximate_presence_count"] = json!(online(call.world, guild));
        }
        Ok(Json(object))
    })
}

/// `PATCH /guilds/{guild_id}`
pub(super) async fn edit(bot: Bot, Ids([guild_id]): Ids<1>, mut form: Form) -> ApiResult {
    let name = form.text("name", 2..=100);
    let owner_id = match form.id("owner_id") {
        Edit::Set(id) => Some(id),
        Edit::Keep | Edit::Clear => None,
    };
    let icon = form.picture("icon");
    let channels: Vec<_> = CHANNELS.iter().map(|name| (*name, form.id(name))).collect();
    let mut settings = plain_settings(&mut form);
    let features = form.take("features");
    if features.is_some_and(|features| !matches!(&features, Value::Null) && features != json!([])) {
        let message = "No guild has a feature here.";
        form.wrong(&["features"], "SIMULATOR_ABSENT", message);
    }
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        if owner_id.is_some() && guild.owner_id != call.bot {
            return Err(ApiError::NOT_THE_OWNER);
        }
        for (name, channel_id) in channels {
            let value = match channel_id {
                Edit::Keep => continue,
                Edit::Clear => Value::Null,
                Edit::Set(id) => {
                    let channel = guild.channels.get(id).ok_or(ApiError::UNKNOWN_CHANNEL)?;
                    if name == AFK && channel.kind != ChannelKind::Voice {
                        return Err(ApiError::WRONG_CHANNEL_TYPE);
                    }
                    json!(id)
                }
            };
            settings.insert(name, value);
        }
        let icon = match icon {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            // The picture is not kept: another has another hash.
            Edit::Set(()) => Edit::Set(call.world.rng().hex()),
        };
        let edit = GuildEdit {
            name,
            owner_id,
            icon,
            settings,
        };
        call.change(|world| world.edit_guild(guild_id, edit))?;
        object(call, guild_id)
    })
}

fn object(call: &Call<'_>, guild_id: crate::snowflake::Snowflake) -> ApiResult {
    Ok(Json(guild_object(call.guild(guild_id)?)))
}

/// Where those are moved who do nothing in voice, and the seconds after which they are.
const AFK: &str = "afk_channel_id";
const AFK_TIMEOUTS: [u32; 5] = [60, 300, 900, 1800, 3600];

/// Settings of a guild that name one of its channels.
const CHANNELS: [&str; 5] = [
    AFK,
    "system_channel_id",
    "rules_channel_id",
    "public_updates_channel_id",
    "safety_alerts_channel_id",
];

/// Settings of a guild that nothing here depends on.
fn plain_settings(form: &mut Form) -> BTreeMap<&'static str, Value> {
    let mut settings = BTreeMap::new();
    for (name, most) in [
        ("verification_level", 4),
        ("default_message_notifications", 1),
        ("explicit_content_filter", 2),
        ("system_channel_flags", 63),
    ] {
        if let Some(number) = form.small(name, 0..=most) {
            settings.insert(name, json!(number));
        }
    }
    if let Some(seconds) = form.small("afk_timeout", 0..=u32::MAX) {
        if !AFK_TIMEOUTS.contains(&seconds) {
            let message = "Value must be one of (60, 300, 900, 1800, 3600).";
            form.wrong(&["afk_timeout"], "BASE_TYPE_CHOICES", message);
        }
        settings.insert("afk_timeout", json!(seconds));
    }
    for (name, longest) in [("description", 300), ("preferred_locale", 10)] {
        match form.text_or_null(name, 0..=longest) {
            Edit::Keep => {}
            Edit::Clear if name == "preferred_locale" => {
                settings.insert(name, json!("en-US"));
            }
            Edit::Clear => {
                settings.insert(name, Value::Null);
            }
            Edit::Set(text) => {
                settings.insert(name, json!(text));
            }
        }
    }
    if let Some(flag) = form.flag("premium_progress_bar_enabled") {
        settings.insert("premium_progress_bar_enabled", json!(flag));
    }
    settings
}

/// `GET /guilds/{guild_id}/channels`: those the bot may see.
pub(super) async fn channels(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        Ok(Json(json!(visible_channels(guild, call.bot))))
    })
}

/// How many members are not offline.
pub(super) fn online(world: &World, guild: &Guild) -> usize {
    let members = guild.members.iter();
    members
        .filter_map(|member| world.users.get(member.user_id))
        .filter(|user| !user.presence.is_offline())
        .count()
}
