//! Whether Discord is live, and which guilds are not available: still awaited, or in an outage.

use std::collections::BTreeSet;

use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{GuildId, UnixMs};
use guildhall_ports::journal::JournalState;

use crate::{inbox::Lost, rights::ExpectedGuilds};

/// With so many failures it is resuming; with more, nobody knows when it will be over: down.
const MOMENTARY_TRIES: u32 = 3;

#[derive(Debug)]
pub(super) struct DiscordAvailability {
    discord: Discord,
    since: UnixMs,
    /// When the last session that brought events was cut.
    cut_at: Option<UnixMs>,
    /// Whether there was a session before.
    replaces: bool,
    /// Whether it is known which guilds there are.
    ready: bool,
    /// Guilds of READY that have not come yet.
    awaited: BTreeSet<GuildId>,
    /// Guilds in an outage, known to the world or not.
    outages: BTreeSet<GuildId>,
}

impl DiscordAvailability {
    /// At the start of a process: as it was when something was last kept.
    pub(super) fn restored(state: &JournalState, now: UnixMs) -> Self {
        let resumes = state.resume.is_some();
        Self {
            discord: if resumes {
                Discord::Resuming
            } else {
                Discord::Down
            },
            since: now,
            cut_at: state.heard_at,
            replaces: state.heard_at.is_some(),
            ready: resumes,
            awaited: state.awaited.clone(),
            outages: state.outages.clone(),
        }
    }

    /// A session began. Returns since when nothing was received, if it replaced a lost one.
    pub(super) fn ready(&mut self, guilds: &BTreeSet<GuildId>, now: UnixMs) -> Option<UnixMs> {
        let replaced = self.replaces.then(|| self.cut_at.unwrap_or(now));
        self.replaces = true;
        self.ready = true;
        self.awaited.clone_from(guilds);
        self.outages.clear();
        self.become_live(now);
        replaced
    }

    /// All that was missed has come.
    pub(super) fn resumed(&mut self, now: UnixMs) {
        self.become_live(now);
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, lost: &Lost, now: UnixMs) {
        if self.discord == Discord::Live {
            self.cut_at = Some(now);
        }
        let momentary = lost.resumable && lost.tries <= MOMENTARY_TRIES;
        let discord = if momentary {
            Discord::Resuming
        } else {
            Discord::Down
        };
        self.become_discord(discord, now);
    }

    /// A guild came, with everything in it.
    pub(super) fn came(&mut self, guild_id: GuildId) {
        self.awaited.remove(&guild_id);
        self.outages.remove(&guild_id);
    }

    /// A guild is in an outage.
    pub(super) fn unavailable(&mut self, guild_id: GuildId) {
        self.awaited.remove(&guild_id);
        self.outages.insert(guild_id);
    }

    /// The bot is no longer in a guild.
    pub(super) fn gone(&mut self, guild_id: GuildId) {
        self.came(guild_id);
    }

    /// Whether dispatches come as things happen.
    pub(super) fn is_live(&self) -> bool {
        self.discord == Discord::Live
    }

    /// See [`DiscordStatus::complete`].
    pub(super) fn complete(&self) -> bool {
        self.ready && self.awaited.is_empty()
    }

