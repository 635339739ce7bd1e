//! Messages, reactions and typing.

/// Who is pinged.
mod mentions;
/// Files that embeds show.
mod files;
/// Discord's JSON of a message, whole or without what was said.
mod payload;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    AllowedMentions, Channel, Emoji, Event, Guild, Intents, Message, MessageParts, MessageSource,
    Messages, Permissions, Table, User, World,
    audit::Action,
    change::{Changed, Effects, Refusal},
    event::{EventBody, text},
    payload::MemberObject,
    thread_members,
};
use crate::snowflake::{Snowflake, iso};

/// A message to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewMessage {
    /// A chosen id, or a fresh one.
    pub(crate) id: Option<Snowflake>,
    pub(crate) author_id: Snowflake,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) parts: MessageParts,
    pub(crate) source: MessageSource,
    pub(crate) reply_to: Option<Snowflake>,
    pub(crate) allowed: AllowedMentions,
    pub(crate) flags: u64,
    pub(crate) tts: bool,
    pub(crate) nonce: Option<Value>,
}

impl NewMessage {
    /// What somebody simply says.
    pub(crate) fn said(author_id: Snowflake, content: String) -> Self {
        Self {
            id: None,
            author_id,
            content,
            embeds: Vec::new(),
            parts: MessageParts::default(),
            source: MessageSource::Said,
            reply_to: None,
            allowed: AllowedMentions::default(),
            flags: 0,
            tts: false,
            nonce: None,
        }
    }
}

/// What becomes of a message; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageEdit {
    pub(crate) content: Option<String>,
    /// Whom the new content may ping; only together with one.
    pub(crate) allowed: AllowedMentions,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Vec<Value>>,
    /// Those that stay, and new ones without an id.
    pub(crate) attachments: Option<Vec<Value>>,
    pub(crate) poll: Option<Value>,
    pub(crate) flags: Option<u64>,
    pub(crate) pinned: Option<bool>,
}

impl MessageEdit {
    /// Whether it says something else, for which a message counts as edited.
    pub(crate) fn rewrites(&self) -> bool {
        let lists = [&self.embeds, &self.components, &self.attachments];
        self.content.is_some() || lists.iter().any(|list| list.is_some())
    }
}

impl World {
    /// Says something; MESSAGE_CREATE.
    pub(crate) fn create_message(
        &mut self,
        channel_id: Snowflake,
        new: NewMessage,
    ) -> Changed<Snowflake> {
        let id = match new.id {
            Some(id) if id == channel_id && self.waits_for_its_post(id) => id,
            chosen => self.free_id(chosen)?,
        };
        let said_at = self.now;
        let (mut parts, mut embeds) = (new.parts, new.embeds);
        self.place_files(channel_id, &mut parts.attachments);
        files::move_into_embeds(&mut parts.attachments, &mut embeds);
        self.in_channel(channel_id, |guild, users, told| {
            let is_webhook = matches!(new.source, MessageSource::Webhook { .. });
            if !is_webhook && !guild.members.contains(new.author_id) {
                return Err(Refusal::Unknown("member"));
            }
            if let Some(answered) = new.reply_to
                && guild.messages.find(channel_id, answered).is_none()
            {
                return Err(Refusal::Unknown("message to reply to"));
            }
            let mut message = Message {
                id,
                channel_id,
                author_id: new.author_id,
                said_at,
                content: new.content,
                embeds,
                parts,
                source: new.source,
                edited_at: None,
                reply_to: new.reply_to,
                allowed: new.allowed,
                pinned: None,
                flags: new.flags,
                tts: new.tts,
                nonce: new.nonce,
                reactions: Vec::new(),
                votes: Vec::new(),
            };
            if id != channel_id && !matches!(message.source, MessageSource::Thread { .. }) {
                told.said_in_thread(guild, users, message.author_id, said_at);
            }
            told.message("MESSAGE_CREATE", guild, users, &message);
            message.nonce = None;
            guild.messages.push(message);
            if let Some(channel) = guild.channel_or_thread_mut(channel_id) {
                channel.last_message_id = Some(id);
            }
            Ok(id)
        })
    }

    /// Whether this is a forum's thread without its first message, which has its id.
    fn waits_for_its_post(&self, id: Snowflake) -> bool {
        let guild = self.place_of(id).ok();
        guild.is_some_and(|guild| {
            guild.threads.contains(id) && guild.messages.find(id, id).is_none()
        })
    }

