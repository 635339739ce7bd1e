//! URLs of settings. None carries a user, a password, a query or a fragment.

use std::{ops::Deref, str::FromStr};

use url::Url;

/// An http or https URL, with or without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(Url);

/// An http or https URL without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOrigin(Url);

/// A ws or wss URL, with or without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsUrl(Url);

/// Why a text, or a URL, is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableUrl {
    /// It cannot be read.
    #[error("it is no URL")]
    Unreadable,
    /// It has another scheme, or no host.
    #[error("it has another scheme, or no host")]
    SchemeOrHost,
    /// It carries a user or a password.
    #[error("it carries a user or a password")]
    Credentials,
    /// It carries a query or a fragment.
    #[error("it carries a query or a fragment")]
    QueryOrFragment,
    /// It has a path, and an origin has none.
    #[error("it has a path")]
    Path,
}

impl HttpUrl {
    /// Those it may have.
    pub const SCHEMES: [&str; 2] = ["https", "http"];
}

impl WsUrl {
    /// Those it may have.
    pub const SCHEMES: [&str; 2] = ["wss", "ws"];

    /// The same URL, with this path if it has none.
    #[must_use]
    pub fn with_default_path(mut self, path: &str) -> Self {
        if self.0.path() == "/" {
            self.0.set_path(path);
        }
        self
    }
}

fn checked(url: Url, schemes: &[&str]) -> Result<Url, UnusableUrl> {
    if !schemes.contains(&url.scheme()) || url.host_str().is_none() {
        return Err(UnusableUrl::SchemeOrHost);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UnusableUrl::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UnusableUrl::QueryOrFragment);
    }
    Ok(url)
}

impl TryFrom<Url> for HttpUrl {
    type Error = UnusableUrl;

    fn try_from(url: Url) -> Result<Self, UnusableUrl> {
        checked(url, &Self::SCHEMES).map(Self)
    }
}

impl TryFrom<Url> for HttpOrigin {
    type Error = UnusableUrl;

    fn try_from(url: Url) -> Result<Self, UnusableUrl> {
        let HttpUrl(url) = url.try_into()?;
        if url.path() != "/" {
            return Err(UnusableUrl::Path);
        }
        Ok(Self(url))
    }
}

impl TryFrom<Url> for WsUrl {
    type Error = UnusableUrl;

    fn try_from(url: Url) -> Result<Self, UnusableUrl> {
        checked(url, &Self::SCHEMES).map(Self)
    }
}

/// What all three have: they are read from text, and read as a `Url`.
macro_rules! reads_as_url {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = UnusableUrl;

            fn from_str(text: &str) -> Result<Self, UnusableUrl> {
                let url = Url::parse(text).map_err(|_| UnusableUrl::Unreadable)?;
                url.try_into()
            }
        }

        impl Deref for $name {
            type Target = Url;

            fn deref(&self) -> &Url {
                &self.0
            }
        }

        impl From<$name> for Url {
            fn from(url: $name) -> Self {
                url.0
            }
        }
    )*};
}

reads_as_url!(HttpUrl, HttpOrigin, WsUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_its_own_and_says_why_not() {
        use UnusableUrl::{Credentials, Path, QueryOrFragment, SchemeOrHost, Unreadable};
        for (text, http, origin, ws) in [
            ("https://a.example", None, None, Some(SchemeOrHost)),
            ("http://[::1]:3000/", None, None, Some(SchemeOrHost)),
            ("https://a.example/p", None, Some(Path), Some(SchemeOrHost)),
            (
                "wss://a.example/link",
                Some(SchemeOrHost),
                Some(SchemeOrHost),
                None,
            ),
            (
                "ftp://a.example",
                Some(SchemeOrHost),
                Some(SchemeOrHost),
                Some(SchemeOrHost),
            ),
            (
                "https://u@a.example",
                Some(Credentials),
                Some(Credentials),
                Some(SchemeOrHost),
            ),
            (
                "https://a.example/?q",
                Some(QueryOrFragment),
                Some(QueryOrFragment),
                Some(SchemeOrHost),
            ),
            (
                "ws://a.example/#f",
                Some(SchemeOrHost),
                Some(SchemeOrHost),
                Some(QueryOrFragment),
            ),
            (
                "a.example",
                Some(Unreadable),
                Some(Unreadable),
                Some(Unreadable),
            ),
        ] {
            assert_eq!(text.parse::<HttpUrl>().err(), http, "{text}");
            assert_eq!(text.parse::<HttpOrigin>().err(), origin, "{text}");
            assert_eq!(text.parse::<WsUrl>().err(), ws, "{text}");
        }
    }
}
