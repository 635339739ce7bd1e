//! Webhooks: made, changed, deleted.

use serde_json::{Value, json};

use super::{
    ChannelKind, Edit, Event, Guild, IncomingWebhook, Intents, World,
    audit::{Action, added, changed, removed},
    change::{Changed, Effects, Refusal},
};
use crate::snowflake::Snowflake;

/// What becomes of a webhook; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookEdit {
    pub(crate) name: Option<String>,
    pub(crate) avatar: Edit<String>,
    pub(crate) channel_id: Option<Snowflake>,
}

impl World {
    /// The webhook with this id, and its guild.
    pub(crate) fn webhook(&self, id: Snowflake) -> Option<(&Guild, &IncomingWebhook)> {
        self.guilds
            .iter()
            .find_map(|guild| Some((guild, guild.webhooks.get(id)?)))
    }

    /// Makes an incoming webhook; WEBHOOKS_UPDATE.
    pub(crate) fn create_webhook(
        &mut self,
        channel_id: Snowflake,
        user_id: Snowflake,
        name: String,
        avatar: Option<String>,
    ) -> Changed<Snowflake> {
        let guild_id = self.guild_of_channel(channel_id)?;
        let (id, token) = (self.free_id(None)?, self.secret().letters(68));
        let bot = self.bot_id();
        let webhook = IncomingWebhook {
            id,
            channel_id,
            user_id,
            application_id: (user_id == bot).then_some(self.application.id),
            name,
            avatar,
            token,
        };
        self.beside_rights(guild_id, |guild, _, effects| {
            check(guild, channel_id)?;
            tell(guild, channel_id, bot, effects);
            effects.record_changes(Action::WebhookCreate, id, added(&facts(&webhook)));
            guild.webhooks.insert(id, webhook);
            Ok(id)
        })
    }

    /// Changes a webhook; WEBHOOKS_UPDATE of where it was and of where it is.
    pub(crate) fn edit_webhook(&mut self, id: Snowflake, edit: WebhookEdit) -> Changed<()> {
        let bot = self.bot_id();
        self.in_guild_of_webhook(id, |guild, effects| {
            if let Some(channel_id) = edit.channel_id {
                check(guild, channel_id)?;
            }
            let webhook = guild.webhooks.get_mut(id);
            let webhook = webhook.ok_or(Refusal::Unknown("webhook"))?;
            let (before, was_in) = (facts(webhook), webhook.channel_id);
            if let Some(name) = edit.name {
                webhook.name = name;
            }
            edit.avatar.apply(&mut webhook.avatar);
            webhook.channel_id = edit.channel_id.unwrap_or(was_in);
            let (after, is_in) = (facts(webhook), webhook.channel_id);
            tell(guild, was_in, bot, effects);
            if is_in != was_in {
                tell(guild, is_in, bot, effects);
            }
            effects.record_changes(Action::WebhookUpdate, id, changed(&before, &after));
            Ok(())
        })
    }

    /// Deletes a webhook; WEBHOOKS_UPDATE.
    pub(crate) fn delete_webhook(&mut self, id: Snowflake) -> Changed<()> {
        let bot = self.bot_id();
        self.in_guild_of_webhook(id, |guild, effects| {
            let webhook = guild.webhooks.remove(id);
            let webhook = webhook.ok_or(Refusal::Unknown("webhook"))?;
            tell(guild, webhook.channel_id, bot, effects);
            effects.record_changes(Action::WebhookDelete, id, removed(&facts(&webhook)));
            Ok(())
        })
    }

    fn in_guild_of_webhook(
        &mut self,
        id: Snowflake,
        change: impl FnOnce(&mut Guild, &mut Effects) -> Result<(), Refusal>,
    ) -> Changed<()> {
        let guild_id = self.webhook(id).map(|(guild, _)| guild.id);
        let guild_id = guild_id.ok_or(Refusal::Unknown("webhook"))?;
        self.beside_rights(guild_id, |guild, _, effects| change(guild, effects))
    }
}

/// Webhooks speak where people write, and in the threads of forums.
fn check(guild: &Guild, channel_id: Snowflake) -> Result<(), Refusal> {
    let channel = guild.channels.get(channel_id);
    let channel = channel.ok_or(Refusal::Unknown("channel"))?;
    match channel.kind {
        ChannelKind::Category | ChannelKind::Direct => {
            Err(Refusal::invalid("a channel of this type has no webhooks"))
        }
        _ => Ok(()),
    }
}

fn tell(guild: &Guild, channel_id: Snowflake, bot: Snowflake, effects: &mut Effects) {
    let channel = guild.channels.get(channel_id);
    if channel.is_some_and(|channel| guild.shows(channel, bot)) {
        let data = json!({"guild_id": guild.id, "channel_id": channel_id});
        let needs = Intents::GUILD_WEBHOOKS;
        let event = Event::new("WEBHOOKS_UPDATE", needs, guild.id, &data);
        effects.events.push(event);
    }
}

/// What the audit log tells of a webhook.
fn facts(webhook: &IncomingWebhook) -> Value {
    json!({
        "type": 1,
        "name": webhook.name,
        "channel_id": webhook.channel_id,
        "avatar_hash": webhook.avatar,
    })
}
