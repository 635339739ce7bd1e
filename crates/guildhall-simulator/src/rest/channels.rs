//! Channels: made, read, changed, deleted.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::Value;

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    directs,
    form::{Form, Forms},
    overwrites,
    params::Ids,
    threads,
};
use crate::{
    clock,
    limits::{Limiter, RareEdit},
    snowflake::Snowflake,
    state::Shared,
    world::{
        ChannelEdit, ChannelKind, ChannelSettings, Edit, Guild, NewChannel, Permissions,
        channel_dispatch,
    },
};

/// Ids of Discord's voice regions.
pub(super) const REGIONS: [&str; 14] = [
    "brazil",
    "hongkong",
    "india",
    "japan",
    "rotterdam",
    "russia",
    "singapore",
    "south-korea",
    "southafrica",
    "sydney",
    "us-central",
    "us-east",
    "us-south",
    "us-west",
];
/// Channels of one guild, and children of one category.
const MOST_CHANNELS: usize = 500;
const MOST_CHILDREN: usize = 50;

/// What a body says of a channel, whichever route it came to.
struct ChangeRequest {
    name: Option<String>,
    position: Option<u16>,
    parent_id: Edit<Snowflake>,
    user_limit: Option<u32>,
    bitrate: Option<u32>,
    topic: Edit<String>,
    nsfw: Option<bool>,
    rate_limit_per_user: Option<u32>,
    rtc_region: Edit<String>,
    video_quality_mode: Option<u32>,
    default_auto_archive_duration: Option<u32>,
    default_thread_rate_limit_per_user: Option<u32>,
}

impl ChangeRequest {
    fn read(form: &mut Form, kind: ChannelKind) -> Self {
        let (most_users, most_bits) = match kind {
            ChannelKind::Stage => (10_000, 64_000),
            _ => (99, 96_000),
        };
        let name = form.text("name", 1..=100);
        let of_text = matches!(
            kind,
            ChannelKind::Text | ChannelKind::Announcement | ChannelKind::Forum
        );
        Self {
            // Discord writes the names of text channels its own way.
            name: name.map(|name| {
                if of_text {
                    name.to_lowercase().replace(' ', "-")
                } else {
                    name
                }
            }),
            position: form
                .small("position", 0..=u32::from(u16::MAX))
                .and_then(|position| u16::try_from(position).ok()),
            parent_id: form.id("parent_id"),
            user_limit: form.small("user_limit", 0..=most_users),
            bitrate: form.small("bitrate", 8_000..=most_bits),
            topic: form.text_or_null("topic", 0..=1024),
            nsfw: form.flag("nsfw"),
            rate_limit_per_user: form.small("rate_limit_per_user", 0..=21_600),
            rtc_region: region(form),
            video_quality_mode: form.small("video_quality_mode", 1..=2),
            default_auto_archive_duration: threads::archive_duration(
                form,
                "default_auto_archive_duration",
            ),
            default_thread_rate_limit_per_user: form
                .small("default_thread_rate_limit_per_user", 0..=21_600),
        }
    }

    /// What of this Discord lets nobody change often, whether it becomes another or not.
    fn rare_edits(&self) -> Vec<RareEdit> {
        let name = self.name.as_ref().map(|_| RareEdit::Name);
        let topic = (self.topic != Edit::Keep).then_some(RareEdit::Topic);
        name.into_iter().chain(topic).collect()
    }

    fn settings(&mut self, mut now: ChannelSettings) -> ChannelSettings {
        std::mem::take(&mut self.topic).apply(&mut now.topic);
        std::mem::take(&mut self.rtc_region).apply(&mut now.rtc_region);
        now.video_quality_mode = self.video_quality_mode.unwrap_or(now.video_quality_mode);
        now.default_auto_archive_duration = self
            .default_auto_archive_duration
            .or(now.default_auto_archive_duration);
        now.default_thread_rate_limit_per_user = self
            .default_thread_rate_limit_per_user
            .or(now.default_thread_rate_limit_per_user);
        now.nsfw = self.nsfw.unwrap_or(now.nsfw);
        now.bitrate = self.bitrate.unwrap_or(now.bitrate);
        now.rate_limit_per_user = self.rate_limit_per_user.unwrap_or(now.rate_limit_per_user);
        now
    }
}

