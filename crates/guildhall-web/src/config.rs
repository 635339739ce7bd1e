//! The role's settings. Only the binary reads flags, environment and files; here they are data.

use std::{io, net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use guildhall_http::{
    AllowedHosts, HttpOrigin, HttpUrl, RotatedSecret, Secret, StrongSecret, TrustedProxies,
    tls::{CertificateError, CertificateFiles},
};
use guildhall_ports::{Clock, GatewayRegistry, RateLimiter, SessionStore};
use rustls::ClientConfig;

use crate::{api_token::ApiToken, jwt::JwtKey, public_key::DiscordPublicKey};

/// What the web role is told. Whoever makes one has looked at what a single value does not show:
/// a plain http `base_url` is for this machine alone, and `stream_max_age` is under `session_idle`.
#[derive(Debug)]
pub struct Config {
    /// Where browsers come in. Port 0 takes a free one: `Web::local_addr`.
    pub listen: SocketAddr,
    /// Where browsers believe we are; its path is the prefix of every route.
    pub base_url: HttpUrl,
    /// Said to the gateway.
    pub link_token: StrongSecret,
    /// The current one encrypts cookies, all of them decrypt.
    pub session_secrets: RotatedSecret,
    /// Discord as the identity provider.
    pub oauth: OAuth,
    /// Checks the tokens of the operator's own login; without one none is taken.
    pub jwt_key: Option<JwtKey>,
    /// Programs of the operator's that come in with a token.
    pub api_tokens: Vec<ApiToken>,
    /// Origins besides our own that may post with a cookie and be returned to after login.
    pub allowed_origins: Vec<HttpOrigin>,
    /// Names by which browsers may ask for us, beside those of `base_url` and `allowed_origins`.
    pub allowed_hosts: AllowedHosts,
    /// What whoever comes is shown; `None`: what comes is plain http.
    pub certificate: Option<CertificateFiles>,
    /// Where avatars and icons come from; the page may load pictures from there. At most
    /// [`crate::CDN_URL_MAX`] characters.
    pub cdn_url: HttpOrigin,
    /// Whether signing in by an invite asks Discord for `guilds.join` and lets people into the
    /// invite's guild.
    pub guilds_join: bool,
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
    /// How TLS is spoken to Discord and to the gateway.
    pub tls: Arc<ClientConfig>,
    /// Records kept per guild.
    pub log_window: NonZeroUsize,
    /// Serve the page from this folder instead of the embedded build.
    pub ui_dir: Option<PathBuf>,
    /// Checks Discord's webhook events; without one they are not taken.
    pub discord_public_key: Option<DiscordPublicKey>,
    /// A session unused for so long is over.
    pub session_idle: Duration,
    /// A session this old is over, however much it is used.
    pub session_max_age: Duration,
    /// What the operator calls the settings that sentences name.
    pub names: WebSettingNames,
}

/// What the role asks of the outside.
#[derive(Clone, Debug)]
pub struct WebPorts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Which sessions are over before their time.
    pub sessions: Arc<dyn SessionStore>,
    /// How often the login may call Discord.
    pub rate_limiter: Arc<dyn RateLimiter>,
    /// Where the gateway's link is. Asked before each dial; today the first that is listed is dialled.
    pub gateways: Arc<dyn GatewayRegistry>,
}

/// What the operator calls those settings that a log line, a line of `/readyz` or an answer names.
#[derive(Clone, Copy, Debug)]
pub struct WebSettingNames {
    /// Where the gateway in [`WebPorts::gateways`] comes from.
    pub gateway_url: &'static str,
    /// [`Config::link_token`].
    pub link_token: &'static str,
    /// [`OAuth::client_id`].
    pub client_id: &'static str,
    /// [`OAuth::client_secret`].
    pub client_secret: &'static str,
    /// [`Config::discord_public_key`].
    pub public_key: &'static str,
    /// [`Config::allowed_origins`].
    pub allowed_origins: &'static str,
    /// [`Config::allowed_hosts`].
    pub allowed_hosts: &'static str,
    /// [`Config::trusted_proxies`].
    pub trusted_proxies: &'static str,
    /// [`OAuth::api_url`].
    pub discord_url: &'static str,
    /// The further roots that [`Config::tls`] trusts.
    pub root_certificates: &'static str,
}

/// Discord's OAuth2 application.
#[derive(Debug)]
pub struct OAuth {
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// Where a browser reaches Discord's authorize page.
    pub public_url: HttpOrigin,
    /// Where this process reaches Discord's API.
    pub api_url: HttpOrigin,
}

/// Why the role cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum WebBuildError {
    /// Where browsers come in can't be listened on.
    #[error("{0}")]
    NotBound(io::Error),
    /// The certificate's files can't be used.
    #[error("{0}")]
    Certificate(CertificateError),
    /// The client of Discord's API can't be made.
    #[error("The client of Discord's API can't be made.")]
    Tls,
    /// The machine refused something that no setting explains.
    #[error("{0}")]
    Failed(io::Error),
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use guildhall_ports::{
        Clock, LinkAddress,
        memory::{CookieSessionStore, MemoryRateLimiter, SingleInstanceRegistry},
    };

    use super::{WebPorts, WebSettingNames};

    /// In memory, each new. The gateway is where nobody is.
    pub(crate) fn ports(clock: Arc<dyn Clock>) -> WebPorts {
        let nowhere = LinkAddress::new("ws://127.0.0.1:1/link");
        WebPorts {
            clock,
            sessions: Arc::new(CookieSessionStore::default()),
            rate_limiter: Arc::new(MemoryRateLimiter::default()),
            gateways: Arc::new(SingleInstanceRegistry::at(nowhere)),
        }
    }

    pub(crate) const NAMES: WebSettingNames = WebSettingNames {
        gateway_url: "THE_GATEWAY",
        link_token: "THE_TOKEN",
        client_id: "THE_ID",
        client_secret: "THE_SECRET",
        public_key: "THE_KEY",
        allowed_origins: "THE_ORIGINS",
        allowed_hosts: "THE_HOSTS",
        trusted_proxies: "THE_PROXIES",
        discord_url: "THE_DISCORD",
        root_certificates: "THE_ROOTS",
    };
}
