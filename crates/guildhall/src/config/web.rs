//! The web role's settings.

use std::{net::Ipv4Addr, num::NonZeroUsize, time::Duration};

use guildhall_http::{HttpOrigin, HttpUrl, RotatedSecret, Secret, TrustedProxies, WsUrl};
use guildhall_model::session::SESSION_LIFE_MAX;
use guildhall_web::{CDN_URL_MAX, Config, DiscordPublicKey, OAuth, WebSettingNames};
use url::{Host, Url};

use super::{
    ConfigError, Mistakes, Settings, api_tokens::api_tokens, edge, gateway::log_window, parse,
    refuse, secrets, tls, tls::ROOT_CERTIFICATES,
};

/// A session unused for so long is over; streams slide theirs when they open.
const SESSION_IDLE: Duration = Duration::from_hours(7 * 24);

/// A session this old is over, however much it is used.
const SESSION_MAX_AGE: Duration = SESSION_LIFE_MAX;

/// Where nobody has counted descriptors.
const CONNECTIONS: usize = 1_024;

/// The settings that the role names to its operator.
const NAMES: WebSettingNames = WebSettingNames {
    gateway_url: "GATEWAY_WS_URL",
    link_token: "LINK_TOKEN",
    client_id: "DISCORD_CLIENT_ID",
    client_secret: "DISCORD_CLIENT_SECRET",
    public_key: "DISCORD_PUBLIC_KEY",
    allowed_origins: "ALLOWED_ORIGINS",
    allowed_hosts: "ALLOWED_HOSTS",
    trusted_proxies: "TRUSTED_PROXIES",
    discord_url: "DISCORD_URL",
    root_certificates: ROOT_CERTIFICATES,
};

/// Reads what the web role needs; the error says all that is wrong with it.
/// What the web role is told, and where its gateway is.
#[derive(Debug)]
pub(crate) struct WebSettings {
    pub(crate) role: Config,
    pub(crate) gateway_url: WsUrl,
}

#[expect(clippy::too_many_lines, reason = "flat: each setting, three times")]
pub(crate) fn web(settings: &Settings) -> Result<WebSettings, ConfigError> {
    let mut mistakes = Mistakes::default();
    let link_token = mistakes.take(secrets::strong(settings, "LINK_TOKEN", 2));
    let session_secrets = mistakes.take(secrets::strong(settings, "SESSION_SECRET", 4));
    let apart = mistakes.take(differ(link_token.as_ref(), session_secrets.as_ref()));
    let oauth = oauth(settings, &mut mistakes);
    let listen = mistakes.take(parse::listen(settings, "WEB_HOST", "WEB_PORT"));
    // Without a port of its own a wrong one is told once.
    let port = listen.map_or(1, |listen| listen.port());
    let base_url = mistakes.take(base_url(settings, port));
    let gateway_url = mistakes.take(gateway_url(settings));
    let jwt_key = mistakes.take(edge::jwt_key(settings));
    let api_tokens = mistakes.take(api_tokens(settings));
    let allowed_origins = mistakes.take(allowed_origins(settings));
    let allowed_hosts = mistakes.take(edge::allowed_hosts(settings));
    let certificate = mistakes.take(edge::certificate(settings));
    let cdn_url = mistakes.take(cdn_url(settings));
    let discord_public_key = mistakes.take(public_key(settings));
    let guilds_join = mistakes.take(parse::switch(settings, "GUILDS_JOIN"));
    let stream_max_age = mistakes.take(stream_max_age(settings));
    let streams_per_user = mistakes.take(count(settings, "STREAMS_PER_USER"));
    let streams_per_address = mistakes.take(count(settings, "STREAMS_PER_ADDRESS"));
    let trusted_proxies = mistakes.take(trusted_proxies(settings));
    let streams_max = mistakes.take(count(settings, "STREAMS_MAX"));
    let tls = mistakes.take(tls::client_config(settings));
    let log_window = mistakes.take(log_window(settings));
    let (
        Some(listen),
        Some(base_url),
        Some(gateway_url),
        Some(link_token),
        Some(session_secrets),
        Some(()),
        Some(oauth),
        Some(jwt_key),
        Some(api_tokens),
        Some(allowed_origins),
        Some(allowed_hosts),
        Some(certificate),
        Some(cdn_url),
        Some(discord_public_key),
        Some(guilds_join),
        Some(stream_max_age),
        Some(streams_per_user),
        Some(streams_per_address),
        Some(streams_max),
        Some(trusted_proxies),
        Some(tls),
        Some(log_window),
    ) = (
        listen,
        base_url,
        gateway_url,
        link_token,
        session_secrets,
        apart,
        oauth,
        jwt_key,
        api_tokens,
        allowed_origins,
        allowed_hosts,
        certificate,
        cdn_url,
        discord_public_key,
        guilds_join,
        stream_max_age,
        streams_per_user,
        streams_per_address,
        streams_max,
        trusted_proxies,
        tls,
        log_window,
    )
    else {
        return Err(mistakes.error());
    };
    let role = Config {
        listen,
        base_url,
        link_token: link_token.current,
        session_secrets,
        oauth,
        jwt_key,
        api_tokens,
        allowed_origins,
        allowed_hosts,
        certificate,
        cdn_url,
        discord_public_key,
        guilds_join,
        stream_max_age,
        streams_per_user,
        streams_per_address,
        streams_max,
        connections: CONNECTIONS,
        trusted_proxies,
        tls,
        log_window,
        ui_dir: None,
        session_idle: SESSION_IDLE,
        session_max_age: SESSION_MAX_AGE,
        names: NAMES,
    };
    Ok(WebSettings { role, gateway_url })
}

