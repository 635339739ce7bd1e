//! Messages and their reactions.

/// What of Unicode is an emoji.
mod unicode;

use std::collections::VecDeque;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{snowflake::Snowflake, world::User};

/// Messages that a guild remembers; one more and the oldest is forgotten.
const MESSAGES_KEPT: usize = 10_000;

/// A message of a guild's channel.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: Snowflake,
    pub(crate) channel_id: Snowflake,
    pub(crate) author_id: Snowflake,
    /// By the clock; the id's own time is a seed's.
    pub(crate) said_at: OffsetDateTime,
    pub(crate) content: String,
    /// Embed objects as they were given.
    pub(crate) embeds: Vec<Value>,
    pub(crate) parts: MessageParts,
    pub(crate) source: MessageSource,
    /// ISO 8601
    pub(crate) edited_at: Option<String>,
    /// The message that this one answers.
    pub(crate) reply_to: Option<Snowflake>,
    pub(crate) allowed: AllowedMentions,
    /// Since when it is pinned.
    pub(crate) pinned: Option<OffsetDateTime>,
    pub(crate) flags: u64,
    /// Read aloud.
    pub(crate) tts: bool,
    /// The client's own mark; only MESSAGE_CREATE and its answer carry it.
    pub(crate) nonce: Option<Value>,
    pub(crate) reactions: Vec<Reaction>,
    /// Who voted for which answer of its poll.
    pub(crate) votes: Vec<(u64, Snowflake)>,
}

/// What a message carries besides text and embeds, in Discord's JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MessageParts {
    pub(crate) components: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    /// Sticker Item objects.
    pub(crate) stickers: Vec<Value>,
    pub(crate) poll: Option<Value>,
}

impl MessageParts {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a message came about.
#[derive(Clone, Debug, Default)]
pub(crate) enum MessageSource {
    /// Its author said it.
    #[default]
    Said,
    /// Whoever has a webhook's token said it.
    Webhook {
        webhook_id: Snowflake,
        application_id: Option<Snowflake>,
        /// The webhook as it called itself then; nobody of the guild.
        author: Box<User>,
    },
    /// A thread was begun, or is about another message.
    Thread {
        /// Discord's number of the message type.
        kind: u8,
        /// Message Reference object.
        reference: Value,
    },
    /// The bot answered an interaction.
    Interaction {
        /// Message Interaction Metadata object.
        metadata: Value,
        /// Message Interaction object, of what began with a command.
        legacy: Option<Value>,
    },
}

/// Every component that a person can use, wherever it stands.
pub(crate) fn find_component<'a>(components: &'a [Value], custom_id: &str) -> Option<&'a Value> {
    components.iter().find_map(|one| {
        if one["custom_id"] == custom_id {
            return Some(one);
        }
        ["components", "component", "accessory"]
            .iter()
            .find_map(|name| match one.get(name)? {
                Value::Array(list) => find_component(list, custom_id),
                below => find_component(std::slice::from_ref(below), custom_id),
            })
    })
}

/// Everybody who reacted with one emoji.
#[derive(Clone, Debug)]
pub(crate) struct Reaction {
    pub(crate) emoji: Emoji,
    pub(crate) user_ids: Vec<Snowflake>,
}

/// A Unicode emoji, or one of a guild's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emoji {
    pub(crate) id: Option<Snowflake>,
    pub(crate) name: String,
}

/// What a message may ping. By default everything that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowedMentions {
    pub(crate) everyone: bool,
    pub(crate) users: Allowed,
    pub(crate) roles: Allowed,
    /// The author of the answered message.
    pub(crate) replied_user: bool,
}

/// Of what is named, which may be pinged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    These(Vec<Snowflake>),
}

impl Default for AllowedMentions {
    fn default() -> Self {
        Self {
            everyone: true,
            users: Allowed::All,
            roles: Allowed::All,
            replied_user: true,
        }
    }
}

impl Allowed {
    pub(crate) fn holds(&self, id: Snowflake) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(&id),
        }
    }
}

