//! The open streams, each as a browser has it: what comes is held against what should have come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lab::sse::{EventSource, SourceEvent};
use parking_lot::Mutex;
use reqwest::Client;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::checker::Checker;
use crate::bench::clock::unix_micros;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Where, and as whom.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) at: SocketAddr,
    /// `None`: all that the person is in.
    pub(crate) guild_id: Option<String>,
    pub(crate) cookie: String,
}

/// All streams, until they are ended.
pub(crate) struct Browsers {
    runtime: Runtime,
    tasks: JoinSet<()>,
    stop: watch::Sender<()>,
}

impl Browsers {
    /// Opens a stream at each address.
    pub(crate) fn open(
        addresses: impl Iterator<Item = Address>,
        checker: &Arc<Mutex<Checker>>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let http = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .no_proxy()
            .build()?;
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        for (number, address) in addresses.enumerate() {
            let Address {
                at,
                guild_id,
                cookie,
            } = address;
            let query = guild_id.map_or_else(String::new, |id| format!("?guild={id}"));
            let url = format!("http://{at}/api/stream{query}");
            let source = EventSource::new(http.clone(), url, cookie);
            let task = follow(number, source, checker.clone(), stopped.clone());
            tasks.spawn_on(task, runtime.handle());
        }
        Ok(Self {
            runtime,
            tasks,
            stop,
        })
    }

    pub(crate) fn end(self) -> anyhow::Result<()> {
        let Self {
            runtime,
            mut tasks,
            stop,
        } = self;
        drop(stop);
        runtime.block_on(async {
            while let Some(ended) = tasks.join_next().await {
                ended.context("a browser panicked")?;
            }
            Ok(())
        })
    }
}

/// One stream over all of its connections, until the sender is gone. A torn connection is what all
/// this is about; only a refusal is a fault.
async fn follow(
    number: usize,
    mut source: EventSource,
    checker: Arc<Mutex<Checker>>,
    mut stopped: watch::Receiver<()>,
) {
    loop {
        let event = tokio::select! {
            event = source.next() => event,
            _gone = stopped.changed() => return,
        };
        let now_micros = unix_micros();
        let mut checker = checker.lock();
        match event {
            SourceEvent::Connected => checker.count.connections += 1,
            SourceEvent::Event(event) => checker.take(number, &event, now_micros),
            SourceEvent::Refused(why) => {
                checker.count.refused += 1;
                checker.fault(number, &why);
            }
        }
    }
}
