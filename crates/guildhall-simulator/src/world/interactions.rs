//! Interactions: what people ask of the bot, and what became of it.

use std::collections::VecDeque;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Event, Guild, MESSAGE, MemberObject, USER, UserObject, World,
    change::{Changed, Refusal},
};
use crate::snowflake::Snowflake;

/// Interactions that are remembered; one more and the oldest is forgotten.
const KEPT: usize = 1000;
/// What Discord tells of every file's size, in bytes.
pub(crate) const LARGEST_FILE: u64 = 10 * 1024 * 1024;

/// Discord's numbers of what an interaction can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InteractionKind {
    Command,
    Component,
    Autocomplete,
    Modal,
}

impl InteractionKind {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Command => 2,
            Self::Component => 3,
            Self::Autocomplete => 4,
            Self::Modal => 5,
        }
    }
}

/// One interaction, from the moment somebody asked.
#[derive(Clone, Debug)]
pub(crate) struct Interaction {
    pub(crate) id: Snowflake,
    pub(crate) token: String,
    pub(crate) kind: InteractionKind,
    pub(crate) user_id: Snowflake,
    pub(crate) guild_id: Snowflake,
    pub(crate) channel_id: Snowflake,
    /// What a command is called, with its subcommands.
    pub(crate) command: Option<String>,
    /// Whom or what a command of a context menu is about, after Discord's number of its kind.
    target: Option<(u64, Snowflake)>,
    /// The message whose component was used.
    pub(crate) message_id: Option<Snowflake>,
    pub(crate) asked_at: OffsetDateTime,
    pub(crate) answer: Option<Answer>,
    /// The message that `@original` is.
    pub(crate) original: Option<Snowflake>,
    pub(crate) followups: Vec<Snowflake>,
}

/// How an interaction was answered first.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Discord's number of the callback.
    pub(crate) kind: u32,
    /// A modal, or the choices of an autocomplete.
    pub(crate) data: Value,
}

/// Something that somebody asks.
#[derive(Clone, Debug)]
pub(crate) struct NewInteraction {
    pub(crate) kind: InteractionKind,
    pub(crate) user_id: Snowflake,
    pub(crate) channel_id: Snowflake,
    pub(crate) command: Option<String>,
    pub(crate) message_id: Option<Snowflake>,
    /// Interaction Data of Discord's shape.
    pub(crate) data: Value,
}

/// The newest interactions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interactions(VecDeque<Interaction>);

impl Interactions {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Interaction> {
        self.0.iter()
    }

    pub(crate) fn get(&self, id: Snowflake) -> Option<&Interaction> {
        self.iter().rev().find(|one| one.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: Snowflake) -> Option<&mut Interaction> {
        self.0.iter_mut().rev().find(|one| one.id == id)
    }

    pub(crate) fn of_token(&self, token: &str) -> Option<&Interaction> {
        self.iter().rev().find(|one| one.token == token)
    }
}

impl Interaction {
    /// Message Interaction Metadata object, of a message that answers this.
    pub(crate) fn metadata(&self, world: &World, is_followup: bool) -> Value {
        let mut object = json!({
            "id": self.id,
            "type": self.kind.number(),
            "user": world.users.get(self.user_id).map(UserObject::new),
            "authorizing_integration_owners": owners(world.guilds.get(self.guild_id)),
        });
        if let Some(command) = &self.command {
            object["name"] = json!(command);
        }
        match self.target {
            Some((USER, id)) => {
                object["target_user"] = json!(world.users.get(id).map(UserObject::new));
            }
            Some((MESSAGE, id)) => object["target_message_id"] = json!(id),
            _ => {}
        }
        if let Some(id) = self.message_id {
            object["interacted_message_id"] = json!(id);
        }
        if let Some(id) = self.original.filter(|_| is_followup) {
            object["original_response_message_id"] = json!(id);
        }
        object
    }

    /// Message Interaction object, which only answers to commands have.
    pub(crate) fn legacy(&self, world: &World) -> Option<Value> {
        let command = self.command.as_ref()?;
        Some(json!({
            "id": self.id,
            "type": self.kind.number(),
            "name": command,
            "user": world.users.get(self.user_id).map(UserObject::new),
        }))
    }
}

impl World {
    /// Somebody asks the bot something; INTERACTION_CREATE.
    pub(crate) fn interact(&mut self, new: NewInteraction) -> Changed<Snowflake> {
        let guild_id = self.guild_of_channel(new.channel_id)?;
        let (id, token) = (self.free_id(None)?, self.secret().letters(64));
        let interaction = Interaction {
            id,
            token,
            kind: new.kind,
            user_id: new.user_id,
            guild_id,
            channel_id: new.channel_id,
            command: new.command,
            target: target(&new.data),
            message_id: new.message_id,
            asked_at: self.now,
            answer: None,
            original: None,
            followups: Vec::new(),
        };
        let guild = self.bot_guild(guild_id).or(self.directs.get(guild_id));
        let guild = guild.ok_or(Refusal::invalid("the bot is not in this guild"))?;
        let data = self.interaction_object(guild, &interaction, &new.data)?;
        let event = Event {
            guild_id: guild.direct_with.is_none().then_some(guild_id),
            ..Event::global("INTERACTION_CREATE", &data)
        };
        let all = &mut self.interactions.0;
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(interaction);
        Ok((id, vec![event]))
    }