    /// Guilds that are not known and may come yet.
    pub(super) fn expected(&self) -> ExpectedGuilds<'_> {
        if self.ready {
            ExpectedGuilds::These(&self.awaited)
        } else {
            ExpectedGuilds::Any
        }
    }

    /// Whether changes of a guild that comes now may have been missed: it has not come since the
    /// session began, or was in an outage. While a session is replayed each change since is replayed
    /// too.
    pub(super) fn missed_changes(&self, guild_id: GuildId) -> bool {
        self.is_live() || self.awaited.contains(&guild_id) || self.outages.contains(&guild_id)
    }

    /// Guilds that were named and have not come, and guilds in an outage.
    pub(super) fn missing(&self) -> (&BTreeSet<GuildId>, &BTreeSet<GuildId>) {
        (&self.awaited, &self.outages)
    }

    /// `stale`: guilds of which something could not be read, which is no better than not there.
    pub(super) fn status(&self, stale: &BTreeSet<GuildId>) -> DiscordStatus {
        let missing = self.awaited.union(&self.outages).chain(stale);
        let missing: BTreeSet<GuildId> = missing.copied().collect();
        DiscordStatus {
            discord: self.discord,
            since: self.since,
            guild_ids: if self.discord == Discord::Live {
                missing.into_iter().collect()
            } else {
                Vec::new()
            },
            complete: self.complete(),
        }
    }

    fn become_live(&mut self, now: UnixMs) {
        self.cut_at = None;
        self.become_discord(Discord::Live, now);
    }

    fn become_discord(&mut self, discord: Discord, now: UnixMs) {
        if self.discord != discord {
            self.discord = discord;
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_ports::journal::{ResumeState, Terms};

    use super::*;

    const GUILDS: [GuildId; 2] = [GuildId(1), GuildId(2)];

    #[test]
    fn the_world_is_complete_when_each_guild_came_or_is_in_an_outage() {
        let mut availability = DiscordAvailability::restored(&JournalState::default(), 10);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Down, 10, &[], false)
        );
        availability.ready(&GUILDS.into(), 20);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 20, &GUILDS, false)
        );
        availability.came(GUILDS[0]);
        availability.unavailable(GUILDS[1]);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 20, &GUILDS[1..], true)
        );
        availability.came(GUILDS[1]);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 20, &[], true)
        );
    }

    #[test]
    fn what_had_not_come_when_a_process_ended_has_not_come_when_the_next_begins() {
        let state = JournalState {
            resume: Some(ResumeState {
                session_id: "session".into(),
                sequence: 7,
                url: None,
                terms: Terms {
                    shard: [0, 1],
                    intents: 129,
                    guilds: None,
                    world_format: 1,
                },
            }),
            heard_at: Some(5),
            awaited: [GUILDS[0]].into(),
            outages: [GUILDS[1]].into(),
            ..JournalState::default()
        };
        let mut availability = DiscordAvailability::restored(&state, 10);
        availability.resumed(20);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 20, &GUILDS, false)
        );
        availability.came(GUILDS[0]);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 20, &GUILDS[1..], true)
        );
    }

    #[test]
    fn a_cut_is_a_moment_until_the_fourth_failure_and_since_is_its_beginning() {
        let mut availability = DiscordAvailability::restored(&JournalState::default(), 10);
        availability.ready(&BTreeSet::new(), 20);
        for (tries, discord, since) in [
            (1, Discord::Resuming, 31),
            (3, Discord::Resuming, 31),
            (4, Discord::Down, 34),
            (5, Discord::Down, 34),
        ] {
            availability.lost(&lost(true, tries), 30 + u64::from(tries));
            assert_eq!(
                availability.status(&BTreeSet::new()),
                status(discord, since, &[], true),
                "{tries}"
            );
        }
        availability.resumed(40);
        assert_eq!(
            availability.status(&BTreeSet::new()),
            status(Discord::Live, 40, &[], true)
        );
    }

    #[test]
    fn without_a_session_to_resume_it_is_down() {
        let mut availability = DiscordAvailability::restored(&JournalState::default(), 10);
        availability.ready(&BTreeSet::new(), 20);
        availability.lost(&lost(false, 1), 30);
        assert_eq!(availability.status(&BTreeSet::new()).discord, Discord::Down);
    }

    #[test]
    fn only_a_session_that_replaces_one_leaves_a_gap_from_the_moment_of_the_cut() {
        let mut availability = DiscordAvailability::restored(&JournalState::default(), 10);
        assert_eq!(availability.ready(&BTreeSet::new(), 20), None);
        availability.lost(&lost(true, 1), 30);
        availability.lost(&lost(false, 2), 35);
        assert_eq!(availability.ready(&BTreeSet::new(), 40), Some(30));
    }

    fn lost(resumable: bool, tries: u32) -> Lost {
        Lost {
            resumable,
            tries,
            why: String::new(),
        }
    }

    fn status(
        discord: Discord,
        since: UnixMs,
        guilds: &[GuildId],
        complete: bool,
    ) -> DiscordStatus {
        DiscordStatus {
            discord,
            since,
            guild_ids: guilds.to_vec(),
            complete,
        }
    }
}
