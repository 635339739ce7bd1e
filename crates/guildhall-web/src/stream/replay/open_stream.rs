//! An open stream goes on: what changed about a guild as a whole is sent as that, for what changed
//! inside of one there is a new snapshot of everything.

use std::collections::BTreeMap;

use guildhall_model::{GuildId, Position, UnixMs, event::SnapshotReason};

use super::{
    AvailabilityChange, Joining, Replay, Resumption,
    cursor::{CursorVerdict, judge_position},
    guild_replay::{GuildReplay, ViewChange, replay_guild_of_member},
};
use crate::{
    replica::GroupSpan,
    visible::{Access, GuildAvailability, GuildView, availability_change},
};

/// What an open stream's browser has, where, and the time.
#[derive(Clone, Copy)]
pub(super) struct OpenStream<'a> {
    pub(super) views: &'a BTreeMap<GuildId, GuildView>,
    pub(super) position: Position,
    pub(super) ts: UnixMs,
}

impl Joining<'_> {
    pub(super) fn resume_stream(&self, wanted: &[GuildId], stream: OpenStream<'_>) -> Resumption {
        let window = self.logs.window() as u64;
        match judge_position(stream.position, self.now, self.floor(), window) {
            CursorVerdict::After(_) => {}
            CursorVerdict::Snapshot(reason) => return Resumption::snapshot(reason),
        }
        let mut continuation = Continuation {
            joining: *self,
            stream,
            now: stream.position.max(self.now),
            replay: Replay::default(),
            views: BTreeMap::new(),
            rooms_changed: None,
        };
        for id in wanted {
            continuation.add_guild(*id);
        }
        continuation.finish()
    }
}

/// What an open stream is sent, gathered guild by guild.
struct Continuation<'a> {
    joining: Joining<'a>,
    stream: OpenStream<'a>,
    /// The replica's position, or the stream's if it is ahead.
    now: Position,
    replay: Replay,
    /// What the browser has after it.
    views: BTreeMap<GuildId, GuildView>,
    /// The first group by which a viewer who was and is a member sees other rooms.
    rooms_changed: Option<GroupSpan>,
}

/// How far the browser has been told of a guild.
struct Told {
    /// What it has.
    view: GuildView,
    /// What comes after this number is not told yet, or not all of it.
    to: u64,
}

impl Continuation<'_> {
    fn add_guild(&mut self, id: GuildId) {
        let (guilds, logs) = (self.joining.guilds, self.joining.logs);
        let views = self.stream.views;
        let was = views.get(&id).copied().unwrap_or(GuildView::Nothing);
        let there = guilds.binary_search_by_key(&id, |guild| guild.id);
        let there = there.ok().map(|index| &guilds[index]);
        if there.is_none() && was == GuildView::Nothing {
            return;
        }
        let (access, unresolved) = there.map_or((&Access::Absent, false), |there| {
            (&there.access, there.unresolved)
        });
        let told = if was == GuildView::Everything && !unresolved {
            self.add_records(id, access)
        } else {
            Told {
                view: was,
                to: self.stream.position.seq,
            }
        };
        let selector = self.joining.selector;
        let (then, what) = availability_change(told.view, access, id, logs.guild(id), selector);
        if let Some(what) = what {
            if then == GuildView::Everything {
                lower(&mut self.replay.resumable_to, told.to);
            }
            self.replay.availability.push(AvailabilityChange {
                at: self.now,
                ts: self.stream.ts,
                guild_id: id,
                what,
            });
        }
        if then != GuildView::Nothing {
            self.views.insert(id, then);
        }
    }

    /// Adds what the viewer was shown of a guild of which the browser has everything. `access`:
    /// what they are to it by this time.
    fn add_records(&mut self, id: GuildId, access: &Access) -> Told {
        let after = self.stream.position.seq;
        let (user, selector) = (self.joining.viewer.id(), self.joining.selector);
        let seen = self
            .joining
            .logs
            .guild(id)
            .map_or_else(GuildReplay::default, |log| {
                replay_guild_of_member(id, log, user, selector, after)
            });
        self.replay.records.extend(seen.shown);
        let Some(view_change) = seen.view_change else {
            return Told {
                view: GuildView::Everything,
                to: after,
            };
        };
        if view_change.rooms_changed {
            let first = self.rooms_changed.get_or_insert(view_change.group);
            if view_change.group.begin < first.begin {
                *first = view_change.group;
            }
        }
        Told {
            to: view_change.group.begin,
            view: self.add_view_change(id, &view_change, access),
        }
    }

    /// Adds that a guild is not visible any more, unless the record that did it tells so itself;
    /// returns what the browser has then. `access`: what the viewer is to the guild by this time.
    fn add_view_change(
        &mut self,
        id: GuildId,
        view_change: &ViewChange,
        access: &Access,
    ) -> GuildView {
        if view_change.announced {
            return GuildView::Nothing;
        }
        if view_change.access.rooms().is_some() {
            // The whole guild is sent again; to a viewer who stopped seeing it since then it is not
            // sent, and must be said to be gone.
            return match access {
                Access::Member(_) => GuildView::Unavailable,
                Access::Unknown | Access::Stranger | Access::Absent => GuildView::Everything,
            };
        }
        let (then, what) = availability_change(
            GuildView::Everything,
            &view_change.access,
            id,
            None,
            self.joining.selector,
        );
        self.replay
            .availability
            .extend(what.map(|what| AvailabilityChange {
                at: view_change.group.cursor(self.now),
                ts: view_change.ts,
                guild_id: id,
                what,
            }));
        then
    }

    fn finish(mut self) -> Resumption {
        let records = &mut self.replay.records;
        records.sort_by_key(|visible| visible.get().at.seq);
        if let Some(changed) = self.rooms_changed {
            // It is still shown what came up to the change: nobody's leaving is swallowed. Who
            // breaks off before the snapshot begins again before the change.
            records.retain(|visible| visible.get().at.seq <= changed.end);
            return Resumption::Snapshot {
                reason: SnapshotReason::AuthzChanged,
                before: Replay {
                    records: self.replay.records,
                    availability: Vec::new(),
                    resumable_to: Some(changed.begin),
                },
            };
        }
        let ahead = self.joining.now.seq < self.stream.position.seq;
        if ahead && !self.replay.availability.is_empty() {
            // It came from an instance that is ahead, and the snapshots of this one are older.
            return Resumption::snapshot(SnapshotReason::AuthzChanged);
        }
        // Snapshots last: they are of now.
        self.replay.availability.sort_by_key(|change| {
            let is_snapshot = matches!(change.what.get(), GuildAvailability::Available(_));
            (change.at.seq, is_snapshot)
        });
        Resumption::Records {
            position: self.now,
            views: self.views,
            replay: self.replay,
        }
    }
}

/// Sets a number to another that is lower, or to the first.
fn lower(number: &mut Option<u64>, to: u64) {
    *number = Some(number.map_or(to, |at| at.min(to)));
}
