//! Simulation tests: random acts and faults from a seed, through the simulated Discord, the
//! gateway, its journal and its link, with the gateway killed at any moment. When everything has
//! healed, what the log says must be the simulator's state: in order, nothing lost, nothing
//! doubled.
//!
//! `SIMULATION_SEED=7 cargo test -p guildhall --test simulation -- --nocapture` repeats one run;
//! `SIMULATION_FIRST` and `SIMULATION_COUNT` choose other ones.

/// The acts of people and moderators.
mod acts;
/// Random numbers from a seed.
mod rng;
/// What a log must be, whatever happened.
mod checks;
/// The simulated Discord.
mod discord;
/// What goes wrong.
mod faults;
/// Who follows the log over the link.
mod follower;
/// What survives the gateway's process.
mod journal;
/// Several shards in one gateway.
mod many_logs;
/// The trace of what was done, and the events that must come of it.
mod expectations;
/// One run.
mod run;
/// What a run is like.
mod plan;
/// A process of the gateway, as far as killing it goes.
mod process;
/// The end of a run: heal, wait, check.
mod settle;
/// The simulator's state, which is the ground truth.
mod simulator_state;
/// Random pauses.
mod pauses;
/// A world against the ground truth.
mod truth;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use reqwest::Client;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};

use expectations::Expectations;
use run::{Run, Tally};
/// How many runs there are, if nobody says otherwise.
const RUNS: u64 = 200;
/// Runs at the same time: most of a run is waiting.
const CONCURRENT_RUNS: usize = 16;
/// Longer than a run takes on a busy machine.
const RUN_LIMIT: Duration = Duration::from_mins(8);

/// How a run ended, and what was done in it.
struct Ended {
    seed: u64,
    how: Result<Tally, String>,
    expectations: Arc<Mutex<Expectations>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_log_ends_up_true_in_order_and_without_loss_or_doubles() {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // A connection for each request: one that was kept may be closed just as it is used again.
    let http = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let http = http.build().expect("a client");
    let one = number("SIMULATION_SEED");
    let first = one.or_else(|| number("SIMULATION_FIRST")).unwrap_or(0);
    let count = one.map_or_else(|| number("SIMULATION_COUNT").unwrap_or(RUNS), |_| 1);
    let began = Instant::now();
    let mut seeds = first..first + count;
    let (mut running, mut all) = (JoinSet::new(), Tally::default());
    loop {
        while running.len() < CONCURRENT_RUNS
            && let Some(seed) = seeds.next()
        {
            running.spawn(run(seed, http.clone()));
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let Ended {
            seed,
            how,
            expectations,
        } = ended.expect("it answers how it ended");
        match how {
            Ok(tally) => all += tally,
            Err(why) => {
                running.shutdown().await;
                panic!("{}", told(seed, &why, &expectations));
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{count} runs, {} kills, {} faults, {} events, {} with a lost session, {} on a disk, \
         {} with three logs, \
         {} commits of the killed that nobody had heard of, 0 lost, 0 doubled, took {took:.1} s",
        all.kills, all.faults, all.events, all.replaced, all.on_disk, all.many_logs, all.unheard
    );
}

async fn run(seed: u64, http: Client) -> Ended {
    let expectations = Arc::new(Mutex::new(Expectations::new()));
    let its_expectations = Arc::clone(&expectations);
    // In a task of its own, so that a panic ends one run only.
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut run = Run::build(seed, its_expectations, http).await;
        run.drive().await?;
        settle::settle_and_check(run).await
    });
    let how = match timeout(RUN_LIMIT, task.join_next()).await {
        Ok(Some(Ok(how))) => how,
        Ok(Some(Err(broke))) => Err(in_words(broke)),
        Ok(None) | Err(_) => Err(format!("not over after {RUN_LIMIT:?}")),
    };
    Ended {
        seed,
        how,
        expectations,
    }
}

fn in_words(broke: JoinError) -> String {
    let Ok(panic) = broke.try_into_panic() else {
        return "it was given up".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

fn told(seed: u64, why: &str, expectations: &Mutex<Expectations>) -> String {
    let expectations = expectations.lock().text();
    format!(
        "the run of seed {seed}:\n{expectations}\n\nwhat is wrong:\n{why}\n\nrun it again: SIMULATION_SEED={seed} cargo test \
         -p guildhall --test simulation -- --nocapture"
    )
}

/// A number that whoever runs this gave.
fn number(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own argument, which cargo has no other way to hand over"
    )]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.faults += other.faults;
        self.events += other.events;
        self.replaced += other.replaced;
        self.on_disk += other.on_disk;
        self.many_logs += other.many_logs;
        self.unheard += other.unheard;
    }
}