/// The link's secret is known to every web role and gateway, and a session's to web alone: whoever
/// learns one must not have the other.
fn differ(
    link: Option<&RotatedSecret>,
    session: Option<&RotatedSecret>,
) -> Result<(), ConfigError> {
    let (Some(link), Some(session)) = (link, session) else {
        return Ok(());
    };
    let is_both = link
        .iter()
        .any(|link| session.iter().any(|one| one.expose() == link.expose()));
    if is_both {
        return refuse!(
            "LINK_TOKEN and SESSION_SECRET are the same: make another one with `openssl rand -hex 32`."
        );
    }
    Ok(())
}

/// For a gateway in the same process, which reads the page's address too.
pub(crate) fn assume_base_url(settings: &mut Settings) {
    let listen = parse::listen(settings, "WEB_HOST", "WEB_PORT");
    let port = listen.map_or(0, |listen| listen.port());
    if port != 0 && !settings.is_set("BASE_URL") {
        let scheme = if settings.is_set("TLS_CERT") {
            "https"
        } else {
            "http"
        };
        settings.set("BASE_URL", format!("{scheme}://localhost:{port}"));
    }
}

fn base_url(settings: &Settings, port: u16) -> Result<HttpUrl, ConfigError> {
    if !settings.is_set("BASE_URL") {
        if port == 0 {
            return refuse!(
                "BASE_URL is not set, and WEB_PORT is 0: set one, or login has no way back."
            );
        }
        let scheme = if settings.is_set("TLS_CERT") {
            "https"
        } else {
            "http"
        };
        let text = format!("{scheme}://localhost:{port}");
        return text
            .parse()
            .map_err(|error| ConfigError(format!("{text}: {error}")));
    }
    let url = parse::http_url(settings, "BASE_URL")?;
    if url.scheme() == "http" && settings.is_set("TLS_CERT") {
        return refuse!(
            "BASE_URL is plain http, and with TLS_CERT browsers come by https: write https."
        );
    }
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
fn gateway_url(settings: &Settings) -> Result<WsUrl, ConfigError> {
    let url = parse::ws_url(settings, "GATEWAY_WS_URL")?;
    if url.scheme() == "ws" && !is_private(&url) {
        return refuse!(
            "GATEWAY_WS_URL is plain ws to a host that is not on a private network, which would send LINK_TOKEN in the clear: use wss."
        );
    }
    Ok(url.with_default_path("/link"))
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

fn oauth(settings: &Settings, mistakes: &mut Mistakes) -> Option<OAuth> {
    let client_id = mistakes.take(client_id(settings));
    let client_secret = mistakes.take(client_secret(settings));
    let api_url = mistakes.take(parse::origin(settings, "DISCORD_URL"));
    let public_url = if settings.is_set("DISCORD_PUBLIC_URL") {
        mistakes.take(parse::origin(settings, "DISCORD_PUBLIC_URL"))
    } else {
        api_url.clone()
    };
    Some(OAuth {
        client_id: client_id?,
        client_secret: client_secret?,
        api_url: api_url?,
        public_url: public_url?,
    })
}

/// Avatars' addresses must fit the session's cookie.
fn cdn_url(settings: &Settings) -> Result<HttpOrigin, ConfigError> {
    let url = parse::origin(settings, "DISCORD_CDN_URL")?;
    if url.as_str().len() > CDN_URL_MAX {
        return refuse!(
            "DISCORD_CDN_URL is longer than {CDN_URL_MAX} characters; avatars' addresses must fit the session's cookie."
        );
    }
    Ok(url)
}

fn client_id(settings: &Settings) -> Result<String, ConfigError> {
    let text = settings.require("DISCORD_CLIENT_ID")?;
    match text.parse::<u64>() {
        Ok(1..) => Ok(text.to_owned()),
        _ => refuse!(
            "DISCORD_CLIENT_ID is {}, which is no id: it is the application's number in the developer portal.",
            parse::shown(text)
        ),
    }
}

fn client_secret(settings: &Settings) -> Result<Secret, ConfigError> {
    let text = settings.require("DISCORD_CLIENT_SECRET")?;
    let portal = "copy it from the developer portal (your application, OAuth2, Reset Secret)";
    secrets::usable("DISCORD_CLIENT_SECRET", text, portal)
}

fn public_key(settings: &Settings) -> Result<Option<DiscordPublicKey>, ConfigError> {
    let Some(text) = settings.get("DISCORD_PUBLIC_KEY") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(key) => Ok(Some(key)),
        Err(_) => refuse!(
            "DISCORD_PUBLIC_KEY is {}, which is no public key: copy its 64 hexadecimal digits from the developer portal (your application, General Information).",
            parse::shown(text)
        ),
    }
}

fn allowed_origins(settings: &Settings) -> Result<Vec<HttpOrigin>, ConfigError> {
    let mut origins = Vec::new();
    for part in settings
        .get("ALLOWED_ORIGINS")
        .into_iter()
        .flat_map(parse::list)
    {
        match part.parse() {
            Ok(origin) => origins.push(origin),
            Err(_) => {
                return refuse!(
                    "ALLOWED_ORIGINS has {}, which is no origin: write https://app.example.com.",
                    parse::shown(part)
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
                "TRUSTED_PROXIES has {}, which is no address or network: write 10.0.0.0/8, 192.0.2.1, loopback or private.",
                parse::shown(part)
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
            "STREAM_MAX_AGE is at least 1s and must be under the 7 days after which an idle session ends."
        );
    }
    Ok(age)
}

/// More streams than descriptors and memory last for anywhere.
const STREAMS_MOST: usize = 1_000_000;

fn count(settings: &Settings, name: &'static str) -> Result<usize, ConfigError> {
    parse::number(settings, name, "streams", STREAMS_MOST).map(NonZeroUsize::get)
}
