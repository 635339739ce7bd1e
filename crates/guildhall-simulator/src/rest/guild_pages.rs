//! What greets those who come to a guild, and what guards it: welcome screen, onboarding,
//! vanity URL, incident actions. They are kept and shown; nothing here depends on them.

use axum::Json;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    ApiError, ApiResult,
    caller::Bot,
    form::{Form, as_time},
    params::Ids,
};
use crate::{
    snowflake::{Snowflake, iso},
    world::{Edit, GuildEdit, GuildPage, Permissions, World},
};

/// Channels that a welcome screen shows.
const MOST_WELCOMES: usize = 5;
/// Channels that everybody is given by an onboarding that is on.
const LEAST_DEFAULTS: usize = 7;
/// How far ahead invites and direct messages can be stopped.
const LONGEST_STOP: Duration = Duration::hours(24);

/// `GET /guilds/{guild_id}/welcome-screen`: 10069 until one is made.
pub(super) async fn welcome_screen(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let page = call.guild(guild_id)?.pages.get(&GuildPage::WelcomeScreen);
        let page = page.ok_or(ApiError::UNKNOWN_WELCOME_SCREEN)?;
        Ok(Json(page.clone()))
    })
}

/// `PATCH` of the same
pub(super) async fn edit_welcome_screen(
    bot: Bot,
    Ids([guild_id]): Ids<1>,
    mut form: Form,
) -> ApiResult {
    form.flag("enabled");
    let description = form.text_or_null("description", 0..=140);
    let forms = form.forms("welcome_channels");
    if forms
        .as_ref()
        .is_some_and(|list| list.len() > MOST_WELCOMES)
    {
        let message = format!("Must be {MOST_WELCOMES} or fewer in length.");
        form.wrong(&["welcome_channels"], "BASE_TYPE_MAX_LENGTH", message);
    }
    let channels = forms.map(|forms| {
        let channel = |(place, mut below): (String, Form)| {
            below.must_have("channel_id");
            below.must_have("description");
            let id = match below.id("channel_id") {
                Edit::Set(id) => Some(id),
                Edit::Keep | Edit::Clear => None,
            };
            let shown = json!({
                "channel_id": id,
                "description": below.text("description", 1..=50),
                "emoji_id": below.take("emoji_id"),
                "emoji_name": below.take("emoji_name"),
            });
            form.absorb(&["welcome_channels", &place], below);
            (id, shown)
        };
        forms.into_iter().map(channel).collect::<Vec<_>>()
    });
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        let page = guild.pages.get(&GuildPage::WelcomeScreen).cloned();
        let mut page = page.unwrap_or_else(|| json!({"description": null, "welcome_channels": []}));
        match description {
            Edit::Keep => {}
            Edit::Clear => page["description"] = Value::Null,
            Edit::Set(text) => page["description"] = json!(text),
        }
        if let Some(channels) = channels {
            let known = |id: &Option<Snowflake>| id.is_none_or(|id| guild.channels.contains(id));
            if !channels.iter().all(|(id, _)| known(id)) {
                return Err(ApiError::UNKNOWN_CHANNEL);
            }
            page["welcome_channels"] = channels.into_iter().map(|(_, shown)| shown).collect();
        }
        let kept = page.clone();
        call.change(|world| world.set_page(guild_id, GuildPage::WelcomeScreen, kept))?;
        Ok(Json(page))
    })
}

/// `GET /guilds/{guild_id}/onboarding`
pub(super) async fn onboarding(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let page = call.guild(guild_id)?.pages.get(&GuildPage::Onboarding);
        let page = page.cloned();
        Ok(Json(page.unwrap_or_else(|| no_onboarding(guild_id))))
    })
}

