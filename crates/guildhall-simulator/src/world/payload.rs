//! Discord's JSON of each thing: Guild, Channel, Role, Member, User and Voice
//! State objects of its developer documentation, and channel obfuscation.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Channel, ChannelKind, Guild, Intents, Member, Presence, Role, Table, User, VoiceState, World,
};
use crate::snowflake::{Snowflake, iso};

/// Channel flag: the bot may not view it, what it got is a placeholder.
const CHANNEL_OBFUSCATED: u64 = 1 << 17;
/// The name such a channel has.
const HIDDEN_NAME: &str = "___hidden___";

/// User object.
#[derive(Serialize)]
pub(crate) struct UserObject<'a> {
    id: Snowflake,
    username: &'a str,
    discriminator: &'static str,
    global_name: Option<&'a str>,
    avatar: Option<&'a str>,
    avatar_decoration_data: Option<()>,
    banner: Option<()>,
    accent_color: Option<()>,
    bot: bool,
    public_flags: u64,
    primary_guild: Option<()>,
}

impl<'a> UserObject<'a> {
    pub(crate) fn new(user: &'a User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            discriminator: "0",
            global_name: user.global_name.as_deref(),
            avatar: user.avatar.as_deref(),
            avatar_decoration_data: None,
            banner: None,
            accent_color: None,
            bot: user.bot,
            public_flags: 0,
            primary_guild: None,
        }
    }
}

/// Guild Member object.
#[derive(Serialize)]
pub(crate) struct MemberObject<'a> {
    user: UserObject<'a>,
    nick: Option<&'a str>,
    avatar: Option<()>,
    banner: Option<()>,
    roles: &'a [Snowflake],
    joined_at: &'a str,
    premium_since: Option<()>,
    deaf: bool,
    mute: bool,
    flags: u64,
    pending: bool,
    communication_disabled_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Snowflake>,
}

impl<'a> MemberObject<'a> {
    pub(crate) fn new(member: &'a Member, user: &'a User) -> Self {
        Self {
            user: UserObject::new(user),
            nick: member.nick.as_deref(),
            avatar: None,
            banner: None,
            roles: &member.roles,
            joined_at: &member.joined_at,
            premium_since: None,
            deaf: member.deaf,
            mute: member.mute,
            flags: 0,
            pending: false,
            communication_disabled_until: member.timeout.map(iso),
            guild_id: None,
        }
    }

    /// With the `guild_id` of GUILD_MEMBER_ADD and _UPDATE.
    pub(crate) fn in_guild(mut self, guild_id: Snowflake) -> Self {
        self.guild_id = Some(guild_id);
        self
    }
}

/// Voice State object.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Discord's own flags, independent of each other"
)]
pub(crate) struct VoiceStateObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Snowflake>,
    channel_id: Option<Snowflake>,
    user_id: Snowflake,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberObject<'a>>,
    session_id: &'a str,
    deaf: bool,
    mute: bool,
    self_deaf: bool,
    self_mute: bool,
    #[serde(skip_serializing_if = "is_false")]
    self_stream: bool,
    self_video: bool,
    suppress: bool,
    request_to_speak_timestamp: Option<&'a str>,
}

impl<'a> VoiceStateObject<'a> {
    /// As GUILD_CREATE has it: without guild and member.
    pub(crate) fn bare(state: &'a VoiceState, member: &'a Member) -> Self {
        Self {
            guild_id: None,
            channel_id: Some(state.channel_id),
            user_id: state.user_id,
            member: None,
            session_id: &state.session_id,
            deaf: member.deaf,
            mute: member.mute,
            self_deaf: state.self_deaf,
            self_mute: state.self_mute,
            self_stream: state.self_stream,
            self_video: state.self_video,
            suppress: state.suppress,
            request_to_speak_timestamp: state.request_to_speak.as_deref(),
        }
    }

    /// As VOICE_STATE_UPDATE has it.
    pub(crate) fn of_event(
        guild_id: Snowflake,
        state: &'a VoiceState,
        member: &'a Member,
        user: &'a User,
    ) -> Self {
        Self {
            guild_id: Some(guild_id),
            member: Some(MemberObject::new(member, user)),
            ..Self::bare(state, member)
        }
    }