/// A guild's messages, oldest first, at most [`MESSAGES_KEPT`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    all: VecDeque<Message>,
}

impl Messages {
    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.all.iter()
    }

    /// The messages of one channel that everybody there sees, newest first.
    pub(crate) fn of(&self, channel_id: Snowflake) -> impl Iterator<Item = &Message> {
        self.all
            .iter()
            .rev()
            .filter(move |message| message.channel_id == channel_id)
            .filter(|message| !message.is_ephemeral())
    }

    pub(crate) fn get(&self, channel_id: Snowflake, id: Snowflake) -> Option<&Message> {
        self.of(channel_id).find(|message| message.id == id)
    }

    /// The same, those included that one person alone sees.
    pub(crate) fn find(&self, channel_id: Snowflake, id: Snowflake) -> Option<&Message> {
        let mut newest_first = self.all.iter().rev();
        newest_first.find(|message| message.channel_id == channel_id && message.id == id)
    }

    pub(crate) fn get_mut(&mut self, channel_id: Snowflake, id: Snowflake) -> Option<&mut Message> {
        self.all
            .iter_mut()
            .rev()
            .find(|message| message.channel_id == channel_id && message.id == id)
    }

    pub(crate) fn forget_channel(&mut self, channel_id: Snowflake) {
        self.all.retain(|message| message.channel_id != channel_id);
    }

    pub(crate) fn push(&mut self, message: Message) {
        if self.all.len() == MESSAGES_KEPT {
            self.all.pop_front();
        }
        self.all.push_back(message);
    }

    pub(crate) fn remove(&mut self, channel_id: Snowflake, id: Snowflake) -> bool {
        let before = self.all.len();
        self.all
            .retain(|message| message.channel_id != channel_id || message.id != id);
        self.all.len() < before
    }
}

impl Message {
    /// Flag of what one person alone sees: the one whose interaction it answers.
    pub(crate) const EPHEMERAL: u64 = 1 << 6;
    /// Flag of what a thread is about.
    pub(crate) const HAS_THREAD: u64 = 1 << 5;
    /// Flag of an answer that is still to come.
    pub(crate) const LOADING: u64 = 1 << 7;
    /// Flag of what is made of components alone.
    pub(crate) const COMPONENTS_V2: u64 = 1 << 15;

    pub(crate) fn is_ephemeral(&self) -> bool {
        self.flags & Self::EPHEMERAL != 0
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.flags & Self::LOADING != 0
    }

    pub(crate) fn set_reaction(&mut self, emoji: &Emoji, user_id: Snowflake, on: bool) -> bool {
        let place = self.reactions.iter().position(|one| one.emoji == *emoji);
        match (place, on) {
            (None, false) => false,
            (None, true) => {
                self.reactions.push(Reaction {
                    emoji: emoji.clone(),
                    user_ids: vec![user_id],
                });
                true
            }
            (Some(place), true) => {
                let users = &mut self.reactions[place].user_ids;
                let new = !users.contains(&user_id);
                if new {
                    users.push(user_id);
                }
                new
            }
            (Some(place), false) => {
                let users = &mut self.reactions[place].user_ids;
                let before = users.len();
                users.retain(|id| *id != user_id);
                let gone = users.len() < before;
                if users.is_empty() {
                    self.reactions.remove(place);
                }
                gone
            }
        }
    }
}

impl Emoji {
    /// Reads `🎲`, `name:id` or `<:name:id>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let inner = text
            .strip_prefix("<:")
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(text);
        match inner.split_once(':') {
            Some((name, id)) if !name.is_empty() => Some(Self {
                id: Some(id.parse().ok()?),
                name: name.to_owned(),
            }),
            Some(_) => None,
            None if !unicode::is_emoji(inner) => None,
            None => Some(Self {
                id: None,
                name: inner.to_owned(),
            }),
        }
    }

    /// Partial Emoji object.
    pub(crate) fn object(&self) -> Value {
        json!({"id": self.id, "name": self.name})
    }
}