    /// Changes what was said; MESSAGE_UPDATE. `edited_at` is ISO 8601.
    pub(crate) fn edit_message(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        mut edit: MessageEdit,
        edited_at: String,
    ) -> Changed<()> {
        let now = self.now;
        if let Some(files) = &mut edit.attachments {
            self.place_files(channel_id, files);
        }
        self.in_channel(channel_id, |guild, users, told| {
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            // An answer that was still to come is not edited: now it is there.
            if edit.rewrites() && !message.is_loading() {
                message.edited_at = Some(edited_at);
            }
            message.flags = edit.flags.unwrap_or(message.flags);
            if let Some(components) = edit.components {
                message.parts.components = components;
            }
            if let Some(attachments) = edit.attachments {
                message.parts.attachments = attachments;
            }
            if edit.poll.is_some() {
                message.parts.poll = edit.poll;
            }
            if let Some(content) = edit.content {
                message.content = content;
                message.allowed = edit.allowed;
            }
            if let Some(embeds) = edit.embeds {
                message.embeds = embeds;
            }
            files::move_into_embeds(&mut message.parts.attachments, &mut message.embeds);
            let was_pinned = message.pinned.is_some();
            let is_pinned = edit.pinned.unwrap_or(was_pinned);
            if is_pinned != was_pinned {
                message.pinned = is_pinned.then_some(now);
            }
            let message = message.clone();
            if is_pinned != was_pinned {
                let action = if is_pinned {
                    Action::MessagePin
                } else {
                    Action::MessageUnpin
                };
                let options = json!({"channel_id": channel_id, "message_id": id});
                told.record = Some((action, message.author_id, options));
                let last = guild.messages.of(channel_id).filter_map(|one| one.pinned);
                let last = last.max();
                if let Some(channel) = guild.channel_or_thread_mut(channel_id) {
                    channel.last_pin = last;
                }
                let data = json!({"last_pin_timestamp": last.map(iso)});
                told.about("CHANNEL_PINS_UPDATE", Intents::GUILDS, data);
            }
            told.message("MESSAGE_UPDATE", guild, users, &message);
            Ok(())
        })
    }

    /// Something beside a message changed what is shown of it; MESSAGE_UPDATE.
    pub(super) fn message_changed(&mut self, channel_id: Snowflake, id: Snowflake) -> Changed<()> {
        self.in_channel(channel_id, |guild, users, told| {
            let message = message_mut(&mut guild.messages, channel_id, id)?.clone();
            told.message("MESSAGE_UPDATE", guild, users, &message);
            Ok(())
        })
    }

    /// MESSAGE_DELETE. Whoever deletes another's message stands in the audit log.
    pub(crate) fn delete_message(&mut self, channel_id: Snowflake, id: Snowflake) -> Changed<()> {
        let actor = self.cause.as_ref().map(|cause| cause.actor);
        self.in_channel(channel_id, |guild, _, told| {
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            let (author, is_ephemeral) = (message.author_id, message.is_ephemeral());
            guild.messages.remove(channel_id, id);
            uncount(guild, channel_id, 1);
            if actor.is_some_and(|actor| actor != author) {
                let options = json!({"channel_id": channel_id, "count": "1"});
                told.record = Some((Action::MessageDelete, author, options));
            }
            if !is_ephemeral {
                told.about("MESSAGE_DELETE", Intents::GUILD_MESSAGES, json!({"id": id}));
            }
            Ok(())
        })
    }

    /// Files without an id get one, and an address at which nothing is: they are not kept.
    fn place_files(&mut self, channel_id: Snowflake, files: &mut [Value]) {
        for file in files.iter_mut().filter(|file| file.get("id").is_none()) {
            let id = self.new_id();
            let name = file["filename"].as_str().unwrap_or_default();
            let url = format!("https://cdn.discord.invalid/attachments/{channel_id}/{id}/{name}");
            file["id"] = json!(id);
            file["url"] = json!(url);
            file["proxy_url"] = json!(url);
        }
    }

    /// MESSAGE_DELETE_BULK of those that exist; says nothing if none does.
    pub(crate) fn delete_messages(
        &mut self,
        channel_id: Snowflake,
        ids: &[Snowflake],
    ) -> Changed<()> {
        let by_somebody = self.cause.is_some();
        self.in_channel(channel_id, |guild, _, told| {
            let gone: Vec<_> = ids
                .iter()
                .filter(|id| guild.messages.remove(channel_id, **id))
                .collect();
            uncount(guild, channel_id, gone.len());
            if !gone.is_empty() {
                let needs = Intents::GUILD_MESSAGES;
                told.about("MESSAGE_DELETE_BULK", needs, json!({"ids": gone}));
                if by_somebody {
                    let options = json!({"count": gone.len().to_string()});
                    told.record = Some((Action::MessageBulkDelete, channel_id, options));
                }
            }
            Ok(())
        })
    }

