//! A session as the bytes inside its cookie. Binary, since the ids of 200 guilds as JSON would not
//! fit: numbers are big-endian, texts have their length before them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{GuildId, LogId, Position, UnixMs, UserId};

use super::{Profile, Session, SessionId};

/// Leads the bytes, and tells them from the JSON of sessions that began before they were packed:
/// that begins with `{`.
const VERSION: u8 = 1;

/// Random bytes of a session's id.
pub(super) const ID_LENGTH: usize = 18;

/// Guilds a Discord user can be in (with Nitro). Discord's order, further ones are left out.
pub(crate) const GUILDS_MAX: usize = 200;

/// Positions kept in the cookie; a bot of more shards than this keeps those of its first.
pub(super) const HEADS_MAX: usize = 16;

/// Bytes of each name. Discord's names have at most 32 characters of at most 4 bytes.
pub(super) const NAME_MAX: usize = 128;

/// Bytes of the avatar's address; no CDN's origin is so long that addresses would be longer.
pub(in crate::auth) const AVATAR_URL_MAX: usize = 512;

impl Session {
    /// The bytes. What is beyond the bounds is left out, so they always fit the cookie.
    pub(super) fn pack(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.push(VERSION);
        let id = BASE64_URL_SAFE_NO_PAD
            .decode(self.id.as_str())
            .unwrap_or_default();
        put_bytes(&mut out, &id);
        for number in [
            self.user.id.0,
            self.issued_at,
            self.expires_at,
            self.ends_at,
        ] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        let heads = &self.heads[..self.heads.len().min(HEADS_MAX)];
        put_length(&mut out, heads.len());
        for head in heads {
            out.extend_from_slice(&head.log.0.to_be_bytes());
            out.extend_from_slice(&head.epoch.to_be_bytes());
            out.extend_from_slice(&head.seq.to_be_bytes());
        }
        let guilds = &self.guilds[..self.guilds.len().min(GUILDS_MAX)];
        put_length(&mut out, guilds.len());
        for guild in guilds {
            out.extend_from_slice(&guild.0.to_be_bytes());
        }
        put_bytes(&mut out, clip(&self.user.username, NAME_MAX).as_bytes());
        put_bytes(&mut out, clip(&self.user.display_name, NAME_MAX).as_bytes());
        put_bytes(
            &mut out,
            clip(&self.user.avatar_url, AVATAR_URL_MAX).as_bytes(),
        );
        out
    }

    /// The session in these bytes, or in the JSON of before. `None`: neither.
    pub(super) fn unpack(bytes: &[u8]) -> Option<Self> {
        if bytes.first() == Some(&b'{') {
            return serde_json::from_slice(bytes).ok();
        }
        let mut rest = Rest(bytes);
        if rest.take(1)? != [VERSION] {
            return None;
        }
        let id = rest.bytes()?;
        let (user_id, issued_at) = (UserId(rest.number()?), rest.number()?);
        let (expires_at, ends_at): (UnixMs, UnixMs) = (rest.number()?, rest.number()?);
        let heads = (0..rest.length()?).map(|_| {
            Some(Position {
                log: LogId(u16::from_be_bytes(rest.take(2)?.try_into().ok()?)),
                epoch: rest.number()?,
                seq: rest.number()?,
            })
        });
        let heads = heads.collect::<Option<Vec<_>>>()?;
        let guilds = (0..rest.length()?).map(|_| Some(GuildId(rest.number()?)));
        let guilds = guilds.collect::<Option<Vec<_>>>()?;
        let user = Profile {
            id: user_id,
            username: rest.text()?,
            display_name: rest.text()?,
            avatar_url: rest.text()?,
        };
        let whole = rest.0.is_empty() && id.len() == ID_LENGTH;
        whole.then(|| Self {
            id: SessionId::new(BASE64_URL_SAFE_NO_PAD.encode(id)),
            user,
            guilds,
            heads,
            issued_at,
            expires_at,
            ends_at,
        })
    }
}

/// So much of a text as fits, in whole characters.
pub(super) fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u16::try_from(length).expect("everything in a session is bounded");
    out.extend_from_slice(&length.to_be_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn length(&mut self) -> Option<usize> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some(usize::from(length))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }
}
