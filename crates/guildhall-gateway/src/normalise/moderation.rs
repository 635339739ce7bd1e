//! Dispatches without a member object that invalidate what is known of a member. GUILD_MODERATION
//! is not privileged, so bans and audit entries tell of kicks and role changes to bots without
//! GUILD_MEMBERS.

use guildhall_model::{GuildId, UserId};
use serde::Deserialize;

use super::MemberKey;

/// Audit log actions whose target is a member whose rights may differ now: kick, prune, ban,
/// unban, member update, role update.
const ABOUT_A_MEMBER: [u64; 6] = [20, 21, 22, 23, 24, 25];

/// The member whose rights a dispatch makes us look up again, if any. `Err`: it is about somebody,
/// and can't be read.
pub(crate) fn invalidated(kind: &str, data: &str) -> Result<Option<MemberKey>, serde_json::Error> {
    match kind {
        "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => {
            let ban: Ban = serde_json::from_str(data)?;
            Ok(Some((ban.guild_id, ban.user.id)))
        }
        "GUILD_AUDIT_LOG_ENTRY_CREATE" => {
            let entry: AuditEntry = serde_json::from_str(data)?;
            if !ABOUT_A_MEMBER.contains(&entry.action_type) {
                return Ok(None);
            }
            let target: Target = serde_json::from_str(data)?;
            let key = |target_id| (entry.guild_id, target_id);
            Ok(target.target_id.map(key))
        }
        _ => Ok(None),
    }
}

#[derive(Deserialize)]
struct Ban {
    guild_id: GuildId,
    user: BannedUser,
}

#[derive(Deserialize)]
struct BannedUser {
    id: UserId,
}

#[derive(Deserialize)]
struct AuditEntry {
    guild_id: GuildId,
    action_type: u64,
}

/// Of entries about other things it is no user.
#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    target_id: Option<UserId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_and_audit_entries_about_members_invalidate_what_is_known() {
        let member = Some((GuildId(1), UserId(2)));
        let cases = [
            (
                "GUILD_BAN_ADD",
                r#"{"guild_id":"1","user":{"id":"2","username":"x"}}"#,
                member,
            ),
            (
                "GUILD_AUDIT_LOG_ENTRY_CREATE",
                r#"{"guild_id":"1","action_type":25,"target_id":"2"}"#,
                member,
            ),
            (
                "GUILD_AUDIT_LOG_ENTRY_CREATE",
                r#"{"guild_id":"1","action_type":12,"target_id":"2"}"#,
                None,
            ),
            (
                "GUILD_AUDIT_LOG_ENTRY_CREATE",
                r#"{"guild_id":"1","action_type":21,"target_id":null}"#,
                None,
            ),
            (
                "TYPING_START",
                r#"{"guild_id":"1","user":{"id":"2"}}"#,
                None,
            ),
        ];
        for (kind, data, expected) in cases {
            assert_eq!(
                invalidated(kind, data).ok(),
                Some(expected),
                "{kind} {data}"
            );
        }
        for (kind, data) in [
            ("GUILD_BAN_ADD", "{}"),
            (
                "GUILD_AUDIT_LOG_ENTRY_CREATE",
                r#"{"guild_id":"1","action_type":25,"target_id":"x"}"#,
            ),
        ] {
            assert!(invalidated(kind, data).is_err(), "{kind} {data}");
        }
    }
}
