//! Who is online, and what they are at.

use serde_json::json;

use super::{
    Event, Intents, Presence, Status, World,
    change::{Changed, Refusal},
    payload::{UserObject, presence},
};
use crate::snowflake::Snowflake;

impl World {
    /// Comes online, goes, or is at something else; PRESENCE_UPDATE in each guild
    /// of the bot's that the user is in. Tells nothing if nothing changed.
    pub(crate) fn set_presence(
        &mut self,
        user_id: Snowflake,
        mut presence: Presence,
    ) -> Changed<()> {
        let began_ms = self.now.unix_timestamp_nanos() / 1_000_000;
        let began_ms = u64::try_from(began_ms).unwrap_or(0);
        let user = self
            .users
            .get_mut(user_id)
            .ok_or(Refusal::Unknown("user"))?;
        // What goes on goes on since it began.
        for (place, activity) in presence.activities.iter_mut().enumerate() {
            let before = user.presence.activities.get(place);
            let same = before.filter(|old| old["name"] == activity["name"]);
            let since = same.map(|old| old["created_at"].clone());
            if activity.get("created_at").is_none() {
                activity["created_at"] = since.unwrap_or(json!(began_ms));
            }
        }
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
        let update = |guild_id: Snowflake| {
            let mut data = presence(user);
            data["user"] = json!(UserObject::new(user));
            data["guild_id"] = json!(guild_id);
            Event::new("PRESENCE_UPDATE", Intents::GUILD_PRESENCES, guild_id, &data)
        };
        self.bot_guilds()
            .filter(|guild| guild.available && guild.members.contains(user_id))
            .map(|guild| update(guild.id))
            .collect()
    }
}
