//! Addresses that people are given to open.

use guildhall_http::{HttpOrigin, HttpUrl};
use guildhall_model::{ChannelId, GuildId, command::InviteToken};
use url::Url;

use super::page::OVERLAYS;

/// Where people open things: ours, and Discord's.
#[derive(Clone, Debug)]
pub(crate) struct PublicLinks {
    /// Where browsers find us.
    pub(crate) base_url: HttpUrl,
    /// Discord as browsers reach it.
    pub(crate) discord_url: HttpOrigin,
}

impl PublicLinks {
    /// A room in Discord's own client.
    pub(crate) fn room(&self, guild_id: GuildId, channel_id: ChannelId) -> String {
        let mut url = Url::clone(&self.discord_url);
        url.set_path(&format!("/channels/{guild_id}/{channel_id}"));
        url.into()
    }

    /// The page that an invite opens.
    pub(crate) fn invite(&self, token: &InviteToken) -> String {
        self.ours("join", ("invite", &token.to_string()))
    }

    /// Where one signs in by an invite.
    pub(crate) fn sign_in_by(&self, token: &InviteToken) -> String {
        self.ours("auth/login", ("invite", &token.to_string()))
    }

    /// The page that shows the room of an overlay link.
    pub(crate) fn overlay(&self, token: &str) -> String {
        self.ours(OVERLAYS, ("overlay", token))
    }

    fn ours(&self, path: &str, (name, token): (&str, &str)) -> String {
        let mut url = Url::clone(&self.base_url);
        let prefix = self.base_url.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{path}"));
        url.query_pairs_mut().append_pair(name, token);
        url.into()
    }
}
