//! Which gateway intent lets an event through.

/// A set of gateway intents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intents(u64);

impl Intents {
    /// Of an event that needs none and always comes.
    pub(crate) const ALWAYS: Self = Self(0);
    pub(crate) const GUILDS: Self = Self(1);
    pub(crate) const GUILD_MEMBERS: Self = Self(1 << 1);
    pub(crate) const GUILD_MODERATION: Self = Self(1 << 2);
    pub(crate) const GUILD_VOICE_STATES: Self = Self(1 << 7);
    pub(crate) const GUILD_PRESENCES: Self = Self(1 << 8);
    const MESSAGE_CONTENT: Self = Self(1 << 15);
    /// Bits 0 to 16, 20, 21, 24 and 25.
    const KNOWN: u64 = 0x0331_ffff;

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

    /// Whether one of the privileged intents is among them.
    pub(crate) fn privileged(self) -> bool {
        let privileged = Self::GUILD_MEMBERS.0 | Self::GUILD_PRESENCES.0 | Self::MESSAGE_CONTENT.0;
        self.0 & privileged != 0
    }
}
