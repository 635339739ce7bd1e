//! A browser comes back with its cursor: all that it may see of what came after it, unless what it
//! may see changed.

use std::collections::BTreeMap;

use guildhall_model::{Cursor, event::SnapshotReason};

use super::{
    GuildNow, Joining, Replay, Resumption, VisibleFrames,
    cursor::judge_cursor,
    guild_replay::{ReplayReader, RoomChanges, replay_guild},
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
            Err(reason) => return Resumption::Snapshot(reason),
        };
        let unresolved = self.guilds.iter().any(|guild| guild.unresolved);
        let resolved = || after.iter().any(|after| self.viewer.resolved_since(after));
        if unresolved || resolved() {
            return Resumption::Snapshot(SnapshotReason::AuthzChanged);
        }
        self.records_after(&after)
    }

    fn records_after(&self, after: &LogPositions) -> Resumption {
        let (mut frames, mut views) = (VisibleFrames::new(), BTreeMap::new());
        let reader = ReplayReader {
            viewer: self.viewer.id(),
            selector: self.selector,
            rooms: RoomChanges::EndReplay,
        };
        for guild in self.guilds {
            let GuildNow {
                id, log, access, ..
            } = guild;
            let Some(after) = after.in_log(log.log_id()) else {
                // A log that the cursor does not name: all of its guilds are new to the browser.
                return Resumption::Snapshot(SnapshotReason::AuthzChanged);
            };
            let seen = replay_guild(guild, reader, after.seq);
            if seen.view_change.is_some() {
                return Resumption::Snapshot(SnapshotReason::AuthzChanged);
            }
            frames.extend(seen.shown);
            match access {
                Access::Member(_) => views.insert(*id, GuildView::Everything),
                // It may have had it before.
                Access::Unknown => views.insert(*id, GuildView::Unavailable),
                Access::Stranger | Access::Absent => None,
            };
        }
        frames.sort_by_key(|visible| visible.get().at());
        let upto = self.moved_on(after);
        let mut from = upto.clone();
        for log in after.iter() {
            let mut frames = frames.iter().map(Visible::get);
            if let Some(first) = frames.find(|frame| frame.at().log == log.log) {
                // An older version gave out places inside of groups.
                from.set(log.at(log.seq.max(first.group().begin)));
            }
        }
        let replay = Replay {
            frames,
            availability: Vec::new(),
            rights_changed_at: None,
            resumable_to: Vec::new(),
            from,
            upto,
        };
        let replay = Box::new(replay);
        Resumption::Records { views, replay }
    }
}
