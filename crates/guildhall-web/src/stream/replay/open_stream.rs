//! An open stream goes on: what changed about a guild as a whole is sent as that, rooms that appeared
//! or vanished in one are told by themselves. Where these are not kept that guild, and no other, is
//! sent again.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{GuildId, LogId, Position, UnixMs, event::SnapshotReason};
use metrics::counter;

use super::{
    AvailabilityChange, GuildNow, Joining, Replay, Resumption, VisibleFrames,
    cursor::judge_position,
    guild_replay::{ReplayReader, RoomChanges, ViewChange, replay_guild_of_member},
};
use crate::{
    replica::LogPositions,
    visible::{Access, GuildAvailability, GuildView, availability_change},
};

/// What an open stream's browser has, where, and the time.
#[derive(Clone, Copy)]
pub(super) struct OpenStream<'a> {
    pub(super) views: &'a BTreeMap<GuildId, GuildView>,
    pub(super) position: &'a LogPositions,
    pub(super) ts: UnixMs,
}

impl Joining<'_> {
    pub(super) fn resume_stream(&self, wanted: &[GuildId], stream: OpenStream<'_>) -> Resumption {
        let window = self.logs.window() as u64;
        if let Err(reason) = judge_position(stream.position, self.queried, window) {
            return Resumption::Snapshot(reason);
        }
        let moved = |guild: &GuildNow<'_>| {
            let stands = stream.position.in_log(guild.log.log_id());
            stream.views.contains_key(&guild.id) && stands.is_none()
        };
        if self.guilds.iter().any(moved) {
            // The browser has it from another log, whose numbers mean nothing in this one.
            return Resumption::Snapshot(SnapshotReason::EpochChanged);
        }
        let mut continuation = Continuation {
            joining: self,
            stream,
            upto: self.moved_on(stream.position),
            frames: VisibleFrames::new(),
            rights_changed_at: None,
            availability: Vec::new(),
            resumable_to: BTreeMap::new(),
            views: BTreeMap::new(),
        };
        for id in wanted {
            continuation.add_guild(*id);
        }
        continuation.finish()
    }
}

/// What an open stream is sent, gathered guild by guild.
struct Continuation<'a> {
    joining: &'a Joining<'a>,
    stream: OpenStream<'a>,
    /// The replica's positions, or the stream's where it is ahead.
    upto: LogPositions,
    frames: VisibleFrames,
    rights_changed_at: Option<UnixMs>,
    availability: Vec<AvailabilityChange>,
    /// In each log of which a guild's snapshot is to come, the first place of which not all is
    /// told before it.
    resumable_to: BTreeMap<LogId, Position>,
    /// What the browser has after it.
    views: BTreeMap<GuildId, GuildView>,
}

/// How far the browser has been told of a guild.
struct ToldSoFar {
    /// What it has.
    view: GuildView,
    /// What comes after this is not told yet, or not all of it. `None`: nothing of its log is.
    to: Option<Position>,
}

