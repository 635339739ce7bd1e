//! Requests as fast as they are answered, on many connections. Whoever floods does so on a machine of their own:
//! so it runs in a thread that gives way to whoever is measured.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use rustix::process::nice;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
    task::JoinSet,
    time::timeout,
};

use crate::house::{SOON, until};

/// Connections at one time: somewhat more than a browser has.
const AT_ONCE: usize = 8;

/// A request, and when it is over.
#[derive(Clone)]
pub(super) struct Shot {
    bytes: Arc<[u8]>,
    reads_all: bool,
}

impl Shot {
    pub(super) fn of(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().into(),
            reads_all: true,
        }
    }

    /// Its answer has no end: the connection is closed once it begins.
    pub(super) fn ends_with_its_first_bytes(self) -> Self {
        Self {
            reads_all: false,
            ..self
        }
    }
}

/// A flood that goes on until it is stopped.
pub(super) struct Flood {
    stopped: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<BTreeMap<u16, u64>>,
}

impl Flood {
    pub(super) fn begin(port: u16, shots: Vec<Shot>) -> Self {
        let (stopped, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (ends, counts) = (Arc::clone(&stopped), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            nice(5).expect("lower is always allowed");
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime")
                .block_on(run(port, &shots, &ends, &counts))
        });
        Self {
            stopped,
            sent,
            thread,
        }
    }

    /// Waits until it is well under way.
    pub(super) async fn runs(&self) {
        until("the flood runs", async || {
            self.sent.load(Ordering::Relaxed) > 200
        })
        .await;
    }

    /// Ends it; how often it was answered what.
    pub(super) fn stop(self) -> BTreeMap<u16, u64> {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().expect("it did not panic")
    }
}

async fn run(
    port: u16,
    shots: &[Shot],
    ends: &Arc<AtomicBool>,
    sent: &Arc<AtomicU64>,
) -> BTreeMap<u16, u64> {
    let mut tasks = JoinSet::new();
    for first in 0..AT_ONCE {
        let (shots, ends, sent) = (shots.to_vec(), Arc::clone(ends), Arc::clone(sent));
        tasks.spawn(async move {
            let mut heard = BTreeMap::<u16, u64>::new();
            let mut socket = None;
            for shot in shots.iter().cycle().skip(first) {
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                let (status, kept) = timeout(SOON, fire(port, socket.take(), shot))
                    .await
                    .unwrap_or((0, None));
                socket = kept;
                *heard.entry(status).or_default() += 1;
                sent.fetch_add(1, Ordering::Relaxed);
            }
            heard
        });
    }
    let mut all = BTreeMap::new();
    for heard in tasks.join_all().await {
        for (status, count) in heard {
            *all.entry(status).or_default() += count;
        }
    }
    all
}

/// The status, 0 without an answer, and the connection if it may be used again.
async fn fire(port: u16, kept: Option<TcpStream>, shot: &Shot) -> (u16, Option<TcpStream>) {
    let mut socket = match kept {
        Some(socket) => socket,
        None => match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(socket) => socket,
            Err(_) => return (0, None),
        },
    };
    if socket.write_all(&shot.bytes).await.is_err() {
        return (0, None);
    }
    let mut heard = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = socket.read(&mut piece).await else {
            return (status_of(&heard), None);
        };
        heard.extend_from_slice(&piece[..count]);
        if !shot.reads_all {
            return (status_of(&heard), None);
        }
        if let Some(length) = length_of(&heard)
            && heard.len() >= length
        {
            let is_closed = heard.windows(17).any(|bytes| bytes == b"connection: close");
            return (status_of(&heard), (!is_closed).then_some(socket));
        }
    }
}

fn status_of(heard: &[u8]) -> u16 {
    let text = heard
        .get(9..12)
        .and_then(|text| std::str::from_utf8(text).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Of head and body, once the head is there.
fn length_of(heard: &[u8]) -> Option<usize> {
    let end = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    if status_of(heard) == 204 {
        return Some(end);
    }
    let lines = std::str::from_utf8(&heard[..end])
        .ok()?
        .to_ascii_lowercase();
    let length = lines
        .split("content-length: ")
        .nth(1)?
        .split("\r\n")
        .next()?;
    Some(end + length.parse::<usize>().ok()?)
}
