//! Overlay links: whoever has one sees one room as its maker sees it, and has nothing done.
//!
//! A link is a session of its own kind. Nothing of it is kept here: who made it, about which room, and until
//! when stands in it, sealed, so that whoever has it learns none of that. It is over by the same revocations
//! as sessions are (of its own name, of all that its maker began), kept by the same gateways; that its maker
//! signs out of a browser is none of them. What it shows is judged by what its maker sees at each moment.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{ChannelId, GuildId, UnixMs, UserId};
use guildhall_ports::{
    Revocation, SessionFacts, SessionId, Unavailable, millis,
    session_store::{SESSION_LIFE_MAX, begin_session_at},
};
use metrics::counter;

use super::{
    random,
    session::{EndReason, SessionEnd, Sessions},
    unidentified::Unidentified,
};

/// The layout of what is sealed: this, the id, then maker, guild, room, beginning and end, eight bytes each.
const VERSION: u8 = 1;
const ID_BYTES: usize = 18;
const PACKED_BYTES: usize = 1 + ID_BYTES + 5 * 8;

/// What links are sealed for. No cookie's name has a blank.
const LINK: &str = "overlay link";
/// What names of links are sealed for, by which they are revoked: a name opens nothing.
const NAME: &str = "name of an overlay link";

/// What names of links begin with, and no session's.
const SESSION_ID: &str = "overlay:";

/// How long one is good where nobody says, and at most: for so long revocations are remembered.
pub(crate) const OVERLAY_LIFE_MAX: Duration = SESSION_LIFE_MAX;

/// A link that is good, as far as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverlayLink {
    id: [u8; ID_BYTES],
    /// As what it is revoked.
    pub(crate) session_id: SessionId,
    /// By whose eyes it is seen.
    pub(crate) maker: UserId,
    /// Where the room is.
    pub(crate) guild_id: GuildId,
    /// The one room.
    pub(crate) channel_id: ChannelId,
    issued_at: UnixMs,
    /// From then on it is worth nothing.
    pub(crate) ends_at: UnixMs,
}

/// What somebody says that is to be a link's secret. In no log: `Debug` tells nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OverlayToken(String);

/// The name of a link, as whoever made it is told. It opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverlayName(pub(crate) String);

/// A link that was made.
#[derive(Debug)]
pub(crate) struct MadeOverlayLink {
    pub(crate) name: OverlayName,
    pub(crate) token: OverlayToken,
    pub(crate) expires_at: UnixMs,
}

impl OverlayLink {
    fn facts(&self) -> SessionFacts<'_> {
        SessionFacts {
            id: &self.session_id,
            user_id: self.maker,
            issued_at: self.issued_at,
        }
    }

    fn pack(&self) -> [u8; PACKED_BYTES] {
        let mut bytes = [VERSION; PACKED_BYTES];
        let (head, numbers) = bytes.split_at_mut(1 + ID_BYTES);
        head[1..].copy_from_slice(&self.id);
        let said = [
            self.maker.0,
            self.guild_id.0,
            self.channel_id.0,
            self.issued_at,
            self.ends_at,
        ];
        for (place, number) in numbers.chunks_exact_mut(8).zip(said) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// `None`: another version wrote it.
    fn unpack(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PACKED_BYTES] = bytes.try_into().ok()?;
        let (head, numbers) = bytes.split_at(1 + ID_BYTES);
        let id: [u8; ID_BYTES] = head.strip_prefix(&[VERSION])?.try_into().ok()?;
        let number = |at: usize| Some(u64::from_be_bytes(*numbers[at * 8..].first_chunk()?));
        Some(Self {
            id,
            session_id: session_id(id),
            maker: UserId(number(0)?),
            guild_id: GuildId(number(1)?),
            channel_id: ChannelId(number(2)?),
            issued_at: number(3)?,
            ends_at: number(4)?,
        })
    }
}