    /// The same, of somebody who is connected nowhere any more.
    pub(crate) fn gone(mut self) -> Self {
        self.channel_id = None;
        self
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Role object.
pub(crate) fn role_object(role: &Role) -> Value {
    let mut object = json!({
        "id": role.id,
        "name": role.name,
        "description": null,
        "color": role.color,
        "colors": {"primary_color": role.color, "secondary_color": null, "tertiary_color": null},
        "hoist": role.hoist,
        "icon": null,
        "unicode_emoji": null,
        "position": role.position,
        "permissions": role.permissions,
        "managed": role.bot_id.is_some(),
        "mentionable": role.mentionable,
        "flags": 0,
    });
    if let Some(bot_id) = role.bot_id {
        object["tags"] = json!({"bot_id": bot_id});
    }
    object
}

/// What the audit log tells of a role: all but its id.
pub(super) fn role_facts(role: &Role) -> Value {
    without(role_object(role), &["id", "flags", "tags"])
}

/// What the audit log tells of a channel.
pub(super) fn channel_facts(channel: &Channel) -> Value {
    without(channel_object(channel), &["id", "last_message_id"])
}

/// What the audit log tells of a guild.
pub(super) fn guild_facts(guild: &Guild) -> Value {
    json!({"name": guild.name, "owner_id": guild.owner_id})
}

fn without(mut object: Value, names: &[&str]) -> Value {
    if let Some(fields) = object.as_object_mut() {
        for name in names {
            fields.remove(*name);
        }
    }
    object
}

/// Channel object as the bot may see it, with `guild_id`.
pub(crate) fn channel_dispatch(guild: &Guild, channel: &Channel, bot: Snowflake) -> Value {
    let mut object = if guild.shows(channel, bot) {
        channel_object(channel)
    } else {
        obfuscated_channel(guild, channel)
    };
    object["guild_id"] = json!(guild.id);
    object
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
            object["last_message_id"] = json!(channel.last_message_id);
        }
        ChannelKind::Text | ChannelKind::Announcement | ChannelKind::Forum => {
            object["topic"] = json!(channel.settings.topic);
            object["nsfw"] = json!(channel.settings.nsfw);
            object["rate_limit_per_user"] = json!(channel.settings.rate_limit_per_user);
            object["last_message_id"] = json!(channel.last_message_id);
        }
    }
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
    for secret in ["topic", "last_message_id"] {
        if object.get(secret).is_some() {
            object[secret] = Value::Null;
        }
    }
    object
}

/// Guild object, without what only GUILD_CREATE has.
pub(crate) fn guild_object(guild: &Guild) -> Value {
    json!({
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
    })
}

/// GUILD_CREATE for a session with these intents.
///
/// Members are the bot and whoever is in voice. With GUILD_PRESENCES they are all
/// of them, unless there are more than `large_threshold`: then those who are
/// offline, not in voice, and without a role and a nickname are left out. Voice states come with GUILD_VOICE_STATES
/// only.
pub(crate) fn guild_create(
    guild: &Guild,
    users: &Table<User>,
    bot: Snowflake,
    intents: Intents,
    large_threshold: usize,
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
    let voice_states: Vec<_> = if intents.has(Intents::GUILD_VOICE_STATES) {
        guild
            .voice_states
            .iter()
            .filter_map(|state| {
                Some(VoiceStateObject::bare(
                    state,
                    guild.members.get(state.user_id)?,
                ))
            })
            .collect()
    } else {
        Vec::new()
    };
    let channels: Vec<_> = guild
        .channels
        .iter()
        .map(|channel| {
            if guild.shows(channel, bot) {
                channel_object(channel)
            } else {
                obfuscated_channel(guild, channel)
            }
        })
        .collect();
    let mut object = guild_object(guild);
    object["joined_at"] = json!(
        guild
            .members
            .get(bot)
            .map(|member| member.joined_at.as_str())
    );
    object["large"] = json!(large);
    object["unavailable"] = json!(false);
    object["member_count"] = json!(guild.members.len());
    object["members"] = json!(members);
    object["voice_states"] = json!(voice_states);
    object["channels"] = json!(channels);
    let presences: Vec<_> = guild
        .members
        .iter()
        .filter(|member| online(member.user_id))
        .filter_map(|member| users.get(member.user_id).map(presence))
        .collect();
    object["presences"] = json!(presences);
    for empty in [
        "threads",
        "stage_instances",
        "guild_scheduled_events",
        "soundboard_sounds",
    ] {
        object[empty] = json!([]);
    }
    object
}

/// Presence as GUILD_CREATE and chunks of members have it: of the user only the id.
pub(crate) fn presence(user: &User) -> Value {
    let Presence { status, activities } = &user.presence;
    let clients = if user.presence.is_offline() {
        json!({})
    } else {
        json!({"desktop": status})
    };
    json!({
        "user": {"id": user.id},
        "status": status,
        "activities": activities,
        "client_status": clients,
    })
}

/// What READY and outages show of a guild.
pub(crate) fn unavailable(guild_id: Snowflake) -> Value {
    json!({"id": guild_id, "unavailable": true})
}

/// The bot's own user, as READY and `GET /users/@me` show it to the bot.
pub(crate) fn current_user(world: &World, user: &User) -> Value {
    let mut object = json!(UserObject::new(user));
    object["flags"] = json!(0);
    object["mfa_enabled"] = json!(user.id == world.bot_id());
    object["locale"] = json!("en-US");
    if user.id == world.bot_id() {
        object["verified"] = json!(true);
        object["email"] = Value::Null;
    } else {
        object["premium_type"] = json!(0);
    }
    object
}
