//! The two addresses of a false Gateway, and the REST interface that names the first.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use futures_util::future::poll_immediate;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    task::{JoinSet, yield_now},
    time::{Instant, sleep_until},
};

use super::{
    script::ResumeAt,
    trace::{Address, Fate},
    virtual_time::{RealTime, Steps},
};

/// In real time: when nothing has come for as long, nothing is on its way. A client that is not
/// connected can't be asked whether it is idle; the kernel takes microseconds from one socket of
/// this machine's to another.
const QUIET: Duration = Duration::from_millis(2);
/// The sockets are looked at so often meanwhile, however busy the machine is.
const QUIET_POLLS: u32 = 40;

#[derive(Debug)]
pub(super) struct Server {
    base: TcpListener,
    resume: TcpListener,
    rest: String,
    /// Counts what REST has been asked.
    asked: Arc<AtomicU64>,
    /// Ends with it.
    _tasks: JoinSet<()>,
}

impl Server {
    pub(super) async fn new() -> Self {
        let (rest, base, resume) = (bind().await, bind().await, bind().await);
        let asked = Arc::new(AtomicU64::new(0));
        let (url, count) = (address("ws", &base), Arc::clone(&asked));
        let bot = get(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            let limit = json!({
                "total": 1000, "remaining": 1000, "reset_after": 1000, "max_concurrency": 1,
            });
            json!({"url": url, "shards": 1, "session_start_limit": limit}).to_string()
        });
        let origin = address("http", &rest);
        let routes = Router::new().route("/api/v10/gateway/bot", bot);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(rest, routes).await.expect("it listens") });
        Self {
            base,
            resume,
            rest: origin,
            asked,
            _tasks: tasks,
        }
    }

    pub(super) fn rest(&self) -> &str {
        &self.rest
    }

    pub(super) fn base(&self) -> String {
        address("ws", &self.base)
    }

    /// What READY names.
    pub(super) fn resume_url(&self, at: &ResumeAt) -> Option<String> {
        match at {
            ResumeAt::Another => Some(address("ws", &self.resume)),
            ResumeAt::Dead => Some("ws://127.0.0.1:1".to_owned()),
            ResumeAt::Missing | ResumeAt::Null => None,
        }
    }

    /// The client's next connection, or what it does instead within `limit`.
    pub(super) async fn dialled(
        &self,
        client: &mut JoinSet<()>,
        steps: &Steps,
        limit: Duration,
    ) -> Result<(TcpStream, Address), Fate> {
        let until = Instant::now() + limit;
        loop {
            if let Some(dialled) = self.dialled_now(client).await {
                return dialled;
            }
            if Instant::now() >= until {
                return Err(Fate::Idle);
            }
            select! {
                () = steps.next() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Looks until nothing is on its way; the clock stands still meanwhile.
    async fn dialled_now(
        &self,
        client: &mut JoinSet<()>,
    ) -> Option<Result<(TcpStream, Address), Fate>> {
        let (mut quiet, mut polls, mut asked) = (RealTime::now(), 0, None);
        while quiet.elapsed() < QUIET || polls < QUIET_POLLS {
            if let Some(accepted) = poll_immediate(self.accept()).await {
                return Some(Ok(accepted));
            }
            if let Some(ended) = poll_immediate(client.join_next()).await {
                let panicked = ended.is_some_and(|ended| ended.is_err());
                let fate = if panicked {
                    Fate::Panicked
                } else {
                    Fate::Ended
                };
                return Some(Err(fate));
            }
            let now_asked = Some(self.asked.load(Ordering::Relaxed));
            if asked != now_asked {
                (quiet, polls, asked) = (RealTime::now(), 0, now_asked);
            }
            polls += 1;
            yield_now().await;
        }
        None
    }

    async fn accept(&self) -> (TcpStream, Address) {
        let (listener, address) = select! {
            accepted = self.base.accept() => (accepted, Address::Base),
            accepted = self.resume.accept() => (accepted, Address::Resume),
        };
        let (stream, _) = listener.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        (stream, address)
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn address(scheme: &str, listener: &TcpListener) -> String {
    format!("{scheme}://{}", listener.local_addr().expect("it is bound"))
}
