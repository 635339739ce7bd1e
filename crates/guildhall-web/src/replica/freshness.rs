//! How fresh the replica is: whether the gateway hears from Discord, log by log, and we from the
//! gateway.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_link::frame::DiscordStatus;
use guildhall_model::{
    GuildId, LogId, UnixMs,
    event::{Discord, LinkState, StatusPayload},
};

/// What this instance knows about the connections that its replica depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// What the gateway last said about Discord behind each log.
    logs: BTreeMap<LogId, DiscordStatus>,
    link: LinkState,
    /// Since when the link is as it is.
    link_since: UnixMs,
}

/// Whose status it is: what their query is about, as far as they may know of it.
#[derive(Debug, Default)]
pub(crate) struct StatusScope {
    /// Guilds that were seen in a log.
    pub(crate) located: Vec<(GuildId, LogId)>,
    /// Guilds that were seen in none.
    pub(crate) awaited: Vec<GuildId>,
    /// Whether there is one that they see.
    pub(crate) sees_any: bool,
}

impl Freshness {
    /// At the start: no link yet.
    pub(crate) fn unknown() -> Self {
        Self {
            logs: BTreeMap::new(),
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

    pub(crate) fn set_discord(&mut self, log: LogId, status: DiscordStatus) {
        self.logs.insert(log, status);
    }

    /// Forgets the logs that are no more.
    pub(crate) fn retain(&mut self, mut is_there: impl FnMut(LogId) -> bool) {
        self.logs.retain(|log, _| is_there(*log));
    }

    /// Whether the gateway is attached.
    pub(crate) fn link_is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Whether the absence of a guild means anything: the gateway said that all have come.
    pub(crate) fn complete(&self) -> bool {
        !self.logs.is_empty() && self.logs.values().all(|said| said.complete)
    }

    /// How Discord is behind the worst of the logs, as far as this instance can know: behind a link
    /// that is down, unknown.
    pub(crate) fn discord(&self) -> Discord {
        match self.link {
            LinkState::Up => worst(self.logs.values()).0,
            LinkState::Down => Discord::Unknown,
        }
    }

    /// Whether a guild that is not there will come: it is in an outage, or not all have come.
    pub(crate) fn may_come(&self, id: GuildId) -> bool {
        let missing = |said: &DiscordStatus| !said.complete || said.guild_ids.contains(&id);
        self.logs.is_empty() || self.logs.values().any(missing)
    }

    /// What a browser gets of it: how Discord is behind the worst of the logs that it is about, and
    /// which of its guilds are not live. Discord is not said to be live to whoever sees no guild as
    /// long as one of theirs may come.
    pub(crate) fn payload(&self, scope: &StatusScope) -> StatusPayload {
        let not_live = self.not_live(scope);
        let behind = self.behind(scope, &not_live);
        let awaited = !scope.sees_any && (!self.complete() || !not_live.is_empty());
        let (discord, since) = match self.link {
            LinkState::Down => (Discord::Unknown, self.link_since),
            LinkState::Up if self.logs.is_empty() => (Discord::Unknown, self.link_since),
            LinkState::Up => match worst(behind.values().copied()) {
                (Discord::Live, since) if awaited => (Discord::Unknown, since),
                worst => worst,
            },
        };
        let mut guild_ids = not_live;
        let some_live = behind.values().any(|said| said.discord == Discord::Live);
        if some_live {
            // The others are live: these are named that are not, by the log that they are in.
            let of_these = scope.located.iter().filter(|(_, log)| {
                let said = behind.get(log);
                said.is_some_and(|said| said.discord != Discord::Live)
            });
            guild_ids.extend(of_these.map(|(id, _)| *id));
        }
        StatusPayload {
            discord,
            link: self.link,
            since,
            guild_ids: guild_ids.into_iter().collect(),
        }
    }

    /// Guilds of theirs that are not live although the connection to Discord is.
    fn not_live(&self, scope: &StatusScope) -> BTreeSet<GuildId> {
        if self.logs.values().all(|said| said.guild_ids.is_empty()) {
            return BTreeSet::new();
        }
        let theirs = scope.located.iter().map(|(id, _)| id).chain(&scope.awaited);
        let theirs: BTreeSet<GuildId> = theirs.copied().collect();
        let not_live = self.logs.values().flat_map(|said| &said.guild_ids);
        not_live.copied().filter(|id| theirs.contains(id)).collect()
    }

    /// The logs that they depend on: where their guilds are, or are said to be still to come. Of
    /// whom nothing is known, any may be theirs.
    fn behind(
        &self,
        scope: &StatusScope,
        not_live: &BTreeSet<GuildId>,
    ) -> BTreeMap<LogId, &DiscordStatus> {
        let located: BTreeSet<LogId> = scope.located.iter().map(|(_, log)| *log).collect();
        let behind = self.logs.iter().filter(|(log, said)| {
            let names = |id: &GuildId| not_live.contains(id);
            located.contains(log) || said.guild_ids.iter().any(names)
        });
        let behind: BTreeMap<LogId, &DiscordStatus> =
            behind.map(|(log, said)| (*log, said)).collect();
        if behind.is_empty() {
            self.logs.iter().map(|(log, said)| (*log, said)).collect()
        } else {
            behind
        }
    }
}

/// How Discord is behind the worst of some logs, and since when: live since the last of them is,
/// otherwise since the first of the worst is as it is.
fn worst<'a>(logs: impl Iterator<Item = &'a DiscordStatus> + Clone) -> (Discord, UnixMs) {
    let rank = |discord: Discord| match discord {
        Discord::Live => 0,
        Discord::Resuming => 1,
        Discord::Down => 2,
        Discord::Unknown => 3,
    };
    let discord = logs.clone().map(|said| said.discord);
    let discord = discord.max_by_key(|discord| rank(*discord));
    let discord = discord.unwrap_or(Discord::Unknown);
    let since = logs
        .filter(|said| said.discord == discord)
        .map(|said| said.since);
    let since = match discord {
        Discord::Live => since.max(),
        Discord::Resuming | Discord::Down | Discord::Unknown => since.min(),
    };
    (discord, since.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: LogId = LogId(0);
    const OTHER: LogId = LogId(5);

    fn said(discord: Discord, since: UnixMs, guild_ids: &[u64]) -> DiscordStatus {
        DiscordStatus {
            discord,
            since,
            guild_ids: guild_ids.iter().map(|id| GuildId(*id)).collect(),
            complete: true,
        }
    }

    /// Of somebody with these guilds, who sees one of them.
    fn scope(located: &[(u64, LogId)]) -> StatusScope {
        StatusScope {
            located: located
                .iter()
                .map(|(id, log)| (GuildId(*id), *log))
                .collect(),
            awaited: Vec::new(),
            sees_any: true,
        }
    }

    fn up() -> Freshness {
        let mut freshness = Freshness::unknown();
        freshness.set_link(LinkState::Up, 10);
        freshness
    }

    #[test]
    fn behind_a_link_that_is_down_discord_is_unknown() {
        let mut freshness = up();
        freshness.set_discord(ONE, said(Discord::Live, 5, &[1, 2]));
        let mine = scope(&[(2, ONE)]);
        let up = freshness.payload(&mine);
        assert_eq!((up.discord, up.since), (Discord::Live, 5));
        assert_eq!(up.guild_ids, [GuildId(2)], "others' guilds are not named");

        freshness.set_link(LinkState::Down, 20);
        freshness.set_link(LinkState::Down, 30);
        let down = freshness.payload(&mine);
        assert_eq!(
            (down.discord, down.link, down.since),
            (Discord::Unknown, LinkState::Down, 20)
        );
        assert_eq!(freshness.discord(), Discord::Unknown);
    }

    #[test]
    fn who_sees_nothing_is_not_told_that_discord_is_live_while_a_guild_of_theirs_may_come() {
        let mut freshness = up();
        for (guild_ids, complete, sees_any, discord) in [
            (&[][..], false, false, Discord::Unknown),
            (&[2], true, false, Discord::Unknown),
            (&[1], true, false, Discord::Live),
            (&[2], false, true, Discord::Live),
        ] {
            freshness.set_discord(
                ONE,
                DiscordStatus {
                    complete,
                    ..said(Discord::Live, 5, guild_ids)
                },
            );
            let payload = freshness.payload(&StatusScope {
                located: Vec::new(),
                awaited: vec![GuildId(2)],
                sees_any,
            });
            assert_eq!(
                payload.discord, discord,
                "{guild_ids:?} {complete} {sees_any}"
            );
        }
    }

    #[test]
    fn the_worst_of_the_logs_behind_a_query_counts_and_no_other() {
        let mut freshness = up();
        freshness.set_discord(ONE, said(Discord::Live, 5, &[]));
        freshness.set_discord(OTHER, said(Discord::Down, 8, &[]));
        let told = |freshness: &Freshness, located: &[(u64, LogId)]| {
            let payload = freshness.payload(&scope(located));
            let ids: Vec<u64> = payload.guild_ids.iter().map(|id| id.0).collect();
            (payload.discord, payload.since, ids)
        };
        let both = &[(1, ONE), (2, OTHER), (3, OTHER)][..];
        assert_eq!(told(&freshness, &[(1, ONE)]), (Discord::Live, 5, vec![]));
        assert_eq!(told(&freshness, &[(2, OTHER)]), (Discord::Down, 8, vec![]));
        assert_eq!(told(&freshness, both), (Discord::Down, 8, vec![2, 3]));
        assert_eq!(freshness.discord(), Discord::Down);

        freshness.set_discord(ONE, said(Discord::Resuming, 9, &[]));
        assert_eq!(told(&freshness, both), (Discord::Down, 8, vec![]));
        freshness.set_discord(OTHER, said(Discord::Live, 12, &[]));
        assert_eq!(told(&freshness, both), (Discord::Resuming, 9, vec![1]));
        freshness.set_discord(ONE, said(Discord::Live, 11, &[1]));
        assert_eq!(told(&freshness, both), (Discord::Live, 12, vec![1]));
        freshness.retain(|log| log == ONE);
        assert_eq!(told(&freshness, both), (Discord::Live, 11, vec![1]));
    }

    #[test]
    fn whose_guild_is_still_to_come_depends_on_the_log_that_it_is_to_come_in() {
        let mut freshness = up();
        assert!(freshness.may_come(GuildId(7)) && !freshness.complete());
        freshness.set_discord(ONE, said(Discord::Down, 5, &[]));
        freshness.set_discord(OTHER, said(Discord::Live, 8, &[7]));
        let mine = StatusScope {
            awaited: vec![GuildId(7)],
            ..StatusScope::default()
        };
        let payload = freshness.payload(&mine);
        assert_eq!(payload.discord, Discord::Unknown, "theirs is not here");
        assert_eq!(payload.guild_ids, [GuildId(7)]);
        assert!(freshness.may_come(GuildId(7)) && !freshness.may_come(GuildId(8)));
        let stranger = freshness.payload(&StatusScope::default());
        assert_eq!(stranger.discord, Discord::Down, "any may be theirs");
    }
}
