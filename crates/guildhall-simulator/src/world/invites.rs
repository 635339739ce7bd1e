//! Invites.

use std::time::Duration;

use serde_json::json;

use super::{
    Event, Guild, Intents, Invite, MemberEdit, Permissions, World,
    audit::{Action, added, removed},
    change::{Changed, Refusal},
    payload::UserObject,
};
use crate::snowflake::{Snowflake, iso};

/// An invite to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewInvite {
    pub(crate) max_age: u32,
    pub(crate) max_uses: u32,
    pub(crate) temporary: bool,
    /// Makes a new one even where one like it exists.
    pub(crate) unique: bool,
    /// How long `max_age` is by the simulator's clock.
    pub(crate) lasts: Option<Duration>,
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
        let code = self.rng().letters(8);
        let bot = self.bot_id();
        let now = self.now;
        self.in_guild(guild_id, |guild, users, effects| {
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
            let invite = Invite {
                code: code.clone(),
                channel_id,
                inviter_id,
                max_age: new.max_age,
                max_uses: new.max_uses,
                temporary: new.temporary,
                uses: 0,
                created_at: now,
                expires_at: new.lasts.map(|lasts| now + lasts),
            };
            if manages(guild, channel_id, bot) {
                let data = json!({
                    "channel_id": channel_id,
                    "guild_id": guild_id,
                    "code": code,
                    "created_at": iso(now),
                    "expires_at": invite.expires_at.map(iso),
                    "inviter": users.get(inviter_id).map(UserObject::new),
                    "max_age": new.max_age,
                    "max_uses": new.max_uses,
                    "temporary": new.temporary,
                    "uses": 0,
                });
                let needs = Intents::GUILD_INVITES;
                effects
                    .events
                    .push(Event::new("INVITE_CREATE", needs, guild_id, &data));
            }
            let changes = added(&invite.facts());
            effects.record_with(Action::InviteCreate, None, None, changes);
            guild.invites.push(invite);
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

    /// Somebody comes in by an invite; its last use ends it, which is told before
    /// the newcomer is. A member uses nothing up. Returns the guild.
    pub(crate) fn accept_invite(&mut self, code: &str, user_id: Snowflake) -> Changed<Snowflake> {
        let guild_id = self.guild_of_invite(code)?;
        if !self.users.contains(user_id) {
            return Err(Refusal::Unknown("user"));
        }
        let guild = self.guilds.get_mut(guild_id);
        let guild = guild.ok_or(Refusal::Unknown("guild"))?;
        if guild.members.contains(user_id) {
            return Ok((guild_id, Vec::new()));
        }
        if guild.bans.contains(user_id) {
            return Err(Refusal::invalid("the user is banned from this guild"));
        }
        let mut spent = false;
        for invite in guild.invites.iter_mut().filter(|one| one.code == code) {
            invite.uses += 1;
            spent = invite.max_uses > 0 && invite.uses >= invite.max_uses;
        }
        let mut events = Vec::new();
        if spent {
            events.extend(self.end_invite(code, None)?.1);
        }
        events.extend(self.add_member(guild_id, user_id, MemberEdit::default())?.1);
        Ok((guild_id, events))
    }

    /// Takes an invite back; INVITE_DELETE.
    pub(crate) fn delete_invite(&mut self, code: &str) -> Changed<()> {
        self.end_invite(code, Some(Action::InviteDelete))
    }

    fn end_invite(&mut self, code: &str, action: Option<Action>) -> Changed<()> {
        let guild_id = self.guild_of_invite(code)?;
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, _, effects| {
            let place = guild.invites.iter().position(|one| one.code == code);
            let gone = guild
                .invites
                .remove(place.ok_or(Refusal::Unknown("invite"))?);
            if manages(guild, gone.channel_id, bot) {
                let data =
                    json!({"channel_id": gone.channel_id, "guild_id": guild_id, "code": code});
                let needs = Intents::GUILD_INVITES;
                effects
                    .events
                    .push(Event::new("INVITE_DELETE", needs, guild_id, &data));
            }
            if let Some(action) = action {
                effects.record_with(action, None, None, removed(&gone.facts()));
            }
            Ok(())
        })
    }
}

/// Who may manage a channel hears of its invites.
fn manages(guild: &Guild, channel_id: Snowflake, user_id: Snowflake) -> bool {
    guild.channels.get(channel_id).is_some_and(|channel| {
        guild
            .permissions_in(user_id, channel)
            .has(Permissions::MANAGE_CHANNELS)
    })
}
