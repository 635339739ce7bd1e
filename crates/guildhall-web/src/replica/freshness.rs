//! How fresh the replica is: whether the gateway hears from Discord, and we from the gateway.

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{
    GuildId, UnixMs,
    event::{Discord, LinkState, StatusPayload},
};

/// What this instance knows about the connections that its replica depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// What the gateway last said about Discord.
    discord_status: Option<DiscordStatus>,
    link: LinkState,
    /// Since when the link is as it is.
    link_since: UnixMs,
}

impl Freshness {
    /// At the start: no link yet.
    pub(crate) fn unknown() -> Self {
        Self {
            discord_status: None,
            link: LinkState::Down,
            link_since: 0,
        }
    }

    pub(crate) fn set_link(&mut self, state: LinkState, now: UnixMs) {
        if self.link != state || self.link_since == 0 {
            self.link_since = now;
        }
        self.link = state;
    }

    pub(crate) fn set_discord(&mut self, status: DiscordStatus) {
        self.discord_status = Some(status);
    }

    /// Whether the gateway is attached.
    pub(crate) fn link_is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Whether the absence of a guild means anything: the gateway said that all have come.
    pub(crate) fn complete(&self) -> bool {
        self.discord_status
            .as_ref()
            .is_some_and(|said| said.complete)
    }

    /// How Discord is, as far as this instance can know: behind a link that is down, unknown.
    pub(crate) fn discord(&self) -> Discord {
        match (&self.discord_status, self.link) {
            (Some(said), LinkState::Up) => said.discord,
            _ => Discord::Unknown,
        }
    }

    /// Whether a guild that is not there will come: it is in an outage, or not all have come.
    pub(crate) fn may_come(&self, id: GuildId) -> bool {
        let missing = |said: &DiscordStatus| !said.complete || said.guild_ids.contains(&id);
        self.discord_status.as_ref().is_none_or(missing)
    }

    /// What a browser gets of it. `may_know`: whether its viewer may know of a guild; `sees_any`:
    /// whether there is one that they see. Discord is not said to be live to whoever sees none as
    /// long as one of theirs may come.
    pub(crate) fn payload(
        &self,
        may_know: impl Fn(GuildId) -> bool,
        sees_any: bool,
    ) -> StatusPayload {
        let not_live = self.discord_status.iter().flat_map(|said| &said.guild_ids);
        let guild_ids: Vec<_> = not_live.copied().filter(|id| may_know(*id)).collect();
        let awaited = !sees_any && (!self.complete() || !guild_ids.is_empty());
        let discord = match self.discord() {
            Discord::Live if awaited => Discord::Unknown,
            discord => discord,
        };
        let since = match (&self.discord_status, self.link) {
            (Some(said), LinkState::Up) => said.since,
            _ => self.link_since,
        };
        StatusPayload {
            discord,
            link: self.link,
            since,
            guild_ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_link_that_is_down_discord_is_unknown() {
        let mut freshness = Freshness::unknown();
        freshness.set_link(LinkState::Up, 10);
        freshness.set_discord(DiscordStatus {
            discord: Discord::Live,
            since: 5,
            guild_ids: vec![GuildId(1), GuildId(2)],
            complete: true,
        });
        let mine = |id| id == GuildId(2);
        let up = freshness.payload(mine, true);
        assert_eq!((up.discord, up.since), (Discord::Live, 5));
        assert_eq!(up.guild_ids, [GuildId(2)], "others' guilds are not named");

        freshness.set_link(LinkState::Down, 20);
        freshness.set_link(LinkState::Down, 30);
        let down = freshness.payload(mine, true);
        assert_eq!(
            (down.discord, down.link, down.since),
            (Discord::Unknown, LinkState::Down, 20)
        );
    }

    #[test]
    fn who_sees_nothing_is_not_told_that_discord_is_live_while_a_guild_of_theirs_may_come() {
        let mut freshness = Freshness::unknown();
        freshness.set_link(LinkState::Up, 10);
        let said = |guild_ids: &[u64], complete| DiscordStatus {
            discord: Discord::Live,
            since: 5,
            guild_ids: guild_ids.iter().map(|id| GuildId(*id)).collect(),
            complete,
        };
        let mine = |id| id == GuildId(2);
        for (guild_ids, complete, sees_any, discord) in [
            (&[][..], false, false, Discord::Unknown),
            (&[2], true, false, Discord::Unknown),
            (&[1], true, false, Discord::Live),
            (&[2], false, true, Discord::Live),
        ] {
            freshness.set_discord(said(guild_ids, complete));
            let payload = freshness.payload(mine, sees_any);
            assert_eq!(
                payload.discord, discord,
                "{guild_ids:?} {complete} {sees_any}"
            );
        }
    }
}
