//! What there is to try of each route.

/// What a call takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    /// The bot's token alone.
    Bot,
    /// These permissions.
    Of(u64),
    /// The token in its path.
    Token,
}

/// What the gateway says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tells {
    Event(&'static str),
    Nobody,
}

/// One route that changes something.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) route: &'static str,
    /// Names in braces stand for what is there.
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) right: Right,
    /// What shows it; nothing does where nobody can look.
    pub(crate) shows: &'static str,
    pub(crate) tells: Tells,
}

const fn act(
    route: &'static str,
    path: &'static str,
    body: &'static str,
    right: Right,
    shows: &'static str,
    tells: &'static str,
) -> Act {
    let tells = if tells.is_empty() {
        Tells::Nobody
    } else {
        Tells::Event(tells)
    };
    Act {
        route,
        path,
        body,
        right,
        shows,
        tells,
    }
}

/// The permission with this bit.
const fn bit(place: u32) -> Right {
    Right::Of(1 << place)
}

const BOT: Right = Right::Bot;
const TOKEN: Right = Right::Token;
const GUILD: &str = "/guilds/{guild}";
const MESSAGES: &str = "/channels/{channel}/messages";
const COMMANDS: &str = "/applications/{bot}/commands";
const LOCAL: &str = "/applications/{bot}/guilds/{guild}/commands";
const REACTION: &str = "/channels/{channel}/messages/{other}/reactions";
const OTHER: &str = "/channels/{channel}/messages/{other}";
const WEBHOOK: &str = "/webhooks/{webhook}";
const INSIDE: &str = "/channels/{thread}/thread-members";

