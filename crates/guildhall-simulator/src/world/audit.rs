//! The audit log: who did what, and why.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::snowflake::Snowflake;

/// Entries a guild keeps; Discord forgets them after 45 days.
const ENTRIES_KEPT: usize = 1000;

/// On whose behalf the world is changed. Without a cause the guild's owner is
/// named, and no reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) actor: Snowflake,
    /// Decoded from `X-Audit-Log-Reason`.
    pub(crate) reason: Option<String>,
}

/// Discord's numbers of what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "u16")]
pub(crate) enum Action {
    GuildUpdate,
    ChannelCreate,
    ChannelUpdate,
    ChannelDelete,
    OverwriteCreate,
    OverwriteUpdate,
    OverwriteDelete,
    MemberKick,
    MemberPrune,
    BanAdd,
    BanRemove,
    MemberUpdate,
    MemberRoles,
    MemberMove,
    MemberDisconnect,
    RoleCreate,
    RoleUpdate,
    RoleDelete,
    InviteCreate,
    InviteDelete,
    WebhookCreate,
    WebhookUpdate,
    WebhookDelete,
    MessageDelete,
    MessageBulkDelete,
    MessagePin,
    MessageUnpin,
    ThreadCreate,
    ThreadUpdate,
    ThreadDelete,
    OnboardingUpdate,
    VoiceStatusSet,
    VoiceStatusDelete,
}

impl From<Action> for u16 {
    fn from(action: Action) -> Self {
        match action {
            Action::GuildUpdate => 1,
            Action::ChannelCreate => 10,
            Action::ChannelUpdate => 11,
            Action::ChannelDelete => 12,
            Action::OverwriteCreate => 13,
            Action::OverwriteUpdate => 14,
            Action::OverwriteDelete => 15,
            Action::MemberKick => 20,
            Action::MemberPrune => 21,
            Action::BanAdd => 22,
            Action::BanRemove => 23,
            Action::MemberUpdate => 24,
            Action::MemberRoles => 25,
            Action::MemberMove => 26,
            Action::MemberDisconnect => 27,
            Action::RoleCreate => 30,
            Action::RoleUpdate => 31,
            Action::RoleDelete => 32,
            Action::InviteCreate => 40,
            Action::InviteDelete => 42,
            Action::WebhookCreate => 50,
            Action::WebhookUpdate => 51,
            Action::WebhookDelete => 52,
            Action::MessageDelete => 72,
            Action::MessageBulkDelete => 73,
            Action::MessagePin => 74,
            Action::MessageUnpin => 75,
            Action::ThreadCreate => 110,
            Action::ThreadUpdate => 111,
            Action::ThreadDelete => 112,
            Action::OnboardingUpdate => 167,
            Action::VoiceStatusSet => 192,
            Action::VoiceStatusDelete => 193,
        }
    }
}

/// One line of the log, in the shape of Discord's Audit Log Entry object.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) id: Snowflake,
    pub(crate) user_id: Snowflake,
    pub(crate) target_id: Option<Snowflake>,
    pub(crate) action_type: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Value>,
    /// Absent where Discord's page names no object that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<Value>,
}

/// Change objects: each field that differs, with what it was and what it is. A
/// side that is null or absent is left out.
pub(super) fn changed(before: &Value, after: &Value) -> Vec<Value> {
    let empty = Map::new();
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| empty.clone());
    let (old, new) = (fields(before), fields(after));
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    new.keys()
        .chain(gone)
        .filter_map(|key| {
            let side = |fields: &Map<String, Value>| {
                let value = fields.get(key).filter(|value| !value.is_null());
                value.cloned()
            };
            change(key, side(&old), side(&new))
        })
        .collect()
}

/// Everything that something new has.
pub(super) fn added(after: &Value) -> Vec<Value> {
    changed(&Value::Null, after)
}

/// Everything that something gone had.
pub(super) fn removed(before: &Value) -> Vec<Value> {
    changed(before, &Value::Null)
}

/// One Change object, if there is a change.
pub(super) fn change(key: &str, old: Option<Value>, new: Option<Value>) -> Option<Value> {
    if old == new {
        return None;
    }
    let mut change = json!({"key": key});
    if let Some(old) = old {
        change["old_value"] = old;
    }
    if let Some(new) = new {
        change["new_value"] = new;
    }
    Some(change)
}

/// The newest entries, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditLog(VecDeque<Entry>);

impl AuditLog {
    pub(super) fn add(&mut self, entry: Entry) {
        if self.0.len() == ENTRIES_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.iter()
    }
}
