//! Whole guilds: made, renamed, out of service, left.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Appears, Channel, ChannelKind, ChannelSettings, Edit, Event, Guild, GuildPage, Intents, Member,
    Messages, NewUser, Permissions, Role, Table, VoiceState, World,
    audit::{Action, AuditLog, changed},
    change::{Changed, Refusal},
    payload::{guild_facts, guild_object, unavailable},
    seed::EVERYONE,
    voice_start,
};
use crate::snowflake::Snowflake;

/// A guild to be made, with the bot in it.
#[derive(Clone, Debug)]
pub(crate) struct NewGuild {
    /// A chosen id, or a fresh one.
    pub(crate) id: Option<Snowflake>,
    pub(crate) name: String,
    pub(crate) owner_id: Snowflake,
}

/// What becomes of a guild; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuildEdit {
    pub(crate) name: Option<String>,
    pub(crate) owner_id: Option<Snowflake>,
    /// `Clear` is null.
    pub(crate) icon: Edit<String>,
    /// Other fields of the Guild object.
    pub(crate) settings: BTreeMap<&'static str, Value>,
}

impl World {
    /// Makes a guild with one text and one voice channel; its owner, the bot and
    /// a load user are members, the load user sits in the voice channel.
    pub(crate) fn create_guild(&mut self, new: &NewGuild) -> Changed<Snowflake> {
        if !self.users.contains(new.owner_id) {
            return Err(Refusal::Unknown("user"));
        }
        let id = self.free_id(new.id)?;
        let load_user_id = self.create_user(NewUser {
            id: None,
            username: "metronome".to_owned(),
            global_name: None,
            bot: false,
        })?;
        let mut guild = self.bare_guild(id, &new.name, new.owner_id);
        for user_id in [new.owner_id, self.bot_id(), load_user_id] {
            let member = self.new_member(user_id, Vec::new());
            guild.members.insert(user_id, member);
        }
        for (position, kind, name) in [
            (0, ChannelKind::Text, "general"),
            (1, ChannelKind::Voice, "Lounge"),
        ] {
            let channel_id = self.free_id(None)?;
            guild.channels.insert(
                channel_id,
                Channel {
                    id: channel_id,
                    kind,
                    name: name.to_owned(),
                    position,
                    parent_id: None,
                    user_limit: 0,
                    overwrites: Vec::new(),
                    settings: ChannelSettings::default(),
                    voice_status: None,
                    voice_started: None,
                    last_message_id: None,
                    last_pin: None,
                },
            );
            if kind == ChannelKind::Voice {
                let state = self.new_voice_state(load_user_id, channel_id);
                guild.voice_states.insert(load_user_id, state);
                self.comes_online(load_user_id);
            }
        }
        guild.load_user_id = Some(load_user_id);
        voice_start::begin(&mut guild, self.now);
        self.guilds.insert(id, guild);
        Ok((id, vec![Event::guild_create(id, Appears::Joined)]))
    }

    pub(crate) fn edit_guild(&mut self, guild_id: Snowflake, edit: GuildEdit) -> Changed<()> {
        self.in_guild(guild_id, |guild, _, effects| {
            let before = guild_facts(guild);
            if let Some(owner_id) = edit.owner_id {
                if !guild.members.contains(owner_id) {
                    return Err(Refusal::Unknown("member"));
                }
                guild.owner_id = owner_id;
            }
            if let Some(name) = edit.name {
                guild.name = name;
            }
            edit.icon.apply(&mut guild.icon);
            guild.settings.extend(edit.settings);
            let data = guild_object(guild);
            effects
                .events
                .push(Event::new("GUILD_UPDATE", Intents::GUILDS, guild_id, &data));
            let changes = changed(&before, &guild_facts(guild));
            effects.record_changes(Action::GuildUpdate, guild_id, changes);
            Ok(())
        })
    }

    /// Another page in place of one; nobody is told.
    pub(crate) fn set_page(
        &mut self,
        guild_id: Snowflake,
        page: GuildPage,
        shown: Value,
    ) -> Changed<()> {
        self.beside_rights(guild_id, |guild, _, effects| {
            guild.pages.insert(page, shown);
            if page == GuildPage::Onboarding {
                effects.record(Action::OnboardingUpdate, guild_id);
            }
            Ok(())
        })
    }

    /// Deletes a guild; to the bot that is the same as being removed from it.
    pub(crate) fn delete_guild(&mut self, guild_id: Snowflake) -> Changed<()> {
        let guild = self
            .guilds
            .remove(guild_id)
            .ok_or(Refusal::Unknown("guild"))?;
        if !guild.members.contains(self.bot_id()) {
            return Ok(((), Vec::new()));
        }
        let gone = json!({"id": guild_id});
        Ok((
            (),
            vec![Event::new("GUILD_DELETE", Intents::GUILDS, guild_id, &gone)],
        ))
    }

    /// Starts or ends an outage. During one the guild changes silently; at its
    /// end GUILD_CREATE shows what became of it.
    pub(crate) fn set_available(&mut self, guild_id: Snowflake, available: bool) -> Changed<()> {
        let bot = self.bot_id();
        let guild = self
            .guilds
            .get_mut(guild_id)
            .ok_or(Refusal::Unknown("guild"))?;
        let was = std::mem::replace(&mut guild.available, available);
        if was == available || !guild.members.contains(bot) {
            return Ok(((), Vec::new()));
        }
        let event = if available {
            Event::guild_create(guild_id, Appears::Available)
        } else {
            Event::new(
                "GUILD_DELETE",
                Intents::GUILDS,
                guild_id,
                &unavailable(guild_id),
            )
        };
        Ok(((), vec![event]))
    }

    /// A guild with @everyone and nothing else.
    pub(super) fn bare_guild(&mut self, id: Snowflake, name: &str, owner_id: Snowflake) -> Guild {
        let mut roles = Table::default();
        roles.insert(
            id,
            Role {
                id,
                name: "@everyone".to_owned(),
                color: 0,
                position: 0,
                permissions: Permissions(EVERYONE),
                hoist: false,
                mentionable: false,
                bot_id: None,
            },
        );
        Guild {
            id,
            name: name.to_owned(),
            icon: Some(self.rng().hex()),
            owner_id,
            settings: BTreeMap::new(),
            available: true,
            load_user_id: None,
            roles,
            channels: Table::default(),
            members: Table::default(),
            voice_states: Table::default(),
            bans: Table::default(),
            invites: Vec::new(),
            audit_log: AuditLog::default(),
            messages: Messages::default(),
            threads: Table::default(),
            webhooks: Table::default(),
            pages: BTreeMap::new(),
            direct_with: None,
        }
    }

    pub(super) fn new_member(&mut self, user_id: Snowflake, roles: Vec<Snowflake>) -> Member {
        let joined_at = self.new_id().made_at();
        Member {
            user_id,
            nick: None,
            roles,
            joined_at,
            mute: false,
            deaf: false,
            timeout: None,
        }
    }

    pub(super) fn new_voice_state(
        &mut self,
        user_id: Snowflake,
        channel_id: Snowflake,
    ) -> VoiceState {
        VoiceState {
            user_id,
            channel_id,
            session_id: self.rng().hex(),
            self_mute: false,
            self_deaf: false,
            self_stream: false,
            self_video: false,
            suppress: false,
            request_to_speak: None,
        }
    }
}