impl Continuation<'_> {
    fn add_guild(&mut self, id: GuildId) {
        let guilds = self.joining.guilds;
        let views = self.stream.views;
        let was = views.get(&id).copied().unwrap_or(GuildView::Nothing);
        let there = guilds.binary_search_by_key(&id, |guild| guild.id);
        let there = there.ok().map(|index| &guilds[index]);
        if there.is_none() && was == GuildView::Nothing {
            return;
        }
        let access = there.map_or(&Access::Absent, |there| &there.access);
        let stands = there.and_then(|there| self.stream.position.in_log(there.log.log_id()));
        let told = match (there, stands) {
            (Some(there), Some(stands)) if was == GuildView::Everything && !there.unresolved => {
                self.add_records(there, stands)
            }
            _ => ToldSoFar {
                view: was,
                to: stands,
            },
        };
        let selector = self.joining.selector;
        let (then, what) = availability_change(
            told.view,
            access,
            id,
            there.map(|there| there.log),
            selector,
        );
        if let Some(what) = what {
            if then == GuildView::Everything
                && let Some(to) = told.to
            {
                let first = self.resumable_to.entry(to.log).or_insert(to);
                *first = to.min(*first);
            }
            let log = there.map_or(self.upto.first().log, |there| there.log.log_id());
            self.availability.push(AvailabilityChange {
                at: self.upto.in_log(log).unwrap_or(self.upto.first()),
                ts: self.stream.ts,
                guild_id: id,
                what,
            });
        }
        if then != GuildView::Nothing {
            self.views.insert(id, then);
        }
    }

    /// Adds what the viewer was shown of a guild of which the browser has everything, after where
    /// it stands in its log.
    fn add_records(&mut self, guild: &GuildNow<'_>, stands: Position) -> ToldSoFar {
        let reader = ReplayReader {
            viewer: self.joining.viewer.id(),
            selector: self.joining.selector,
            rooms: RoomChanges::Told,
        };
        let (id, access) = (guild.id, &guild.access);
        let seen = replay_guild_of_member(guild, reader, stands.seq);
        self.frames.extend(seen.shown);
        let Some(view_change) = seen.view_change else {
            return ToldSoFar {
                view: GuildView::Everything,
                to: Some(stands),
            };
        };
        let changed_at = self.rights_changed_at.get_or_insert(view_change.ts);
        *changed_at = view_change.ts.min(*changed_at);
        if let Some(why) = view_change.untold {
            counter!("guildhall_stream_guilds_resent_total", "why" => why.name()).increment(1);
        }
        ToldSoFar {
            to: Some(stands.at(view_change.group.begin)),
            view: self.add_view_change(id, &view_change, access, stands),
        }
    }

    /// Adds that a guild is not visible any more, unless the record that did it tells so itself;
    /// returns what the browser has then. `access`: what the viewer is to the guild by this time;
    /// `stands`: any position in its log.
    fn add_view_change(
        &mut self,
        id: GuildId,
        view_change: &ViewChange,
        access: &Access,
        stands: Position,
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
        self.availability
            .extend(what.map(|what| AvailabilityChange {
                at: view_change.group.cursor(stands),
                ts: view_change.ts,
                guild_id: id,
                what,
            }));
        then
    }

    fn finish(mut self) -> Resumption {
        self.frames.sort_by_key(|visible| visible.get().at());
        let is_ahead = |position: Position| {
            let now = self.joining.now_in(position.log);
            now.seq < position.seq
        };
        if !self.availability.is_empty() && self.stream_positions().any(is_ahead) {
            // It came from an instance that is ahead, and the snapshots of this one are older.
            return Resumption::Snapshot(SnapshotReason::AuthzChanged);
        }
        // Snapshots last: they are of now.
        self.availability.sort_by_key(|change| {
            let is_snapshot = matches!(change.what.get(), GuildAvailability::Available(_));
            (is_snapshot, change.at)
        });
        let views = std::mem::take(&mut self.views);
        Resumption::Records {
            views,
            replay: Box::new(self.replay()),
        }
    }

    /// Where the stream stands in the logs behind its query.
    fn stream_positions(&self) -> impl Iterator<Item = Position> {
        let logs = self.joining.queried.logs.iter();
        logs.filter_map(|log| self.stream.position.in_log(log.now.log))
    }

    fn replay(self) -> Replay {
        let told = self.frames.iter().map(|visible| visible.get().at());
        let told = told.chain(self.availability.iter().map(|change| change.at));
        let told = told.chain(self.resumable_to.values().copied());
        let told: BTreeSet<LogId> = told.map(|at| at.log).collect();
        // In a log of which something is still to be told it stands where it did; and in one that
        // is new to it nowhere, until that is told.
        let from = self.upto.iter().filter_map(|upto| {
            if told.contains(&upto.log) {
                self.stream.position.in_log(upto.log)
            } else {
                Some(upto)
            }
        });
        let from = LogPositions::of(from);
        Replay {
            from: from.unwrap_or_else(|| self.stream.position.clone()),
            frames: self.frames,
            availability: self.availability,
            rights_changed_at: self.rights_changed_at,
            resumable_to: self.resumable_to.into_values().collect(),
            upto: self.upto,
        }
    }
}
