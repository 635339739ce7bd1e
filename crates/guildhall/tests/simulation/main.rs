//! Random lives of guilds, through the simulated Discord, the gateway, its journal and its link,
//! with everything that can go wrong on the way, and the gateway killed at any moment. When it is
//! quiet again, what the log says must be what the simulator knows to be true: in order, nothing
//! lost, nothing doubled.
//!
//! `LIVES_SEED=7 cargo test -p guildhall --test lives -- --nocapture` lives one life again;
//! `LIVES_FIRST` and `LIVES_COUNT` say which other ones there are.

/// What people do.
mod acts;
/// Numbers from a seed.
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
/// What was done, and what must come of it.
mod expectations;
/// One life.
mod run;
/// What a life is like.
mod plan;
/// A process of the gateway, as far as killing it goes.
mod process;
/// The end of a life.
mod settle;
/// The simulator's truth.
mod simulator_state;
/// How fast a life goes.
mod pauses;
/// Whether a world is true.
mod truth;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Client;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};

use ledger::Ledger;
use life::{Life, Tally};
use {
    expectations as ledger, pauses as tempo, rng as chance, run as life, settle as quiet,
    simulator_state as sight,
};

/// Lives of one run, if nobody says otherwise.
const LIVES: u64 = 200;
/// Lives that go on at the same time: most of a life is waiting.
const SIDE_BY_SIDE: usize = 16;
/// Longer than a life takes on a busy machine.
const LIFE_LIMIT: Duration = Duration::from_mins(8);

/// How a life ended, and what was done in it.
struct Ended {
    seed: u64,
    how: Result<Tally, String>,
    ledger: Arc<Mutex<Ledger>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_log_ends_up_true_in_order_and_without_loss_or_doubles() {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // A connection for each request: one that was kept may be closed just as it is used again.
    let http = Client::builder().no_proxy().pool_max_idle_per_host(0);
    let http = http.build().expect("a client");
    let one = number("LIVES_SEED");
    let first = one.or_else(|| number("LIVES_FIRST")).unwrap_or(0);
    let count = one.map_or_else(|| number("LIVES_COUNT").unwrap_or(LIVES), |_| 1);
    let began = Instant::now();
    let mut seeds = first..first + count;
    let (mut running, mut all) = (JoinSet::new(), Tally::default());
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(seed) = seeds.next()
        {
            running.spawn(live(seed, http.clone()));
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let Ended { seed, how, ledger } = ended.expect("it answers how it ended");
        match how {
            Ok(tally) => all += tally,
            Err(why) => {
                running.shutdown().await;
                panic!("{}", told(seed, &why, &ledger));
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{count} lives, {} kills, {} faults, {} events, {} with a lost session, {} on a disk, \
         {} commits of the killed that nobody had heard of, 0 lost, 0 doubled, took {took:.1} s",
        all.kills, all.faults, all.events, all.replaced, all.on_disk, all.unheard
    );
}

async fn live(seed: u64, http: Client) -> Ended {
    let ledger = Arc::new(Mutex::new(Ledger::new()));
    let its_ledger = Arc::clone(&ledger);
    // In a task of its own, so that a panic is one life's.
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut life = Life::build(seed, its_ledger, http).await;
        life.run().await?;
        quiet::judge(life).await
    });
    let how = match timeout(LIFE_LIMIT, task.join_next()).await {
        Ok(Some(Ok(how))) => how,
        Ok(Some(Err(broke))) => Err(in_words(broke)),
        Ok(None) | Err(_) => Err(format!("not over after {LIFE_LIMIT:?}")),
    };
    Ended { seed, how, ledger }
}

fn in_words(broke: JoinError) -> String {
    let Ok(panic) = broke.try_into_panic() else {
        return "it was given up".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

fn told(seed: u64, why: &str, ledger: &Mutex<Ledger>) -> String {
    let ledger = life::lock(ledger).text();
    format!(
        "the life of seed {seed}:\n{ledger}\n\nwhat is wrong:\n{why}\n\nlive it again: LIVES_SEED={seed} cargo test \
         -p guildhall --test lives -- --nocapture"
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
        self.unheard += other.unheard;
    }
}
