//! The role itself: built from the settings, then run.

/// What the login needs, from the replica and the gateway.
mod world_access;
/// Where revocations are kept.
mod revocations;
/// The role's lines of `/readyz`.
mod health;

use std::{fmt, net::SocketAddr, sync::Arc};

use guildhall_http::{Accept, Listener, Persistence, tls::ServerCertificate};
use guildhall_ports::Health;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use crate::{
    Config, WebBuildError, WebPorts,
    admin::{Explainer, OverlayMaker, WebAdmin},
    auth::{Auth, AuthConfig, Sessions},
    fanout::Fanout,
    http::{Page, PublicLinks},
    link::{self, Connect, Dialler, Link, Tcp},
    replica::Bounds,
    router,
    rpc::{self, RpcState},
    stream::{
        admission::RequestAdmission,
        limit::{ConcurrencyLimiter, ConcurrencyLimits, Counted},
        open_streams::OpenStreams,
        route::StreamRouteState,
        watch::WatchClient,
    },
};

/// Requests for `/api/state` being answered at one time. Each takes a millisecond, but for those
/// who have just come, whose rights are looked up first.
const STATE_REQUESTS: usize = 4_096;

/// Of one user: a page asks once.
const STATE_REQUESTS_PER_USER: usize = 16;

/// Of one address: 200 people behind one who all reload at once are 200.
const STATE_REQUESTS_PER_ADDRESS: usize = 1_000;

/// Commands and questions being answered at one time. A question takes a moment; a command waits for
/// Discord, and the gateway takes a thousand.
const RPC_REQUESTS: usize = 4_096;

/// Of one user: as many as their budget lets begin within the time that one may take.
const RPC_REQUESTS_PER_USER: usize = 64;

/// Of one address.
const RPC_REQUESTS_PER_ADDRESS: usize = 1_000;

/// Of so many connections one is not for streams, so that whoever has to come back later gets that
/// answer, and signing in goes on.
const ONE_FOR_REQUESTS_IN: usize = 16;

/// Connections of one address, where streams of one address are few: a few people with six each.
const CONNECTIONS_PER_ADDRESS: usize = 256;

/// The web role, bound and ready to run.
pub struct Web<L = Listener> {
    addr: SocketAddr,
    listener: L,
    router: axum::Router,
    http: guildhall_http::Config,
    limits: [ConcurrencyLimiter; 3],
    fanout: Fanout,
    watch_client: WatchClient,
    sessions: Sessions,
    admin: WebAdmin,
    link: Link,
    dialler: Dialler,
}

/// A task of the role ended that should not have: better a restart than half a process.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WebRunError(String);

impl Config {
    /// Binds the listener. Spawns nothing.
    pub fn build(self, ports: &WebPorts) -> Result<Web, WebBuildError> {
        Web::build(&self, ports)
    }
}

impl Web {
    fn build(config: &Config, ports: &WebPorts) -> Result<Self, WebBuildError> {
        let certificate = config.certificate.clone().map(ServerCertificate::read);
        let certificate = certificate.transpose();
        let certificate = certificate.map_err(WebBuildError::Certificate)?;
        let listener = Listener::bind(config.listen);
        let listener = listener.map_err(WebBuildError::NotBound)?;
        let listener = listener.with_certificate(certificate);
        let addr = listener.local_addr().map_err(WebBuildError::Failed)?;
        let bounds = Bounds::of(config.log_window.get());
        Self::on(config, ports, (addr, listener), Arc::new(Tcp), bounds)
    }
}

impl<L: Accept> Web<L> {
    /// On a network: where browsers come in, and how gateways are reached. It keeps so much.
    pub(crate) fn on(
        config: &Config,
        ports: &WebPorts,
        (addr, listener): (SocketAddr, L),
        connect: Arc<dyn Connect>,
        bounds: Bounds,
    ) -> Result<Self, WebBuildError> {
        crate::metrics::describe();
        let (publisher, fanout) = Fanout::new(bounds);
        let (link, dialler) = link::open(config, publisher, ports, connect);
        let watch_client = WatchClient::new(link.clone(), fanout.clone());
        let world_access = world_access(fanout.clone(), watch_client.clone(), link.clone());
        let revocations = Arc::new(link.revocations());
        let auth = Auth::new(AuthConfig::of(config), world_access, revocations, ports)
            .map_err(|_| WebBuildError::Tls)?;
        let sessions = auth.sessions();
        let open_streams = OpenStreams::default();
        let page = Page::new(config.ui_dir.clone(), &config.cdn_url);
        let http = http_config(config);
        let limits = [
            ConcurrencyLimiter::new(Counted::Streams, streams(config)),
            ConcurrencyLimiter::new(Counted::StateRequests, STATE),
            ConcurrencyLimiter::new(Counted::RpcRequests, RPC),
        ];
        let [streams, state_requests, rpc_requests] = limits.clone();
        let admission = RequestAdmission::new(fanout.clone(), watch_client.clone());
        let links = PublicLinks {
            base_url: config.base_url.clone(),
            discord_url: config.oauth.public_url.clone(),
        };
        let explainer = Explainer::new(fanout.clone(), admission.clone());
        let overlays = OverlayMaker::new(
            sessions.clone(),
            links.clone(),
            fanout.clone(),
            admission.clone(),
        );
        let rpc = RpcState {
            auth: Arc::clone(&auth),
            fanout: fanout.clone(),
            admission: admission.clone(),
            link: link.clone(),
            requests: rpc_requests,
            rate_limiter: Arc::clone(&ports.rate_limiter),
            clock: Arc::clone(&ports.clock),
            links,
            guilds_join: config.guilds_join,
        };
        let stream = StreamRouteState {
            streams,
            state_requests,
            clock: Arc::clone(&ports.clock),
            max_age: config.stream_max_age,
            fanout: fanout.clone(),
            admission,
            sessions: sessions.clone(),
            open_streams,
        };
        let admin = WebAdmin::new(stream.clone(), explainer, overlays);
        Ok(Self {
            addr,
            listener,
            router: router::router(config, stream, [auth.router(), rpc::routes(rpc)], page),
            http,
            limits,
            fanout,
            watch_client,
            sessions,
            admin,
            link,
            dialler,
        })
    }

