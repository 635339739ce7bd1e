//! Who is online, and what they are at.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Event, Intents, User, World,
    change::{Changed, Refusal},
    payload::UserObject,
};
use crate::snowflake::Snowflake;

/// How somebody is shown; the same in every guild.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Presence {
    pub(crate) status: Status,
    /// Activity objects, the first being what is shown.
    pub(crate) activities: Vec<Value>,
}

/// Who is invisible is offline to everybody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Online,
    Idle,
    Dnd,
    #[default]
    Offline,
}

impl Presence {
    pub(crate) fn is_offline(&self) -> bool {
        self.status == Status::Offline
    }
}

impl World {
    /// Comes online, goes, or is at something else; PRESENCE_UPDATE in each guild
    /// of the bot's that the user is in. Tells nothing if nothing changed.
    pub(crate) fn set_presence(&mut self, user_id: Snowflake, presence: Presence) -> Changed<()> {
        let user = self
            .users
            .get_mut(user_id)
            .ok_or(Refusal::Unknown("user"))?;
        if user.presence == presence {
            return Ok(((), Vec::new()));
        }
        user.presence = presence;
        Ok(((), self.presence_events(user_id)))
    }

    /// Somebody who is here from the start, which nobody is told.
    pub(super) fn comes_online(&mut self, user_id: Snowflake) {
        if let Some(user) = self.users.get_mut(user_id) {
            user.presence.status = Status::Online;
        }
    }

    /// The user as they are now, told to every guild they share with the bot.
    pub(super) fn presence_events(&self, user_id: Snowflake) -> Vec<Event> {
        let Some(user) = self.users.get(user_id) else {
            return Vec::new();
        };
        let told = |guild_id: Snowflake| {
            let mut data = presence(user);
            data["user"] = json!(UserObject::new(user));
            data["guild_id"] = json!(guild_id);
            Event::new("PRESENCE_UPDATE", Intents::GUILD_PRESENCES, guild_id, &data)
        };
        self.bot_guilds()
            .filter(|guild| guild.available && guild.members.contains(user_id))
            .map(|guild| told(guild.id))
            .collect()
    }
}

/// Presence as GUILD_CREATE and chunks of members have it: of the user only the id.
pub(crate) fn presence(user: &User) -> Value {
    let Presence { status, activities } = &user.presence;
    let clients = if user.presence.is_offline() {
        json!({})
    } else {
        json!({"desktop": status})
    };
    json!({
        "user": {"id": user.id},
        "status": status,
        "activities": activities,
        "client_status": clients,
    })
}
