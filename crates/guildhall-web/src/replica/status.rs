//! How fresh the replica is: how Discord stands with the gateway, and the gateway with us.

use std::collections::BTreeSet;

use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{GuildId, UnixMs};
use serde::Serialize;

/// What the replica knows about the road behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The gateway's last word about Discord.
    said: Option<DiscordStatus>,
    link: LinkState,
    /// Since when the link is as it is.
    link_since: UnixMs,
}

/// The link, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LinkState {
    /// Attached and heard from.
    Up,
    /// Not attached.
    Down,
}

/// The payload of `status`, and part of `snapshot` and `resumed`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusPayload {
    /// Discord, as far as this instance can know.
    pub(crate) discord: Discord,
    /// The link to the gateway.
    pub(crate) link: LinkState,
    /// Since when it is so, Unix ms.
    pub(crate) since: UnixMs,
    /// Guilds behind the query that are not live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) guild_ids: Vec<GuildId>,
}

impl Standing {
    /// At the start: no link yet.
    pub(crate) fn unheard() -> Self {
        Self {
            said: None,
            link: LinkState::Down,
            link_since: 0,
        }
    }

    pub(super) fn link(&mut self, state: LinkState, now: UnixMs) {
        if self.link != state || self.link_since == 0 {
            self.link_since = now;
        }
        self.link = state;
    }

    pub(super) fn said(&mut self, status: DiscordStatus) {
        self.said = Some(status);
    }

    /// Whether the gateway is attached.
    pub(crate) fn link_is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Whether the absence of a guild means anything: the gateway said that all have come.
    pub(crate) fn complete(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.complete)
    }

    /// How Discord is, as far as this instance can know: behind a link that is down, unknown.
    pub(crate) fn discord(&self) -> Discord {
        match (&self.said, self.link) {
            (Some(said), LinkState::Up) => said.discord,
            _ => Discord::Unknown,
        }
    }

    /// What a browser is told that may know of these guilds.
    pub(crate) fn payload(&self, guilds: &BTreeSet<GuildId>) -> StatusPayload {
        let since = match (&self.said, self.link) {
            (Some(said), LinkState::Up) => said.since,
            _ => self.link_since,
        };
        let not_live = self.said.iter().flat_map(|said| &said.guild_ids);
        StatusPayload {
            discord: self.discord(),
            link: self.link,
            since,
            guild_ids: not_live.filter(|id| guilds.contains(id)).copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_link_that_is_down_discord_is_unknown() {
        let mut standing = Standing::unheard();
        standing.link(LinkState::Up, 10);
        standing.said(DiscordStatus {
            discord: Discord::Live,
            since: 5,
            guild_ids: vec![GuildId(1), GuildId(2)],
            complete: true,
        });
        let mine = BTreeSet::from([GuildId(2)]);
        let up = standing.payload(&mine);
        assert_eq!((up.discord, up.since), (Discord::Live, 5));
        assert_eq!(up.guild_ids, [GuildId(2)], "others' guilds are not named");

        standing.link(LinkState::Down, 20);
        standing.link(LinkState::Down, 30);
        let down = standing.payload(&mine);
        assert_eq!(
            (down.discord, down.link, down.since),
            (Discord::Unknown, LinkState::Down, 20)
        );
    }
}
