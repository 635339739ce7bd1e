//! A browser comes back with its cursor: all that it may see of what came after it, unless what it
//! may see changed.

use std::collections::BTreeMap;

use guildhall_model::{Cursor, event::SnapshotReason};

use super::{
    GuildNow, Joining, Replay, Resumption, VisibleRecords, cursor::judge_cursor,
    guild_replay::replay_guild,
};
use crate::{
    auth::LoginHeads,
    replica::LogPositions,
    visible::{Access, GuildView, Visible},
};

impl Joining<'_> {
    /// `heads`: noted by the browser's session at login; nothing below them is used.
    pub(super) fn resume_browser(&self, cursor: Option<&Cursor>, heads: &LoginHeads) -> Resumption {
        let window = self.logs.window() as u64;
        let after = match judge_cursor(cursor, heads, self.queried, self.replica, window) {
            Ok(after) => after,
            Err(reason) => return Resumption::snapshot(reason),
        };
        let unresolved = self.guilds.iter().any(|guild| guild.unresolved);
        let resolved = || after.iter().any(|after| self.viewer.resolved_since(after));
        if unresolved || resolved() {
            return Resumption::snapshot(SnapshotReason::AuthzChanged);
        }
        self.records_after(&after)
    }

    fn records_after(&self, after: &LogPositions) -> Resumption {
        let (mut records, mut views) = (VisibleRecords::new(), BTreeMap::new());
        let user = self.viewer.id();
        for guild in self.guilds {
            let GuildNow {
                id, log, access, ..
            } = guild;
            let (Some(log), Some(after)) = (self.logs.guild(*id), after.in_log(*log)) else {
                continue;
            };
            let seen = replay_guild(guild, log, user, self.selector, after.seq);
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
        records.sort_by_key(|visible| visible.get().at);
        let upto = self.moved_on(after);
        let mut from = upto.clone();
        for log in after.iter() {
            let mut records = records.iter().map(Visible::get);
            if let Some(first) = records.find(|record| record.at.log == log.log) {
                // An older version gave out places inside of groups.
                from.set(log.at(log.seq.max(first.group.begin)));
            }
        }
        let replay = Replay {
            records,
            availability: Vec::new(),
            resumable_to: Vec::new(),
            from,
            upto,
        };
        Resumption::Records { views, replay }
    }
}
