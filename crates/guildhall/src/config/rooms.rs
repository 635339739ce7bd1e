//! The settings of rooms.

use std::{collections::BTreeSet, time::Duration};

use guildhall_gateway::{Lobby, RoomMode, RoomSettings};
use guildhall_model::{ChannelId, RoleId};
use serde_json::{Map, Value};

use super::{ConfigError, Mistakes, Settings, parse, refuse};

/// A guild holds no more channels than that.
const MOST_ROOMS: usize = 500;

/// No room is left empty for longer.
const LONGEST_IDLE: Duration = Duration::from_hours(30 * 24);

/// How the rooms of a lobby are called where nobody says.
const TEMPLATE: &str = "{name}'s room";

/// How many people fit into them.
const LIMIT: u32 = 4;

/// And how long they may be empty.
const LOBBY_IDLE: Duration = Duration::from_mins(1);

/// Reads them; what is wrong is kept among the mistakes.
pub(super) fn rooms(settings: &Settings, mistakes: &mut Mistakes) -> Option<RoomSettings> {
    let parents = mistakes.take(parents(settings));
    let creators = mistakes.take(creators(settings));
    let mode = mistakes.take(mode(settings));
    let per_user = mistakes.take(parse::number(
        settings,
        "ROOMS_PER_USER",
        "rooms",
        MOST_ROOMS,
    ));
    let max = mistakes.take(parse::number(settings, "ROOMS_MAX", "rooms", MOST_ROOMS));
    let idle = mistakes.take(idle(settings));
    let lobbies = mistakes.take(lobbies(settings));
    let page = mistakes.take(page(settings));
    let guilds_join = mistakes.take(parse::switch(settings, "GUILDS_JOIN"));
    Some(RoomSettings {
        parents: parents?,
        creators: creators?,
        mode: mode?,
        per_user: per_user?.get(),
        max: max?.get(),
        idle: idle?,
        lobbies: lobbies?,
        page: page?,
        guilds_join: guilds_join?,
    })
}

fn parents(settings: &Settings) -> Result<Vec<ChannelId>, ConfigError> {
    let ids = ids(settings, "ROOM_PARENTS", "Copy Channel ID")?;
    Ok(ids.into_iter().map(ChannelId).collect())
}

fn creators(settings: &Settings) -> Result<Vec<RoleId>, ConfigError> {
    let ids = ids(settings, "ROOM_CREATORS", "Copy Role ID")?;
    Ok(ids.into_iter().map(RoleId).collect())
}

/// In their order, each once. `copy`: how Discord's client gives one.
fn ids(settings: &Settings, name: &'static str, copy: &str) -> Result<Vec<u64>, ConfigError> {
    let mut ids = Vec::new();
    let text = settings.get(name).unwrap_or_default();
    for part in parse::list(text) {
        match part.parse() {
            Ok(id @ 1..) if !ids.contains(&id) => ids.push(id),
            Ok(1..) => {}
            _ => {
                return refuse!(
                    "{name} has {}, which is no id: it is the number that Discord's \"{copy}\" gives.",
                    parse::shown(part)
                );
            }
        }
    }
    Ok(ids)
}

fn mode(settings: &Settings) -> Result<RoomMode, ConfigError> {
    match settings.require("ROOM_MODE")? {
        "overwrites" => Ok(RoomMode::Overwrites),
        "role" => Ok(RoomMode::Role),
        other => refuse!(
            "ROOM_MODE is {}: it knows overwrites and role.",
            parse::shown(other)
        ),
    }
}

fn idle(settings: &Settings) -> Result<Duration, ConfigError> {
    let idle = parse::duration(settings, "ROOM_IDLE")?;
    if idle > LONGEST_IDLE {
        return refuse!("ROOM_IDLE is longer than 30 days: write at most 30d.");
    }
    Ok(idle)
}

/// The page's address for messages in rooms. A gateway by itself need not know it.
fn page(settings: &Settings) -> Result<Option<String>, ConfigError> {
    if !settings.is_set("BASE_URL") {
        return Ok(None);
    }
    let url = parse::http_url(settings, "BASE_URL")?;
    Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
}

