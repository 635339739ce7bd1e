//! Invites.

use serde_json::json;

use super::{
    Event, Intents, Permissions, World,
    audit::Action,
    change::{Changed, Refusal},
    payload::UserObject,
};
use crate::snowflake::Snowflake;

/// A way into a guild, through one of its channels.
#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) code: String,
    pub(crate) channel_id: Snowflake,
    pub(crate) inviter_id: Snowflake,
    /// Seconds; 0 never ends.
    pub(crate) max_age: u32,
    /// 0 is any number.
    pub(crate) max_uses: u32,
    pub(crate) temporary: bool,
    pub(crate) created_at: String,
}

/// An invite to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewInvite {
    pub(crate) max_age: u32,
    pub(crate) max_uses: u32,
    pub(crate) temporary: bool,
    /// Makes a new one even where one like it exists.
    pub(crate) unique: bool,
}

impl World {
    /// The code of a new invite, or of one like it.
    pub(crate) fn create_invite(
        &mut self,
        channel_id: Snowflake,
        inviter_id: Snowflake,
        new: NewInvite,
    ) -> Changed<String> {
        let guild_id = self.guild_of_channel(channel_id)?;
        let code = self.chance().letters(8);
        let created_at = self.new_id().made_at();
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, telling| {
            let like = guild.invites.iter().find(|one| {
                one.channel_id == channel_id
                    && one.inviter_id == inviter_id
                    && one.max_age == new.max_age
                    && one.max_uses == new.max_uses
                    && one.temporary == new.temporary
            });
            if let (Some(known), false) = (like, new.unique) {
                return Ok(known.code.clone());
            }
            let sees = guild.channels.get(channel_id).is_some_and(|channel| {
                guild
                    .permissions_in(bot, channel)
                    .has(Permissions::MANAGE_CHANNELS)
            });
            if sees {
                let data = json!({
                    "channel_id": channel_id,
                    "guild_id": guild_id,
                    "code": code,
                    "created_at": created_at,
                    "inviter": users.get(inviter_id).map(UserObject::new),
                    "max_age": new.max_age,
                    "max_uses": new.max_uses,
                    "temporary": new.temporary,
                    "uses": 0,
                });
                telling.events.push(Event::new(
                    "INVITE_CREATE",
                    Intents::GUILD_INVITES,
                    guild_id,
                    &data,
                ));
            }
            guild.invites.push(Invite {
                code: code.clone(),
                channel_id,
                inviter_id,
                max_age: new.max_age,
                max_uses: new.max_uses,
                temporary: new.temporary,
                created_at,
            });
            telling.record_with(Action::InviteCreate, None, None, Vec::new());
            Ok(code)
        })
    }

    /// The guild that an invite leads into.
    pub(crate) fn guild_of_invite(&self, code: &str) -> Result<Snowflake, Refusal> {
        self.guilds
            .iter()
            .find(|guild| guild.invites.iter().any(|invite| invite.code == code))
            .map(|guild| guild.id)
            .ok_or(Refusal::Unknown("invite"))
    }

    pub(crate) fn delete_invite(&mut self, code: &str) -> Changed<()> {
        let guild_id = self.guild_of_invite(code)?;
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, _, telling| {
            let place = guild.invites.iter().position(|one| one.code == code);
            let gone = guild
                .invites
                .remove(place.ok_or(Refusal::Unknown("invite"))?);
            let sees = guild.channels.get(gone.channel_id).is_some_and(|channel| {
                guild
                    .permissions_in(bot, channel)
                    .has(Permissions::MANAGE_CHANNELS)
            });
            if sees {
                let data =
                    json!({"channel_id": gone.channel_id, "guild_id": guild_id, "code": code});
                let needs = Intents::GUILD_INVITES;
                telling
                    .events
                    .push(Event::new("INVITE_DELETE", needs, guild_id, &data));
            }
            telling.record_with(Action::InviteDelete, None, None, Vec::new());
            Ok(())
        })
    }
}
