//! Which gateway intent lets an event through.

use serde::{Deserialize, Serialize};

/// A set of gateway intents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intents(u64);

/// Which privileged intents the application may ask for: the three switches of
/// the developer portal. An IDENTIFY with one that is off is closed with 4014.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivilegedIntents {
    /// GUILD_MEMBERS
    pub guild_members: bool,
    /// GUILD_PRESENCES
    pub guild_presences: bool,
    /// MESSAGE_CONTENT
    pub message_content: bool,
}

impl Intents {
    /// Of an event that needs none and always comes.
    pub(crate) const ALWAYS: Self = Self(0);
    pub(crate) const GUILDS: Self = Self(1);
    pub(crate) const GUILD_MEMBERS: Self = Self(1 << 1);
    pub(crate) const GUILD_MODERATION: Self = Self(1 << 2);
    pub(crate) const GUILD_WEBHOOKS: Self = Self(1 << 5);
    pub(crate) const GUILD_INVITES: Self = Self(1 << 6);
    pub(crate) const GUILD_VOICE_STATES: Self = Self(1 << 7);
    pub(crate) const GUILD_PRESENCES: Self = Self(1 << 8);
    pub(crate) const GUILD_MESSAGES: Self = Self(1 << 9);
    pub(crate) const GUILD_MESSAGE_REACTIONS: Self = Self(1 << 10);
    pub(crate) const GUILD_MESSAGE_TYPING: Self = Self(1 << 11);
    pub(crate) const DIRECT_MESSAGES: Self = Self(1 << 12);
    pub(crate) const DIRECT_MESSAGE_REACTIONS: Self = Self(1 << 13);
    pub(crate) const DIRECT_MESSAGE_TYPING: Self = Self(1 << 14);
    pub(crate) const MESSAGE_CONTENT: Self = Self(1 << 15);
    pub(crate) const GUILD_MESSAGE_POLLS: Self = Self(1 << 24);
    pub(crate) const DIRECT_MESSAGE_POLLS: Self = Self(1 << 25);
    /// Bits 0 to 17, 20, 21, 24 and 25. Of bit 17 Discord's page says nothing, and
    /// interactions.py sends it.
    const KNOWN: u64 = 0x0333_ffff;

    /// The intents of an IDENTIFY; `None` if a bit means nothing to Discord.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::KNOWN == 0).then_some(Self(bits))
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What lets the same event through in direct messages.
    pub(crate) fn in_direct_messages(self) -> Self {
        match self {
            Self::GUILD_MESSAGE_REACTIONS => Self::DIRECT_MESSAGE_REACTIONS,
            Self::GUILD_MESSAGE_TYPING => Self::DIRECT_MESSAGE_TYPING,
            Self::GUILD_MESSAGE_POLLS => Self::DIRECT_MESSAGE_POLLS,
            _ => Self::DIRECT_MESSAGES,
        }
    }

    /// Whether every privileged intent among them is switched on.
    pub(crate) fn allowed(self, privileged: PrivilegedIntents) -> bool {
        [
            (Self::GUILD_MEMBERS, privileged.guild_members),
            (Self::GUILD_PRESENCES, privileged.guild_presences),
            (Self::MESSAGE_CONTENT, privileged.message_content),
        ]
        .into_iter()
        .all(|(intent, on)| on || !self.has(intent))
    }
}

impl PrivilegedIntents {
    /// Every switch on.
    pub const ALL: Self = Self {
        guild_members: true,
        guild_presences: true,
        message_content: true,
    };
    /// Every switch off.
    pub const NONE: Self = Self {
        guild_members: false,
        guild_presences: false,
        message_content: false,
    };

    /// The switches that those flags of the Application object are.
    pub(crate) fn of_application_flags(flags: u64) -> Self {
        let has = |place: u32| flags & (1 << place) != 0;
        Self {
            guild_presences: has(13),
            guild_members: has(15),
            message_content: has(19),
        }
    }

    /// The switches as flags of the Application object: the "limited" form that
    /// an application in few guilds has.
    pub(crate) fn application_flags(self) -> u64 {
        u64::from(self.guild_presences) << 13
            | u64::from(self.guild_members) << 15
            | u64::from(self.message_content) << 19
    }
}
