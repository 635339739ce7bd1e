//! Durations, URLs, numbers and lists as operators write them. Every refusal names the setting.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    str::FromStr,
    time::Duration,
};

use guildhall_http::{HttpOrigin, HttpUrl, UnusableUrl, WsUrl};

use super::{ConfigError, Mistakes, Settings, refuse};

/// A value as a refusal repeats it. What is longer than any number, name or address may be a
/// secret that was pasted into the wrong line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 24;
    match text.chars().count() {
        0..=LONGEST => format!("{text:?}"),
        long => format!("a text of {long} characters"),
    }
}

/// A value of any type that reads itself, with `what` it should have been.
pub(super) fn value<T: FromStr>(
    settings: &Settings,
    name: &'static str,
    what: &str,
) -> Result<T, ConfigError> {
    let text = settings.require(name)?;
    let Ok(value) = text.parse() else {
        return refuse!("{name} is {}, which is not {what}.", shown(text));
    };
    Ok(value)
}

/// A number from 1 to `most` of what is named.
pub(super) fn number(
    settings: &Settings,
    name: &'static str,
    what: &str,
    most: usize,
) -> Result<NonZeroUsize, ConfigError> {
    let text = settings.require(name)?;
    match text.parse::<NonZeroUsize>() {
        Ok(number) if number.get() <= most => Ok(number),
        _ => refuse!(
            "{name} is {}: write a number of {what} from 1 to {most}.",
            shown(text)
        ),
    }
}

/// Whether something is switched on.
pub(super) fn switch(settings: &Settings, name: &'static str) -> Result<bool, ConfigError> {
    match settings.require(name)? {
        "1" => Ok(true),
        "0" => Ok(false),
        text => refuse!("{name} is {}: write 1 for yes or 0 for no.", shown(text)),
    }
}

/// The parts of a comma-separated list, trimmed, empty ones left out.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// An address to listen on, from a host and a port setting.
pub(crate) fn listen(
    settings: &Settings,
    host: &'static str,
    port: &'static str,
) -> Result<SocketAddr, ConfigError> {
    both(ip(settings, host), value(settings, port, PORT))
}

/// The same, for a port whose default depends on the role.
pub(crate) fn listen_or(
    settings: &Settings,
    host: &'static str,
    port: &'static str,
    default_port: u16,
) -> Result<SocketAddr, ConfigError> {
    let number = if settings.is_set(port) {
        value(settings, port, PORT)
    } else {
        Ok(default_port)
    };
    both(ip(settings, host), number)
}

fn both(
    ip: Result<IpAddr, ConfigError>,
    port: Result<u16, ConfigError>,
) -> Result<SocketAddr, ConfigError> {
    let mut mistakes = Mistakes::default();
    match (mistakes.take(ip), mistakes.take(port)) {
        (Some(ip), Some(port)) => Ok(SocketAddr::new(ip, port)),
        _ => Err(mistakes.error()),
    }
}

const PORT: &str = "a port number from 0 to 65535";

/// An address of this machine, or all of them.
pub(crate) fn ip(settings: &Settings, host: &'static str) -> Result<IpAddr, ConfigError> {
    let text = match settings.require(host)? {
        "localhost" => "127.0.0.1",
        text => text,
    };
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare.unwrap_or(text).parse() {
        Ok(ip) => Ok(ip),
        Err(_) => refuse!(
            "{host} is {}, which is no IP address: try 127.0.0.1 or 0.0.0.0.",
            shown(text)
        ),
    }
}

/// An http or https URL, without user, password, query or fragment.
pub(super) fn http_url(settings: &Settings, name: &'static str) -> Result<HttpUrl, ConfigError> {
    url(settings, name, &HttpUrl::SCHEMES)
}

/// The same as a ws or wss URL.
pub(super) fn ws_url(settings: &Settings, name: &'static str) -> Result<WsUrl, ConfigError> {
    url(settings, name, &WsUrl::SCHEMES)
}

/// An http or https URL without a path.
pub(super) fn origin(settings: &Settings, name: &'static str) -> Result<HttpOrigin, ConfigError> {
    url(settings, name, &HttpUrl::SCHEMES)
}

fn url<T>(settings: &Settings, name: &'static str, schemes: &[&str]) -> Result<T, ConfigError>
where
    T: FromStr<Err = UnusableUrl>,
{
    let text = settings.require(name)?;
    let wanted = schemes.join(" or ");
    text.parse().or_else(|why| match why {
        UnusableUrl::Unreadable => refuse!("{name} is no URL: it begins with {wanted}://."),
        UnusableUrl::SchemeOrHost => {
            refuse!("{name} must begin with {wanted}:// and name a host.")
        }
        UnusableUrl::Credentials => refuse!("{name} must not carry a user name or password."),
        UnusableUrl::QueryOrFragment => refuse!("{name} must not carry a query or a fragment."),
        UnusableUrl::Path => {
            refuse!("{name} is an origin such as https://discord.com, without a path.")
        }
    })
}

/// A duration such as `90s`, `30m`, `4h` or `7d`.
pub(super) fn duration(settings: &Settings, name: &'static str) -> Result<Duration, ConfigError> {
    let text = settings.require(name)?;
    match duration_of(text) {
        Some(duration) => Ok(duration),
        None => refuse!(
            "{name} is {}: write a duration of at least a second, such as 90s, 30m, 4h or 2d.",
            shown(text)
        ),
    }
}

/// The same within another value.
pub(crate) fn duration_of(text: &str) -> Option<Duration> {
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
    let seconds = product.and_then(|(number, seconds)| u64::checked_mul(number, seconds));
    let seconds = seconds.filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs)
}
