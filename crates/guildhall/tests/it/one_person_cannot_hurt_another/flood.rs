//! Connections that are opened and kept, and the bystander who is measured meanwhile.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::house::{House, SOON, raw::said};

/// This test's own, of which floods need many.
pub(super) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit");
}

/// Connections kept open.
#[derive(Default)]
pub(super) struct Held(Vec<TcpStream>);

impl Held {
    /// Opens so many, says something on each, and hears the answer where there is one to come.
    pub(super) async fn open(&mut self, port: u16, said: &str, count: usize) {
        for number in 0..count {
            let opened = open(port, said).await;
            self.0
                .push(opened.unwrap_or_else(|error| panic!("{port}, {number}: {error}")));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Opens connections in a loop, so many at a time.
pub(super) fn again(port: u16, said: &[&'static str], together: usize) -> Again {
    let count = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for said in said.iter().copied().cycle().take(together) {
        let count = Arc::clone(&count);
        tasks.spawn(async move {
            let mut pace = interval(Duration::from_millis(50));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pace.tick().await;
                let opened = open(port, said).await;
                count.fetch_add(1, Ordering::Relaxed);
                // Kept for a while, unless it is closed for others.
                if let Ok(mut socket) = opened {
                    let mut byte = [0];
                    let closed = socket.read(&mut byte);
                    drop(timeout(Duration::from_secs(3), closed).await);
                }
            }
        });
    }
    Again { count, tasks }
}

/// A loop that opens connections.
pub(super) struct Again {
    count: Arc<AtomicUsize>,
    tasks: JoinSet<()>,
}

impl Again {
    /// Ends it; answers how many it has opened.
    pub(super) async fn stop(mut self) -> usize {
        self.tasks.shutdown().await;
        self.count.load(Ordering::Relaxed)
    }
}

async fn open(port: u16, said: &str) -> std::io::Result<TcpStream> {
    let connected = timeout(SOON, TcpStream::connect(("127.0.0.1", port))).await;
    let mut socket = connected??;
    socket.write_all(said.as_bytes()).await?;
    if said.ends_with("\r\n\r\n") {
        let mut heard = [0; 4096];
        // Closed for others before its answer was read: that too is an end of it.
        drop(timeout(SOON, socket.read(&mut heard)).await?);
    }
    Ok(socket)
}

/// Somebody who has nothing to do with it, and asks for the state, on a connection of their own
/// each time, as who has just come does.
pub(super) struct Bystander<'a> {
    house: &'a House,
    port: u16,
    cookie: String,
}

impl<'a> Bystander<'a> {
    pub(super) fn new(house: &'a House, cookie: &str) -> Self {
        Self {
            house,
            port: house.ports.web,
            cookie: cookie.to_owned(),
        }
    }

    /// Asks so many times.
    pub(super) async fn feels(&self, times: usize) -> Felt {
        let request = format!(
            "GET /api/state HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nConnection: close\r\n\r\n",
            self.cookie
        );
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            let answer = said(self.port, &request).await;
            took.push(began.elapsed());
            assert!(
                answer.starts_with("HTTP/1.1 200"),
                "{answer}\n{}",
                self.house.web.log()
            );
        }
        took.sort();
        Felt {
            p50: took[times / 2],
            p99: took[times - 1 - times / 100],
        }
    }
}

/// How long answers took.
pub(super) struct Felt {
    p50: Duration,
    p99: Duration,
}

impl Felt {
    /// What a flood may cost: next to nothing for most, and no more for the slowest than a machine
    /// with two CPUs explains that runs other tests meanwhile.
    pub(super) fn is_like(&self, quiet: &Self) {
        let (p50, p99) = (
            4 * quiet.p50 + Duration::from_millis(20),
            4 * quiet.p99 + Duration::from_millis(100),
        );
        let alike = self.p50 <= p50 && self.p99 <= p99;
        assert!(alike, "quiet {quiet}, flood {self}");
    }
}

impl fmt::Display for Felt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:?} p99 {:?}", self.p50, self.p99)
    }
}
