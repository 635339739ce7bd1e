//! A house whose gateway holds several shards, each with a log of its own. The binary's has one, so
//! this one is the role in a runtime of its own: to kill it is to drop that, at whatever it was
//! about to do.

use std::{num::NonZeroUsize, path::Path, sync::Arc, thread, time::Duration};

use guildhall_gateway::{
    Config, GatewayPorts, GatewaySettingNames, Intents, RoomSettings, ShardId,
};
use guildhall_http::{Secret, StrongSecret};
use guildhall_ports::{
    SystemClock,
    memory::{InMemoryEventBus, NoOpEventStore, SingleInstanceRegistry},
};
use guildhall_stores::sqlite::SqliteJournals;
use reqwest::{Client, StatusCode};
use tokio::{runtime::Builder, sync::oneshot, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Discord, Folder, LINK_TOKEN, Ports, Process, SOON, Stream, client, cookie_of, location_of,
    retry, settings, start_web, until,
};

/// Simulator, a gateway of several shards, and web.
pub(crate) struct ShardedHouse {
    // Ended after the roles.
    gateway: Option<ShardedGateway>,
    web: Process,
    pub(crate) discord: Discord,
    scale: Scale,
    ports: Ports,
    pub(crate) http: Client,
    settings: Vec<(String, String)>,
    _simulator: Process,
    folder: Folder,
}

impl ShardedHouse {
    /// A house to whose Discord something happens before the house starts.
    pub(crate) async fn start(shards: u16, happens: impl AsyncFnOnce(&Discord)) -> Self {
        Self::simulated(&[], shards, Intents::default(), happens).await
    }

    /// The same with any flags of the simulator, and intents.
    pub(crate) async fn simulated(
        flags: &[&str],
        shards: u16,
        intents: Intents,
        happens: impl AsyncFnOnce(&Discord),
    ) -> Self {
        let folder = Folder::new();
        let arguments = [
            &["--listen", "127.0.0.1:0", "--scenario", "standing"],
            flags,
        ]
        .concat();
        let simulator = Process::start("simulator", &arguments, &[], &folder.0);
        let address = simulator.line_after("Discord side").await;
        let discord = Discord::at(address.trim_end_matches('/')).await;
        happens(&discord).await;
        let ports = Ports::new();
        let settings = settings(&discord, &ports);
        let scale = Scale { shards, intents };
        let gateway = ShardedGateway::start(&discord, scale, ports.link, &folder.0).await;
        let web = start_web(&settings, &ports, &folder.0);
        let house = Self {
            gateway: Some(gateway),
            web,
            discord,
            scale,
            ports,
            http: client(),
            settings,
            _simulator: simulator,
            folder,
        };
        house.until_ready().await;
        house
    }

    /// As `kill -9` does.
    pub(crate) async fn kill_gateway(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.kill().await;
        }
    }

    /// Starts the gateway again, on the same port and with the same journal.
    pub(crate) async fn restart_gateway(&mut self) {
        let folder = &self.folder.0;
        let gateway = ShardedGateway::start(&self.discord, self.scale, self.ports.link, folder);
        self.gateway = Some(gateway.await);
    }

    /// With `kill -9`.
    pub(crate) async fn kill_web(&mut self) {
        self.web.signal("KILL");
        self.web.ended().await;
    }

    /// Starts the web process again, on the same port.
    pub(crate) async fn restart_web(&mut self) {
        self.web = start_web(&self.settings, &self.ports, &self.folder.0);
        self.until_ready().await;
    }

    /// Signs a simulated user in; answers with the `Cookie` header.
    pub(crate) async fn sign_in(&self, user_id: &str) -> String {
        let get = async |url: String, cookie: &str| {
            let request = self.http.get(url).header("cookie", cookie);
            request.send().await.expect("an answer")
        };
        let login = get(self.url("/auth/login"), "").await;
        let attempt = cookie_of(&login).expect("the login sets a cookie");
        let authorize = format!("{}&sim_user={user_id}", location_of(&login));
        let consent = get(authorize, "").await;
        let signed_in = get(location_of(&consent), &attempt).await;
        cookie_of(&signed_in).expect("the callback sets a cookie")
    }

    /// Opens a stream of everything.
    pub(crate) async fn stream(&self, cookie: &str, after: Option<&str>) -> Stream {
        Stream::open(&self.http, &self.url("/api/stream"), cookie, after).await
    }

    /// A URL on the web process.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.ports.web)
    }

    /// Waits until the web role has its world and Discord is live.
    pub(crate) async fn until_ready(&self) {
        let url = format!("http://127.0.0.1:{}/readyz", self.ports.web_ops);
        let said = async || match self.http.get(&url).send().await {
            Ok(answer) => (answer.status(), answer.text().await.unwrap_or_default()),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
        };
        until("web is ready", || async {
            let (status, lines) = said().await;
            status == StatusCode::OK && !lines.contains("degraded")
        })
        .await;
    }
}