    /// Everything that somebody said in the guild since then; MESSAGE_DELETE_BULK
    /// for each channel.
    pub(super) fn delete_messages_of(
        &mut self,
        guild_id: Snowflake,
        author_id: Snowflake,
        since: OffsetDateTime,
    ) -> Changed<()> {
        let mut gone: BTreeMap<Snowflake, Vec<Snowflake>> = BTreeMap::new();
        let all = self.guilds.get(guild_id).into_iter();
        for message in all.flat_map(|guild| guild.messages.iter()) {
            if message.author_id == author_id && message.said_at >= since {
                gone.entry(message.channel_id).or_default().push(message.id);
            }
        }
        // The ban is what the audit log tells of.
        let cause = self.cause.take();
        let mut events = Vec::new();
        for (channel_id, ids) in gone {
            events.extend(self.delete_messages(channel_id, &ids)?.1);
        }
        self.cause = cause;
        Ok(((), events))
    }

    /// Adds or takes back one person's reaction; says nothing if nothing changed.
    pub(crate) fn react(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        user_id: Snowflake,
        emoji: &Emoji,
        on: bool,
    ) -> Changed<()> {
        self.in_channel(channel_id, |guild, users, told| {
            let member = guild.members.get(user_id);
            let member = member.zip(users.get(user_id));
            let (member, user) = member.ok_or(Refusal::Unknown("member"))?;
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            if !message.set_reaction(emoji, user_id, on) {
                return Ok(());
            }
            let mut data = json!({
                "user_id": user_id,
                "message_id": id,
                "emoji": emoji.object(),
                "burst": false,
                "type": 0,
            });
            let name = if on {
                if guild.direct_with.is_none() {
                    data["member"] = json!(MemberObject::new(member, user));
                }
                data["message_author_id"] = json!(message.author_id);
                data["burst_colors"] = json!([]);
                "MESSAGE_REACTION_ADD"
            } else {
                "MESSAGE_REACTION_REMOVE"
            };
            told.about(name, Intents::GUILD_MESSAGE_REACTIONS, data);
            Ok(())
        })
    }

    /// Takes away every reaction, or every one with an emoji.
    pub(crate) fn clear_reactions(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        emoji: Option<&Emoji>,
    ) -> Changed<()> {
        self.in_channel(channel_id, |guild, _, told| {
            let message = message_mut(&mut guild.messages, channel_id, id)?;
            let before = message.reactions.len();
            message
                .reactions
                .retain(|reaction| emoji.is_some_and(|emoji| *emoji != reaction.emoji));
            if message.reactions.len() == before {
                return Ok(());
            }
            let mut data = json!({"message_id": id});
            let name = match emoji {
                Some(emoji) => {
                    data["emoji"] = emoji.object();
                    "MESSAGE_REACTION_REMOVE_EMOJI"
                }
                None => "MESSAGE_REACTION_REMOVE_ALL",
            };
            told.about(name, Intents::GUILD_MESSAGE_REACTIONS, data);
            Ok(())
        })
    }

    /// Somebody begins to type; TYPING_START. Nothing says when they stop.
    pub(crate) fn type_in(
        &mut self,
        channel_id: Snowflake,
        user_id: Snowflake,
        unix_seconds: u64,
    ) -> Changed<()> {
        self.in_channel(channel_id, |guild, users, told| {
            let member = guild.members.get(user_id);
            let (member, user) = member
                .zip(users.get(user_id))
                .ok_or(Refusal::Unknown("member"))?;
            let mut data = json!({"user_id": user_id, "timestamp": unix_seconds});
            if guild.direct_with.is_none() {
                data["member"] = json!(MemberObject::new(member, user));
            }
            told.about("TYPING_START", Intents::GUILD_MESSAGE_TYPING, data);
            Ok(())
        })
    }

