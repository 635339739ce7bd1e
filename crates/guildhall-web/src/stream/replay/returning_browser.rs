//! A browser comes back with its cursor: all that it may see of what came after it, unless what it
//! may see changed.

use std::collections::BTreeMap;

use guildhall_model::{Cursor, Position, event::SnapshotReason};

use super::{
    GuildNow, Joining, Replay, Resumption, VisibleRecords,
    cursor::{CursorVerdict, judge_cursor},
    guild_replay::replay_guild,
};
use crate::visible::{Access, GuildView};

impl Joining<'_> {
    /// `heads`: noted by the browser's session at login; nothing below them is used.
    pub(super) fn resume_browser(&self, cursor: Option<&Cursor>, heads: &[Position]) -> Resumption {
        let window = self.logs.window() as u64;
        let after = match judge_cursor(cursor, heads, self.now, self.floor(), window) {
            CursorVerdict::After(seq) => self.now.at(seq),
            CursorVerdict::Snapshot(reason) => return Resumption::snapshot(reason),
        };
        let unresolved = self.guilds.iter().any(|guild| guild.unresolved);
        if unresolved || self.viewer.resolved_since(after) {
            return Resumption::snapshot(SnapshotReason::AuthzChanged);
        }
        self.records_after(after)
    }

    fn records_after(&self, after: Position) -> Resumption {
        let (mut records, mut views) = (VisibleRecords::new(), BTreeMap::new());
        for GuildNow { id, access, .. } in self.guilds {
            let Some(log) = self.logs.guild(*id) else {
                continue;
            };
            let seen = replay_guild(*id, log, self.viewer.id(), self.selector, after.seq);
            if seen.view_change.is_some() {
                return Resumption::snapshot(SnapshotReason::AuthzChanged);
            }
            records.extend(seen.shown);
            match access {
                Access::Member(_) => views.insert(*id, GuildView::Everything),
                // It may have had it before.
                Access::Unknown => views.insert(*id, GuildView::Unavailable),
                Access::Stranger | Access::Absent => None,
            };
        }
        records.sort_by_key(|visible| visible.get().at.seq);
        let replay = Replay {
            records,
            ..Replay::default()
        };
        Resumption::Records {
            position: after.max(self.now),
            views,
            replay,
        }
    }
}