/// `PUT` of the same. One that is on needs seven default channels.
pub(super) async fn set_onboarding(bot: Bot, Ids([guild_id]): Ids<1>, mut form: Form) -> ApiResult {
    let prompts = form.forms("prompts");
    let defaults = form.ids("default_channel_ids");
    let enabled = form.flag("enabled");
    let mode = form.small("mode", 0..=1);
    let prompts = prompts.map(|forms| {
        let prompt = |(place, mut below): (String, Form)| {
            below.must_have("title");
            below.must_have("options");
            let prompt = json!({
                "id": below.take("id"),
                "type": below.small("type", 0..=1).unwrap_or(0),
                "title": below.text("title", 1..=100),
                "single_select": below.flag("single_select").unwrap_or(false),
                "required": below.flag("required").unwrap_or(false),
                "in_onboarding": below.flag("in_onboarding").unwrap_or(false),
                "options": below.take("options"),
            });
            form.absorb(&["prompts", &place], below);
            prompt
        };
        forms.into_iter().map(prompt).collect::<Vec<_>>()
    });
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let rights = Permissions::MANAGE_GUILD.union(Permissions::MANAGE_ROLES);
        call.needs(guild, rights)?;
        let known = |id: &Snowflake| guild.channels.contains(*id);
        if !defaults.iter().flatten().all(known) {
            return Err(ApiError::UNKNOWN_CHANNEL);
        }
        let page = guild.pages.get(&GuildPage::Onboarding).cloned();
        let mut page = page.unwrap_or_else(|| no_onboarding(guild_id));
        if let Some(defaults) = defaults {
            page["default_channel_ids"] = json!(defaults);
        }
        if let Some(enabled) = enabled {
            page["enabled"] = json!(enabled);
        }
        if let Some(mode) = mode {
            page["mode"] = json!(mode);
        }
        let count = page["default_channel_ids"].as_array().map_or(0, Vec::len);
        if page["enabled"] == true && count < LEAST_DEFAULTS {
            return Err(ApiError::NO_ONBOARDING);
        }
        if let Some(prompts) = prompts {
            let prompts = prompts.into_iter();
            page["prompts"] = prompts.map(|one| named(one, call.world)).collect();
        }
        let kept = page.clone();
        call.change(|world| world.set_page(guild_id, GuildPage::Onboarding, kept))?;
        Ok(Json(page))
    })
}

/// A prompt whose id, and whose options' ids, are given where they are missing.
fn named(mut prompt: Value, world: &mut World) -> Value {
    let mut name = |object: &mut Value| {
        if object.is_object() && object["id"].is_null() {
            object["id"] = json!(world.new_id());
        }
    };
    name(&mut prompt);
    let options = prompt["options"].as_array_mut();
    options.into_iter().flatten().for_each(name);
    prompt
}

fn no_onboarding(guild_id: Snowflake) -> Value {
    json!({
        "guild_id": guild_id,
        "prompts": [],
        "default_channel_ids": [],
        "enabled": false,
        "mode": 0,
    })
}

/// `GET /guilds/{guild_id}/vanity-url`: no guild here has one.
pub(super) async fn vanity_url(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        call.needs(call.guild(guild_id)?, Permissions::MANAGE_GUILD)?;
        Ok(Json(json!({"code": null, "uses": 0})))
    })
}

/// `PUT /guilds/{guild_id}/incident-actions`: until when nobody is invited, or written to.
pub(super) async fn set_incidents(bot: Bot, Ids([guild_id]): Ids<1>, mut form: Form) -> ApiResult {
    const STOPS: [&str; 2] = ["invites_disabled_until", "dms_disabled_until"];
    let stops = STOPS.map(|name| (name, form.text_or_null(name, 0..=64)));
    bot.act(|call| {
        let now = call.now;
        let stops = stops.map(|(name, until)| (name, stop(&mut form, name, until, now)));
        form.done()?;
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        let before = guild.settings.get("incidents_data").cloned();
        let mut data = before.filter(Value::is_object).unwrap_or_else(|| {
            json!({
                "invites_disabled_until": null,
                "dms_disabled_until": null,
                "dm_spam_detected_at": null,
                "raid_detected_at": null,
            })
        });
        for (name, until) in stops {
            match until {
                Edit::Keep => {}
                Edit::Clear => data[name] = Value::Null,
                Edit::Set(until) => data[name] = json!(iso(until)),
            }
        }
        let mut edit = GuildEdit::default();
        edit.settings.insert("incidents_data", data.clone());
        call.change(|world| world.edit_guild(guild_id, edit))?;
        Ok(Json(data))
    })
}

fn stop(
    form: &mut Form,
    name: &str,
    until: Edit<String>,
    now: OffsetDateTime,
) -> Edit<OffsetDateTime> {
    let until = match until {
        Edit::Keep => return Edit::Keep,
        Edit::Clear => return Edit::Clear,
        Edit::Set(text) => as_time(form, name, &text),
    };
    match until {
        None => Edit::Keep,
        Some(until) if until - now > LONGEST_STOP => {
            let message = "The time is more than 24 hours ahead.";
            form.wrong(&[name], "BASE_TYPE_MAX_LENGTH", message);
            Edit::Keep
        }
        Some(until) => Edit::Set(until),
    }
}
