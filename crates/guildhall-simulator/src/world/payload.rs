//! Discord's JSON of each thing: Guild, Channel, Role, Member, User and Voice
//! State objects of its developer documentation, and channel obfuscation.

/// Channels, and what is left of those that the bot may not view.
mod channel;
/// Guilds, and GUILD_CREATE.
mod guild;
/// Threads.
mod thread;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    ChannelKind, Guild, IncomingWebhook, Member, Presence, Role, Table, User, VoiceState, World,
};
use crate::snowflake::{Snowflake, iso};

pub(super) use channel::channel_facts;
pub(super) use channel::partial_channel;
pub(crate) use channel::{channel_dispatch, visible_channels};
pub(super) use guild::guild_facts;
pub(crate) use guild::{guild_create, guild_object, unavailable};
pub(crate) use thread::{
    active_threads, thread_list, thread_member, thread_object, whole_thread_member,
};
pub(super) use thread::{added_member, thread_facts};

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
    /// The author of what a webhook says.
    pub(crate) fn of_webhook(user: &'a User) -> Self {
        Self {
            discriminator: "0000",
            ..Self::new(user)
        }
    }

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

fn without(mut object: Value, names: &[&str]) -> Value {
    if let Some(fields) = object.as_object_mut() {
        for name in names {
            fields.remove(*name);
        }
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

/// Webhook object; whoever comes with its token is not told who made it.
pub(crate) fn webhook_object(
    guild_id: Snowflake,
    webhook: &IncomingWebhook,
    by: Option<&User>,
) -> Value {
    let mut object = json!({
        "id": webhook.id,
        "type": 1,
        "guild_id": guild_id,
        "channel_id": webhook.channel_id,
        "name": webhook.name,
        "avatar": webhook.avatar,
        "token": webhook.token,
        "application_id": webhook.application_id,
    });
    if let Some(user) = by {
        object["user"] = json!(UserObject::new(user));
    }
    object
}

/// Channel object of direct messages.
pub(crate) fn direct_object(direct: &Guild, users: &Table<User>) -> Value {
    let recipient = direct.direct_with.and_then(|id| users.get(id));
    let channel = direct.channels.get(direct.id);
    json!({
        "id": direct.id,
        "type": ChannelKind::Direct,
        "last_message_id": channel.and_then(|channel| channel.last_message_id),
        "last_pin_timestamp": channel.and_then(|channel| channel.last_pin).map(iso),
        "flags": 0,
        "recipients": recipient.map(UserObject::new).into_iter().collect::<Vec<_>>(),
    })
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
