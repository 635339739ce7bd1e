//! What routes and connections share. A handler takes the parts it needs, as axum's `State`.

/// The world, its sessions and the faults between them, behind one lock.
mod discord;
/// How far the load, the script and the scenario are.
mod progress;
/// How many requests came.
mod request_counts;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::FromRef,
    http::{HeaderMap, header},
};
pub(crate) use discord::{Core, Discord};
use parking_lot::Mutex;
pub(crate) use progress::{Initiator, Load, RunningScenario, ScriptLog};
pub(crate) use request_counts::RequestCounts;

pub(crate) use crate::tasks::Tasks;

use crate::{
    config::Config, faults::RestFaults, grants::Grants, limits::Limiter, nonces::Nonces,
    webhook::Webhook, world::World,
};

/// A part of the state that several handlers change, in short sections without an await.
pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// Everything there is, part by part.
#[derive(Clone, FromRef)]
pub(crate) struct AppState {
    pub(crate) config: Arc<Config>,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) discord: Arc<Discord>,
    pub(crate) grants: Shared<Grants>,
    /// May be locked inside a section of `discord`, never the other way round.
    pub(crate) limiter: Shared<Limiter>,
    /// May be locked inside a section of `discord`, never the other way round.
    pub(crate) nonces: Shared<Nonces>,
    pub(crate) rest_faults: Shared<RestFaults>,
    pub(crate) request_counts: Shared<RequestCounts>,
    pub(crate) load: Shared<Load>,
    pub(crate) script: Shared<ScriptLog>,
    pub(crate) scenario: Shared<RunningScenario>,
    pub(crate) webhook: Arc<Webhook>,
    pub(crate) tasks: Arc<Tasks>,
}

/// Under which addresses clients reach the simulator.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// What the listener speaks.
    schemes: Schemes,
    /// Where the listener is bound.
    bound: SocketAddr,
    /// What was set as the public URL: an origin.
    public: Option<String>,
    /// Origin as browsers reach it, without a slash at the end.
    pub(crate) origin: String,
}

/// How URLs of the listener begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schemes {
    pub(crate) http: &'static str,
    pub(crate) websocket: &'static str,
}

impl Schemes {
    pub(crate) fn of(config: &Config) -> Self {
        match config.tls {
            Some(_) => Self {
                http: "https",
                websocket: "wss",
            },
            None => Self {
                http: "http",
                websocket: "ws",
            },
        }
    }
}

impl AppState {
    pub(crate) fn new(config: Config, bound: SocketAddr, world: World, tasks: Arc<Tasks>) -> Self {
        Self {
            addresses: Arc::new(Addresses::new(
                Schemes::of(&config),
                bound,
                config.public_url.clone(),
            )),
            discord: Arc::new(Discord::new(&config, world)),
            grants: shared(Grants::new(config.seed, config.grants)),
            limiter: shared(Limiter::new(config.rate_limits)),
            nonces: shared(Nonces::new(config.nonce_memory)),
            rest_faults: Shared::default(),
            request_counts: Shared::default(),
            load: Shared::default(),
            script: Shared::default(),
            scenario: Shared::default(),
            webhook: Arc::new(Webhook::new(&config)),
            config: Arc::new(config),
            tasks,
        }
    }
}

fn shared<T>(part: T) -> Shared<T> {
    Arc::new(Mutex::new(part))
}

impl Addresses {
    fn new(schemes: Schemes, bound: SocketAddr, public: Option<String>) -> Self {
        let origin = public
            .clone()
            .unwrap_or_else(|| format!("{}://{bound}", schemes.http));
        Self {
            schemes,
            bound,
            public,
            origin,
        }
    }

    /// URL of a path as gateway clients reach it: below the public URL, if there is one,
    /// else by the name under which this request came.
    pub(crate) fn gateway_url(&self, headers: &HeaderMap, path: &str) -> String {
        match self.public.as_deref() {
            Some(origin) => format!("{}{path}", origin.replacen("http", "ws", 1)),
            None => format!("{}://{}{path}", self.schemes.websocket, self.host(headers)),
        }
    }

    /// `host:port` as the client reaches this simulator.
    fn host(&self, headers: &HeaderMap) -> String {
        headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .filter(|host| !host.is_empty() && host.bytes().all(is_host_byte))
            .map_or_else(|| self.bound.to_string(), str::to_owned)
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)
}
