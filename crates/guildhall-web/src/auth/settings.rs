//! What the login is set up with, and what is refused before it starts.

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::{
    jar::{Jar, SECRET_MIN},
    session::{AVATAR_URL_MAX, SessionLifetime},
};
use crate::Config;

/// The rest of an avatar's address has at most 112 bytes: the user's id and a hash.
const CDN_URL_MAX: usize = AVATAR_URL_MAX - 112;

/// Settings of the login. URLs of Discord are origins: the paths are ours to add.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where browsers find us, with or without a path prefix: `BASE_URL`.
    pub base_url: Url,
    /// Other sites that may be returned to and may post with the cookie: `ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<Url>,
    /// The first encrypts, all decrypt: `SESSION_SECRET`.
    pub session_secrets: Vec<SecretString>,
    /// `DISCORD_CLIENT_ID`. Empty: nobody can sign in, and the login says so.
    pub client_id: String,
    /// `DISCORD_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// Discord as we reach it: `DISCORD_URL`.
    pub discord_url: Url,
    /// Discord as browsers reach it: `DISCORD_PUBLIC_URL`.
    pub discord_public_url: Url,
    /// Where avatars are: `DISCORD_CDN_URL`.
    pub cdn_url: Url,
    /// How long sessions last.
    pub lifetime: SessionLifetime,
}

impl Settings {
    /// The login's part of the role's settings.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            base_url: config.base_url.clone(),
            allowed_origins: config.allowed_origins.clone(),
            session_secrets: config.session_secrets.clone(),
            client_id: config.oauth.client_id.clone(),
            client_secret: config.oauth.client_secret.clone(),
            discord_url: config.oauth.api_url.clone(),
            discord_public_url: config.oauth.public_url.clone(),
            cdn_url: config.cdn_url.clone(),
            lifetime: SessionLifetime {
                idle: config.session_idle,
                absolute: config.session_max_age,
            },
        }
    }

    /// The first thing wrong with them, as one sentence that names the setting and the cure.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_base_url()?;
        for origin in &self.allowed_origins {
            if !is_http(origin) || origin.path() != "/" || has_extras(origin) {
                let sentence = "ALLOWED_ORIGINS has an entry that is no origin; write each as https://host or https://host:port.";
                return Err(sentence.to_owned());
            }
        }
        for (name, url) in [
            ("DISCORD_URL", &self.discord_url),
            ("DISCORD_PUBLIC_URL", &self.discord_public_url),
            ("DISCORD_CDN_URL", &self.cdn_url),
        ] {
            if !is_http(url) || has_extras(url) {
                return Err(format!(
                    "{name} is no http address; write it as https://host."
                ));
            }
        }
        if self.cdn_url.as_str().len() > CDN_URL_MAX {
            return Err(format!(
                "DISCORD_CDN_URL is longer than {CDN_URL_MAX} characters; avatars' addresses must fit the session's cookie."
            ));
        }
        if self.can_sign_in() && self.client_secret.expose_secret().is_empty() {
            return Err(
                "DISCORD_CLIENT_SECRET is empty; copy it from the application's OAuth2 page."
                    .to_owned(),
            );
        }
        let short = |secret: &SecretString| secret.expose_secret().len() < SECRET_MIN;
        if self.session_secrets.is_empty() || self.session_secrets.iter().any(short) {
            return Err(short_secret());
        }
        if self.lifetime.idle.is_zero() || self.lifetime.idle > self.lifetime.absolute {
            return Err(
                "the idle limit of sessions must be above zero and not above the absolute one."
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The keys and names of cookies.
    pub(super) fn jar(&self) -> Result<Jar, String> {
        Jar::new(&self.session_secrets, self.is_https()).ok_or_else(short_secret)
    }

    /// Whether there is a Discord application to sign in with.
    pub(super) fn can_sign_in(&self) -> bool {
        !self.client_id.is_empty()
    }

    fn check_base_url(&self) -> Result<(), String> {
        if !is_http(&self.base_url) || has_extras(&self.base_url) {
            return Err("BASE_URL must be an http or https address without user, query or fragment; write it as https://host/prefix.".to_owned());
        }
        if !self.is_https() && !is_this_machine(&self.base_url) {
            return Err("BASE_URL is plain http on a host other than localhost, 127.0.0.1 or [::1], where a session could be read on the way; use https.".to_owned());
        }
        Ok(())
    }

    /// Whether cookies are Secure.
    pub(super) fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// A page of ours: the base URL, its prefix, and a path without a leading slash.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let prefix = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{path}"));
        url
    }

    /// The front page.
    pub(super) fn home(&self) -> Url {
        self.at("")
    }
}

