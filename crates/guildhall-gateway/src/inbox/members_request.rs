//! Request Guild Members (op 8): what is asked of Discord over the connection.

use guildhall_model::{GuildId, UserId};
use serde_json::json;

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

impl MembersRequest {
    /// As Discord reads it: 100 ids stay well below the 4096 bytes that it takes.
    pub(crate) fn text(&self) -> String {
        let data = json!({
            "guild_id": self.guild_id,
            "user_ids": self.user_ids,
            "nonce": self.nonce.0.to_string(),
        });
        json!({"op": 8, "d": data}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_discord_reads_and_never_too_long() {
        let request = MembersRequest {
            guild_id: GuildId(1),
            user_ids: vec![UserId(2), UserId(3)],
            nonce: Nonce(4),
        };
        let text = r#"{"d":{"guild_id":"1","nonce":"4","user_ids":["2","3"]},"op":8}"#;
        assert_eq!(request.text(), text);
        let longest = MembersRequest {
            guild_id: GuildId(u64::MAX),
            user_ids: vec![UserId(u64::MAX); 100],
            nonce: Nonce(u64::MAX),
        };
        assert!(longest.text().len() < 4096);
    }
}
