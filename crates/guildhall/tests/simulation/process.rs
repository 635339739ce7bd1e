//! One process of the gateway: the real role in a runtime of its own. To kill it is to drop that
//! runtime, at whatever it was about to do; nothing of it runs on.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use guildhall_gateway::{Config, GatewayPorts};
use guildhall_ports::{
    CommandJournal, Journals, RevocationStore, RoomStore, SystemClock,
    memory::{InMemoryEventBus, NoOpEventStore, SingleInstanceRegistry},
};
use tokio::{runtime::Builder, select, sync::oneshot, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longer than a stop takes on a busy machine.
const STOP_LIMIT: Duration = Duration::from_secs(90);

pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    kill: CancellationToken,
    ended: oneshot::Receiver<Ended>,
}

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Killed,
    /// As asked, in order.
    Stopped,
    Failed(String),
}

impl Process {
    /// `stores`: what it finds, and leaves.
    pub(crate) async fn start(
        config: Config,
        stores: Arc<impl Journals + CommandJournal + RoomStore + RevocationStore + 'static>,
    ) -> Result<Self, String> {
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let (listening, address) = oneshot::channel();
        let (end, mut ended) = oneshot::channel();
        let (its_stop, its_kill) = (stop.clone(), kill.clone());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let how = runtime.block_on(run(config, stores, listening, its_stop, its_kill));
            // INVARIANT(kill): all that it spawned is gone before anybody hears that it ended.
            drop(runtime);
            // Whoever started it may have given up.
            let _gone = end.send(how);
        });
        let Ok(address) = address.await else {
            return Err(format!("it did not start: {:?}", ended.try_recv()));
        };
        Ok(Self {
            address,
            stop,
            kill,
            ended,
        })
    }

    /// As `kill -9` does.
    pub(crate) async fn kill(self) -> Result<(), String> {
        self.kill.cancel();
        match timeout(STOP_LIMIT, self.ended).await {
            Ok(Ok(Ended::Killed)) => Ok(()),
            how => Err(format!("a process to be killed: {how:?}")),
        }
    }

    /// As SIGTERM does: Discord keeps the session.
    pub(crate) async fn stop(self) -> Result<(), String> {
        self.stop.cancel();
        match timeout(STOP_LIMIT, self.ended).await {
            Ok(Ok(Ended::Stopped)) => Ok(()),
            how => Err(format!("a process to be stopped: {how:?}")),
        }
    }

    /// Whether it ended, unasked.
    pub(crate) fn failed(&mut self) -> Option<Ended> {
        self.ended.try_recv().ok()
    }
}

async fn run<Stores: Journals + CommandJournal + RoomStore + RevocationStore + 'static>(
    config: Config,
    stores: Arc<Stores>,
    listening: oneshot::Sender<SocketAddr>,
    stop: CancellationToken,
    kill: CancellationToken,
) -> Ended {
    let ports = GatewayPorts {
        clock: Arc::new(SystemClock),
        journals: Arc::<Stores>::clone(&stores),
        commands: Arc::<Stores>::clone(&stores),
        rooms: Arc::<Stores>::clone(&stores),
        revocations: stores,
        bus: Arc::new(InMemoryEventBus::default()),
        history: Arc::new(NoOpEventStore),
        registry: Arc::new(SingleInstanceRegistry::default()),
    };
    let gateway = match config.build(ports).await {
        Ok(gateway) => gateway,
        Err(error) => return Ended::Failed(error.to_string()),
    };
    // Whoever started it may have given up.
    let _gone = listening.send(gateway.local_addr());
    let tracker = TaskTracker::new();
    select! {
        biased;
        () = kill.cancelled() => Ended::Killed,
        ran = gateway.run(&tracker, stop.clone()) => match ran {
            Ok(()) if stop.is_cancelled() => Ended::Stopped,
            Ok(()) => Ended::Failed("it ended unasked".to_owned()),
            Err(error) => Ended::Failed(error.to_string()),
        },
    }
}
