//! The gateway role's settings.

use std::{collections::BTreeSet, num::NonZeroUsize};

use guildhall_gateway::{Config, GatewaySettingNames, Intents, Limits, ShardId};
use guildhall_http::{Secret, WsUrl};
use guildhall_model::GuildId;

use super::{
    ConfigError, Mistakes, Settings, parse, refuse, rooms, secrets, tls, tls::ROOT_CERTIFICATES,
};

/// The settings that the role names to its operator.
const NAMES: GatewaySettingNames = GatewaySettingNames {
    bot_token: "DISCORD_BOT_TOKEN",
    guilds: "DISCORD_GUILD_ID",
    intents: "DISCORD_INTENTS",
    link_tokens: "LINK_TOKEN",
    discord_url: "DISCORD_URL",
    discord_gateway_url: "DISCORD_GATEWAY_URL",
    root_certificates: ROOT_CERTIFICATES,
    data_dir: "DATA_DIR",
};

/// Reads what the gateway needs; the error says all that is wrong with it.
pub(crate) fn gateway(settings: &Settings) -> Result<Config, ConfigError> {
    let mut mistakes = Mistakes::default();
    let bot_token = mistakes.take(bot_token(settings));
    let guilds = mistakes.take(guilds(settings));
    let intents = mistakes.take(intents(settings));
    let link_tokens = mistakes.take(secrets::strong(settings, "LINK_TOKEN", 2));
    let listen = mistakes.take(parse::listen(
        settings,
        "GATEWAY_WS_HOST",
        "GATEWAY_WS_PORT",
    ));
    let discord_url = mistakes.take(parse::origin(settings, "DISCORD_URL"));
    let cdn_url = mistakes.take(parse::origin(settings, "DISCORD_CDN_URL"));
    let discord_gateway_url = mistakes.take(discord_gateway_url(settings));
    let tls = mistakes.take(tls::client_config(settings));
    let log_window = mistakes.take(log_window(settings));
    let rooms = rooms::rooms(settings, &mut mistakes);
    let _data_dir = mistakes.take(settings.require("DATA_DIR"));
    let (
        Some(bot_token),
        Some(guilds),
        Some(intents),
        Some(link_tokens),
        Some(listen),
        Some(discord_url),
        Some(cdn_url),
        Some(discord_gateway_url),
        Some(tls),
        Some(log_window),
        Some(rooms),
    ) = (
        bot_token,
        guilds,
        intents,
        link_tokens,
        listen,
        discord_url,
        cdn_url,
        discord_gateway_url,
        tls,
        log_window,
        rooms,
    )
    else {
        return Err(mistakes.error());
    };
    Ok(Config {
        listen,
        bot_token,
        guilds,
        shards: vec![ShardId::ONLY],
        intents,
        link_tokens,
        discord_url,
        cdn_url,
        discord_gateway_url,
        tls,
        log_window,
        rooms,
        limits: Limits::default(),
        names: NAMES,
    })
}

/// Events kept for each guild; both roles read it.
pub(super) fn log_window(settings: &Settings) -> Result<NonZeroUsize, ConfigError> {
    parse::number(settings, "LOG_WINDOW", "events", 1_000_000)
}

/// Discord's own shape is checked here, so that a value pasted into the wrong line is told
/// before anything is sent anywhere.
fn bot_token(settings: &Settings) -> Result<Secret, ConfigError> {
    const PORTAL: &str = "copy it from the developer portal (your application, Bot, Reset Token)";
    let text = settings.require("DISCORD_BOT_TOKEN")?;
    if text.starts_with("Bot ") {
        return refuse!("DISCORD_BOT_TOKEN begins with \"Bot \": leave that word out.");
    }
    let token = secrets::usable("DISCORD_BOT_TOKEN", text, PORTAL)?;
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() != 3 || parts.iter().any(|part| part.is_empty()) {
        return refuse!(
            "DISCORD_BOT_TOKEN is no bot token, which is three parts joined by dots: {PORTAL}."
        );
    }
    Ok(token)
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
                    "DISCORD_GUILD_ID has {}, which is no id: it is the number that Discord's \"Copy Server ID\" gives.",
                    parse::shown(part)
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
                return refuse!(
                    "DISCORD_INTENTS has {}: it knows members and moderation.",
                    parse::shown(word)
                );
            }
        }
    }
    Ok(intents)
}

fn discord_gateway_url(settings: &Settings) -> Result<Option<WsUrl>, ConfigError> {
    if !settings.is_set("DISCORD_GATEWAY_URL") {
        return Ok(None);
    }
    parse::ws_url(settings, "DISCORD_GATEWAY_URL").map(Some)
}
