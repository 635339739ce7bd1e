//! Durations, URLs, numbers and lists as operators write them. Every refusal names the setting.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use url::Url;

use super::{ConfigError, Settings, refuse};

/// A value of any type that reads itself, with `what` it should have been.
pub(super) fn value<T: FromStr>(
    settings: &Settings,
    name: &'static str,
    what: &str,
) -> Result<T, ConfigError> {
    let text = settings.require(name)?;
    let Ok(value) = text.parse() else {
        return refuse!("{name} is {text:?}, which is not {what}.");
    };
    Ok(value)
}

/// The parts of a comma-separated list, trimmed, empty ones left out.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// An address to listen on, from a host and a port setting.
pub(super) fn listen(
    settings: &Settings,
    host: &'static str,
    port: &'static str,
) -> Result<SocketAddr, ConfigError> {
    let number = value(settings, port, PORT)?;
    Ok(SocketAddr::new(ip(settings, host)?, number))
}

/// The same, for a port whose default depends on the role.
pub(crate) fn listen_or(
    settings: &Settings,
    host: &'static str,
    port: &'static str,
    default_port: u16,
) -> Result<SocketAddr, ConfigError> {
    let number = if settings.is_set(port) {
        value(settings, port, PORT)?
    } else {
        default_port
    };
    Ok(SocketAddr::new(ip(settings, host)?, number))
}

const PORT: &str = "a port number from 0 to 65535";

fn ip(settings: &Settings, host: &'static str) -> Result<IpAddr, ConfigError> {
    let text = match settings.require(host)? {
        "localhost" => "127.0.0.1",
        text => text,
    };
    match text.trim_matches(['[', ']']).parse() {
        Ok(ip) => Ok(ip),
        Err(_) => refuse!("{host} is {text:?}, which is no IP address: try 127.0.0.1 or 0.0.0.0."),
    }
}

/// A URL of one of these schemes, without user, password, query or fragment.
pub(super) fn url(
    settings: &Settings,
    name: &'static str,
    schemes: &[&str],
) -> Result<Url, ConfigError> {
    let text = settings.require(name)?;
    let wanted = schemes.join(" or ");
    let Ok(url) = Url::parse(text) else {
        return refuse!("{name} is {text:?}, which is no URL: it begins with {wanted}://.");
    };
    if !schemes.contains(&url.scheme()) || url.host_str().is_none() {
        return refuse!("{name} must begin with {wanted}:// and name a host.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse!("{name} must not carry a user name or password.");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse!("{name} must not carry a query or a fragment.");
    }
    Ok(url)
}

/// A URL that is an origin: no path.
pub(super) fn origin(settings: &Settings, name: &'static str) -> Result<Url, ConfigError> {
    let url = url(settings, name, &["https", "http"])?;
    if url.path() != "/" {
        return refuse!("{name} is an origin such as https://discord.com, without a path.");
    }
    Ok(url)
}

/// A duration such as `90s`, `30m`, `4h` or `7d`.
pub(super) fn duration(settings: &Settings, name: &'static str) -> Result<Duration, ConfigError> {
    let text = settings.require(name)?;
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let product = number.parse().ok().zip(seconds);
    match product.and_then(|(number, seconds)| u64::checked_mul(number, seconds)) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => refuse!("{name} is {text:?}: write a duration such as 90s, 30m, 4h or 7d."),
    }
}
