//! Discord's permission bits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of permission bits; in JSON a decimal string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions(pub(crate) u64);

impl Permissions {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self((1 << 53) - 1);
    pub(crate) const CREATE_INSTANT_INVITE: Self = Self(1 << 0);
    pub(crate) const KICK_MEMBERS: Self = Self(1 << 1);
    pub(crate) const BAN_MEMBERS: Self = Self(1 << 2);
    pub(crate) const ADMINISTRATOR: Self = Self(1 << 3);
    pub(crate) const MANAGE_CHANNELS: Self = Self(1 << 4);
    pub(crate) const MANAGE_GUILD: Self = Self(1 << 5);
    pub(crate) const ADD_REACTIONS: Self = Self(1 << 6);
    pub(crate) const VIEW_AUDIT_LOG: Self = Self(1 << 7);
    pub(crate) const VIEW_CHANNEL: Self = Self(1 << 10);
    pub(crate) const SEND_MESSAGES: Self = Self(1 << 11);
    pub(crate) const SEND_TTS_MESSAGES: Self = Self(1 << 12);
    pub(crate) const MANAGE_MESSAGES: Self = Self(1 << 13);
    pub(crate) const EMBED_LINKS: Self = Self(1 << 14);
    pub(crate) const ATTACH_FILES: Self = Self(1 << 15);
    pub(crate) const READ_MESSAGE_HISTORY: Self = Self(1 << 16);
    pub(crate) const MENTION_EVERYONE: Self = Self(1 << 17);
    pub(crate) const CONNECT: Self = Self(1 << 20);
    pub(crate) const SPEAK: Self = Self(1 << 21);
    pub(crate) const MUTE_MEMBERS: Self = Self(1 << 22);
    pub(crate) const DEAFEN_MEMBERS: Self = Self(1 << 23);
    pub(crate) const MOVE_MEMBERS: Self = Self(1 << 24);
    pub(crate) const CHANGE_NICKNAME: Self = Self(1 << 26);
    pub(crate) const MANAGE_NICKNAMES: Self = Self(1 << 27);
    pub(crate) const MANAGE_ROLES: Self = Self(1 << 28);
    pub(crate) const MANAGE_WEBHOOKS: Self = Self(1 << 29);
    pub(crate) const REQUEST_TO_SPEAK: Self = Self(1 << 32);
    pub(crate) const MANAGE_THREADS: Self = Self(1 << 34);
    pub(crate) const CREATE_PUBLIC_THREADS: Self = Self(1 << 35);
    pub(crate) const CREATE_PRIVATE_THREADS: Self = Self(1 << 36);
    pub(crate) const SEND_MESSAGES_IN_THREADS: Self = Self(1 << 38);
    pub(crate) const MODERATE_MEMBERS: Self = Self(1 << 40);
    pub(crate) const SET_VOICE_CHANNEL_STATUS: Self = Self(1 << 48);
    pub(crate) const SEND_POLLS: Self = Self(1 << 49);
    pub(crate) const PIN_MESSAGES: Self = Self(1 << 51);
    /// What counts for nothing in a text channel where one may not send.
    pub(crate) const OF_SENDING: Self = Self(1 << 12 | 1 << 14 | 1 << 15 | 1 << 17);

    /// Without bits that mean nothing.
    pub(crate) const fn truncate(self) -> Self {
        Self(self.0 & Self::ALL.0)
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Number(u64),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_| de::Error::custom("permissions are a decimal number in a string")),
            Form::Number(number) => Ok(Self(number)),
        }
    }
}
