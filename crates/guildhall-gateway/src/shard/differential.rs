//! Our client beside one that nobody here wrote: both are told the same by a false Discord, and
//! what each says, and when, may differ only where [`listed`] says so and why ours is right.
//!
//! Scripts are the faults that we know of, by name, and random ones by their seed:
//!
//! ```text
//! DIFFERENTIAL_SEED=7 cargo test -p guildhall-gateway --lib differential    # one random script
//! DIFFERENTIAL_COUNT=5000 cargo test -p guildhall-gateway --lib differential  # more of them
//! ```
//!
//! Time is virtual, and goes on only when nothing is on its way ([`virtual_time`]). How long a
//! client waits by chance (the first heartbeat of a connection, the next connection) is no part of
//! a script; what is compared does not depend on it.

/// What a false Discord says.
mod script;
/// The faults that we know of.
mod named;
/// Scripts by their seed.
mod random;
/// The clock.
mod virtual_time;
/// The addresses of a false Discord.
mod server;
/// One connection to it.
mod peer;
/// Its compression.
mod zstd;
/// The two clients.
mod clients;
/// What a client did.
mod trace;
/// What differs.
mod compare;
/// What may differ.
mod listed;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use clients::Client;
use compare::{Difference, differences};
use listed::LISTED;
use peer::{Sessions, Stage};
use script::{Part, Script, seconds};
use server::Server;
use trace::{Fate, Trace};
use virtual_time::Steps;

/// Random scripts of a run.
const SCRIPTS: u64 = 200;
/// A client that has not dialled for so long dials no more.
const IDLE: Duration = Duration::from_mins(10);

#[test]
fn what_differs_under_a_fault_that_has_a_name_is_listed_and_what_is_listed_differs() {
    let mut occurred = vec![false; LISTED.len()];
    let mut unlisted = String::new();
    for script in named::scripts() {
        let (ours, theirs) = both(&script);
        for difference in differences(&script, &ours, &theirs) {
            match covering(&difference) {
                Some(which) => occurred[which] = true,
                None => unlisted.extend([difference.to_string(), "\n".to_owned()]),
            }
        }
    }
    let rows = LISTED.iter().zip(occurred);
    let stale: Vec<_> = rows
        .filter(|(_, occurred)| !occurred)
        .map(|(row, _)| row)
        .collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "not listed:\n\n{unlisted}\nlisted, and never seen: {stale:#?}"
    );
}

#[test]
fn what_differs_under_random_scripts_is_listed() {
    let one = number("DIFFERENTIAL_SEED");
    let first = one.unwrap_or(0);
    let count = one.map_or_else(|| number("DIFFERENTIAL_COUNT").unwrap_or(SCRIPTS), |_| 1);
    let next = AtomicU64::new(first);
    let run = || {
        let mut told = String::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return told;
            }
            let script = random::script(seed);
            let (ours, theirs) = both(&script);
            let differences = differences(&script, &ours, &theirs);
            for difference in differences.iter().filter(|it| covering(it).is_none()) {
                let again = format!("  again:  DIFFERENTIAL_SEED={seed}\n\n");
                told.extend([difference.to_string(), again]);
            }
        }
    };
    let unlisted = thread::scope(|scope| {
        let other = scope.spawn(run);
        run() + &other.join().expect("it answers")
    });
    assert!(unlisted.is_empty(), "not listed:\n\n{unlisted}");
}

/// The row of the table that this difference is in.
fn covering(difference: &Difference) -> Option<usize> {
    LISTED.iter().position(|row| (row.covers)(difference))
}

/// What both clients do under a script.
fn both(script: &Script) -> (Trace, Trace) {
    let play = |client| virtual_time::run(async |steps| play(client, script, &steps).await);
    (play(Client::Ours), play(Client::Twilight))
}

async fn play(client: Client, script: &Script, steps: &Steps) -> Trace {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let server = Server::new().await;
    let mut client = client.start(&server);
    let mut sessions = Sessions::default();
    let mut connections = Vec::new();
    let last = Part::live([seconds(1)]);
    let mut parts = script.connections.iter().chain([&last]);
    let mut next = parts.next();
    while let Some(part) = next {
        let dialled = server.dialled(&mut client.task, steps, IDLE).await;
        let (stream, address) = match dialled {
            Ok(dialled) => dialled,
            Err(fate) => return Trace { connections, fate },
        };
        let stage = Stage {
            part,
            server: &server,
            sessions: &mut sessions,
            steps,
            commands: &client.commands,
        };
        // A client may let a connection fall before there is a WebSocket.
        if let Some(connection) = peer::play(stage, stream, address).await {
            connections.push(connection);
            next = parts.next();
        }
    }
    let fate = Fate::Connected;
    Trace { connections, fate }
}

/// A number that whoever runs this gave.
fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let given = std::env::var(name).ok()?;
    Some(given.parse().expect("a number"))
}
