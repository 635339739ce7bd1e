//! Discord's JSON of a message, whole or without what was said.

use serde_json::{Value, json};

use crate::{
    snowflake::{Snowflake, iso},
    world::{
        Guild, Message, MessageSource, Table, User, World,
        payload::{MemberObject, UserObject, thread_object},
    },
};

impl Message {
    /// Message object, as the bot's REST calls show it: without what was said where
    /// the application may not read it.
    pub(crate) fn object(&self, guild: &Guild, world: &World) -> Value {
        let object = self.whole(guild, &world.users, world.bot_id());
        let reads = world.application.privileged_intents.message_content;
        if reads || guild.direct_with.is_some() || self.concerns(guild, world.bot_id()) {
            object
        } else {
            blanked(object)
        }
    }

    /// Whether the bot is told what was said whatever it may read: its own words,
    /// and what pings it.
    pub(super) fn concerns(&self, guild: &Guild, bot: Snowflake) -> bool {
        self.author_id == bot || self.mentioned(guild).contains(&bot)
    }

    pub(in crate::world) fn whole(
        &self,
        guild: &Guild,
        users: &Table<User>,
        bot: Snowflake,
    ) -> Value {
        let mut object = self.bare(guild, users, bot);
        if let Some(answered) = self.reply_to {
            object["message_reference"] = json!({
                "type": 0,
                "message_id": answered,
                "channel_id": self.channel_id,
            });
            if guild.direct_with.is_none() {
                object["message_reference"]["guild_id"] = json!(guild.id);
            }
            // Null says that the answered message was deleted.
            object["referenced_message"] = guild
                .messages
                .find(self.channel_id, answered)
                .map_or(Value::Null, |answered| answered.bare(guild, users, bot));
        }
        if let MessageSource::Thread {
            kind: 21,
            reference,
        } = &self.source
        {
            let id = |name: &str| reference[name].as_str()?.parse().ok();
            let started = id("channel_id").zip(id("message_id"));
            let started = started.and_then(|(channel, id)| guild.messages.find(channel, id));
            object["referenced_message"] =
                started.map_or(Value::Null, |message| message.bare(guild, users, bot));
        }
        object
    }

    /// Message type: said, an answer to a message, to a command, or to one of a context menu.
    fn kind(&self) -> u8 {
        match &self.source {
            MessageSource::Interaction {
                legacy: Some(_),
                metadata,
            } if self.reply_to.is_none() => {
                let about = ["target_user", "target_message_id"];
                let from_a_menu = about.iter().any(|name| metadata.get(name).is_some());
                if from_a_menu { 23 } else { 20 }
            }
            MessageSource::Thread { kind, .. } => *kind,
            _ if self.reply_to.is_some() => 19,
            _ => 0,
        }
    }

    /// Whether the thread with its id is about it, and it is not that thread's own first.
    fn begins_a_thread(&self, guild: &Guild) -> bool {
        let thread = guild.threads.get(self.id);
        thread.is_some_and(|thread| thread.parent_id() == Some(self.channel_id))
    }

    fn tell_source(&self, object: &mut Value, bot: Snowflake) {
        match &self.source {
            MessageSource::Said => {}
            MessageSource::Thread { reference, .. } => {
                object["message_reference"] = reference.clone();
            }
            MessageSource::Webhook {
                webhook_id,
                application_id,
                author,
            } => {
                object["webhook_id"] = json!(webhook_id);
                object["author"] = json!(UserObject::of_webhook(author));
                if let Some(id) = application_id {
                    object["application_id"] = json!(id);
                }
            }
            MessageSource::Interaction { metadata, legacy } => {
                object["webhook_id"] = json!(bot);
                object["application_id"] = json!(bot);
                object["interaction_metadata"] = metadata.clone();
                if let Some(legacy) = legacy {
                    object["interaction"] = legacy.clone();
                }
            }
        }
    }

    fn bare(&self, guild: &Guild, users: &Table<User>, bot: Snowflake) -> Value {
        let mut object = json!({
            "id": self.id,
            "channel_id": self.channel_id,
            "author": users.get(self.author_id).map(UserObject::new),
            "content": self.content,
            "timestamp": iso(self.said_at),
            "edited_timestamp": self.edited_at,
            "tts": self.tts,
            "mention_everyone": self.mentions_everyone(guild),
            "mentions": self.mentioned(guild).into_iter()
                .filter_map(|id| users.get(id)).map(UserObject::new).collect::<Vec<_>>(),
            "mention_roles": self.mentioned_roles(guild),
            "attachments": self.parts.attachments,
            "embeds": self.embeds,
            "components": self.parts.components,
            "pinned": self.pinned.is_some(),
            "flags": self.flags,
            "type": self.kind(),
        });
        self.tell_source(&mut object, bot);
        if !self.parts.stickers.is_empty() {
            object["sticker_items"] = json!(self.parts.stickers);
        }
        if let Some(poll) = self.poll_object(bot) {
            object["poll"] = poll;
        }
        if let Some(thread) = guild
            .threads
            .get(self.id)
            .filter(|_| self.begins_a_thread(guild))
        {
            object["flags"] = json!(self.flags | Self::HAS_THREAD);
            object["thread"] = thread_object(guild, thread, bot);
        }
        if !self.reactions.is_empty() {
            object["reactions"] = self
                .reactions
                .iter()
                .map(|reaction| {
                    let count = reaction.user_ids.len();
                    json!({
                        "count": count,
                        "count_details": {"burst": 0, "normal": count},
                        "me": reaction.user_ids.contains(&bot),
                        "me_burst": false,
                        "emoji": reaction.emoji.object(),
                        "burst_colors": [],
                    })
                })
                .collect();
        }
        object
    }
}

/// MESSAGE_CREATE and MESSAGE_UPDATE: with the guild and a member without user.
pub(super) fn dispatch(
    guild: &Guild,
    users: &Table<User>,
    message: &Message,
    bot: Snowflake,
) -> Value {
    let mut object = message.whole(guild, users, bot);
    object["channel_type"] = json!(
        guild
            .channel_or_thread(message.channel_id)
            .map(|channel| channel.kind)
    );
    if let Some(nonce) = &message.nonce {
        object["nonce"] = nonce.clone();
    }
    if guild.direct_with.is_some() {
        return object;
    }
    object["guild_id"] = json!(guild.id);
    let partial = |id: Snowflake| {
        let member = MemberObject::new(guild.members.get(id)?, users.get(id)?);
        Some(without_user(json!(member)))
    };
    if let Some(member) = partial(message.author_id) {
        object["member"] = member;
    }
    for mention in object["mentions"].as_array_mut().into_iter().flatten() {
        let id = mention["id"].as_str().and_then(|id| id.parse().ok());
        if let Some(member) = id.and_then(partial) {
            mention["member"] = member;
        }
    }
    object
}

/// What is left for a session without MESSAGE_CONTENT.
pub(super) fn blanked(mut object: Value) -> Value {
    blank(&mut object);
    if let Some(answered) = object.get_mut("referenced_message")
        && answered.is_object()
    {
        blank(answered);
    }
    object
}

fn blank(object: &mut Value) {
    object["content"] = json!("");
    for list in ["embeds", "attachments", "components"] {
        object[list] = json!([]);
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("poll");
    }
}

fn without_user(mut member: Value) -> Value {
    if let Some(fields) = member.as_object_mut() {
        fields.remove("user");
    }
    member
}
