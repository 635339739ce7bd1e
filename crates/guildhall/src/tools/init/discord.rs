//! What Discord says of a token and a secret.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use guildhall_http::Secret;
use guildhall_ports::Clock;
use serde::Deserialize;
use url::Url;

use crate::{
    config::{self, ConfigError, Settings, refuse},
    tools::discord_api::{DiscordAnswer, DiscordApi, DiscordResult, MEMBERS_FLAGS},
};

/// What was entered, tried at Discord.
pub(super) struct DiscordCheck {
    api: DiscordApi,
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
    pub(super) fn new(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let url = settings.require("DISCORD_URL")?.parse()?;
        let tls = config::client_config(settings)?;
        let api = DiscordApi::new(&url, &tls, None, clock)?;
        Ok(Self { api, url })
    }

    /// The application that a token is of; or why the token is none.
    pub(super) async fn application(
        &self,
        token: &str,
    ) -> anyhow::Result<Result<Application, String>> {
        let token = token.parse::<Secret>()?;
        let answer = self.api.ask_with("applications/@me", &token).await;
        let DiscordAnswer { status, body, .. } = self.answered(answer)?;
        match status {
            200 => Ok(Ok(serde_json::from_value(body).context("Discord's answer")?)),
            401 => Ok(Err(
                "DISCORD_BOT_TOKEN is refused by Discord: copy it again (developer portal, Bot, Reset \
                 Token)."
                    .to_owned(),
            )),
            status => bail!("{}: Discord answers {status}; try again later", self.url),
        }
    }

    /// Why a secret is not this application's, if it is not.
    pub(super) async fn refused_secret(
        &self,
        client_id: &str,
        secret: &str,
    ) -> anyhow::Result<Option<String>> {
        let secret = secret.parse::<Secret>()?;
        let answer = self.api.try_secret(client_id, &secret).await;
        let DiscordAnswer { status, body, .. } = self.answered(answer)?;
        match body["error"].as_str() {
            Some("invalid_grant") => Ok(None),
            Some("invalid_client") => Ok(Some(
                "DISCORD_CLIENT_SECRET is refused by Discord: copy it again from the OAuth2 page of the \
                 same application (Reset Secret)."
                    .to_owned(),
            )),
            _ => bail!("{}: Discord answers {status}; try again later", self.url),
        }
    }

    fn answered(&self, answer: DiscordResult) -> anyhow::Result<DiscordAnswer> {
        answer.map_err(|why| {
            anyhow!(
                "{} does not answer (DISCORD_URL says where Discord is): {why}",
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