/// What the gateway asks Discord for.
#[derive(Clone, Copy)]
struct Scale {
    shards: u16,
    intents: Intents,
}

/// The gateway's role.
struct ShardedGateway {
    kill: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl ShardedGateway {
    async fn start(discord: &Discord, scale: Scale, port: u16, folder: &Path) -> Self {
        let config = config(discord, scale, port);
        let journal = folder.join("journal.sqlite");
        let kill = CancellationToken::new();
        let (listening, is_listening) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let killed = kill.clone();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(async {
                // One that was killed may be letting go of it still.
                let journals = loop {
                    match SqliteJournals::open(&journal, "DATA_DIR") {
                        Ok(journals) => break journals,
                        Err(_) => retry().await,
                    }
                };
                let ports = GatewayPorts {
                    clock: Arc::new(SystemClock),
                    journals: Arc::new(journals.clone()),
                    commands: Arc::new(journals.clone()),
                    rooms: Arc::new(journals.clone()),
                    revocations: Arc::new(journals),
                    bus: Arc::new(InMemoryEventBus::default()),
                    history: Arc::new(NoOpEventStore),
                    registry: Arc::new(SingleInstanceRegistry::default()),
                };
                let gateway = config.build(ports).await.expect("a gateway");
                // Whoever started it may have given up.
                let _gone = listening.send(());
                let tracker = TaskTracker::new();
                let running = gateway.run(&tracker, CancellationToken::new());
                let ended = killed.run_until_cancelled(running).await;
                assert!(ended.is_none(), "it ended unasked: {ended:?}");
            });
            // All that it spawned is gone before anybody hears that it ended.
            drop(runtime);
            let _gone = end.send(());
        });
        let started = timeout(SOON, is_listening).await;
        started.expect("it starts").expect("it listens");
        Self { kill, ended }
    }

    async fn kill(mut self) {
        self.kill.cancel();
        let ended = timeout(SOON, &mut self.ended).await;
        ended.expect("it ends").expect("as asked");
    }
}

impl Drop for ShardedGateway {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}

fn config(discord: &Discord, scale: Scale, port: u16) -> Config {
    let secret = |text: &str| text.parse::<Secret>().expect("visible ASCII");
    let origin = |text: &str| text.parse().expect("an origin");
    let link_token = StrongSecret::try_from(secret(LINK_TOKEN)).expect("long enough");
    let limits = guildhall_gateway::Limits {
        // The sessions begin one after the other.
        identify_spacing: Duration::from_millis(10),
        reconnect_first: Duration::from_millis(50),
        ..guildhall_gateway::Limits::default()
    };
    Config {
        listen: ([127, 0, 0, 1], port).into(),
        bot_token: secret(&discord.bot_token),
        guilds: None,
        shards: ShardId::all(scale.shards).collect(),
        intents: scale.intents,
        link_tokens: link_token.into(),
        discord_url: origin(&discord.url),
        cdn_url: origin(&discord.url),
        discord_gateway_url: None,
        tls: guildhall_http::tls::client_config(None),
        log_window: NonZeroUsize::new(4_096).expect("some"),
        rooms: RoomSettings::default(),
        limits,
        names: GatewaySettingNames {
            bot_token: "DISCORD_BOT_TOKEN",
            guilds: "DISCORD_GUILD_ID",
            intents: "DISCORD_INTENTS",
            link_tokens: "LINK_TOKEN",
            discord_url: "DISCORD_URL",
            discord_gateway_url: "DISCORD_GATEWAY_URL",
            root_certificates: "the roots",
            data_dir: "DATA_DIR",
        },
    }
}
