use std::future::{pending, ready};

use guildhall_ports::{GatewayRegistry, PortFuture, Unavailable};
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Takes,
    Fails,
    Never,
}

/// A registry that answers as it is told, and keeps what it was asked.
#[derive(Debug)]
struct FalseRegistry {
    answers: Mutex<Answers>,
    asked: Mutex<Vec<(&'static str, Instant)>>,
    listed: SingleInstanceRegistry,
}

impl FalseRegistry {
    fn that(answers: Answers) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
            listed: SingleInstanceRegistry::default(),
        })
    }

    fn answer<'a>(
        &'a self,
        asked: &'static str,
        take: impl FnOnce() -> PortFuture<'a, Result<(), Unavailable>>,
    ) -> PortFuture<'a, Result<(), Unavailable>> {
        self.asked.lock().push((asked, Instant::now()));
        match *self.answers.lock() {
            Answers::Takes => take(),
            Answers::Fails => Box::pin(ready(Err(Unavailable("it is away".to_owned())))),
            Answers::Never => Box::pin(pending()),
        }
    }

    fn now(&self, answers: Answers) {
        *self.answers.lock() = answers;
    }

    /// The seconds at which it was asked this.
    fn seconds(&self, what: &str, since: Instant) -> Vec<u64> {
        let asked = self.asked.lock();
        let asked = asked.iter().filter(|(asked, _)| *asked == what);
        asked.map(|(_, at)| (*at - since).as_secs()).collect()
    }
}

impl GatewayRegistry for FalseRegistry {
    fn announce(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        self.answer("announce", || self.listed.announce(gateway))
    }

    fn withdraw(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>> {
        self.answer("withdraw", || self.listed.withdraw(gateway))
    }

    fn gateways(&self) -> PortFuture<'_, Result<Vec<LinkAddress>, Unavailable>> {
        self.listed.gateways()
    }
}

fn address() -> LinkAddress {
    LinkAddress::new("ws://10.0.0.7:8080/link")
}

/// What keeps it listed, alone: paused time and sockets do not go together.
fn keep(registry: &Arc<FalseRegistry>, stop: &CancellationToken) -> JoinSet<()> {
    let announcement = Announcement::new(Arc::clone(registry) as _, address());
    let stop = stop.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { announcement.keep_until(&stop).await });
    tasks
}

/// Of the time that stands still unless everybody waits.
async fn pass(time: Duration) {
    let _elapsed = timeout(time, pending::<()>()).await;
}

async fn ended(kept: &mut JoinSet<()>) {
    let ended = timeout(PATIENCE, kept.join_next()).await;
    ended.expect("in time").expect("a task").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn it_is_announced_again_and_withdrawn_at_the_end() {
    let (registry, stop) = (
        FalseRegistry::that(Answers::Takes),
        CancellationToken::new(),
    );
    let began = Instant::now();
    let mut kept = keep(&registry, &stop);
    pass(Duration::from_secs(45)).await;
    // It has forgotten everybody.
    registry.listed.withdraw(address()).await.expect("gone");
    pass(Duration::from_secs(20)).await;
    assert_eq!(registry.gateways().await, Ok(vec![address()]));
    assert_eq!(registry.seconds("announce", began), [0, 30, 60]);
    stop.cancel();
    ended(&mut kept).await;
    assert_eq!(registry.gateways().await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_announcement_that_failed_or_hung_is_made_again_soon() {
    let (registry, stop) = (
        FalseRegistry::that(Answers::Fails),
        CancellationToken::new(),
    );
    let began = Instant::now();
    let mut kept = keep(&registry, &stop);
    pass(Duration::from_millis(1_500)).await;
    registry.now(Answers::Never);
    // Asked at 2 s, given up at 12.
    pass(Duration::from_secs(5)).await;
    registry.now(Answers::Takes);
    pass(Duration::from_secs(7)).await;
    assert_eq!(registry.seconds("announce", began), [0, 1, 2, 13]);
    assert_eq!(registry.gateways().await, Ok(vec![address()]));

    registry.now(Answers::Never);
    let stopped = Instant::now();
    stop.cancel();
    ended(&mut kept).await;
    assert_eq!(stopped.elapsed().as_secs(), 2, "the withdrawal has a limit");
    assert_eq!(registry.seconds("withdraw", stopped), [0]);
}

#[tokio::test]
async fn beside_a_registry_that_hangs_a_task_that_ends_ends_the_role() {
    let discord = FalseDiscord::new().await;
    discord.refuse_token();
    let ports = GatewayPorts {
        registry: FalseRegistry::that(Answers::Never),
        ..ports()
    };
    let harness = Harness::with_ports(config(&discord), ports).await;
    let ended = harness.end().await;
    assert!(
        matches!(ended, Err(GatewayRunError::Misconfigured(_))),
        "{ended:?}"
    );
}

#[tokio::test]
async fn beside_a_registry_that_hangs_the_role_serves_and_stops_when_asked() {
    let discord = FalseDiscord::new().await;
    let ports = GatewayPorts {
        registry: FalseRegistry::that(Answers::Never),
        ..ports()
    };
    let harness = Harness::with_ports(config(&discord), ports).await;
    let _peer = with_a_guild(&discord).await;
    let mut web = harness.attach().await;
    web.subscribe().await;
    harness.stop.cancel();
    assert!(harness.end().await.is_ok());
}

#[tokio::test]
async fn who_listens_on_every_address_is_announced_on_one_that_can_be_dialled() {
    let discord = FalseDiscord::new().await;
    for listen in ["0.0.0.0:0", "127.0.0.1:0"] {
        let config = Config {
            listen: listen.parse().expect("an address"),
            ..config(&discord)
        };
        let gateway = config.build(ports()).await.expect("a right config");
        let port = gateway.local_addr().port();
        let dialled = LinkAddress::new(format!("ws://127.0.0.1:{port}/link"));
        assert_eq!(gateway.link_address(), dialled);
    }
}
