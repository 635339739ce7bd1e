//! Timeouts, bans, hands raised and the line under a voice channel's name.

use serde_json::json;
use time::OffsetDateTime;

use super::{
    Departure, Edit, Event, Intents, World,
    audit::{Action, change},
    change::{Changed, Refusal},
    entity::Ban,
    members::updated,
    payload::UserObject,
    voice,
};
use crate::snowflake::{Snowflake, iso};

impl World {
    /// Whoever of these is a member goes, in one line of the audit log.
    pub(crate) fn prune(&mut self, guild_id: Snowflake, user_ids: &[Snowflake]) -> Changed<()> {
        let mut events = Vec::new();
        let cause = self.cause.take();
        for user_id in user_ids {
            let gone = self.remove_member(guild_id, *user_id, Departure::Left);
            events.extend(gone.map(|((), told)| told).unwrap_or_default());
        }
        self.cause = cause;
        let count = user_ids.len().to_string();
        let ((), logged) = self.beside_rights(guild_id, |_, _, effects| {
            let options = json!({"delete_member_days": "7", "members_removed": count});
            effects.record_with(Action::MemberPrune, None, Some(options), Vec::new());
            Ok(())
        })?;
        events.extend(logged);
        Ok(((), events))
    }

    /// Times a member out, or ends that.
    pub(crate) fn time_out(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        until: Option<OffsetDateTime>,
    ) -> Changed<()> {
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, effects| {
            let member = guild
                .members
                .get_mut(user_id)
                .ok_or(Refusal::Unknown("member"))?;
            let ends = |timeout: Option<OffsetDateTime>| timeout.map(|until| json!(iso(until)));
            let key = "communication_disabled_until";
            let changed = change(key, ends(member.timeout), ends(until));
            member.timeout = until;
            effects
                .events
                .extend(updated(guild, users.get(user_id), user_id, bot));
            effects.record_changes(Action::MemberUpdate, user_id, changed.into_iter().collect());
            Ok(())
        })
    }

    /// Bans a member, or somebody who is none; what they said since `since` goes.
    /// Nobody is told of the ban of somebody who is banned already.
    pub(crate) fn ban(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        since: Option<OffsetDateTime>,
    ) -> Changed<()> {
        let guild = self.guilds.get(guild_id);
        let (is_member, is_banned) = guild.map_or((false, false), |guild| {
            let is_banned = guild.bans.contains(user_id);
            (guild.members.contains(user_id), is_banned)
        });
        let mut events = if is_member {
            self.remove_member(guild_id, user_id, Departure::Banned)?.1
        } else if is_banned {
            Vec::new()
        } else {
            self.ban_stranger(guild_id, user_id)?.1
        };
        if let Some(since) = since {
            events.extend(self.delete_messages_of(guild_id, user_id, since)?.1);
        }
        Ok(((), events))
    }

    fn ban_stranger(&mut self, guild_id: Snowflake, user_id: Snowflake) -> Changed<()> {
        let reason = self.cause.as_ref().and_then(|cause| cause.reason.clone());
        self.in_guild(guild_id, |guild, users, effects| {
            let user = users.get(user_id).ok_or(Refusal::Unknown("user"))?;
            guild.bans.insert(user_id, Ban { user_id, reason });
            let data = json!({"guild_id": guild_id, "user": UserObject::new(user)});
            let needs = Intents::GUILD_MODERATION;
            effects
                .events
                .push(Event::new("GUILD_BAN_ADD", needs, guild_id, &data));
            effects.record(Action::BanAdd, user_id);
            Ok(())
        })
    }

    pub(crate) fn unban(&mut self, guild_id: Snowflake, user_id: Snowflake) -> Changed<()> {
        self.in_guild(guild_id, |guild, users, effects| {
            guild.bans.remove(user_id).ok_or(Refusal::Unknown("ban"))?;
            let data =
                json!({"guild_id": guild_id, "user": users.get(user_id).map(UserObject::new)});
            let needs = Intents::GUILD_MODERATION;
            effects
                .events
                .push(Event::new("GUILD_BAN_REMOVE", needs, guild_id, &data));
            effects.record(Action::BanRemove, user_id);
            Ok(())
        })
    }

    /// On a stage: into the audience or out of it, the hand up or down.
    pub(crate) fn set_stage(
        &mut self,
        guild_id: Snowflake,
        user_id: Snowflake,
        suppress: Option<bool>,
        request: Edit<String>,
    ) -> Changed<()> {
        self.in_guild(guild_id, |guild, users, effects| {
            let state = guild
                .voice_states
                .get_mut(user_id)
                .ok_or(Refusal::Unknown("voice state"))?;
            state.suppress = suppress.unwrap_or(state.suppress);
            request.apply(&mut state.request_to_speak);
            effects
                .events
                .extend(voice::voice_state_update(guild, users, user_id, None));
            Ok(())
        })
    }

    /// What stands under a voice channel's name. Tells nothing if it stands there already.
    pub(crate) fn set_voice_status(
        &mut self,
        channel_id: Snowflake,
        status: Option<String>,
    ) -> Changed<()> {
        let guild_id = self.guild_of_channel(channel_id)?;
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, _, effects| {
            let channel = guild
                .channels
                .get_mut(channel_id)
                .ok_or(Refusal::Unknown("channel"))?;
            if channel.voice_status == status {
                return Ok(());
            }
            let action = if status.is_some() {
                Action::VoiceStatusSet
            } else {
                Action::VoiceStatusDelete
            };
            let data = json!({"id": channel_id, "guild_id": guild_id, "status": status});
            channel.voice_status = status;
            let shown = guild.channels.get(channel_id);
            if shown.is_some_and(|channel| guild.shows(channel, bot)) {
                effects.events.push(Event::new(
                    "VOICE_CHANNEL_STATUS_UPDATE",
                    Intents::GUILDS,
                    guild_id,
                    &data,
                ));
            }
            effects.record(action, channel_id);
            Ok(())
        })
    }
}
