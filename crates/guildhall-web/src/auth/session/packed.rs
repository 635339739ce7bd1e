//! A session as the bytes inside its cookie. Binary, since the ids of 200 guilds as JSON would not
//! fit: numbers are big-endian, texts have their length before them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{GuildId, LogId, Position, UnixMs, UserId};

use super::{LoginHeads, Profile, Session, SessionId};

/// Leads the bytes, and tells them from the JSON of sessions that began before they were packed:
/// that begins with `{`.
const VERSION: u8 = 2;

/// The version before: with numbers of fixed length in the heads, and none of other logs.
const FIXED_HEADS: u8 = 1;

/// Bytes of a session at most: sealed, encoded and with its attributes it is a cookie of 3,800.
const PACKED_MAX: usize = 2_720;

/// Random bytes of a session's id.
pub(super) const ID_LENGTH: usize = 18;

/// Guilds a Discord user can be in (with Nitro). Discord's order, further ones are left out.
pub(crate) const GUILDS_MAX: usize = 200;

/// Bytes of each name. Discord's names have at most 32 characters of at most 4 bytes.
pub(super) const NAME_MAX: usize = 128;

/// Bytes of the avatar's address; no CDN's origin is so long that addresses would be longer.
pub(in crate::auth) const AVATAR_URL_MAX: usize = 512;

impl Session {
    /// Lets heads go, from the end, until the bytes fit the cookie. Nothing of those logs is used
    /// then that is from before this session.
    pub(super) fn drop_heads_over_bound(&mut self) {
        let heads = std::mem::take(&mut self.heads.heads);
        let mut room = PACKED_MAX.saturating_sub(self.pack().len());
        let mut length = 0;
        for head in &heads {
            let mut packed = Vec::new();
            self.put_head(&mut packed, *head);
            let Some(left) = room.checked_sub(packed.len()) else {
                self.heads.others_from = self.issued_at.saturating_add(1);
                break;
            };
            room = left;
            length += 1;
        }
        self.heads.heads = heads;
        self.heads.heads.truncate(length);
    }

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
        out.extend_from_slice(&self.heads.others_from.to_be_bytes());
        put_length(&mut out, self.heads.heads.len());
        for head in &self.heads.heads {
            self.put_head(&mut out, *head);
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

    /// One head: most logs began not long before the login, and few have come far.
    pub(super) fn put_head(&self, out: &mut Vec<u8>, head: Position) {
        out.extend_from_slice(&head.log.0.to_be_bytes());
        put_short(out, self.issued_at.wrapping_sub(head.epoch));
        put_short(out, head.seq);
    }

    /// The session in these bytes, or in the JSON of before. `None`: neither.
    pub(super) fn unpack(bytes: &[u8]) -> Option<Self> {
        if bytes.first() == Some(&b'{') {
            return serde_json::from_slice(bytes).ok();
        }
        let mut rest = Rest(bytes);
        let [version @ (VERSION | FIXED_HEADS)] = *rest.take(1)? else {
            return None;
        };
        let id = rest.bytes()?;
        let (user_id, issued_at) = (UserId(rest.number()?), rest.number()?);
        let (expires_at, ends_at): (UnixMs, UnixMs) = (rest.number()?, rest.number()?);
        let heads = if version == FIXED_HEADS {
            rest.fixed_heads()?
        } else {
            rest.heads(issued_at)?
        };
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

/// A number in as few bytes as it needs: seven bits in each, the lowest first, all but the last
/// marked.
fn put_short(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [lowest, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(lowest);
        }
        out.push(lowest | 0x80);
    }
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

    fn short(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = u64::from(*self.take(1)?.first()?);
            let bits = byte & 0x7f;
            if bits.leading_zeros() < shift {
                return None;
            }
            number |= bits << shift;
            if byte == bits {
                return Some(number);
            }
        }
        None
    }

    fn log(&mut self) -> Option<LogId> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(LogId(u16::from_be_bytes(bytes)))
    }

    fn heads(&mut self, issued_at: UnixMs) -> Option<LoginHeads> {
        let others_from = self.number()?;
        let heads = (0..self.length()?).map(|_| {
            Some(Position {
                log: self.log()?,
                epoch: issued_at.wrapping_sub(self.short()?),
                seq: self.short()?,
            })
        });
        let heads = heads.collect::<Option<Vec<_>>>()?;
        Some(LoginHeads { heads, others_from })
    }

    /// As the version before wrote them.
    fn fixed_heads(&mut self) -> Option<LoginHeads> {
        let heads = (0..self.length()?).map(|_| {
            Some(Position {
                log: self.log()?,
                epoch: self.number()?,
                seq: self.number()?,
            })
        });
        Some(heads.collect::<Option<Vec<_>>>()?.into())
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
