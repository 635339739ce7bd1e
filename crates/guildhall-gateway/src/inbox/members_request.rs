//! Request Guild Members (op 8): what is asked of Discord over the connection.

use guildhall_model::{GuildId, UserId};

/// Users that one request may name: Discord's bound.
pub(crate) const USERS_PER_REQUEST: usize = 100;

/// A request for members of one guild by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MembersRequest {
    pub guild_id: GuildId,
    /// 1 to [`USERS_PER_REQUEST`].
    pub user_ids: Vec<UserId>,
    /// Comes back with each part of the answer.
    pub nonce: Nonce,
}

/// Names a request to Discord: goes there and comes back as text. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Nonce(pub u64);

impl Nonce {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