fn lobbies(settings: &Settings) -> Result<Vec<Lobby>, ConfigError> {
    let Some(text) = settings.get("LOBBIES") else {
        return Ok(Vec::new());
    };
    let list = match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        Ok(_) => {
            return refuse!(
                "LOBBIES is no list: write [{{\"channel\":\"ID\"}}], one such object for each lobby."
            );
        }
        Err(error) => return refuse!("LOBBIES is no JSON ({error})."),
    };
    let mut mistakes = Mistakes::default();
    let mut lobbies = Vec::new();
    let mut channels = BTreeSet::new();
    for (number, entry) in (1..).zip(&list) {
        let Some(lobby) = LobbyEntry { number, entry }.lobby(&mut mistakes) else {
            continue;
        };
        if channels.insert(lobby.channel) {
            lobbies.push(lobby);
        } else {
            mistakes.add(&format!(
                "LOBBIES has channel {} twice: a channel is one lobby.",
                lobby.channel
            ));
        }
    }
    mistakes.none()?;
    Ok(lobbies)
}

/// One lobby as it is written.
struct LobbyEntry<'a> {
    /// From 1, for whoever has to find it.
    number: usize,
    entry: &'a Value,
}

impl LobbyEntry<'_> {
    /// Its fields, and nothing else.
    const FIELDS: [&'static str; 5] = ["channel", "template", "limit", "parent", "idle"];

    fn lobby(&self, mistakes: &mut Mistakes) -> Option<Lobby> {
        let Value::Object(fields) = self.entry else {
            mistakes.add(&self.wrong("is no object such as {\"channel\":\"ID\"}"));
            return None;
        };
        let unknown = fields
            .keys()
            .filter(|name| !Self::FIELDS.contains(&name.as_str()));
        let unknown: Vec<String> = unknown.map(|name| parse::shown(name)).collect();
        for name in &unknown {
            let known = Self::FIELDS.join(", ");
            mistakes.add(&self.wrong(&format!("has {name}: it knows {known}")));
        }
        let channel = match fields.get("channel") {
            None => Err(self.refused("has no channel: name the voice channel by its id")),
            Some(_) => self.channel(fields, "channel"),
        };
        let channel = mistakes.take(channel);
        let template = mistakes.take(self.template(fields));
        let limit = mistakes.take(self.limit(fields));
        let parent = mistakes.take(self.channel(fields, "parent"));
        let idle = mistakes.take(self.idle(fields));
        if !unknown.is_empty() {
            return None;
        }
        Some(Lobby {
            channel: channel??,
            template: template?,
            limit: limit?,
            parent: parent?,
            idle: idle?,
        })
    }

    /// An id, as text or as a number.
    fn channel(
        &self,
        fields: &Map<String, Value>,
        name: &str,
    ) -> Result<Option<ChannelId>, ConfigError> {
        let id = match fields.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            // Whoever wrote it without quotes may have lost digits on the way.
            Some(_) => None,
        };
        match id {
            Some(id @ ChannelId(1..)) => Ok(Some(id)),
            _ => Err(self.refused(&format!(
                "has a {name} that is no id: it is the number that Discord's \"Copy Channel ID\" \
                 gives, in quotes"
            ))),
        }
    }

    fn template(&self, fields: &Map<String, Value>) -> Result<String, ConfigError> {
        let template = match fields.get("template") {
            None => return Ok(TEMPLATE.to_owned()),
            Some(Value::String(text)) => text.trim(),
            Some(_) => return Err(self.refused("has a template that is no text")),
        };
        let length = template.chars().count();
        if !(1..=100).contains(&length) {
            return Err(self.refused("has a template that is no name of 1 to 100 characters"));
        }
        let literal = template.replace("{name}", "");
        if literal.contains(['{', '}']) {
            return Err(self.refused(
                "has a template with something else in braces than {name}, which is the person's",
            ));
        }
        Ok(template.to_owned())
    }

    fn limit(&self, fields: &Map<String, Value>) -> Result<u32, ConfigError> {
        let Some(limit) = fields.get("limit") else {
            return Ok(LIMIT);
        };
        let limit = limit.as_u64().and_then(|limit| u32::try_from(limit).ok());
        match limit {
            Some(limit @ 0..=99) => Ok(limit),
            _ => Err(self.refused("has a limit that is no number from 0 to 99")),
        }
    }

    fn idle(&self, fields: &Map<String, Value>) -> Result<Duration, ConfigError> {
        let Some(idle) = fields.get("idle") else {
            return Ok(LOBBY_IDLE);
        };
        let idle = idle.as_str().and_then(parse::duration_of);
        idle.filter(|idle| *idle <= LONGEST_IDLE).ok_or_else(|| {
            self.refused("has an idle that is no duration up to 30d, such as \"60s\"")
        })
    }

    fn refused(&self, what: &str) -> ConfigError {
        ConfigError(self.wrong(what))
    }

    fn wrong(&self, what: &str) -> String {
        format!("LOBBIES: lobby {} {what}.", self.number)
    }
}

#[cfg(test)]
mod tests;
