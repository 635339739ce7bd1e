//! What an invite's token says, as text that fits into an address. Whether it is genuine only the
//! gateway can tell: it alone has the key of its MAC.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{ChannelId, GuildId, UnixMs, base64url};

/// The layout below.
const VERSION: u8 = 1;
/// Of all that a gateway may ever sign, this is an invite into a room.
const INTO_A_ROOM: u8 = 1;

/// What is signed: version and purpose, guild, channel, room and end, eight bytes each, and the id.
const SIGNED: usize = 2 + 4 * 8 + ID;
const ID: usize = 16;
const MAC: usize = 32;

/// A token: whoever has it may come into a room.
///
/// Its text is base64url without padding, 110 letters. A secret, so `Debug` tells nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteToken(Box<Signed>);

/// Apart, so that whatever may carry a token is not as large as one.
#[derive(Clone, PartialEq, Eq)]
struct Signed {
    claims: InviteClaims,
    mac: [u8; MAC],
}

/// What a token says, which everybody can read and only the gateway can have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteClaims {
    /// Where.
    pub guild_id: GuildId,
    /// Into which room.
    pub channel_id: ChannelId,
    /// The gateway's own number of the room, which no other room ever has.
    pub room: u64,
    /// From then on it is worth nothing.
    pub expires_at: UnixMs,
    /// Tells it from all others.
    pub id: [u8; ID],
}

/// A text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteTokenError {
    /// Cut, or never one.
    #[error("this is no invite")]
    Malformed,
    /// Of a later version of this product.
    #[error("this invite is of version {0}, and version {VERSION} is known here")]
    OtherVersion(u8),
    /// It was signed for something else.
    #[error("this is a token, and not an invite's")]
    OtherPurpose,
}

impl InviteClaims {
    /// What the MAC is of.
    #[must_use]
    pub fn signed_bytes(&self) -> [u8; SIGNED] {
        let mut bytes = [0; SIGNED];
        bytes[0] = VERSION;
        bytes[1] = INTO_A_ROOM;
        let numbers = [
            self.guild_id.0,
            self.channel_id.0,
            self.room,
            self.expires_at,
        ];
        let (places, id) = bytes[2..].split_at_mut(4 * 8);
        for (place, number) in places.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        id.copy_from_slice(&self.id);
        bytes
    }
}

impl InviteToken {
    /// How many letters its text has.
    pub const LETTERS: usize = (SIGNED + MAC) * 4usize / 3 + 1;

    /// With the MAC of [`InviteClaims::signed_bytes`].
    #[must_use]
    pub fn new(claims: InviteClaims, mac: [u8; MAC]) -> Self {
        Self(Box::new(Signed { claims, mac }))
    }

    /// What it says, genuine or not.
    #[must_use]
    pub fn claims(&self) -> &InviteClaims {
        &self.0.claims
    }

    /// What says that it is genuine, if it does.
    #[must_use]
    pub fn mac(&self) -> &[u8; MAC] {
        &self.0.mac
    }
}

impl FromStr for InviteToken {
    type Err = InviteTokenError;

    fn from_str(text: &str) -> Result<Self, InviteTokenError> {
        // Nothing longer is looked at.
        let letters = Some(text).filter(|text| text.len() <= Self::LETTERS);
        let bytes = letters.and_then(base64url::decode);
        let bytes = bytes.ok_or(InviteTokenError::Malformed)?;
        match bytes[..] {
            [VERSION, INTO_A_ROOM, ..] => {}
            [VERSION, _, ..] => return Err(InviteTokenError::OtherPurpose),
            [version, ..] => return Err(InviteTokenError::OtherVersion(version)),
            [] => return Err(InviteTokenError::Malformed),
        }
        let parts = || {
            let (numbers, rest) = bytes.get(2..)?.split_at_checked(4 * 8)?;
            let (id, mac) = rest.split_at_checked(ID)?;
            let number = |at: usize| Some(u64::from_be_bytes(*numbers[at * 8..].first_chunk()?));
            let claims = InviteClaims {
                guild_id: GuildId(number(0)?),
                channel_id: ChannelId(number(1)?),
                room: number(2)?,
                expires_at: number(3)?,
                id: id.try_into().ok()?,
            };
            Some(Self::new(claims, mac.try_into().ok()?))
        };
        parts().ok_or(InviteTokenError::Malformed)
    }
}

