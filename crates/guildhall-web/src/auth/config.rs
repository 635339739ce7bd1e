//! What the login is set up with.

use std::sync::Arc;

use guildhall_http::{HttpOrigin, HttpUrl, RotatedSecret, Secret};
use guildhall_ports::{Clock, SessionStore};
use rustls::ClientConfig;
use url::Url;

use super::{
    jar::Jar,
    program::ApiTokens,
    session::{AVATAR_URL_MAX, SessionLifetime, Sessions},
    shared_revocations::SharedRevocations,
};
use crate::{
    Config, WebSettingNames, api_token::ApiToken, jwt::JwtKey, public_key::DiscordPublicKey,
};

/// Discord's pictures have an origin of so many characters at most, for avatars' addresses must fit
/// the session's cookie. The rest of one has at most 112 bytes: the user's id and a hash.
pub const CDN_URL_MAX: usize = AVATAR_URL_MAX - 112;

/// The login's part of the role's settings.
#[derive(Clone, Debug)]
pub(crate) struct AuthConfig {
    /// Where browsers find us, with or without a path prefix.
    pub base_url: HttpUrl,
    /// Other sites that may be returned to and may post with the cookie.
    pub allowed_origins: Vec<HttpOrigin>,
    /// The current one encrypts, all decrypt.
    pub session_secrets: RotatedSecret,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: Secret,
    /// Discord as we reach it.
    pub discord_url: HttpOrigin,
    /// Discord as browsers reach it.
    pub discord_public_url: HttpOrigin,
    /// How TLS is spoken to Discord.
    pub tls: Arc<ClientConfig>,
    /// Where avatars are.
    pub cdn_url: HttpOrigin,
    /// Checks what comes as Discord's webhook events; without one nothing does.
    pub discord_public_key: Option<DiscordPublicKey>,
    /// Whether signing in by an invite lets people into its guild.
    pub guilds_join: bool,
    /// How long sessions last.
    pub lifetime: SessionLifetime,
    /// Checks the tokens of the operator's own login.
    pub jwt_key: Option<JwtKey>,
    /// The operator's own programs.
    pub api_tokens: Vec<ApiToken>,
    /// What the operator calls the settings.
    pub names: WebSettingNames,
}

impl AuthConfig {
    /// Taken out of the whole.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            base_url: config.base_url.clone(),
            allowed_origins: config.allowed_origins.clone(),
            session_secrets: config.session_secrets.clone(),
            client_id: config.oauth.client_id.clone(),
            client_secret: config.oauth.client_secret.clone(),
            discord_url: config.oauth.api_url.clone(),
            discord_public_url: config.oauth.public_url.clone(),
            tls: Arc::clone(&config.tls),
            cdn_url: config.cdn_url.clone(),
            discord_public_key: config.discord_public_key.clone(),
            guilds_join: config.guilds_join,
            lifetime: SessionLifetime {
                idle: config.session_idle,
                absolute: config.session_max_age,
            },
            jwt_key: config.jwt_key.clone(),
            api_tokens: config.api_tokens.clone(),
            names: config.names,
        }
    }

    /// The keys and names of cookies.
    pub(super) fn jar(&self) -> Jar {
        Jar::new(&self.session_secrets, self.is_https())
    }

    /// The sessions that live in these cookies for so long.
    pub(crate) fn sessions(
        &self,
        store: Arc<dyn SessionStore>,
        revocations: Arc<dyn SharedRevocations>,
        clock: Arc<dyn Clock>,
    ) -> Sessions {
        let tokens = ApiTokens::new(&self.api_tokens);
        Sessions::new(self.jar(), self.lifetime, store, revocations, clock, tokens)
    }

    /// Whether cookies are Secure.
    pub(super) fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// A page of ours: the base URL, its prefix, and a path without a leading slash.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = Url::clone(&self.base_url);
        let prefix = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{path}"));
        url
    }

    /// Where Discord sends browsers back to.
    pub(super) fn callback(&self) -> Url {
        self.at("auth/callback")
    }

    /// The front page.
    pub(super) fn home(&self) -> Url {
        self.at("")
    }
}

impl Config {
    /// Where Discord sends browsers back to after signing in: it has to be registered there.
    #[must_use]
    pub fn callback_url(&self) -> Url {
        AuthConfig::of(self).callback()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use guildhall_http::StrongSecret;

    use super::*;

    pub(in crate::auth) const SECRET: &str = "an-old-oak-holds-the-roof-of-this-hall";

    /// For a base URL.
    pub(in crate::auth) fn auth_config(base_url: &str) -> AuthConfig {
        let url = |text: &str| text.parse().expect("an origin");
        AuthConfig {
            base_url: base_url.parse().expect("a URL"),
            allowed_origins: Vec::new(),
            session_secrets: strong(SECRET).into(),
            client_id: "41771983423143937".to_owned(),
            client_secret: "a-client-secret".parse().expect("visible ASCII"),
            discord_url: url("https://discord.com"),
            discord_public_url: url("https://discord.com"),
            tls: guildhall_http::tls::client_config(None),
            cdn_url: url("https://cdn.discordapp.com"),
            discord_public_key: None,
            guilds_join: false,
            lifetime: SessionLifetime::default(),
            jwt_key: None,
            api_tokens: Vec::new(),
            names: crate::config::tests::NAMES,
        }
    }

    pub(in crate::auth) fn strong(text: &str) -> StrongSecret {
        let secret: Secret = text.parse().expect("visible ASCII");
        secret.try_into().expect("long enough")
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
            let settings = auth_config(base_url);
            assert_eq!(settings.home().as_str(), home);
            assert_eq!(settings.callback().as_str(), callback);
        }
    }
}
