//! Three processes of the real binary on free loopback ports, and everything a test needs to
//! talk to them. What was started is ended by its id when the house is dropped.

/// One more web process.
mod another_web;
/// The simulated Discord's control.
mod discord;
/// A proxy that others run before us.
mod nginx;
/// A child process with its log.
mod process;
/// One connection, byte by byte.
pub(crate) mod raw;
/// What must be in no log and no answer.
pub(crate) mod secrets;
/// A gateway of several shards.
mod sharded;
/// A stream as a browser reads it.
mod stream;
/// Certificates, and what shows them.
mod tls;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use reqwest::{Client, ClientBuilder, Response, StatusCode, header::HeaderMap, redirect::Policy};
use tokio::time::{Instant, sleep, timeout};

pub(crate) use another_web::AnotherWeb;
pub(crate) use discord::Discord;
pub(crate) use nginx::Nginx;
pub(crate) use process::{OPEN_FILES, Process};
pub(crate) use sharded::ShardedHouse;
pub(crate) use stream::{Frame, Stream};
pub(crate) use tls::{Authority, Identity, TlsProxy};

/// Longer than anything here takes, even on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// What the house's own secrets are, so that a test can look for them where they must not be.
pub(crate) const LINK_TOKEN: &str = "link-token-of-the-test-house-0123456789abcdef";
pub(crate) const SESSION_SECRET: &str = "session-secret-of-the-test-house-0123456789ab";

/// Simulator, gateway and web.
pub(crate) struct House {
    pub(crate) simulator: Process,
    pub(crate) gateway: Process,
    pub(crate) web: Process,
    pub(crate) discord: Discord,
    pub(crate) ports: Ports,
    pub(crate) http: Client,
    settings: Vec<(String, String)>,
    folder: Folder,
}

