//! The gateway role's settings.

use std::collections::BTreeSet;

use guildhall_gateway::{Config, Intents, Limits};
use guildhall_model::GuildId;
use secrecy::SecretString;
use url::Url;

use super::{ConfigError, Settings, parse, refuse, secrets};

/// Reads what the gateway needs.
pub(crate) fn gateway(settings: &Settings) -> Result<Config, ConfigError> {
    Ok(Config {
        listen: parse::listen(settings, "GATEWAY_WS_HOST", "GATEWAY_WS_PORT")?,
        bot_token: bot_token(settings)?,
        guilds: guilds(settings)?,
        intents: intents(settings)?,
        link_tokens: secrets::strong(settings, "LINK_TOKEN", 2)?,
        discord_url: parse::origin(settings, "DISCORD_URL")?,
        cdn_url: parse::origin(settings, "DISCORD_CDN_URL")?,
        discord_gateway_url: discord_gateway_url(settings)?,
        log_window: log_window(settings)?,
        limits: Limits::default(),
    })
}

/// Events kept for each guild; both roles read it.
pub(super) fn log_window(settings: &Settings) -> Result<usize, ConfigError> {
    match parse::value(settings, "LOG_WINDOW", "a number of events")? {
        window @ 1..=1_000_000 => Ok(window),
        _ => refuse!("LOG_WINDOW is a number of events from 1 to 1000000."),
    }
}

/// Discord's own shape is checked here, so that a value pasted into the wrong line is told
/// before anything is sent anywhere.
fn bot_token(settings: &Settings) -> Result<SecretString, ConfigError> {
    const PORTAL: &str = "copy it from the developer portal (your application, Bot, Reset Token)";
    let text = settings.require("DISCORD_BOT_TOKEN")?;
    if text.starts_with("Bot ") {
        return refuse!("DISCORD_BOT_TOKEN begins with \"Bot \": leave that word out.");
    }
    let parts: Vec<&str> = text.split('.').collect();
    let shaped = parts.len() == 3 && parts.iter().all(|part| !part.is_empty());
    if !shaped || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse!(
            "DISCORD_BOT_TOKEN is no bot token, which is three parts joined by dots: {PORTAL}."
        );
    }
    if secrets::is_in_example(text) {
        return refuse!("DISCORD_BOT_TOKEN is the value printed in .env.example: {PORTAL}.");
    }
    Ok(SecretString::from(text))
}

fn guilds(settings: &Settings) -> Result<Option<BTreeSet<GuildId>>, ConfigError> {
    let Some(text) = settings.get("DISCORD_GUILD_ID") else {
        return Ok(None);
    };
    let mut guilds = BTreeSet::new();
    for part in parse::list(text) {
        match part.parse() {
            Ok(id @ GuildId(1..)) => guilds.insert(id),
            _ => {
                return refuse!(
                    "DISCORD_GUILD_ID has {part:?}, which is no id: it is the number that Discord's \"Copy Server ID\" gives."
                );
            }
        };
    }
    if guilds.is_empty() {
        return refuse!(
            "DISCORD_GUILD_ID names no guild: unset it to bridge all guilds of the bot."
        );
    }
    Ok(Some(guilds))
}

fn intents(settings: &Settings) -> Result<Intents, ConfigError> {
    let mut intents = Intents::default();
    for word in settings
        .get("DISCORD_INTENTS")
        .into_iter()
        .flat_map(parse::list)
    {
        match word {
            "guilds" | "voice_states" => {}
            "members" => intents.members = true,
            "moderation" => intents.moderation = true,
            "presences" | "messages" | "message_content" => {
                return refuse!(
                    "DISCORD_INTENTS has {word}, whose feature is not built yet: leave it out."
                );
            }
            _ => {
                return refuse!("DISCORD_INTENTS has {word:?}: it knows members and moderation.");
            }
        }
    }
    Ok(intents)
}

fn discord_gateway_url(settings: &Settings) -> Result<Option<Url>, ConfigError> {
    if !settings.is_set("DISCORD_GATEWAY_URL") {
        return Ok(None);
    }
    parse::url(settings, "DISCORD_GATEWAY_URL", &["wss", "ws"]).map(Some)
}
