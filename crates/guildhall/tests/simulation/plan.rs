//! What a run is like, drawn from its seed before it begins.

use std::time::Duration;

use guildhall_gateway::ShardId;
use guildhall_simulator::{Config, RateLimits};

use crate::{faults::Allowed, rng::Rng};

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent draws, each asked for by its name"
)]
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How many guilds there are at first.
    pub(crate) guilds: usize,
    pub(crate) members: bool,
    pub(crate) moderation: bool,
    /// Only some guilds are bridged.
    pub(crate) some_bridged: bool,
    /// Settings change between two starts.
    pub(crate) settings_change: bool,
    pub(crate) faults: Allowed,
    /// Nothing is done before everything is in the log.
    pub(crate) waits_for_baseline: bool,
    /// Events that are kept per guild.
    pub(crate) window: usize,
    /// The longest half of a commit.
    pub(crate) journal_ms: u64,
    /// The journal is a file, opened anew by each process.
    pub(crate) disk: bool,
    pub(crate) steps: u64,
    resume_window: Duration,
    replay_events: usize,
    guild_create_delay: Duration,
    /// The gateway has so many shards, and logs.
    shards: u16,
}

/// Events that are kept per guild, where a follower is to find everything.
const LARGE_WINDOW: usize = 10_000;

impl Plan {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let loss = rng.one_in(2);
        let forgetful = loss && rng.one_in(4);
        let replay_events = if loss && rng.one_in(6) { 20 } else { 65_536 };
        Self {
            guilds: usize::try_from(rng.between(1, 4)).expect("a few"),
            members: rng.one_in(2),
            moderation: rng.one_in(3),
            some_bridged: rng.one_in(6),
            settings_change: loss && rng.one_in(3),
            faults: Allowed {
                loss,
                reorder: rng.one_in(3),
            },
            waits_for_baseline: !rng.one_in(6),
            window: if rng.one_in(5) { 25 } else { LARGE_WINDOW },
            journal_ms: rng.choose(&[0, 2, 2, 8, 8, 40]),
            disk: rng.one_in(3),
            steps: rng.between(25, 45),
            resume_window: Duration::from_millis(if forgetful { 400 } else { 120_000 }),
            replay_events,
            guild_create_delay: Duration::from_millis(rng.choose(&[0, 2, 15])),
            shards: rng.choose(&[1, 3]),
        }
    }

    /// Whether Discord may end a session of this run.
    pub(crate) fn may_lose(&self) -> bool {
        self.faults.loss || self.settings_change
    }

    /// All of them.
    pub(crate) fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        ShardId::all(self.shards)
    }

    pub(crate) fn keeps_all(&self) -> bool {
        self.window == LARGE_WINDOW
    }

    /// The simulator's settings. What a bot may do too often is not what this is about.
    pub(crate) fn simulator(&self, seed: u64) -> Config {
        Config {
            listen: ([127, 0, 0, 1], 0).into(),
            seed,
            // The same seed is the same run, ids included.
            fixed_ids: true,
            heartbeat_interval: Duration::from_millis(300),
            heartbeat_grace: Duration::from_mins(1),
            resume_window: self.resume_window,
            guild_create_delay: self.guild_create_delay,
            identify_interval: Duration::from_millis(20),
            sends_per_window: 100_000,
            replay_events: self.replay_events,
            rate_limits: RateLimits {
                global_requests: 2_000,
                bucket_requests: 500,
                ..RateLimits::default()
            },
            ..Config::default()
        }
    }
}
