//! What a run came to.

use std::{fmt, path::PathBuf, time::Duration};

use crate::oracle::walk::{Kind, Settled};

/// Counts of what was judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) runs: usize,
    pub(crate) acts: usize,
    pub(crate) faults: usize,
    pub(crate) dispatches: usize,
    /// Events of rooms, people and guilds.
    pub(crate) events: usize,
    /// On streams, whatever their reason.
    pub(crate) snapshots: usize,
    /// Cursors that were honoured.
    pub(crate) replays: usize,
    /// Pictures after several changes at once: an outage, a lost session, a look-up.
    pub(crate) jumps: usize,
    pub(crate) states: usize,
    pub(crate) answers: usize,
    pub(crate) settled: Vec<Settled>,
    /// Where all of a run with leaks is.
    pub(crate) kept: Vec<PathBuf>,
    /// What is wrong.
    pub(crate) leaks: Vec<String>,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.acts += other.acts;
        self.faults += other.faults;
        self.dispatches += other.dispatches;
        self.events += other.events;
        self.snapshots += other.snapshots;
        self.replays += other.replays;
        self.jumps += other.jumps;
        self.states += other.states;
        self.answers += other.answers;
        self.settled.extend(other.settled);
        self.kept.extend(other.kept);
        self.leaks.extend(other.leaks);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} acts, {} faults, {} dispatches; judged: {} events, {} snapshots, \
             {} replays, {} jumps, {} states, {} answers; {} leaks",
            self.runs,
            self.acts,
            self.faults,
            self.dispatches,
            self.events,
            self.snapshots,
            self.replays,
            self.jumps,
            self.states,
            self.answers,
            self.leaks.len()
        )?;
        for (kind, name) in [
            (Kind::World, "rooms and people"),
            (Kind::Rights, "rights that were told"),
            (Kind::LookedUp, "rights that were looked up"),
            (Kind::Returned, "guilds that came back"),
        ] {
            let of = self.settled.iter().filter(|settled| settled.what == kind);
            let mut took: Vec<Duration> = of.map(|settled| settled.took).collect();
            if took.is_empty() {
                continue;
            }
            took.sort_unstable();
            let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
            write!(
                f,
                "\n  {name}: {} settled, p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms",
                took.len(),
                at(50),
                at(95),
                at(100)
            )?;
        }
        Ok(())
    }
}
