//! What Discord says of a token and a secret.

use std::time::Duration;

use anyhow::{Context, bail};
use guildhall_http::tls;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde::Deserialize;
use url::Url;

use crate::config::{self, ConfigError, Settings, refuse};

const LIMIT: Duration = Duration::from_secs(15);

/// Application flags of Discord's: the intent GUILD_MEMBERS is switched on, for few guilds or for many.
const MEMBERS_FLAGS: u64 = 1 << 14 | 1 << 15;

/// What was entered, tried at Discord.
pub(super) struct DiscordCheck {
    http: Client,
    url: Url,
}

/// What a bot's token is of.
#[derive(Debug, Deserialize)]
pub(super) struct Application {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    verify_key: Option<String>,
    #[serde(default)]
    flags: Option<u64>,
}

impl DiscordCheck {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let http = Client::builder()
            .timeout(LIMIT)
            .tls_backend_preconfigured(tls::with_http2(&*config::client_config(settings)?))
            .user_agent(concat!(
                "DiscordBot (guildhall, ",
                env!("CARGO_PKG_VERSION"),
                ")"
            ))
            // What is sent are secrets, for this address alone.
            .no_proxy()
            .redirect(Policy::none())
            .build()?;
        let url = settings.require("DISCORD_URL")?.parse()?;
        Ok(Self { http, url })
    }

    /// The application that a token is of; or why the token is none.
    pub(super) async fn application(
        &self,
        token: &str,
    ) -> anyhow::Result<Result<Application, String>> {
        let url = self.url.join("/api/v10/applications/@me")?;
        let request = self
            .http
            .get(url)
            .header("authorization", format!("Bot {token}"));
        let answer = self.answer(request.send().await)?;
        match answer.status() {
            StatusCode::OK => Ok(Ok(answer.json().await.context("Discord's answer")?)),
            StatusCode::UNAUTHORIZED => Ok(Err(
                "DISCORD_BOT_TOKEN is refused by Discord: copy it again (developer portal, Bot, Reset \
                 Token)."
                    .to_owned(),
            )),
            status => bail!("{}: Discord answers {status}; try again later", self.url),
        }
    }

    /// Why a secret is not this application's, if it is not. Discord looks at it before it looks at what
    /// is asked for, which is nothing that it could give.
    pub(super) async fn refused_secret(
        &self,
        client_id: &str,
        secret: &str,
    ) -> anyhow::Result<Option<String>> {
        #[derive(Deserialize)]
        struct Said {
            error: String,
        }
        let url = self.url.join("/api/oauth2/token")?;
        let nothing = [("grant_type", "refresh_token"), ("refresh_token", "none")];
        let request = self
            .http
            .post(url)
            .basic_auth(client_id, Some(secret))
            .form(&nothing);
        let answer = self.answer(request.send().await)?;
        let status = answer.status();
        let said = answer.json::<Said>().await.ok().map(|said| said.error);
        match said.as_deref() {
            Some("invalid_grant") => Ok(None),
            Some("invalid_client") => Ok(Some(
                "DISCORD_CLIENT_SECRET is refused by Discord: copy it again from the OAuth2 page of the \
                 same application (Reset Secret)."
                    .to_owned(),
            )),
            _ => bail!("{}: Discord answers {status}; try again later", self.url),
        }
    }

    fn answer(&self, sent: reqwest::Result<Response>) -> anyhow::Result<Response> {
        sent.with_context(|| {
            format!(
                "{} does not answer (DISCORD_URL says where Discord is)",
                self.url
            )
        })
    }
}

impl Settings {
    /// Takes what the application is; what was said otherwise is refused.
    pub(super) fn agree(&mut self, application: &Application) -> Result<(), ConfigError> {
        let Application { id, name, .. } = application;
        if let Some(said) = self.get("DISCORD_CLIENT_ID").filter(|said| said != id) {
            return refuse!(
                "DISCORD_CLIENT_ID is {}, but the token is of the application {name:?}, {id}: set one of them \
                 anew.",
                config::shown(said)
            );
        }
        self.set("DISCORD_CLIENT_ID", id);
        let intents = self.get("DISCORD_INTENTS").unwrap_or_default();
        let wants_members = intents.split(',').any(|one| one.trim() == "members");
        let has_members = application
            .flags
            .is_none_or(|flags| flags & MEMBERS_FLAGS != 0);
        if wants_members && !has_members {
            return refuse!(
                "DISCORD_INTENTS has members, which is switched off for {name:?}: switch on \"Server Members \
                 Intent\" on the developer portal's Bot page."
            );
        }
        if let (Some(key), false) = (&application.verify_key, self.is_set("DISCORD_PUBLIC_KEY")) {
            self.set("DISCORD_PUBLIC_KEY", key);
        }
        Ok(())
    }
}
