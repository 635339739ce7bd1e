//! Build, then run.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use axum::extract::FromRef;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{Config, Scenario, TlsFiles},
    scenario::Player,
    serve,
    snowflake::Snowflake,
    state::{AppState, Schemes, Tasks},
    tls::TlsFilesError,
    webhook::SigningKey,
    world::World,
};

/// Connections that the kernel completes before they are accepted, within its own bound.
const BACKLOG: u32 = 4096;

/// Why a simulator could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS can't be served with the files that were given.
    #[error(transparent)]
    Tls(#[from] TlsFilesError),
    /// `public_url` is more or less than an http or https origin.
    #[error("the public URL must be an origin such as http://localhost:4000, not {0:?}")]
    PublicUrl(String),
}

/// Why a running simulator gave up.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The listener takes no more connections.
    #[error("the listener failed: {0}")]
    Listener(#[from] io::Error),
}

/// The registered application, and where it meets people first.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// Client id, and user id of the bot.
    pub id: Snowflake,
    /// In Discord's shape: base64 of the id, two more parts after dots.
    pub bot_token: String,
    /// For the OAuth2 token endpoint.
    pub client_secret: String,
    /// What webhook events are signed with can be checked by it: Ed25519, hexadecimal.
    pub public_key: String,
    /// The first guild of the world as it begins.
    pub guild_id: Snowflake,
    /// Its first member: a person who sees its first two voice channels.
    pub member_id: Snowflake,
}

impl fmt::Debug for Application {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            guild_id,
            member_id,
            ..
        } = self;
        out.debug_struct("Application")
            .field("id", id)
            .field("guild_id", guild_id)
            .field("member_id", member_id)
            .finish_non_exhaustive()
    }
}

/// A simulator that is bound and not yet running.
pub struct Simulator {
    config: Config,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
    world: World,
    application: Application,
}

impl Config {
    /// Binds the listener and makes the world; starts nothing.
    #[expect(
        clippy::unused_async,
        reason = "callers await it, whether what it opens has to be waited for or not"
    )]
    pub async fn build(mut self) -> Result<Simulator, BuildError> {
        if let Some(given) = &self.public_url {
            let origin = url::Url::parse(given)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/")
                .filter(|url| url.query().is_none() && url.fragment().is_none())
                .map(|url| url.origin().ascii_serialization());
            self.public_url = Some(origin.ok_or_else(|| BuildError::PublicUrl(given.clone()))?);
        }
        let tls = self.tls.as_ref().map(TlsFiles::acceptor).transpose()?;
        let address = self.listen;
        let bind_error = |source| BuildError::Bind { address, source };
        let listener = bind(address).map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let world = self.world();
        let application = application(&world, self.seed);
        Ok(Simulator {
            config: self,
            listener,
            tls,
            address,
            world,
            application,
        })
    }

    /// The world as it is before anybody acts.
    pub(crate) fn world(&self) -> World {
        let mut world = World::from_seed(self.seed);
        if self.scenario == Scenario::Big {
            world.add_big_guild();
        }
        if !self.fixed_ids {
            world.take_ids_from_the_clock();
        }
        world
    }
}

impl Simulator {
    /// Where the listener is bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the API is, without a slash at the end, and the Gateway.
    #[must_use]
    pub fn urls(&self) -> [String; 2] {
        let Schemes { http, websocket } = Schemes::of(&self.config);
        let address = self.address;
        [
            format!("{http}://{address}"),
            format!("{websocket}://{address}/gateway"),
        ]
    }

    /// What a bot and a login need to know.
    #[must_use]
    pub fn application(&self) -> Application {
        self.application.clone()
    }

    /// Serves until `stop`. Every task is the tracker's; gateway connections are
    /// closed with 1001 on the way out.
    pub async fn run(self, tracker: &TaskTracker, stop: CancellationToken) -> Result<(), RunError> {
        let Self {
            config,
            listener,
            tls,
            address,
            world,
            ..
        } = self;
        let tasks = Arc::new(Tasks {
            tracker: tracker.clone(),
            stop,
        });
        let state = AppState::new(config, address, world, tasks.clone());
        let config = state.config.clone();
        Player::from_ref(&state).start(config.scenario);
        let router = serve::router(state);
        Ok(serve::accept(listener, tls, router, &config, &tasks).await?)
    }
}

/// Binds with room for everybody who comes at one moment: of the 128 connections that tokio lets
/// wait, a load test's beginning would have a part dropped and tried again a second later.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn application(world: &World, seed: u64) -> Application {
    let own = &world.application;
    let first = world.guilds.iter().next();
    let member = first.and_then(|guild| guild.members.iter().next());
    Application {
        id: own.id,
        bot_token: own.bot_token.clone(),
        client_secret: own.client_secret.clone(),
        public_key: SigningKey::from_seed(seed).public_hex(),
        guild_id: first.map_or(own.id, |guild| guild.id),
        member_id: member.map_or(own.id, |member| member.user_id),
    }
}