impl fmt::Display for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.claims().signed_bytes()[..], self.mac()].concat();
        f.write_str(&base64url::encode(&bytes))
    }
}

impl fmt::Debug for InviteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteToken(..)")
    }
}

impl Serialize for InviteToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InviteToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims() -> InviteClaims {
        InviteClaims {
            guild_id: GuildId(1),
            channel_id: ChannelId(u64::MAX),
            room: 7,
            expires_at: 1_700_000_000_000,
            id: *b"an id of sixteen",
        }
    }

    /// Tokens of today are read tomorrow.
    #[test]
    fn the_text_of_a_token_is_this() {
        let token = InviteToken::new(claims(), [0xa5; 32]);
        let text = token.to_string();
        assert_eq!(
            text,
            "AQEAAAAAAAAAAf__________AAAAAAAAAAcAAAGLz-VoAGFuIGlkIG9mIHNpeHRlZW6lpaWlpaWlpaWlpaWlpaWlpaWlpaWl\
             paWlpaWlpaWlpQ"
        );
        assert_eq!(text.len(), InviteToken::LETTERS);
        assert_eq!(text.parse(), Ok(token));
    }

    #[test]
    fn what_is_none_is_refused_by_what_is_wrong_with_it() {
        let mut bytes = [&claims().signed_bytes()[..], &[1; 32]].concat();
        let read = |bytes: &[u8]| base64url::encode(bytes).parse::<InviteToken>();
        assert!(read(&bytes).is_ok());
        assert_eq!(read(&bytes[..81]), Err(InviteTokenError::Malformed));
        assert_eq!(
            read(&[&bytes[..], &[0]].concat()),
            Err(InviteTokenError::Malformed)
        );
        bytes[1] = 2;
        assert_eq!(read(&bytes), Err(InviteTokenError::OtherPurpose));
        bytes[0] = 9;
        assert_eq!(read(&bytes), Err(InviteTokenError::OtherVersion(9)));
        for text in ["", "A", "AQ==", "ÄÖ", &"A".repeat(1_000_000)] {
            assert!(text.parse::<InviteToken>().is_err(), "{}", text.len());
        }
    }

    #[test]
    fn nothing_of_a_token_is_in_a_log() {
        let token = InviteToken::new(claims(), [0xa5; 32]);
        assert_eq!(format!("{token:?}"), "InviteToken(..)");
    }

    proptest! {
        #[test]
        fn any_token_is_read_back_and_any_letter_of_it_counts(
            numbers in any::<[u64; 4]>(),
            id in any::<[u8; 16]>(),
            mac in any::<[u8; 32]>(),
            at in any::<prop::sample::Index>(),
        ) {
            let [guild_id, channel_id, room, expires_at] = numbers;
            let claims = InviteClaims {
                guild_id: GuildId(guild_id),
                channel_id: ChannelId(channel_id),
                room,
                expires_at,
                id,
            };
            let token = InviteToken::new(claims, mac);
            let text = token.to_string();
            prop_assert_eq!(text.parse(), Ok(token.clone()));
            let mut other = text.clone().into_bytes();
            let letter = &mut other[at.index(text.len())];
            *letter = if *letter == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).expect("ASCII");
            prop_assert_ne!(other.parse(), Ok(token));
        }

        #[test]
        fn any_text_is_a_token_or_an_error(text in "\\PC{0,120}|[A-Za-z0-9_-]{100,115}") {
            let _: Result<InviteToken, _> = text.parse();
        }
    }
}