/// Where the roles listen.
pub(crate) struct Ports {
    pub(crate) link: u16,
    pub(crate) web: u16,
    pub(crate) gateway_ops: u16,
    pub(crate) web_ops: u16,
}

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            link: free_port(),
            web: free_port(),
            gateway_ops: free_port(),
            web_ops: free_port(),
        }
    }
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A house with further settings for all of its processes.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        Self::of("standing", more).await
    }

    /// A house whose Discord has a scenario of its own.
    pub(crate) async fn of(scenario: &str, more: &[(&str, &str)]) -> Self {
        Self::whose(scenario, more, async |_| {}).await
    }

    /// A house to whose Discord something happens before the house starts.
    pub(crate) async fn whose(
        scenario: &str,
        more: &[(&str, &str)],
        happens: impl AsyncFnOnce(&Discord),
    ) -> Self {
        Self::simulated(&["--scenario", scenario], more, happens).await
    }

    /// The same with any flags of the simulator.
    pub(crate) async fn simulated(
        flags: &[&str],
        more: &[(&str, &str)],
        happens: impl AsyncFnOnce(&Discord),
    ) -> Self {
        let folder = Folder::new();
        let arguments = [&["--listen", "127.0.0.1:0"], flags].concat();
        let of_logs = more
            .iter()
            .filter(|(name, _)| ["RUST_LOG", "LOG_FORMAT"].contains(name));
        let of_logs: Vec<_> = of_logs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let simulator = Process::start("simulator", &arguments, &of_logs, &folder.0);
        let address = simulator.line_after("Discord side").await;
        let discord = Discord::at(address.trim_end_matches('/')).await;
        happens(&discord).await;
        let house = Self::around(simulator, discord, client(), Ports::new(), folder, more);
        house.until_ready(house.ports.web_ops).await;
        house
    }

    /// Starts gateway and web for a Discord that runs, and waits for nothing.
    pub(crate) fn around(
        simulator: Process,
        discord: Discord,
        http: Client,
        ports: Ports,
        folder: Folder,
        more: &[(&str, &str)],
    ) -> Self {
        let mut settings = settings(&discord, &ports);
        for (name, value) in more {
            settings.retain(|(known, _)| known != name);
            settings.push(((*name).to_owned(), (*value).to_owned()));
        }
        let gateway = start_gateway(&settings, &ports, &folder.0);
        let web = start_web(&settings, &ports, &folder.0);
        Self {
            simulator,
            gateway,
            web,
            discord,
            ports,
            http,
            settings,
            folder,
        }
    }

    /// Starts the web process again, with the same settings, on the same port.
    pub(crate) async fn restart_web(&mut self) {
        self.web = start_web(&self.settings, &self.ports, &self.folder.0);
        self.until_ready(self.ports.web_ops).await;
    }

    /// Starts the gateway process again.
    pub(crate) fn restart_gateway(&mut self) {
        self.gateway = start_gateway(&self.settings, &self.ports, &self.folder.0);
    }

    /// Starts a gateway beside the one that runs, which is answered.
    pub(crate) fn start_second_gateway(&mut self) -> Process {
        let second = start_gateway(&self.settings, &self.ports, &self.folder.0);
        std::mem::replace(&mut self.gateway, second)
    }

    /// Changes a setting for the processes that are started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// What its processes are told, but for flags.
    pub(crate) fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Where the processes run.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// A URL on the web process.
    pub(crate) fn url(&self, path: &str) -> String {
        let has_tls = self.settings.iter().any(|(name, _)| name == "TLS_CERT");
        let scheme = if has_tls { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.ports.web)
    }

    /// What a role measures.
    pub(crate) async fn metrics(&self, ops_port: u16) -> String {
        let url = format!("http://127.0.0.1:{ops_port}/metrics");
        let answer = self.http.get(&url).send().await.expect("it answers");
        answer.text().await.expect("it is text")
    }

    /// Waits until the web role has its world and Discord is live.
    pub(crate) async fn until_ready(&self, ops_port: u16) {
        let url = format!("http://127.0.0.1:{ops_port}/readyz");
        let ready = async {
            loop {
                if let Ok(answer) = self.http.get(&url).send().await
                    && answer.status() == StatusCode::OK
                {
                    let lines = answer.text().await.unwrap_or_default();
                    if !lines.contains("degraded") {
                        return;
                    }
                }
                retry().await;
            }
        };
        if timeout(SOON, ready).await.is_err() {
            let said = self.http.get(&url).send().await;
            let lines = match said {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            panic!(
                "not ready:\n{lines}\n{}\n{}",
                self.gateway.log(),
                self.web.log()
            );
        }
    }

    /// Signs a simulated user in, as a browser would; answers with the `Cookie` header.
    pub(crate) async fn sign_in(&self, user_id: &str) -> String {
        let signed_in = self.callback(user_id).await;
        assert!(
            signed_in.status().is_redirection(),
            "{}",
            signed_in.status()
        );
        cookie_of(&signed_in).expect("the callback sets a cookie")
    }

    /// What web answers at a sign-in's end.
    pub(crate) async fn callback(&self, user_id: &str) -> Response {
        let login = self.get("/auth/login", None).await;
        let attempt = cookie_of(&login).expect("the login sets a cookie");
        let authorize = format!("{}&sim_user={user_id}", location_of(&login));
        let consent = self
            .http
            .get(authorize)
            .send()
            .await
            .expect("Discord answers");
        let callback = location_of(&consent);
        let request = self.http.get(callback).header("cookie", attempt);
        request.send().await.expect("the callback answers")
    }

    /// A plain GET on the web process.
    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Response {
        let mut request = self.http.get(self.url(path));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        request.send().await.expect("web answers")
    }

    /// A command or a question, as a page of ours sends it. `key`: its `Idempotency-Key`.
    pub(crate) async fn rpc(
        &self,
        cookie: &str,
        name: &str,
        body: &serde_json::Value,
        key: Option<&str>,
    ) -> (u16, serde_json::Value) {
        let mut request = self.http.post(self.url(&format!("/api/rpc/{name}")));
        request = request
            .header("cookie", cookie)
            .header("origin", self.url(""));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.json(body).send().await.expect("web answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("an answer is JSON"))
    }

    /// `/api/state` as JSON.
    pub(crate) async fn state(&self, cookie: &str) -> serde_json::Value {
        let answer = self.get("/api/state", Some(cookie)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.expect("state is JSON")
    }

    /// Signs the visitor in and opens a stream, past its first snapshot.
    pub(crate) async fn visit(&self) -> (String, Stream) {
        let cookie = self.sign_in(&self.discord.visitor).await;
        let mut stream = self.stream(&cookie, "", None).await;
        stream.until("snapshot").await;
        (cookie, stream)
    }

    /// Opens a stream; the query begins with `?`, or is empty.
    pub(crate) async fn stream(&self, cookie: &str, query: &str, after: Option<&str>) -> Stream {
        Stream::open(
            &self.http,
            &self.url(&format!("/api/stream{query}")),
            cookie,
            after,
        )
        .await
    }
}

fn settings(discord: &Discord, ports: &Ports) -> Vec<(String, String)> {
    let link = format!("ws://127.0.0.1:{}", ports.link);
    [
        ("DISCORD_URL", discord.url.as_str()),
        ("DISCORD_CDN_URL", &discord.url),
        ("DISCORD_BOT_TOKEN", &discord.bot_token),
        ("DISCORD_CLIENT_ID", &discord.application_id),
        ("DISCORD_CLIENT_SECRET", &discord.client_secret),
        ("DISCORD_PUBLIC_KEY", &discord.public_key),
        ("LINK_TOKEN", LINK_TOKEN),
        ("SESSION_SECRET", SESSION_SECRET),
        ("GATEWAY_WS_PORT", &ports.link.to_string()),
        ("GATEWAY_WS_URL", &link),
        ("WEB_PORT", &ports.web.to_string()),
        ("BASE_URL", &format!("http://localhost:{}", ports.web)),
        (
            "RUST_LOG",
            "info,guildhall=debug,guildhall_gateway=debug,guildhall_web=debug",
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn start_gateway(settings: &[(String, String)], ports: &Ports, folder: &Path) -> Process {
    let ops = ports.gateway_ops.to_string();
    Process::start("gateway", &["--ops-port", &ops], settings, folder)
}

fn start_web(settings: &[(String, String)], ports: &Ports, folder: &Path) -> Process {
    let ops = ports.web_ops.to_string();
    Process::start("web", &["--ops-port", &ops], settings, folder)
}

/// A connection that was not used for so long is not used again: both servers close it after 10 s,
/// and a request that leaves in that moment would be answered with a reset.
const LETS_GO_AFTER: Duration = Duration::from_secs(5);

/// A client that follows nothing and keeps no cookies: the tests do, where all can see it.
pub(crate) fn client() -> Client {
    client_builder().build().expect("a client")
}

fn client_builder() -> ClientBuilder {
    // Another test of this binary may have installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .redirect(Policy::none())
        .pool_idle_timeout(LETS_GO_AFTER)
}

/// The same, with what a proxy says whose client is at this address.
pub(crate) fn client_at(address: &str) -> Client {
    let mut headers = HeaderMap::new();
    let address = address.parse().expect("a header's value");
    headers.insert("x-forwarded-for", address);
    client_saying(headers)
}

/// The same, with these headers in all that it sends.
pub(crate) fn client_saying(headers: HeaderMap) -> Client {
    let client = client_builder().default_headers(headers).build();
    client.expect("a client")
}

/// A port for a process that is told its port, because it comes back on the same one after a
/// restart. Port 0 can't promise that, and what it gives may be an outgoing connection's a moment
/// later: so these are from below the range that the kernel gives away, each handed out once.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test binaries that run side by side begin apart.
    let begin = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + begin.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("below 30,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("20,000 ports are taken")
}

/// A moment between two looks at another process's state, which can't be awaited.
pub(crate) async fn retry() {
    sleep(Duration::from_millis(25)).await;
}

/// Looks again and again until the condition holds; panics with `what` when it never does.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let limit = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < limit, "never: {what}");
        retry().await;
    }
}

pub(crate) fn location_of(answer: &Response) -> String {
    let location = answer.headers().get("location");
    let location = location.unwrap_or_else(|| panic!("{} without a location", answer.status()));
    let location = location.to_str().expect("a readable location");
    answer.url().join(location).expect("a URL").to_string()
}

/// `NAME=VALUE` of the last cookie that was set with a value.
pub(crate) fn cookie_of(answer: &Response) -> Option<String> {
    let set = answer.headers().get_all("set-cookie").iter();
    let pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next());
    let full = |pair: &&str| matches!(pair.split_once('='), Some((_, value)) if !value.is_empty());
    pairs.rev().find(full).map(str::to_owned)
}

/// A temporary folder that goes with the house.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("guildhall-it-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