    fn interaction_object(
        &self,
        guild: &Guild,
        interaction: &Interaction,
        data: &Value,
    ) -> Result<Value, Refusal> {
        let user_id = interaction.user_id;
        let channel = guild.channel_or_thread(interaction.channel_id);
        let channel = channel.ok_or(Refusal::Unknown("channel"))?;
        let member = guild.members.get(user_id).zip(self.users.get(user_id));
        let (member, user) = member.ok_or(Refusal::Unknown("member"))?;
        let rights = |user_id| guild.rights_in(user_id, channel, self.now);
        let mut member = json!(MemberObject::new(member, user));
        member["permissions"] = json!(rights(user_id));
        let mut object = json!({
            "id": interaction.id,
            "application_id": self.application.id,
            "type": interaction.kind.number(),
            "data": data,
            "channel": super::partial_channel(guild, channel, rights(user_id)),
            "channel_id": channel.id,
            "token": interaction.token,
            "version": 1,
            "app_permissions": rights(self.bot_id()),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": owners(Some(guild)),
            "attachment_size_limit": LARGEST_FILE,
        });
        if guild.direct_with.is_some() {
            object["user"] = member["user"].take();
            object["context"] = json!(1);
        } else {
            object["guild"] = json!({"id": guild.id, "locale": "en-US", "features": []});
            object["guild_id"] = json!(guild.id);
            object["guild_locale"] = json!("en-US");
            object["member"] = member;
            object["context"] = json!(0);
        }
        if let Some(id) = interaction.message_id {
            let message = guild.messages.find(channel.id, id);
            let message = message.ok_or(Refusal::Unknown("message"))?;
            object["message"] = message.whole(guild, &self.users, self.bot_id());
        }
        Ok(object)
    }

    /// What a command of these types of options is told of the things that its values name.
    /// What somebody in a channel may do there and elsewhere is theirs.
    pub(crate) fn resolved(
        &self,
        user_id: Snowflake,
        channel_id: Snowflake,
        ids: &Named,
    ) -> Result<Value, Refusal> {
        let guild = self.place_of(channel_id)?;
        let here = guild.channel_or_thread(channel_id);
        let here = here.ok_or(Refusal::Unknown("channel"))?;
        let mut told = json!({});
        let (roles, users): (Vec<_>, Vec<_>) = ids
            .mentioned
            .iter()
            .partition(|id| guild.roles.contains(**id));
        for id in ids.users.iter().chain(users) {
            let user = self.users.get(*id).ok_or(Refusal::Unknown("user"))?;
            told["users"][id.to_string()] = json!(UserObject::new(user));
            if let Some(member) = guild
                .members
                .get(*id)
                .filter(|_| guild.direct_with.is_none())
            {
                let mut partial = json!(MemberObject::new(member, user));
                if let Some(fields) = partial.as_object_mut() {
                    fields.retain(|name, _| !matches!(name.as_str(), "user" | "deaf" | "mute"));
                }
                partial["permissions"] = json!(guild.rights_in(*id, here, self.now));
                told["members"][id.to_string()] = partial;
            }
        }
        for id in ids.roles.iter().chain(roles) {
            let role = guild.roles.get(*id).ok_or(Refusal::Unknown("role"))?;
            told["roles"][id.to_string()] = super::role_object(role);
        }
        for id in &ids.channels {
            let channel = guild.channel_or_thread(*id);
            let channel = channel.ok_or(Refusal::Unknown("channel"))?;
            let rights = guild.rights_in(user_id, channel, self.now);
            told["channels"][id.to_string()] = super::partial_channel(guild, channel, rights);
        }
        for id in &ids.messages {
            let message = guild.messages.get(channel_id, *id);
            let message = message.ok_or(Refusal::Unknown("message"))?;
            let whole = message.whole(guild, &self.users, self.bot_id());
            told["messages"][id.to_string()] = whole;
        }
        Ok(told)
    }
}

impl Named {
    /// These too.
    pub(crate) fn add(&mut self, other: Self) {
        self.users.extend(other.users);
        self.mentioned.extend(other.mentioned);
        self.roles.extend(other.roles);
        self.channels.extend(other.channels);
        self.messages.extend(other.messages);
    }
}

/// The kind of a command and what it is about, of Interaction Data that names something.
fn target(data: &Value) -> Option<(u64, Snowflake)> {
    let id = data["target_id"].as_str()?.parse().ok()?;
    Some((data["type"].as_u64()?, id))
}

/// By whose installation the bot was there to be asked: the guild's, or in direct messages
/// that of nobody in particular.
fn owners(guild: Option<&Guild>) -> Value {
    match guild.filter(|guild| guild.direct_with.is_none()) {
        Some(guild) => json!({"0": guild.id}),
        None => json!({"0": "0"}),
    }
}

/// Things that an interaction's values name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    pub(crate) users: Vec<Snowflake>,
    /// Roles or users.
    pub(crate) mentioned: Vec<Snowflake>,
    pub(crate) roles: Vec<Snowflake>,
    pub(crate) channels: Vec<Snowflake>,
    pub(crate) messages: Vec<Snowflake>,
}
