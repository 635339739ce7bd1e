//! The role's settings. Only the binary reads flags, environment and files; here they are data.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use guildhall_http::TrustedProxies;
use guildhall_ports::Clock;
use secrecy::SecretString;
use url::Url;

use crate::role::Web;

/// What the web role is told. See `.env.example` for each setting's name and meaning.
#[derive(Debug)]
pub struct Config {
    /// Where browsers come in. Port 0 takes a free one: [`Web::local_addr`].
    pub listen: SocketAddr,
    /// Where browsers believe we are; its path is the prefix of every route.
    pub base_url: Url,
    /// The gateway's link, `ws` or `wss`, with its path.
    pub gateway_url: Url,
    /// Said to the gateway.
    pub link_token: SecretString,
    /// The first encrypts cookies, all of them decrypt. At least one, each of 32 characters or more.
    pub session_secrets: Vec<SecretString>,
    /// Discord as the identity provider.
    pub oauth: OAuth,
    /// Origins besides our own that may post with a cookie and be returned to after login.
    pub allowed_origins: Vec<Url>,
    /// Where avatars and icons come from; the page may load pictures from there.
    pub cdn_url: Url,
    /// Streams end at a random 80 to 100 % of this age. Under the sessions' idle limit.
    pub stream_max_age: Duration,
    /// Open streams of one user on this instance.
    pub streams_per_user: usize,
    /// Open streams of one address on this instance. Those of this machine are not counted.
    pub streams_per_address: usize,
    /// Open streams on this instance.
    pub streams_max: usize,
    /// Connections on this instance at one time: as many as there are descriptors for. Streams
    /// leave some of them to requests.
    pub connections: usize,
    /// Proxies that are believed about whose requests they pass on.
    pub trusted_proxies: TrustedProxies,
    /// Records kept per guild.
    pub log_window: usize,
    /// Serve the page from this folder instead of the embedded build.
    pub ui_dir: Option<PathBuf>,
    /// A session unused for so long is over.
    pub session_idle: Duration,
    /// A session this old is over, however much it is used.
    pub session_max_age: Duration,
}

/// Discord's OAuth2 application. Without a client id login answers 503.
#[derive(Debug)]
pub struct OAuth {
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// Origin where a browser reaches Discord's authorize page.
    pub public_url: Url,
    /// Origin where this process reaches Discord's API.
    pub api_url: Url,
}

/// Why the role cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The operator can cure it: one sentence that names the setting and the cure.
    #[error("{0}")]
    Misconfigured(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl Config {
    /// Checks the settings and binds the listener. Spawns nothing.
    pub async fn build(self, clock: Arc<dyn Clock>) -> Result<Web, BuildError> {
        Web::build(self, clock).await
    }
}
