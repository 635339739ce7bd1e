//! Application commands, global ones and those of one guild.

use serde_json::{Map, Value, json};

use super::{Permissions, World};
use crate::snowflake::Snowflake;

/// A command as it was registered.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) id: Snowflake,
    /// `None` is global.
    pub(crate) guild_id: Option<Snowflake>,
    /// Another one after each change.
    version: Snowflake,
    /// Fields of the Application Command object, `name` and `type` among them.
    fields: Map<String, Value>,
}

/// Discord's number of a kind of command.
pub(crate) const CHAT_INPUT: u64 = 1;
pub(crate) const USER: u64 = 2;
pub(crate) const MESSAGE: u64 = 3;

impl Command {
    pub(crate) fn name(&self) -> &str {
        self.fields["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> u64 {
        self.fields["type"].as_u64().unwrap_or(CHAT_INPUT)
    }

    pub(crate) fn options(&self) -> &[Value] {
        let options = self.fields.get("options").and_then(Value::as_array);
        options.map_or(&[], Vec::as_slice)
    }

    /// Whether it is there for somebody with these permissions, in a guild, or else in their
    /// direct messages with the bot.
    pub(crate) fn is_for(&self, in_guild: bool, permissions: Permissions) -> bool {
        let field = |name: &str| self.fields.get(name).filter(|value| !value.is_null());
        let context = u64::from(!in_guild);
        let here = match field("contexts").and_then(Value::as_array) {
            Some(contexts) => contexts.iter().any(|one| one.as_u64() == Some(context)),
            None => in_guild || field("dm_permission") != Some(&json!(false)),
        };
        let needs = field("default_member_permissions");
        let needs =
            needs.and_then(|needs| serde_json::from_value::<Permissions>(needs.clone()).ok());
        let may = match needs {
            Some(Permissions::NONE) => permissions.has(Permissions::ADMINISTRATOR),
            Some(needs) => permissions.has(needs),
            None => true,
        };
        here && (may || !in_guild)
    }

    /// Application Command object.
    pub(crate) fn object(&self, application_id: Snowflake) -> Value {
        let mut object = json!({
            "id": self.id,
            "application_id": application_id,
            "version": self.version,
            "default_member_permissions": null,
            "name_localizations": null,
            "description_localizations": null,
            "nsfw": false,
        });
        if let Some(guild_id) = self.guild_id {
            object["guild_id"] = json!(guild_id);
        } else {
            object["dm_permission"] = json!(true);
            object["contexts"] = Value::Null;
            object["integration_types"] = json!([0]);
        }
        for (name, value) in &self.fields {
            object[name] = value.clone();
        }
        object
    }
}

impl World {
    /// The commands of a guild, or the global ones, in the order they were registered.
    pub(crate) fn commands(&self, guild_id: Option<Snowflake>) -> impl Iterator<Item = &Command> {
        let all = self.application.commands.iter();
        all.filter(move |command| command.guild_id == guild_id)
    }

    pub(crate) fn command(&self, guild_id: Option<Snowflake>, id: Snowflake) -> Option<&Command> {
        self.commands(guild_id).find(|command| command.id == id)
    }

    /// Registers a command, in place of one of its name and kind if there is one. Its id,
    /// and whether it is new.
    pub(crate) fn put_command(
        &mut self,
        guild_id: Option<Snowflake>,
        fields: Map<String, Value>,
    ) -> (Snowflake, bool) {
        let like = |one: &Command| {
            let kind = fields.get("type").and_then(Value::as_u64);
            one.kind() == kind.unwrap_or(CHAT_INPUT) && fields["name"] == one.name()
        };
        let known = self.commands(guild_id).find(|one| like(one));
        let known = known.map(|one| one.id);
        let version = self.new_id();
        let id = known.unwrap_or(version);
        let command = Command {
            id,
            guild_id,
            version,
            fields,
        };
        let all = &mut self.application.commands;
        match all.iter_mut().find(|one| one.id == id) {
            Some(place) => *place = command,
            None => all.push(command),
        }
        (id, known.is_none())
    }

    /// These and no others. What keeps its name and kind keeps its id.
    pub(crate) fn set_commands(
        &mut self,
        guild_id: Option<Snowflake>,
        wanted: Vec<Map<String, Value>>,
    ) {
        let kept: Vec<_> = wanted
            .into_iter()
            .map(|fields| self.put_command(guild_id, fields).0)
            .collect();
        let all = &mut self.application.commands;
        all.retain(|one| one.guild_id != guild_id || kept.contains(&one.id));
    }

    /// Changes some fields of a command.
    pub(crate) fn edit_command(&mut self, id: Snowflake, fields: Map<String, Value>) {
        let version = self.new_id();
        let all = &mut self.application.commands;
        if let Some(command) = all.iter_mut().find(|one| one.id == id) {
            command.fields.extend(fields);
            command.version = version;
        }
    }

    /// Whether there was one.
    pub(crate) fn delete_command(&mut self, guild_id: Option<Snowflake>, id: Snowflake) -> bool {
        let all = &mut self.application.commands;
        let before = all.len();
        all.retain(|one| one.guild_id != guild_id || one.id != id);
        all.len() < before
    }

    /// The command that somebody in a guild finds under this name, of this kind if one is
    /// said: the guild's own first.
    pub(crate) fn command_named(
        &self,
        guild_id: Snowflake,
        name: &str,
        kind: Option<u64>,
    ) -> Option<&Command> {
        let of_guild = self.commands(Some(guild_id));
        of_guild
            .chain(self.commands(None))
            .filter(|command| kind.is_none_or(|kind| command.kind() == kind))
            .find(|command| command.name() == name)
    }
}