fn short_secret() -> String {
    format!(
        "SESSION_SECRET needs at least {SECRET_MIN} characters in each of its values; make one with `openssl rand -hex 32`."
    )
}

fn is_http(url: &Url) -> bool {
    ["http", "https"].contains(&url.scheme()) && url.has_host()
}

fn has_extras(url: &Url) -> bool {
    let user = !url.username().is_empty() || url.password().is_some();
    user || url.query().is_some() || url.fragment().is_some()
}

/// Exactly the hosts that design and README name; others that resolve here are not told apart
/// from those that do not.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings that pass, for a base URL.
    pub(in crate::auth) fn settings(base_url: &str) -> Settings {
        let url = |text: &str| text.parse().expect("a URL");
        Settings {
            base_url: url(base_url),
            allowed_origins: Vec::new(),
            session_secrets: vec!["an-old-oak-holds-the-roof-of-this-hall".into()],
            client_id: "41771983423143937".to_owned(),
            client_secret: "a-client-secret".into(),
            discord_url: url("https://discord.com"),
            discord_public_url: url("https://discord.com"),
            cdn_url: url("https://cdn.discordapp.com"),
            lifetime: SessionLifetime::default(),
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for base_url in [
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://hall.example",
            "https://hall.example/prefix/",
        ] {
            assert_eq!(settings(base_url).check(), Ok(()), "{base_url}");
        }
        for base_url in [
            "http://hall.example",
            "http://127.0.0.2",
            "http://[::2]",
            "http://localhost.hall.example",
            "ftp://hall.example",
            "https://user@hall.example",
            "https://hall.example/?x",
            "https://hall.example/#x",
        ] {
            let sentence = settings(base_url).check().expect_err(base_url);
            assert!(sentence.starts_with("BASE_URL "), "{sentence}");
        }
    }

    type Spoil = fn(&mut Settings);

    #[test]
    fn each_bad_setting_is_named() {
        let cases: [(&str, Spoil); 8] = [
            ("DISCORD_CDN_URL", |it| {
                it.cdn_url.set_path(&"x".repeat(500));
            }),
            ("SESSION_SECRET", |it| it.session_secrets.clear()),
            ("SESSION_SECRET", |it| {
                it.session_secrets.push("short".into());
            }),
            ("DISCORD_CLIENT_SECRET", |it| it.client_secret = "".into()),
            ("DISCORD_URL", |it| it.discord_url.set_query(Some("x"))),
            ("ALLOWED_ORIGINS", |it| {
                it.allowed_origins
                    .push("https://app.example/path".parse().expect("a URL"));
            }),
            ("idle limit", |it| {
                it.lifetime.idle = it.lifetime.absolute * 2;
            }),
            ("idle limit", |it| {
                it.lifetime.idle = std::time::Duration::ZERO;
            }),
        ];
        for (name, spoil) in cases {
            let mut settings = settings("http://localhost:3000");
            spoil(&mut settings);
            let sentence = settings.check().expect_err(name);
            assert!(sentence.contains(name), "{sentence}");
        }
    }

    #[test]
    fn pages_keep_the_prefix() {
        for (base_url, home, callback) in [
            (
                "https://a.example",
                "https://a.example/",
                "https://a.example/auth/callback",
            ),
            (
                "https://a.example/p",
                "https://a.example/p/",
                "https://a.example/p/auth/callback",
            ),
            (
                "https://a.example/p/",
                "https://a.example/p/",
                "https://a.example/p/auth/callback",
            ),
        ] {
            let settings = settings(base_url);
            assert_eq!(settings.home().as_str(), home);
            assert_eq!(settings.at("auth/callback").as_str(), callback);
        }
    }
}