    /// Runs a change of one channel's messages. The bot hears of it if it may
    /// read there: a voice channel's chat also asks for CONNECT.
    pub(super) fn in_channel<T>(
        &mut self,
        channel_id: Snowflake,
        change: impl FnOnce(&mut Guild, &Table<User>, &mut ChannelEffects) -> Result<T, Refusal>,
    ) -> Changed<T> {
        let guild_id = self.guild_of_channel(channel_id)?;
        let bot = self.bot_id();
        self.beside_rights(guild_id, |guild, users, effects| {
            let channel = guild.channel_or_thread(channel_id);
            let channel = channel.ok_or(Refusal::Unknown("channel"))?;
            if !channel.kind.has_messages() {
                return Err(Refusal::invalid("a channel of this type has no messages"));
            }
            let heard = may_read(guild, channel, bot);
            let mut told = ChannelEffects {
                guild_id: guild.direct_with.is_none().then_some(guild_id),
                channel_id,
                bot,
                events: Vec::new(),
                record: None,
            };
            let answer = change(guild, users, &mut told)?;
            if let Some((action, target, options)) = told.record {
                effects.record_with(action, Some(target), Some(options), Vec::new());
            }
            if heard {
                effects.events.append(&mut told.events);
            }
            Ok(answer)
        })
    }
}

/// Messages of a thread are gone.
fn uncount(guild: &mut Guild, channel_id: Snowflake, count: usize) {
    if let Some(thread) = guild.threads.get_mut(channel_id) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        thread.message_count = thread.message_count.saturating_sub(count);
    }
}

pub(super) fn message_mut(
    messages: &mut Messages,
    channel_id: Snowflake,
    id: Snowflake,
) -> Result<&mut Message, Refusal> {
    let message = messages.get_mut(channel_id, id);
    message.ok_or(Refusal::Unknown("message"))
}

/// Whether a member gets what is said in a channel.
fn may_read(guild: &Guild, channel: &Channel, user_id: Snowflake) -> bool {
    let needed = if channel.kind.is_voice() {
        Permissions::VIEW_CHANNEL.union(Permissions::CONNECT)
    } else {
        Permissions::VIEW_CHANNEL
    };
    guild.permissions_in(user_id, channel).has(needed) && guild.admits(channel, user_id)
}

/// What a change of messages has to say.
pub(super) struct ChannelEffects {
    /// `None` is of direct messages.
    guild_id: Option<Snowflake>,
    channel_id: Snowflake,
    bot: Snowflake,
    events: Vec<Event>,
    /// A line for the audit log: what, whom, and its options.
    record: Option<(Action, Snowflake, Value)>,
}

impl ChannelEffects {
    /// An event of the channel; `data` gets the ids of channel and guild.
    pub(super) fn about(&mut self, name: &'static str, needs: Intents, mut data: Value) {
        data["channel_id"] = json!(self.channel_id);
        if let Some(guild_id) = self.guild_id {
            data["guild_id"] = json!(guild_id);
        }
        self.push(name, needs, EventBody::Shared(text(&data)));
    }

    fn push(&mut self, name: &'static str, needs: Intents, body: EventBody) {
        self.events.push(Event {
            name,
            needs: match self.guild_id {
                Some(_) => needs,
                None => needs.in_direct_messages(),
            },
            guild_id: self.guild_id,
            body,
        });
    }

    /// What becomes of a thread by something that is said in it.
    fn said_in_thread(
        &mut self,
        guild: &mut Guild,
        users: &Table<User>,
        author_id: Snowflake,
        now: OffsetDateTime,
    ) {
        let mut effects = Effects::default();
        thread_members::said(
            guild,
            users,
            self.channel_id,
            author_id,
            self.bot,
            now,
            &mut effects,
        );
        self.events.append(&mut effects.events);
    }

    /// MESSAGE_CREATE or MESSAGE_UPDATE. What was said reaches sessions without
    /// MESSAGE_CONTENT only if the bot said it, is mentioned or is answered with a ping.
    pub(super) fn message(
        &mut self,
        name: &'static str,
        guild: &Guild,
        users: &Table<User>,
        message: &Message,
    ) {
        // Discord tells the bot of what one person alone sees only where it answers.
        if message.is_ephemeral() {
            return;
        }
        let data = payload::dispatch(guild, users, message, self.bot);
        let whole = text(&data);
        let direct = self.guild_id.is_none();
        let body = if direct || message.concerns(guild, self.bot) {
            EventBody::Shared(whole)
        } else {
            let blank = text(&payload::blanked(data));
            EventBody::Message { whole, blank }
        };
        self.push(name, Intents::GUILD_MESSAGES, body);
    }
}
