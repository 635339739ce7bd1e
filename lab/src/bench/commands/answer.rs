//! What the gateway answers to a command over the link, and what Discord was seen to do.

use std::collections::BTreeMap;

use serde_json::Value;

/// CHANNEL_UPDATE in Discord's audit log.
const CHANNEL_UPDATE: u64 = 11;

/// What is said to have come of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CommandAnswer {
    Done,
    /// Nothing was done. `later`: it says when another try has a chance.
    Refused {
        code: String,
        later: bool,
    },
    /// Whether it was done is not said.
    Unclear(String),
}

impl CommandAnswer {
    /// Of the `data` of a reply.
    pub(super) fn of(data: &Value) -> Self {
        if data["done"]["outcome"] == "done" {
            return Self::Done;
        }
        let failed = &data["failed"];
        let later = failed["retryAfterMs"].is_u64();
        match failed["code"].as_str() {
            Some("unknown" | "other") | None => Self::Unclear(data.to_string()),
            Some(code) => Self::Refused {
                code: code.to_owned(),
                later,
            },
        }
    }
}

/// What differs between what was answered and what was done, in one room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Answered with `done`, and not done.
    pub(super) lost: u64,
    /// Done without such an answer, or once too often.
    pub(super) doubled: u64,
    /// All were done, and not in the order in which they were given.
    pub(super) reordered: u64,
}

impl Difference {
    /// `before`: the limit that the room had. `answered`: those that were done by the answers, in the
    /// order in which they were asked for. `seen`: those that Discord's audit log tells, in its order.
    pub(super) fn between(before: u64, answered: &[u64], seen: &[u64]) -> Self {
        let mut counts = BTreeMap::<u64, (u64, u64)>::new();
        let answered = changes(before, answered);
        for limit in &answered {
            counts.entry(*limit).or_default().0 += 1;
        }
        for limit in seen {
            counts.entry(*limit).or_default().1 += 1;
        }
        let mut difference = Self::default();
        for (answered, seen) in counts.values() {
            difference.lost += answered.saturating_sub(*seen);
            difference.doubled += seen.saturating_sub(*answered);
        }
        let same = difference == Self::default();
        difference.reordered = u64::from(same && answered != seen);
        difference
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            reordered: self.reordered + other.reordered,
        }
    }
}

/// The limits that a room was given since an entry of the audit log, oldest first, by a guild of
/// `GET /sim/state`.
pub(super) fn limits_given(guild: &Value, room: &str, since: u64) -> Vec<u64> {
    let entries = guild["auditLog"].as_array().into_iter().flatten();
    let entries = entries.filter(|entry| {
        let is_later = entry_id(entry).is_some_and(|id| id > since);
        is_later && entry["action_type"] == CHANNEL_UPDATE && entry["target_id"] == room
    });
    let changes = entries.flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
    let limits = changes.filter(|change| change["key"] == "user_limit");
    limits
        .filter_map(|change| change["new_value"].as_u64())
        .collect()
}

/// The newest entry of a guild's audit log; 0: it has none. Ids ascend.
pub(super) fn last_entry(guild: &Value) -> u64 {
    let entries = guild["auditLog"].as_array();
    let last = entries.and_then(|entries| entry_id(entries.last()?));
    last.unwrap_or_default()
}

fn entry_id(entry: &Value) -> Option<u64> {
    entry["id"].as_str()?.parse().ok()
}

/// Setting what is set already changes nothing, and Discord writes nothing down.
fn changes(before: u64, limits: &[u64]) -> Vec<u64> {
    let mut all = vec![before];
    all.extend(limits);
    all.dedup();
    all.split_off(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_done_refused_or_unclear() {
        let done = json!({"kind": "command", "done": {"outcome": "done", "at": "0.1-2"}});
        assert_eq!(CommandAnswer::of(&done), CommandAnswer::Done);
        let busy = json!({"kind": "command", "failed": {"code": "busy", "retryAfterMs": 1_000}});
        let refused = |later| CommandAnswer::Refused {
            code: "busy".to_owned(),
            later,
        };
        assert_eq!(CommandAnswer::of(&busy), refused(true));
        let untimed = json!({"kind": "command", "failed": {"code": "busy"}});
        assert_eq!(CommandAnswer::of(&untimed), refused(false));
        for unclear in [
            json!({"kind": "command", "failed": {"code": "unknown"}}),
            json!({"kind": "command", "done": {"outcome": "queued", "doneAt": 1}}),
            json!({"error": {"code": "deadline"}}),
        ] {
            assert!(
                matches!(CommandAnswer::of(&unclear), CommandAnswer::Unclear(_)),
                "{unclear}"
            );
        }
    }

    #[test]
    fn what_was_lost_doubled_or_reordered_is_told_apart() {
        let between = |answered: &[u64], seen: &[u64]| Difference::between(0, answered, seen);
        assert_eq!(between(&[1, 2, 3], &[1, 2, 3]), Difference::default());
        assert_eq!(between(&[1, 2, 3], &[1, 3]).lost, 1);
        assert_eq!(between(&[1, 2], &[1, 2, 2]).doubled, 1);
        let swapped = between(&[1, 2, 3], &[1, 3, 2]);
        assert_eq!(
            (swapped.lost, swapped.doubled, swapped.reordered),
            (0, 0, 1)
        );
        let other = between(&[1, 2], &[1, 7]);
        assert_eq!((other.lost, other.doubled), (1, 1));
        assert_eq!(swapped.plus(other).reordered, 1);
    }

    #[test]
    fn a_limit_that_is_set_again_is_written_down_once() {
        let same = Difference::default();
        assert_eq!(Difference::between(0, &[4, 4, 5], &[4, 5]), same);
        assert_eq!(Difference::between(4, &[4, 5], &[5]), same);
        assert_eq!(Difference::between(4, &[5, 4], &[5, 4]), same);
    }

    #[test]
    fn limits_are_read_from_the_audit_log_of_their_room() {
        let entry = |id: &str, target: &str, action, key, new: u64| {
            json!({
                "id": id,
                "target_id": target,
                "action_type": action,
                "changes": [{"key": key, "old_value": 0, "new_value": new}],
            })
        };
        let guild = json!({"auditLog": [
            entry("9", "7", 11, "user_limit", 2),
            entry("10", "7", 11, "user_limit", 3),
            entry("11", "8", 11, "user_limit", 4),
            entry("12", "7", 10, "user_limit", 5),
            entry("13", "7", 11, "position", 6),
            entry("14", "7", 11, "user_limit", 9),
        ]});
        assert_eq!(limits_given(&guild, "7", 9), [3, 9]);
        assert_eq!(last_entry(&guild), 14);
        assert_eq!(limits_given(&json!({}), "7", 0), [0; 0]);
        assert_eq!(last_entry(&json!({})), 0);
    }
}