fn session_id(id: [u8; ID_BYTES]) -> SessionId {
    let id = BASE64_URL_SAFE_NO_PAD.encode(id);
    SessionId::new(format!("{SESSION_ID}{id}"))
}

impl OverlayToken {
    /// What somebody said.
    pub(crate) fn said(text: String) -> Self {
        Self(text)
    }

    /// For whoever made it, and for its address.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OverlayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverlayToken(..)")
    }
}

impl Sessions {
    /// The link that a text is, whether it is over or not.
    pub(super) fn opened_overlay(&self, token: &str) -> Option<OverlayLink> {
        let bytes = self.jar().open_text(LINK, token)?;
        OverlayLink::unpack(&bytes)
    }

    /// Whether a link that was read before is good still.
    pub(super) fn check_overlay(&self, link: &OverlayLink) -> Result<(), Unidentified> {
        if self.now() >= link.ends_at || self.is_revoked(link.facts()) {
            Err(Unidentified::NoOverlay)
        } else if self.are_revocations_known() {
            Ok(())
        } else {
            Err(Unidentified::Unknown)
        }
    }

    /// As [`Sessions::watch_end`].
    pub(super) fn watch_overlay(&self, link: &OverlayLink) -> SessionEnd {
        self.watch_end_of(link.facts())
    }

    /// Makes a link by which one room is seen as this user sees it, good for so long, thirty days at most.
    pub(crate) fn make_overlay_link(
        &self,
        maker: UserId,
        (guild_id, channel_id): (GuildId, ChannelId),
        good_for: Duration,
    ) -> MadeOverlayLink {
        let now = self.now();
        let id = random::bytes::<ID_BYTES>();
        let link = OverlayLink {
            id,
            session_id: session_id(id),
            maker,
            guild_id,
            channel_id,
            issued_at: begin_session_at(now, self.not_before(maker)),
            ends_at: now.saturating_add(millis(good_for.min(OVERLAY_LIFE_MAX))),
        };
        counter!("guildhall_overlay_links_total", "what" => "made").increment(1);
        MadeOverlayLink {
            name: self.name_of_overlay_link(&link),
            token: OverlayToken(self.jar().seal_text(LINK, &link.pack())),
            expires_at: link.ends_at,
        }
    }

    /// A link by its name, or by itself, whether it is over or not.
    pub(crate) fn overlay_link_named(&self, name: &OverlayName) -> Option<OverlayLink> {
        let named = self.jar().open_text(NAME, &name.0);
        let bytes = named.or_else(|| self.jar().open_text(LINK, &name.0))?;
        OverlayLink::unpack(&bytes)
    }

    /// A name of a link, for whoever may revoke it: one of many, each sealed anew.
    pub(crate) fn name_of_overlay_link(&self, link: &OverlayLink) -> OverlayName {
        OverlayName(self.jar().seal_text(NAME, &link.pack()))
    }

    /// Ends a link: at once on this instance, and everywhere once a gateway keeps it. [`Unavailable`]: none
    /// does yet.
    pub(crate) async fn revoke_overlay_link(&self, link: &OverlayLink) -> Result<(), Unavailable> {
        if self.now() >= link.ends_at {
            return Ok(());
        }
        if !self.is_revoked(link.facts()) {
            counter!("guildhall_overlay_links_total", "what" => "revoked").increment(1);
        }
        let revocation = Revocation::Session {
            id: link.session_id.clone(),
            user_id: link.maker,
            ends_at: link.ends_at,
        };
        self.revoke(revocation, EndReason::OverlayRevoked).await
    }
}

#[cfg(test)]
impl OverlayLink {
    /// One that nobody sealed.
    pub(crate) fn of_test(id: u8, maker: UserId, guild_id: GuildId, channel_id: ChannelId) -> Self {
        Self {
            id: [id; ID_BYTES],
            session_id: session_id([id; ID_BYTES]),
            maker,
            guild_id,
            channel_id,
            issued_at: 0,
            ends_at: UnixMs::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
