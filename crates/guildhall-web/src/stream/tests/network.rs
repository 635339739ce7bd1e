//! The whole web role under a network that breaks, by seeds and in virtual time: two instances and a
//! gateway, browsers of three people that come back with their cursors to either instance, and between
//! all of them ways that are slow, dead in one direction or both, and connections that are reset or
//! forgotten; processes are killed, unplugged and stopped, and logs lost.
//!
//! The road is the product's own from the dial to the bytes of a response: only the sockets are others
//! ([`guildhall_http::Accept`], [`crate::link::Connect`]). The gateway is its link's machine with a log.
//!
//! Of all that comes, every browser checks that no id falls, nothing is told twice or left out, and
//! nothing of what is not there; and once the network is good again, every picture is the truth within
//! a bounded time. What is planned depends on the seed alone; by how much reconnects are spread is drawn
//! by the product itself.

/// The network: hosts, ways and connections.
mod net;
/// One direction of a connection.
mod pipe;
/// What a gateway keeps when it crashes.
mod log;
/// The gateway's end of the link.
mod gateway;
/// The web role.
mod web;
/// Browsers, and what they check.
mod browser;
/// All of them together, and what is done to them.
mod town;

use std::{panic, thread, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use town::{Tally, Town};

/// So many runs, unless somebody asks for others.
const RUNS: u64 = 200;
/// At one time; each is one thread.
const TOGETHER: u64 = 2;

/// From when the network is good again until every picture is the truth: a browser that hears nothing
/// for 35 s, its way back of some seconds, and an instance that waits 16 s before it dials again.
const LIVE_WITHIN: Duration = Duration::from_secs(75);

#[test]
fn whatever_the_network_does_every_picture_becomes_the_truth_and_nothing_is_told_twice() {
    let _again = rustls::crypto::ring::default_provider().install_default();
    let one = number("NETWORK_SEED");
    let first = one.or_else(|| number("NETWORK_FIRST")).unwrap_or(0);
    let count = one.map_or_else(|| number("NETWORK_COUNT").unwrap_or(RUNS), |_| 1);
    let all = Mutex::new(Tally::default());
    thread::scope(|threads| {
        for turn in 0..TOGETHER {
            let seeds = (first..first + count).filter(move |seed| seed % TOGETHER == turn);
            let all = &all;
            threads.spawn(move || {
                for seed in seeds {
                    match panic::catch_unwind(|| run(seed)) {
                        Ok(tally) => all.lock().add(&tally),
                        Err(broke) => {
                            eprintln!(
                                "run it again: NETWORK_SEED={seed} cargo test -p guildhall-web --lib \
                                 stream::tests::network"
                            );
                            panic::resume_unwind(broke);
                        }
                    }
                }
            });
        }
    });
    println!("{count} runs: {}", all.lock());
}

fn run(seed: u64) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut town = Town::build(seed);
        town.live_through().await;
        town.settle(LIVE_WITHIN).await
    })
}

/// So much virtual time passes.
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
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