    /// Where browsers come in.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// The role's lines of `/readyz`.
    #[must_use]
    pub fn health(&self) -> Arc<dyn Health> {
        Arc::new(health::WebHealth::new(
            self.fanout.replica().clone(),
            self.link.clone(),
        ))
    }

    /// What its operator may see and do.
    #[must_use]
    pub fn admin(&self) -> WebAdmin {
        self.admin.clone()
    }

    /// Serves until `stop` is cancelled. Then every stream says `bye` and ends; connections may
    /// finish for a few seconds in `tracker`.
    pub async fn run(
        self,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<(), WebRunError> {
        let Self {
            listener,
            router,
            http,
            limits,
            fanout,
            watch_client,
            sessions,
            dialler,
            addr,
            ..
        } = self;
        info!("[Web] Server listening on {addr}");
        for limits in limits {
            limits.publish_limits();
        }
        info!("[Gateway Client Init] Gateway client initialized successfully");
        let mut link = tracker.spawn(dialler.run(stop.child_token()));
        let mut refresher = tracker.spawn(watch_client.refresh(stop.child_token()));
        let enforcing = stop
            .child_token()
            .run_until_cancelled_owned(sessions.enforce());
        let mut enforcer = tracker.spawn(async move { _ = enforcing.await });
        let serving = guildhall_http::serve(listener, router, http, tracker, stop.clone());
        tokio::pin!(serving);
        let ended = tokio::select! {
            () = &mut serving => None,
            ended = &mut link => Some(("the link's task", ended)),
            ended = &mut refresher => Some(("the task that watches viewers", ended)),
            ended = &mut enforcer => Some(("the task that ends sessions", ended)),
        };
        fanout.drain();
        match ended {
            Some((task, ended)) if !stop.is_cancelled() => {
                let why = ended
                    .err()
                    .map_or_else(|| "for no reason".to_owned(), |e| e.to_string());
                Err(WebRunError(format!("{task} ended: {why}")))
            }
            _ => Ok(()),
        }
    }
}

const STATE: ConcurrencyLimits = ConcurrencyLimits {
    together: STATE_REQUESTS,
    per_user: STATE_REQUESTS_PER_USER,
    per_address: STATE_REQUESTS_PER_ADDRESS,
};

const RPC: ConcurrencyLimits = ConcurrencyLimits {
    together: RPC_REQUESTS,
    per_user: RPC_REQUESTS_PER_USER,
    per_address: RPC_REQUESTS_PER_ADDRESS,
};

fn streams(config: &Config) -> ConcurrencyLimits {
    let for_requests = (config.connections / ONE_FOR_REQUESTS_IN).max(1);
    let room = config.connections.saturating_sub(for_requests).max(1);
    ConcurrencyLimits {
        together: config.streams_max.min(room),
        per_user: config.streams_per_user,
        per_address: config.streams_per_address,
    }
}

fn http_config(config: &Config) -> guildhall_http::Config {
    guildhall_http::Config {
        // Beside each stream there may be a request.
        connections_per_address: (2 * config.streams_per_address).max(CONNECTIONS_PER_ADDRESS),
        persistence: Persistence::KeepAlive {
            trusted_proxies: config.trusted_proxies.clone(),
            trusted_proxies_setting: Some(config.names.trusted_proxies),
        },
        ..guildhall_http::Config::keep_alive("web", config.connections)
    }
}

/// What the login needs, from the replica and the gateway.
pub(crate) fn world_access(
    fanout: Fanout,
    watch_client: WatchClient,
    link: Link,
) -> Arc<dyn crate::auth::WorldAccess> {
    Arc::new(world_access::ReplicaAccess::new(fanout, watch_client, link))
}

impl<L> fmt::Debug for Web<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
