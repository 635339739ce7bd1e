//! The streams of a guild, each of another person, and when all of them were told something.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use memchr::memmem::Finder;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::super::clock::now;

/// Opened at one time.
const OPENING: usize = 32;
const OPEN_WITHIN: Duration = Duration::from_mins(2);
/// When nothing came for so long, all has come.
const QUIET: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Open streams.
pub(super) struct Onlookers {
    count: u64,
    told: Arc<Told>,
    // Kept so that the streams live.
    _tasks: JoinSet<()>,
    _runtime: Runtime,
}

struct Told {
    /// What is counted.
    name: Mutex<Vec<u8>>,
    expected: AtomicU64,
    seen: AtomicU64,
    opened: AtomicU64,
    ended: AtomicU64,
    /// When anything came, and when the last of what is counted did.
    last: Mutex<(Option<Instant>, Option<Instant>)>,
}

impl Onlookers {
    /// Opens a stream for each request, each with its picture.
    pub(super) fn open(at: SocketAddr, requests: Vec<String>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let told = Arc::new(Told {
            name: Mutex::default(),
            expected: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            last: Mutex::default(),
        });
        let count = u64::try_from(requests.len())?;
        let opening = Arc::new(Semaphore::new(OPENING));
        let mut tasks = JoinSet::new();
        for request in requests {
            let (told, opening) = (Arc::clone(&told), Arc::clone(&opening));
            tasks.spawn_on(read(at, request, told, opening), runtime.handle());
        }
        let streams = Self {
            count,
            told,
            _tasks: tasks,
            _runtime: runtime,
        };
        let deadline = now() + OPEN_WITHIN;
        while streams.told.opened.load(Ordering::Relaxed) < count {
            if now() > deadline {
                bail!("not all streams have their picture after {OPEN_WITHIN:?}");
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(streams)
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// From now on such events are counted: so many for each stream.
    pub(super) fn expect(&self, event: &str, of_each: u64) {
        *self.told.name.lock() = format!("event: {event}\n").into_bytes();
        self.told.seen.store(0, Ordering::SeqCst);
        let expected = of_each * self.count;
        self.told.expected.store(expected, Ordering::SeqCst);
        self.told.last.lock().1 = None;
    }

    /// When the last of them came.
    pub(super) fn wait(&self, within: Duration) -> anyhow::Result<Instant> {
        let deadline = now() + within;
        loop {
            if let Some(at) = self.told.last.lock().1 {
                return Ok(at);
            }
            if now() > deadline {
                let told = &self.told;
                bail!(
                    "{} of {} events came within {within:?}, {} streams ended",
                    told.seen.load(Ordering::SeqCst),
                    told.expected.load(Ordering::SeqCst),
                    told.ended.load(Ordering::SeqCst)
                );
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until nothing comes any more. Streams that ended are a fault.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        let ended = self.told.ended.load(Ordering::SeqCst);
        if ended > 0 {
            bail!("{ended} streams ended");
        }
        let deadline = now() + OPEN_WITHIN;
        while now() < deadline {
            let last = self.told.last.lock().0;
            if last.is_none_or(|last| last.elapsed() > QUIET) {
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        bail!("it never is quiet");
    }
}

/// One stream, until it ends.
async fn read(at: SocketAddr, request: String, told: Arc<Told>, opening: Arc<Semaphore>) {
    let ended = follow(at, &request, &told, &opening).await;
    // Whoever waits is told that there are fewer.
    _ = ended;
    told.ended.fetch_add(1, Ordering::SeqCst);
}

async fn follow(
    at: SocketAddr,
    request: &str,
    told: &Told,
    opening: &Semaphore,
) -> anyhow::Result<()> {
    let mut permit = Some(opening.acquire().await?);
    let mut socket = TcpStream::connect(at).await?;
    socket.write_all(request.as_bytes()).await?;
    let picture = Finder::new("event: snapshot\n");
    let (mut piece, mut came) = (vec![0; 64 << 10], Vec::new());
    loop {
        let length = socket.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        came.extend_from_slice(&piece[..length]);
        if permit.is_some() && picture.find(&came).is_some() {
            permit = None;
            told.opened.fetch_add(1, Ordering::Relaxed);
        }
        told.count(&came);
        // The line that is not whole.
        let kept = came
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if permit.is_none() {
            came.drain(..kept);
        }
    }
}

impl Told {
    fn count(&self, came: &[u8]) {
        let name = self.name.lock().clone();
        let at = now();
        let found = if name.is_empty() {
            0
        } else {
            Finder::new(&name).find_iter(came).count() as u64
        };
        let seen = self.seen.fetch_add(found, Ordering::SeqCst) + found;
        let mut last = self.last.lock();
        last.0 = Some(at);
        let expected = self.expected.load(Ordering::SeqCst);
        if found > 0 && seen >= expected && last.1.is_none() {
            last.1 = Some(at);
        }
    }
}
