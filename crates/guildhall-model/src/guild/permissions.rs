//! Discord's permission bits.

use std::{fmt, ops};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::DecimalVisitor;

/// A set of Discord permissions. 64 bits, written as a decimal string.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(pub u64);

impl Permissions {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Every permission, those not invented yet included.
    pub const ALL: Self = Self(u64::MAX);
    /// May make invites to the guild.
    pub const CREATE_INSTANT_INVITE: Self = Self(1);
    /// May do everything everywhere in the guild.
    pub const ADMINISTRATOR: Self = Self(1 << 3);
    /// May manage a channel.
    pub const MANAGE_CHANNELS: Self = Self(1 << 4);
    /// May read the audit log.
    pub const VIEW_AUDIT_LOG: Self = Self(1 << 7);
    /// May see a channel.
    pub const VIEW_CHANNEL: Self = Self(1 << 10);
    /// May write messages.
    pub const SEND_MESSAGES: Self = Self(1 << 11);
    /// May send messages that are read aloud.
    pub const SEND_TTS_MESSAGES: Self = Self(1 << 12);
    /// Links get a preview.
    pub const EMBED_LINKS: Self = Self(1 << 14);
    /// May attach files.
    pub const ATTACH_FILES: Self = Self(1 << 15);
    /// May read what was written before.
    pub const READ_MESSAGE_HISTORY: Self = Self(1 << 16);
    /// May mention everyone.
    pub const MENTION_EVERYONE: Self = Self(1 << 17);
    /// May join a voice channel.
    pub const CONNECT: Self = Self(1 << 20);
    /// May speak in a voice channel.
    pub const SPEAK: Self = Self(1 << 21);
    /// May move members between voice channels, and out of them.
    pub const MOVE_MEMBERS: Self = Self(1 << 24);
    /// May manage roles below their own, and who may do what in a channel.
    pub const MANAGE_ROLES: Self = Self(1 << 28);
    /// May set the status of the voice channel they are in.
    pub const SET_VOICE_CHANNEL_STATUS: Self = Self(1 << 48);

    /// The permissions of this list, as Discord names them, in the order of their bits.
    const NAMES: [(Self, &'static str); 14] = [
        (Self::ADMINISTRATOR, "ADMINISTRATOR"),
        (Self::MANAGE_CHANNELS, "MANAGE_CHANNELS"),
        (Self::VIEW_CHANNEL, "VIEW_CHANNEL"),
        (Self::SEND_MESSAGES, "SEND_MESSAGES"),
        (Self::SEND_TTS_MESSAGES, "SEND_TTS_MESSAGES"),
        (Self::EMBED_LINKS, "EMBED_LINKS"),
        (Self::ATTACH_FILES, "ATTACH_FILES"),
        (Self::READ_MESSAGE_HISTORY, "READ_MESSAGE_HISTORY"),
        (Self::MENTION_EVERYONE, "MENTION_EVERYONE"),
        (Self::CONNECT, "CONNECT"),
        (Self::SPEAK, "SPEAK"),
        (Self::MOVE_MEMBERS, "MOVE_MEMBERS"),
        (Self::MANAGE_ROLES, "MANAGE_ROLES"),
        (Self::SET_VOICE_CHANNEL_STATUS, "SET_VOICE_CHANNEL_STATUS"),
    ];

    /// The names of those that are named above, as Discord has them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = Self::NAMES.into_iter();
        named
            .filter(move |(one, _)| self.contains(*one))
            .map(|(_, name)| name)
    }

    /// Whether all of `other` are in.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These without `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// These after an overwrite: what it denies is taken, then what it allows is given.
    pub(crate) fn overwritten(self, deny: Self, allow: Self) -> Self {
        self.without(deny) | allow
    }
}

impl ops::BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({:#x})", self.0)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecimalVisitor).map(Self)
    }
}