fn region(form: &mut Form) -> Edit<String> {
    let region = form.text_or_null("rtc_region", 0..=100);
    match region {
        Edit::Set(region) if !REGIONS.contains(&region.as_str()) => {
            let message = format!("Value must be one of {REGIONS:?}.");
            form.wrong(&["rtc_region"], "BASE_TYPE_CHOICES", message);
            Edit::Keep
        }
        other => other,
    }
}

/// `POST /guilds/{guild_id}/channels`: of the types that a guild without features
/// has.
pub(super) async fn create(
    bot: Bot,
    Ids([guild_id]): Ids<1>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    form.must_have("name");
    let kind = match form.small("type", 0..=u32::from(u8::MAX)) {
        None => ChannelKind::Text,
        Some(number) => {
            let known = u8::try_from(number)
                .ok()
                .and_then(|number| number.try_into().ok());
            known.unwrap_or_else(|| {
                let message = "Value must be one of (0, 2, 4, 5, 13, 15).";
                form.wrong(&["type"], "BASE_TYPE_CHOICES", message);
                ChannelKind::Text
            })
        }
    };
    let mut request = ChangeRequest::read(&mut form, kind);
    let asked = overwrites::read(&mut form);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_CHANNELS)?;
        if kind.is_of_communities() {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        if let Some(asked) = &asked {
            overwrites::may_set(call, guild, None, asked)?;
        }
        if guild.channels.len() >= MOST_CHANNELS {
            return Err(ApiError::MOST_CHANNELS);
        }
        check_parent(guild, None, kind, request.parent_id)?;
        let mut parent_id = None;
        request.parent_id.apply(&mut parent_id);
        let new = NewChannel {
            id: None,
            kind,
            name: request.name.take().unwrap_or_default(),
            position: request.position,
            parent_id,
            user_limit: request.user_limit.unwrap_or(0),
            overwrites: asked.unwrap_or_default(),
            settings: request.settings(ChannelSettings::default()),
        };
        let id = call.change(|world| world.create_channel(guild_id, new))?;
        Ok((StatusCode::CREATED, Json(shape(call, guild_id, id))))
    })
}

/// `GET /channels/{channel_id}`
pub(super) async fn read(bot: Bot, Ids([channel_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = call.channel(channel_id)?;
        if guild.direct_with.is_some() {
            return directs::shape(call, channel_id);
        }
        Ok(Json(channel_dispatch(guild, channel, call.bot)))
    })
}

