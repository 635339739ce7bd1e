//! Bans and audit log entries: a member may be something else now, and there is no member object
//! that says what. GUILD_MODERATION is not privileged, so they tell of kicks and role changes to
//! bots without GUILD_MEMBERS.

use guildhall_model::{GuildId, UserId};
use serde::Deserialize;

use super::Normalised;

/// Audit log actions whose target is a member whose rights may differ now: kick, prune, ban,
/// unban, member update, role update.
const ABOUT_A_MEMBER: [u64; 6] = [20, 21, 22, 23, 24, 25];

/// GUILD_BAN_ADD and GUILD_BAN_REMOVE.
pub(super) fn ban(data: &str) -> Normalised {
    normalised(banned(data))
}

/// GUILD_AUDIT_LOG_ENTRY_CREATE: irrelevant if it is not about a member.
pub(super) fn audit_entry(data: &str) -> Normalised {
    normalised(audited(data))
}

/// An unreadable one names no guild: the world keeps no bans and no audit log, so nothing of it is
/// stale.
fn normalised(read: Result<Option<(GuildId, UserId)>, serde_json::Error>) -> Normalised {
    match read {
        Ok(Some((guild_id, user_id))) => Normalised::MembershipInvalidated { guild_id, user_id },
        Ok(None) => Normalised::Irrelevant,
        Err(reason) => Normalised::Unreadable {
            guild_id: None,
            reason,
        },
    }
}

fn banned(data: &str) -> Result<Option<(GuildId, UserId)>, serde_json::Error> {
    let ban: Ban = serde_json::from_str(data)?;
    Ok(Some((ban.guild_id, ban.user.id)))
}

fn audited(data: &str) -> Result<Option<(GuildId, UserId)>, serde_json::Error> {
    let entry: AuditEntry = serde_json::from_str(data)?;
    if !ABOUT_A_MEMBER.contains(&entry.action_type) {
        return Ok(None);
    }
    let target: Target = serde_json::from_str(data)?;
    Ok(target.target_id.map(|user_id| (entry.guild_id, user_id)))
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
        let invalidating = [
            ban(r#"{"guild_id":"1","user":{"id":"2","username":"x"}}"#),
            audit_entry(r#"{"guild_id":"1","action_type":25,"target_id":"2"}"#),
            // A timeout is a member update.
            audit_entry(
                r#"{"guild_id":"1","action_type":24,"target_id":"2","id":"9","user_id":"3","changes":
                [{"key":"communication_disabled_until","new_value":"2022-01-01T00:00:00+00:00"}]}"#,
            ),
        ];
        for normalised in invalidating {
            let Normalised::MembershipInvalidated { guild_id, user_id } = normalised else {
                panic!("{normalised:?}");
            };
            assert_eq!((guild_id, user_id), (GuildId(1), UserId(2)));
        }
        for entry in [
            r#"{"guild_id":"1","action_type":12,"target_id":"2"}"#,
            r#"{"guild_id":"1","action_type":21,"target_id":null}"#,
        ] {
            let normalised = audit_entry(entry);
            assert!(matches!(normalised, Normalised::Irrelevant), "{entry}");
        }
        for normalised in [
            ban("{}"),
            audit_entry(r#"{"guild_id":"1","action_type":25,"target_id":"x"}"#),
        ] {
            assert!(matches!(
                normalised,
                Normalised::Unreadable { guild_id: None, .. }
            ));
        }
    }
}