/// Everything that changes something.
#[rustfmt::skip]
pub(crate) const CHANGES: &[Act] = &[
    act("PATCH /users/@me", "/users/@me", r#"{"username": "porter"}"#, BOT, "/users/@me", "USER_UPDATE"),
    act("DELETE /users/@me/guilds/{guild_id}", "/users/@me/guilds/{guild}", "", BOT, "/users/@me/guilds", "GUILD_DELETE"),
    act("PATCH /applications/@me", "/applications/@me", r#"{"description": "Keeps the door."}"#, BOT, "/applications/@me", ""),
    act("PUT /applications/{application_id}/role-connections/metadata", "/applications/{bot}/role-connections/metadata", r#"[{"type": 2, "key": "level", "name": "Level", "description": "How far"}]"#, BOT, "/applications/{bot}/role-connections/metadata", ""),
    act("PATCH /guilds/{guild_id}/welcome-screen", "/guilds/{guild}/welcome-screen", r#"{"welcome_channels": [{"channel_id": "{channel}", "description": "Dice"}]}"#, bit(5), "/guilds/{guild}/welcome-screen", ""),
    act("PUT /guilds/{guild_id}/onboarding", "/guilds/{guild}/onboarding", r#"{"default_channel_ids": ["{channel}"]}"#, bit(5), "/guilds/{guild}/onboarding", "GUILD_AUDIT_LOG_ENTRY_CREATE"),
    act("PUT /guilds/{guild_id}/incident-actions", "/guilds/{guild}/incident-actions", r#"{"invites_disabled_until": "2001-01-01T00:00:00Z"}"#, bit(5), GUILD, "GUILD_UPDATE"),
    act("PATCH /guilds/{guild_id}/members/@me/nick", "/guilds/{guild}/members/@me/nick", r#"{"nick": "Porter"}"#, bit(26), "/guilds/{guild}/members/{bot}", "GUILD_MEMBER_UPDATE"),
    act("POST /guilds/{guild_id}/bulk-ban", "/guilds/{guild}/bulk-ban", r#"{"user_ids": ["{user}", "1"]}"#, bit(2), "/guilds/{guild}/bans", "GUILD_BAN_ADD"),
    act("POST /users/@me/channels", "/users/@me/channels", r#"{"recipient_id": "{user}"}"#, BOT, "/sim/state", ""),
    act("DELETE /invites/{code}", "/invites/{invite}", "", Right::Of(1 << 4 | 1 << 5), "/channels/{channel}/invites", "INVITE_DELETE"),
    act("PATCH /guilds/{guild_id}", GUILD, r#"{"name": "Inn"}"#, bit(5), GUILD, "GUILD_UPDATE"),
    act("PATCH /guilds/{guild_id}/widget", "/guilds/{guild}/widget", r#"{"enabled": true}"#, bit(5), "/guilds/{guild}/widget", "GUILD_UPDATE"),
    act("POST /guilds/{guild_id}/prune", "/guilds/{guild}/prune", r#"{"days": 7}"#, bit(1), "/guilds/{guild}/members?limit=1000", "GUILD_MEMBER_REMOVE"),
    act("POST /applications/{application_id}/commands", COMMANDS, r#"{"name": "new", "description": "New"}"#, BOT, COMMANDS, ""),
    act("PUT /applications/{application_id}/commands", COMMANDS, "[]", BOT, COMMANDS, ""),
    act("PATCH /applications/{application_id}/commands/{command_id}", "/applications/{bot}/commands/{command}", r#"{"description": "Dice"}"#, BOT, COMMANDS, ""),
    act("DELETE /applications/{application_id}/commands/{command_id}", "/applications/{bot}/commands/{command}", "", BOT, COMMANDS, ""),
    act("POST /applications/{application_id}/guilds/{guild_id}/commands", LOCAL, r#"{"name": "new", "description": "New"}"#, BOT, LOCAL, ""),
    act("PUT /applications/{application_id}/guilds/{guild_id}/commands", LOCAL, "[]", BOT, LOCAL, ""),
    act("PATCH /applications/{application_id}/guilds/{guild_id}/commands/{command_id}", "/applications/{bot}/guilds/{guild}/commands/{local}", r#"{"description": "There"}"#, BOT, LOCAL, ""),
    act("DELETE /applications/{application_id}/guilds/{guild_id}/commands/{command_id}", "/applications/{bot}/guilds/{guild}/commands/{local}", "", BOT, LOCAL, ""),
    act("POST /channels/{channel_id}/webhooks", "/channels/{channel}/webhooks", r#"{"name": "Crier"}"#, bit(29), "/channels/{channel}/webhooks", "WEBHOOKS_UPDATE"),
    act("PATCH /webhooks/{webhook_id}", WEBHOOK, r#"{"channel_id": "{desk}"}"#, bit(29), WEBHOOK, "WEBHOOKS_UPDATE"),
    act("DELETE /webhooks/{webhook_id}", WEBHOOK, "", bit(29), WEBHOOK, "WEBHOOKS_UPDATE"),
    act("POST /webhooks/{webhook_id}/{token}", "/webhooks/{webhook}/{token}", r#"{"content": "Hear"}"#, TOKEN, MESSAGES, "MESSAGE_CREATE"),
    act("PATCH /webhooks/{webhook_id}/{token}", "/webhooks/{webhook}/{token}", r#"{"name": "Crier"}"#, TOKEN, WEBHOOK, "WEBHOOKS_UPDATE"),
    act("DELETE /webhooks/{webhook_id}/{token}", "/webhooks/{webhook}/{token}", "", TOKEN, WEBHOOK, "WEBHOOKS_UPDATE"),
    act("PATCH /webhooks/{webhook_id}/{token}/messages/{message_id}", "/webhooks/{webhook}/{token}/messages/{news}", r#"{"content": "Heard"}"#, TOKEN, "/channels/{channel}/messages/{news}", "MESSAGE_UPDATE"),
    act("DELETE /webhooks/{webhook_id}/{token}/messages/{message_id}", "/webhooks/{webhook}/{token}/messages/{news}", "", TOKEN, "/channels/{channel}/messages/{news}", "MESSAGE_DELETE"),
    act("POST /channels/{channel_id}/threads", "/channels/{channel}/threads", r#"{"name": "New", "type": 11}"#, bit(35), "/guilds/{guild}/threads/active", "THREAD_CREATE"),
    act("POST /channels/{channel_id}/messages/{message_id}/threads", "/channels/{channel}/messages/{message}/threads", r#"{"name": "New"}"#, bit(35), "/channels/{channel}/messages/{message}", "THREAD_CREATE"),
    act("PUT /channels/{channel_id}/thread-members/@me", "/channels/{theirs}/thread-members/@me", "", BOT, "/channels/{theirs}/thread-members", "THREAD_MEMBERS_UPDATE"),
    act("DELETE /channels/{channel_id}/thread-members/@me", "/channels/{thread}/thread-members/@me", "", BOT, INSIDE, "THREAD_MEMBERS_UPDATE"),
    act("PUT /channels/{channel_id}/thread-members/{user_id}", "/channels/{thread}/thread-members/{member}", "", bit(38), INSIDE, "THREAD_MEMBERS_UPDATE"),
    act("DELETE /channels/{channel_id}/thread-members/{user_id}", "/channels/{thread}/thread-members/{user}", "", bit(34), INSIDE, "THREAD_MEMBERS_UPDATE"),
    act("POST /channels/{channel_id}/polls/{message_id}/expire", "/channels/{channel}/polls/{poll}/expire", "", BOT, "/channels/{channel}/messages/{poll}", "MESSAGE_UPDATE"),
    act("POST /guilds/{guild_id}/channels", "/guilds/{guild}/channels", r#"{"name": "new"}"#, bit(4), "/guilds/{guild}/channels", "CHANNEL_CREATE"),
    act("PATCH /guilds/{guild_id}/channels", "/guilds/{guild}/channels", r#"[{"id": "{channel}", "position": 9}]"#, bit(4), "/guilds/{guild}/channels", "CHANNEL_UPDATE"),
    act("PATCH /channels/{channel_id}", "/channels/{channel}", r#"{"topic": "Dice"}"#, bit(4), "/channels/{channel}", "CHANNEL_UPDATE"),
    act("DELETE /channels/{channel_id}", "/channels/{desk}", "", bit(4), "/guilds/{guild}/channels", "CHANNEL_DELETE"),
    act("PUT /channels/{channel_id}/permissions/{overwrite_id}", "/channels/{channel}/permissions/{role}", r#"{"type": 0, "allow": "2048"}"#, bit(28), "/channels/{channel}", "CHANNEL_UPDATE"),
    act("DELETE /channels/{channel_id}/permissions/{overwrite_id}", "/channels/{desk}/permissions/{role}", "", bit(28), "/channels/{desk}", "CHANNEL_UPDATE"),
    act("PUT /channels/{channel_id}/voice-status", "/channels/{voice}/voice-status", r#"{"status": "Chess"}"#, bit(48), "/sim/state", "VOICE_CHANNEL_STATUS_UPDATE"),
    act("POST /channels/{channel_id}/invites", "/channels/{channel}/invites", r#"{"unique": true}"#, bit(0), "/channels/{channel}/invites", "INVITE_CREATE"),
    act("POST /guilds/{guild_id}/roles", "/guilds/{guild}/roles", r#"{"name": "New"}"#, bit(28), "/guilds/{guild}/roles", "GUILD_ROLE_CREATE"),
    act("PATCH /guilds/{guild_id}/roles", "/guilds/{guild}/roles", r#"[{"id": "{role}", "position": 2}]"#, bit(28), "/guilds/{guild}/roles", "GUILD_ROLE_UPDATE"),
    act("PATCH /guilds/{guild_id}/roles/{role_id}", "/guilds/{guild}/roles/{role}", r#"{"name": "Visitor"}"#, bit(28), "/guilds/{guild}/roles/{role}", "GUILD_ROLE_UPDATE"),
    act("DELETE /guilds/{guild_id}/roles/{role_id}", "/guilds/{guild}/roles/{role}", "", bit(28), "/guilds/{guild}/roles", "GUILD_ROLE_DELETE"),
    act("PATCH /guilds/{guild_id}/members/@me", "/guilds/{guild}/members/@me", r#"{"nick": "Porter"}"#, bit(26), "/guilds/{guild}/members/{bot}", "GUILD_MEMBER_UPDATE"),
    act("PATCH /guilds/{guild_id}/members/{user_id}", "/guilds/{guild}/members/{user}", r#"{"nick": "Wanda"}"#, bit(27), "/guilds/{guild}/members/{user}", "GUILD_MEMBER_UPDATE"),
    act("DELETE /guilds/{guild_id}/members/{user_id}", "/guilds/{guild}/members/{user}", "", bit(1), "/guilds/{guild}/members/{user}", "GUILD_MEMBER_REMOVE"),
    act("PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}", "/guilds/{guild}/members/{member}/roles/{role}", "", bit(28), "/guilds/{guild}/members/{member}", "GUILD_MEMBER_UPDATE"),
    act("DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}", "/guilds/{guild}/members/{user}/roles/{role}", "", bit(28), "/guilds/{guild}/members/{user}", "GUILD_MEMBER_UPDATE"),
    act("PUT /guilds/{guild_id}/bans/{user_id}", "/guilds/{guild}/bans/{user}", "{}", bit(2), "/guilds/{guild}/bans", "GUILD_BAN_ADD"),
    act("DELETE /guilds/{guild_id}/bans/{user_id}", "/guilds/{guild}/bans/{banned}", "", bit(2), "/guilds/{guild}/bans", "GUILD_BAN_REMOVE"),
    act("POST /channels/{channel_id}/typing", "/channels/{channel}/typing", "", bit(11), "", "TYPING_START"),
    act("POST /channels/{channel_id}/messages", MESSAGES, r#"{"content": "more"}"#, bit(11), MESSAGES, "MESSAGE_CREATE"),
    act("POST /channels/{channel_id}/messages/bulk-delete", "/channels/{channel}/messages/bulk-delete", r#"{"messages": ["{message}", "{other}"]}"#, bit(13), MESSAGES, "MESSAGE_DELETE_BULK"),
    act("PATCH /channels/{channel_id}/messages/{message_id}", "/channels/{channel}/messages/{message}", r#"{"content": "changed"}"#, BOT, "/channels/{channel}/messages/{message}", "MESSAGE_UPDATE"),
    act("DELETE /channels/{channel_id}/messages/{message_id}", OTHER, "", bit(13), MESSAGES, "MESSAGE_DELETE"),
    act("PUT /channels/{channel_id}/pins/{message_id}", "/channels/{channel}/pins/{message}", "", bit(51), "/channels/{channel}/pins", "CHANNEL_PINS_UPDATE"),
    act("DELETE /channels/{channel_id}/pins/{message_id}", "/channels/{channel}/pins/{pinned}", "", bit(51), "/channels/{channel}/pins", "CHANNEL_PINS_UPDATE"),
    act("PUT /channels/{channel_id}/messages/pins/{message_id}", "/channels/{channel}/messages/pins/{message}", "", bit(51), "/channels/{channel}/messages/pins", "CHANNEL_PINS_UPDATE"),
    act("DELETE /channels/{channel_id}/messages/pins/{message_id}", "/channels/{channel}/messages/pins/{pinned}", "", bit(51), "/channels/{channel}/messages/pins", "CHANNEL_PINS_UPDATE"),
    act("DELETE /channels/{channel_id}/messages/{message_id}/reactions", REACTION, "", bit(13), OTHER, "MESSAGE_REACTION_REMOVE_ALL"),
    act("DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}", "/channels/{channel}/messages/{other}/reactions/%F0%9F%8E%B2", "", bit(13), OTHER, "MESSAGE_REACTION_REMOVE_EMOJI"),
    act("PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", "/channels/{channel}/messages/{message}/reactions/%F0%9F%8E%B2/@me", "", bit(6), "/channels/{channel}/messages/{message}", "MESSAGE_REACTION_ADD"),
    act("DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", "/channels/{channel}/messages/{other}/reactions/%F0%9F%8E%B2/@me", "", BOT, OTHER, "MESSAGE_REACTION_REMOVE"),
    act("DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}", "/channels/{channel}/messages/{other}/reactions/%F0%9F%8E%B2/{member}", "", bit(13), OTHER, "MESSAGE_REACTION_REMOVE"),
];

/// What is tried by tests of its own: logins, voice states of stages, and answers to
/// interactions.
pub(crate) const ELSEWHERE: &[&str] = &[
    "GET /users/@me/guilds/{guild_id}/member",
    "GET /oauth2/@me",
    "GET /oauth2/authorize",
    "POST /oauth2/token",
    "POST /oauth2/token/revoke",
    "GET /.well-known/oauth-authorization-server",
    "PUT /guilds/{guild_id}/members/{user_id}",
    "PATCH /guilds/{guild_id}/voice-states/{user_id}",
    "POST /interactions/{interaction_id}/{token}/callback",
    "GET /guilds/{guild_id}/widget.json",
    "GET /applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions",
];

/// What reads something that is there.
#[rustfmt::skip]
pub(crate) const READS: &[(&str, &str)] = &[
    ("GET /gateway", "/gateway"),
    ("GET /gateway/bot", "/gateway/bot"),
    ("GET /users/@me", "/users/@me"),
    ("GET /users/{user_id}", "/users/{member}"),
    ("GET /users/@me/guilds", "/users/@me/guilds"),
    ("GET /applications/@me", "/applications/@me"),
    ("GET /oauth2/applications/@me", "/oauth2/applications/@me"),
    ("GET /invites/{code}", "/invites/{invite}"),
    ("GET /voice/regions", "/voice/regions"),
    ("GET /soundboard-default-sounds", "/soundboard-default-sounds"),
    ("GET /sticker-packs", "/sticker-packs"),
    ("GET /sticker-packs/{pack_id}", "/sticker-packs/847199849233514549"),
    ("GET /stickers/{sticker_id}", "/stickers/749054660769218631"),
    ("GET /guilds/{guild_id}", GUILD),
    ("GET /guilds/{guild_id}/preview", "/guilds/{guild}/preview"),
    ("GET /guilds/{guild_id}/widget", "/guilds/{guild}/widget"),
    ("GET /guilds/{guild_id}/welcome-screen", "/guilds/{guild}/welcome-screen"),
    ("GET /guilds/{guild_id}/onboarding", "/guilds/{guild}/onboarding"),
    ("GET /guilds/{guild_id}/vanity-url", "/guilds/{guild}/vanity-url"),
    ("GET /guilds/{guild_id}/regions", "/guilds/{guild}/regions"),
    ("GET /guilds/{guild_id}/prune", "/guilds/{guild}/prune"),
    ("GET /guilds/{guild_id}/audit-logs", "/guilds/{guild}/audit-logs"),
    ("GET /guilds/{guild_id}/threads/active", "/guilds/{guild}/threads/active"),
    ("GET /guilds/{guild_id}/webhooks", "/guilds/{guild}/webhooks"),
    ("GET /guilds/{guild_id}/channels", "/guilds/{guild}/channels"),
    ("GET /guilds/{guild_id}/roles", "/guilds/{guild}/roles"),
    ("GET /guilds/{guild_id}/roles/member-counts", "/guilds/{guild}/roles/member-counts"),
    ("GET /guilds/{guild_id}/roles/{role_id}", "/guilds/{guild}/roles/{role}"),
    ("GET /guilds/{guild_id}/members", "/guilds/{guild}/members?limit=1000"),
    ("GET /guilds/{guild_id}/members/search", "/guilds/{guild}/members/search?query=wanda"),
    ("GET /guilds/{guild_id}/members/{user_id}", "/guilds/{guild}/members/{user}"),
    ("GET /guilds/{guild_id}/bans", "/guilds/{guild}/bans"),
    ("GET /guilds/{guild_id}/bans/{user_id}", "/guilds/{guild}/bans/{banned}"),
    ("GET /guilds/{guild_id}/invites", "/guilds/{guild}/invites"),
    ("GET /guilds/{guild_id}/voice-states/{user_id}", "/guilds/{guild}/voice-states/{user}"),
    ("GET /applications/{application_id}/commands", COMMANDS),
    ("GET /applications/{application_id}/commands/{command_id}", "/applications/{bot}/commands/{command}"),
    ("GET /applications/{application_id}/guilds/{guild_id}/commands", LOCAL),
    ("GET /applications/{application_id}/guilds/{guild_id}/commands/{command_id}", "/applications/{bot}/guilds/{guild}/commands/{local}"),
    ("GET /webhooks/{webhook_id}", WEBHOOK),
    ("GET /webhooks/{webhook_id}/{token}", "/webhooks/{webhook}/{token}"),
    ("GET /webhooks/{webhook_id}/{token}/messages/{message_id}", "/webhooks/{webhook}/{token}/messages/{news}"),
    ("GET /channels/{channel_id}", "/channels/{channel}"),
    ("GET /channels/{channel_id}/webhooks", "/channels/{channel}/webhooks"),
    ("GET /channels/{channel_id}/invites", "/channels/{channel}/invites"),
    ("GET /channels/{channel_id}/messages", MESSAGES),
    ("GET /channels/{channel_id}/messages/{message_id}", OTHER),
    ("GET /channels/{channel_id}/messages/{message_id}/reactions/{emoji}", "/channels/{channel}/messages/{other}/reactions/%F0%9F%8E%B2"),
    ("GET /channels/{channel_id}/pins", "/channels/{channel}/pins"),
    ("GET /channels/{channel_id}/messages/pins", "/channels/{channel}/messages/pins"),
    ("GET /channels/{channel_id}/thread-members", INSIDE),
    ("GET /channels/{channel_id}/thread-members/@me", "/channels/{thread}/thread-members/@me"),
    ("GET /channels/{channel_id}/thread-members/{user_id}", "/channels/{thread}/thread-members/{user}?with_member=true"),
    ("GET /channels/{channel_id}/threads/archived/public", "/channels/{channel}/threads/archived/public"),
    ("GET /channels/{channel_id}/threads/archived/private", "/channels/{channel}/threads/archived/private"),
    ("GET /channels/{channel_id}/users/@me/threads/archived/private", "/channels/{channel}/users/@me/threads/archived/private"),
    ("GET /channels/{channel_id}/polls/{message_id}/answers/{answer_id}", "/channels/{channel}/polls/{poll}/answers/1"),
];

/// Lists of what is never there.
pub(crate) const EMPTY: &[(&str, &str)] = &[
    ("GET /guilds/{guild_id}/emojis", "/guilds/{guild}/emojis"),
    (
        "GET /guilds/{guild_id}/stickers",
        "/guilds/{guild}/stickers",
    ),
    (
        "GET /guilds/{guild_id}/scheduled-events",
        "/guilds/{guild}/scheduled-events",
    ),
    (
        "GET /guilds/{guild_id}/auto-moderation/rules",
        "/guilds/{guild}/auto-moderation/rules",
    ),
    (
        "GET /guilds/{guild_id}/integrations",
        "/guilds/{guild}/integrations",
    ),
    (
        "GET /guilds/{guild_id}/templates",
        "/guilds/{guild}/templates",
    ),
    (
        "GET /guilds/{guild_id}/soundboard-sounds",
        "/guilds/{guild}/soundboard-sounds",
    ),
    (
        "GET /applications/{application_id}/emojis",
        "/applications/{bot}/emojis",
    ),
    (
        "GET /applications/{application_id}/entitlements",
        "/applications/{bot}/entitlements",
    ),
    (
        "GET /applications/{application_id}/skus",
        "/applications/{bot}/skus",
    ),
    (
        "GET /applications/{application_id}/role-connections/metadata",
        "/applications/{bot}/role-connections/metadata",
    ),
    (
        "GET /applications/{application_id}/guilds/{guild_id}/commands/permissions",
        "/applications/{bot}/guilds/{guild}/commands/permissions",
    ),
];