/// `PATCH /channels/{channel_id}`: a name and a topic each only a few times in a long
/// while, while everything else of the channel can still be changed.
pub(super) async fn edit(
    State(limiter): State<Shared<Limiter>>,
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> ApiResult {
    bot.act(|call| {
        let (_, channel) = call.channel(channel_id)?;
        if channel.kind.is_thread() {
            return threads::edit(call, channel_id, form);
        }
        let (guild, channel) = call.guild_channel(channel_id)?;
        let guild_id = guild.id;
        call.needs_in(guild, channel, Permissions::MANAGE_CHANNELS)?;
        let mut request = ChangeRequest::read(&mut form, channel.kind);
        let asked = overwrites::read(&mut form);
        let kind = form.small("type", 0..=u32::from(u8::MAX));
        form.done()?;
        // Only between text and announcements, which no guild here has the feature for.
        if kind.is_some_and(|kind| kind != u32::from(u8::from(channel.kind))) {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        if let Some(asked) = &asked {
            call.needs_in(guild, channel, Permissions::MANAGE_ROLES)?;
            overwrites::may_set(call, guild, Some(channel), asked)?;
        }
        check_parent(guild, channel.parent_id, channel.kind, request.parent_id)?;
        let rare = request.rare_edits();
        let counted = limiter.lock().count_edit(channel_id, &rare, clock::now());
        counted.map_err(ApiError::Throttled)?;
        let edit = ChannelEdit {
            name: request.name.take(),
            position: request.position,
            parent_id: request.parent_id,
            user_limit: request.user_limit,
            overwrites: asked,
            settings: Some(request.settings(channel.settings.clone())),
        };
        call.change(|world| world.edit_channel(channel_id, edit))?;
        Ok(Json(shape(call, guild_id, channel_id)))
    })
}

/// `DELETE /channels/{channel_id}`: answers with what it was.
pub(super) async fn remove(bot: Bot, Ids([channel_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = call.channel(channel_id)?;
        if channel.kind.is_thread() {
            return threads::remove(call, channel_id);
        }
        if guild.direct_with.is_some() {
            // Closed is only what a person sees; what was said stays.
            return directs::shape(call, channel_id);
        }
        call.needs_in(guild, channel, Permissions::MANAGE_CHANNELS)?;
        let was = channel_dispatch(guild, channel, call.bot);
        call.change(|world| world.delete_channel(channel_id))?;
        Ok(Json(was))
    })
}

/// `PATCH /guilds/{guild_id}/channels`: new places for some. With
/// `lock_permissions`, who moves to another category takes over its overwrites.
pub(super) async fn place(
    bot: Bot,
    Ids([guild_id]): Ids<1>,
    Forms(forms): Forms,
) -> Result<StatusCode, ApiError> {
    let mut places = Vec::new();
    for mut form in forms {
        form.must_have("id");
        let id = form.id("id");
        let position = form.small("position", 0..=u32::from(u16::MAX));
        let parent_id = form.id("parent_id");
        let lock = form.flag("lock_permissions").unwrap_or(false);
        form.done()?;
        if let Edit::Set(id) = id {
            places.push((id, position, parent_id, lock));
        }
    }
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_CHANNELS)?;
        let mut edits = Vec::new();
        for (id, position, parent_id, lock) in places {
            let channel = guild.channels.get(id).ok_or(ApiError::UNKNOWN_CHANNEL)?;
            check_parent(guild, channel.parent_id, channel.kind, parent_id)?;
            let parent = match parent_id {
                Edit::Set(parent_id) if lock && channel.parent_id != Some(parent_id) => {
                    guild.channels.get(parent_id)
                }
                _ => None,
            };
            let overwrites = parent.map(|parent| parent.overwrites.clone());
            edits.push((id, position, parent_id, overwrites));
        }
        for (id, position, parent_id, overwrites) in edits {
            let edit = ChannelEdit {
                position: position.and_then(|position| u16::try_from(position).ok()),
                parent_id,
                overwrites,
                ..ChannelEdit::default()
            };
            call.change(|world| world.edit_channel(id, edit))?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `PUT /channels/{channel_id}/voice-status`
pub(super) async fn set_voice_status(
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> Result<StatusCode, ApiError> {
    let status = form.text_or_null("status", 0..=500);
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = call.channel(channel_id)?;
        if channel.kind != ChannelKind::Voice {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        let inside = guild
            .voice_states
            .get(call.bot)
            .is_some_and(|state| state.channel_id == channel_id);
        let mut rights = Permissions::SET_VOICE_CHANNEL_STATUS;
        if !inside {
            rights = rights.union(Permissions::MANAGE_CHANNELS);
        }
        call.needs_in(guild, channel, rights)?;
        let mut text = None;
        status.apply(&mut text);
        let text = text.filter(|text| !text.is_empty());
        call.change(|world| world.set_voice_status(channel_id, text))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// A category that exists, has room, and is asked for by no category.
fn check_parent(
    guild: &Guild,
    present: Option<Snowflake>,
    kind: ChannelKind,
    wanted: Edit<Snowflake>,
) -> Result<(), ApiError> {
    let Edit::Set(parent_id) = wanted else {
        return Ok(());
    };
    let wrong = |code, message| Err(ApiError::field("parent_id", code, message));
    let parent = guild.channels.get(parent_id);
    if parent.is_none_or(|parent| parent.kind != ChannelKind::Category) {
        return wrong("CHANNEL_PARENT_INVALID", "Category does not exist");
    }
    if kind == ChannelKind::Category {
        return wrong(
            "CHANNEL_PARENT_INVALID_TYPE",
            "Categories cannot have a parent channel",
        );
    }
    let children = guild
        .channels
        .iter()
        .filter(|channel| channel.parent_id == Some(parent_id))
        .count();
    if children >= MOST_CHILDREN && present != Some(parent_id) {
        return wrong(
            "CHANNEL_PARENT_MAX_CHANNELS",
            "Maximum number of channels in category reached (50)",
        );
    }
    Ok(())
}

/// The channel as the bot sees it now.
fn shape(call: &Call<'_>, guild_id: Snowflake, id: Snowflake) -> Value {
    call.world
        .guilds
        .get(guild_id)
        .and_then(|guild| Some(channel_dispatch(guild, guild.channels.get(id)?, call.bot)))
        .unwrap_or(Value::Null)
}
