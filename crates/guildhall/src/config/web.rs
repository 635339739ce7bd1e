//! The web role's settings.

use std::{net::Ipv4Addr, time::Duration};

use guildhall_web::{Config, OAuth, http::TrustedProxies};
use secrecy::SecretString;
use url::{Host, Url};

use super::{ConfigError, Settings, gateway::log_window, parse, refuse, secrets};

/// A session unused for so long is over; streams slide theirs when they open.
const SESSION_IDLE: Duration = Duration::from_hours(7 * 24);

/// A session this old is over, however much it is used.
const SESSION_MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// Where nobody has counted descriptors.
const CONNECTIONS: usize = 1_024;

/// Reads what the web role needs.
pub(crate) fn web(settings: &Settings) -> Result<Config, ConfigError> {
    let listen = parse::listen(settings, "WEB_HOST", "WEB_PORT")?;
    Ok(Config {
        listen,
        base_url: base_url(settings, listen.port())?,
        gateway_url: gateway_url(settings)?,
        link_token: secrets::strong(settings, "LINK_TOKEN", 2)?.swap_remove(0),
        session_secrets: secrets::strong(settings, "SESSION_SECRET", 4)?,
        oauth: oauth(settings)?,
        allowed_origins: allowed_origins(settings)?,
        cdn_url: parse::origin(settings, "DISCORD_CDN_URL")?,
        stream_max_age: stream_max_age(settings)?,
        streams_per_user: count(settings, "STREAMS_PER_USER")?,
        streams_per_address: count(settings, "STREAMS_PER_ADDRESS")?,
        streams_max: count(settings, "STREAMS_MAX")?,
        connections: CONNECTIONS,
        trusted_proxies: trusted_proxies(settings)?,
        log_window: log_window(settings)?,
        ui_dir: None,
        session_idle: SESSION_IDLE,
        session_max_age: SESSION_MAX_AGE,
    })
}

fn base_url(settings: &Settings, port: u16) -> Result<Url, ConfigError> {
    if !settings.is_set("BASE_URL") {
        if port == 0 {
            return refuse!(
                "BASE_URL is not set, and WEB_PORT is 0: set one, or login has no way back."
            );
        }
        let text = format!("http://localhost:{port}");
        return Url::parse(&text).map_err(|error| ConfigError(format!("{text}: {error}")));
    }
    let url = parse::url(settings, "BASE_URL", &["https", "http"])?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !local {
        return refuse!(
            "BASE_URL is plain http on another host than localhost, where browsers would send the session cookie unprotected: use https."
        );
    }
    Ok(url)
}

/// Without a path the link is at `/link`. Plain `ws` would carry `LINK_TOKEN` in the clear, so it
/// is for this machine and private networks only.
fn gateway_url(settings: &Settings) -> Result<Url, ConfigError> {
    let mut url = parse::url(settings, "GATEWAY_WS_URL", &["wss", "ws"])?;
    if url.scheme() == "ws" && !is_private(&url) {
        return refuse!(
            "GATEWAY_WS_URL is plain ws to a host that is not on a private network, which would send LINK_TOKEN in the clear: use wss."
        );
    }
    if url.path() == "/" {
        url.set_path("/link");
    }
    Ok(url)
}

/// Names without a dot are those of containers and of the hosts file.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            !name.contains('.')
                || [".local", ".internal", ".localhost"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        None => false,
    }
}

fn oauth(settings: &Settings) -> Result<OAuth, ConfigError> {
    let client_id = settings.require("DISCORD_CLIENT_ID")?;
    if client_id.parse::<u64>().is_err() {
        return refuse!(
            "DISCORD_CLIENT_ID is {client_id:?}, which is no id: it is the application's number in the developer portal."
        );
    }
    let discord_url = parse::origin(settings, "DISCORD_URL")?;
    let public_url = if settings.is_set("DISCORD_PUBLIC_URL") {
        parse::origin(settings, "DISCORD_PUBLIC_URL")?
    } else {
        discord_url.clone()
    };
    Ok(OAuth {
        client_id: client_id.to_owned(),
        client_secret: SecretString::from(settings.require("DISCORD_CLIENT_SECRET")?),
        api_url: discord_url,
        public_url,
    })
}

fn allowed_origins(settings: &Settings) -> Result<Vec<Url>, ConfigError> {
    let mut origins = Vec::new();
    for part in settings
        .get("ALLOWED_ORIGINS")
        .into_iter()
        .flat_map(parse::list)
    {
        match Url::parse(part) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.path() == "/" => {
                origins.push(url);
            }
            _ => {
                return refuse!(
                    "ALLOWED_ORIGINS has {part:?}, which is no origin: write https://app.example.com."
                );
            }
        }
    }
    Ok(origins)
}

fn trusted_proxies(settings: &Settings) -> Result<TrustedProxies, ConfigError> {
    let mut proxies = TrustedProxies::default();
    for part in settings
        .get("TRUSTED_PROXIES")
        .into_iter()
        .flat_map(parse::list)
    {
        if !proxies.add(part) {
            return refuse!(
                "TRUSTED_PROXIES has {part:?}, which is no address or network: write 10.0.0.0/8, 192.0.2.1, loopback or private."
            );
        }
    }
    Ok(proxies)
}

/// A stream slides its session when it opens, so it must end before an idle session would.
fn stream_max_age(settings: &Settings) -> Result<Duration, ConfigError> {
    let age = parse::duration(settings, "STREAM_MAX_AGE")?;
    if age >= SESSION_IDLE {
        return refuse!(
            "STREAM_MAX_AGE must be under the 7 days after which an idle session ends."
        );
    }
    Ok(age)
}

fn count(settings: &Settings, name: &'static str) -> Result<usize, ConfigError> {
    match parse::value(settings, name, "a number")? {
        0 => refuse!("{name} is 0, which would refuse every stream: unset it or raise it."),
        count => Ok(count),
    }
}
