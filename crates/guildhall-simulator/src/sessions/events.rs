//! Every event by name.

/// What a session may be told; docs/simulator.md lists the same.
pub(super) const EVENTS: &[&str] = &[
    "READY",
    "RESUMED",
    "RATE_LIMITED",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_AUDIT_LOG_ENTRY_CREATE",
    "GUILD_BAN_ADD",
    "GUILD_BAN_REMOVE",
    "GUILD_MEMBER_ADD",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
    "GUILD_MEMBERS_CHUNK",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "CHANNEL_PINS_UPDATE",
    "CHANNEL_INFO",
    "THREAD_CREATE",
    "THREAD_UPDATE",
    "THREAD_DELETE",
    "THREAD_LIST_SYNC",
    "THREAD_MEMBER_UPDATE",
    "THREAD_MEMBERS_UPDATE",
    "INVITE_CREATE",
    "INVITE_DELETE",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "MESSAGE_POLL_VOTE_ADD",
    "MESSAGE_POLL_VOTE_REMOVE",
    "TYPING_START",
    "PRESENCE_UPDATE",
    "USER_UPDATE",
    "VOICE_STATE_UPDATE",
    "VOICE_SERVER_UPDATE",
    "VOICE_CHANNEL_STATUS_UPDATE",
    "VOICE_CHANNEL_START_TIME_UPDATE",
    "SOUNDBOARD_SOUNDS",
    "INTERACTION_CREATE",
    "WEBHOOKS_UPDATE",
];

/// Whether there is such an event.
pub(super) fn is_known(name: &str) -> bool {
    EVENTS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_lists_every_event() {
        let page = include_str!("../../../../docs/simulator.md");
        let section = page.split("\n## Events\n").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let mut listed: Vec<_> = section
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| {
                word.bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            })
            .collect();
        let mut events = EVENTS.to_vec();
        listed.sort_unstable();
        events.sort_unstable();
        assert_eq!(listed, events, "docs/simulator.md, Events");
    }
}
