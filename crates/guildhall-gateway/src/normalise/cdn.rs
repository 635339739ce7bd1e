//! The addresses of avatars on Discord's CDN.

use guildhall_model::{GuildId, UserId};
use url::Url;

/// Discord's image server (Discord's documentation, "Image Formatting").
#[derive(Clone, Debug)]
pub(crate) struct Cdn {
    /// Without a slash at the end.
    base: String,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Avatar {
    /// `None` for the default ones.
    pub(super) hash: Option<String>,
    /// Where its picture is.
    pub(super) url: String,
}

/// Whose avatar, and which ones there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvatarSource<'a> {
    pub(super) guild_id: GuildId,
    pub(super) user_id: UserId,
    /// Hash of the one chosen for this guild.
    pub(super) in_guild: Option<&'a str>,
    /// Hash of the one for everywhere.
    pub(super) global: Option<&'a str>,
    /// `"0"` since names are unique.
    pub(super) discriminator: Option<&'a str>,
}

impl Cdn {
    /// `base`: `https://cdn.discordapp.com`, or another server that answers the same paths.
    pub(crate) fn new(base: &Url) -> Self {
        Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// The avatar of this guild, else the user's, else the default one. Always the still picture: a
    /// page full of animated ones is nobody's wish.
    pub(super) fn avatar(&self, source: AvatarSource<'_>) -> Avatar {
        let Self { base } = self;
        let (guild, user) = (source.guild_id, source.user_id);
        if let Some(hash) = source.in_guild.filter(is_hash) {
            return Avatar {
                hash: Some(hash.to_owned()),
                url: format!("{base}/guilds/{guild}/users/{user}/avatars/{hash}.png?size=128"),
            };
        }
        if let Some(hash) = source.global.filter(is_hash) {
            return Avatar {
                hash: Some(hash.to_owned()),
                url: format!("{base}/avatars/{user}/{hash}.png?size=128"),
            };
        }
        let number = match source.discriminator.map(str::parse::<u64>) {
            Some(Ok(old)) if old != 0 => old % 5,
            _ => (user.0 >> 22) % 6,
        };
        Avatar {
            hash: None,
            url: format!("{base}/embed/avatars/{number}.png"),
        }
    }
}

/// A hash becomes part of a path, so it must be nothing but a hash.
fn is_hash(text: &&str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(fits)
}
