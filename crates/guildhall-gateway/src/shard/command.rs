//! Commands that we send to Discord's Gateway ourselves, as it reads them. Identify, Resume and the
//! heartbeats are the library's.

use serde_json::json;

use crate::inbox::MembersRequest;

/// Op 8. 100 ids stay well below the 4096 bytes that Discord takes.
pub(super) fn members_request(request: &MembersRequest) -> String {
    let data = json!({
        "guild_id": request.guild_id,
        "user_ids": request.user_ids,
        "nonce": request.nonce.0.to_string(),
    });
    json!({"op": 8, "d": data}).to_string()
}

#[cfg(test)]
mod tests {
    use guildhall_model::{GuildId, UserId};

    use super::*;
    use crate::inbox::Nonce;

    #[test]
    fn a_request_is_what_discord_reads_and_never_too_long() {
        let request = MembersRequest {
            guild_id: GuildId(1),
            user_ids: vec![UserId(2), UserId(3)],
            nonce: Nonce(4),
        };
        let text = r#"{"d":{"guild_id":"1","nonce":"4","user_ids":["2","3"]},"op":8}"#;
        assert_eq!(members_request(&request), text);
        let longest = MembersRequest {
            guild_id: GuildId(u64::MAX),
            user_ids: vec![UserId(u64::MAX); 100],
            nonce: Nonce(u64::MAX),
        };
        assert!(members_request(&longest).len() < 4096);
    }
}
