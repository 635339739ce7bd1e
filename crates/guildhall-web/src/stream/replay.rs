//! The replay verdict. A browser with a cursor, and an open stream whose viewer may see something
//! else now, ask the same: *may I go on from here?* The answer is the records in between, all of
//! them, or a snapshot and why; and the subscriptions, so that nothing is missed between the replay
//! and what comes live. A guild that came, went or is looked up again is sent to an open stream as
//! that guild alone.

/// Whether there can be a replay at all.
mod cursor;
/// What a viewer was shown after a position.
mod guild_replay;

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{Cursor, GuildId, Position, UnixMs, UserId};
use tokio::time::Instant;

use crate::{
    fanout::{Fanout, GuildSubscription, StreamRegistration},
    replica::{GuildLog, GuildLogs, Record, StatusPayload},
    visible::{
        Access, GuildAvailability, GuildSnapshot, GuildView, Selector, SnapshotReason, Visible,
        availability_change, guild_snapshot,
    },
};

use cursor::{CursorVerdict, judge_cursor, judge_position};
use guild_replay::{GuildReplay, ViewChange, replay_guild, replay_guild_of_member};

/// Where a stream wants to go on from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JoinFrom<'a> {
    /// A browser that has just come. `heads`: noted by its session at login; nothing below them
    /// is used.
    Browser {
        cursor: Option<&'a Cursor>,
        heads: &'a [Position],
    },
    /// A stream that is open. `views`: what its browser has of each guild; `now`: the time, for
    /// what is sent that no record tells.
    Stream {
        position: Position,
        views: &'a BTreeMap<GuildId, GuildView>,
        now: UnixMs,
    },
}

/// A stream with its subscriptions, and what it has to send first.
#[derive(Debug)]
pub(crate) struct Joined {
    /// That of the replica, or of the stream if it is ahead: all before it is in `verdict`.
    pub(crate) position: Position,
    /// The viewer's at the time.
    pub(crate) rights_generation: u64,
    /// What the browser has once it has read `verdict`, guild by guild; nothing of the others.
    pub(crate) views: BTreeMap<GuildId, GuildView>,
    /// Guilds of the query in which the viewer is known to be no member.
    pub(crate) not_member_of: Vec<GuildId>,
    /// To each guild of the query that is in the log.
    pub(crate) subscriptions: Vec<GuildSubscription>,
    /// What is to be sent first.
    pub(crate) verdict: ReplayVerdict,
}

/// What a stream begins or goes on with.
#[derive(Debug)]
pub(crate) enum ReplayVerdict {
    /// What came since, and then what comes.
    Records(Replay),
    /// What an open stream may still be shown of before the change, then a new snapshot.
    Snapshot {
        reason: SnapshotReason,
        at: Position,
        before: Replay,
        guilds: Vec<Visible<GuildSnapshot>>,
    },
}

/// Records that the viewer at hand may see, in order.
pub(crate) type VisibleRecords = Vec<Visible<Arc<Record>>>;

/// What happened between two positions, as the viewer at hand may know it.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) records: VisibleRecords,
    /// In order of their positions.
    pub(crate) availability: Vec<AvailabilityChange>,
    /// A browser that has read as far as this can go on from there. Beyond it, where a snapshot is
    /// still to come, only from the end of it all. `None`: from everywhere.
    pub(crate) resumable_to: Option<u64>,
}

/// A guild came, went or is looked up again.
#[derive(Debug)]
pub(crate) struct AvailabilityChange {
    pub(crate) at: Position,
    pub(crate) ts: UnixMs,
    pub(crate) guild_id: GuildId,
    pub(crate) what: Visible<GuildAvailability>,
}

/// Why a stream cannot join now. Both pass: the viewer's streams are woken when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJoinable {
    /// No complete world yet.
    NoWorld,
    /// The viewer's rights were not asked for in this epoch of the log.
    NotLookedUp,
}

/// Subscribes a stream to those of these guilds that are in the log, and decides what it sends
/// first. `time`: tokio's.
pub(crate) fn join(
    fanout: &Fanout,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    selector: &Selector,
    from: JoinFrom<'_>,
    time: Instant,
) -> Result<Joined, NotJoinable> {
    let viewer = registration.viewer();
    // INVARIANT(no-gap): read back and subscribed under one lock of the replica, so between what is
    // read back and what the buffers will have there is nothing.
    let logs = fanout.replica().read();
    let now = logs.position().ok_or(NotJoinable::NoWorld)?;
    let rights_generation = viewer.rights_generation();
    let guilds = guilds_now(&logs, registration, wanted, from)?;
    let floor = guilds.iter().map(|guild| logs.floor(guild.id)).max();
    let (floor, window) = (floor.unwrap_or(0), logs.window() as u64);
    let unresolved = guilds.iter().filter(|guild| guild.unresolved);
    let unresolved: Vec<GuildId> = unresolved.map(|guild| guild.id).collect();
    viewer.note_lacking(now.epoch, &unresolved, time);
    let verdict = match from {
        JoinFrom::Browser { cursor, heads } => {
            match judge_cursor(cursor, heads, now, floor, window) {
                CursorVerdict::After(seq)
                    if !unresolved.is_empty() || viewer.resolved_since(now.at(seq)) =>
                {
                    Err((SnapshotReason::AuthzChanged, Replay::default()))
                }
                CursorVerdict::After(seq) => {
                    resume_browser(&logs, &guilds, registration, selector, now.at(seq))
                }
                CursorVerdict::Snapshot(reason) => Err((reason, Replay::default())),
            }
        }
        JoinFrom::Stream {
            position,
            views,
            now: ts,
        } => match judge_position(position, now, floor, window) {
            CursorVerdict::After(_) => {
                let before = OpenStream {
                    views,
                    position,
                    ts,
                };
                continue_stream(&logs, wanted, &guilds, registration, selector, before)
            }
            CursorVerdict::Snapshot(reason) => Err((reason, Replay::default())),
        },
    };
    let subscriptions = guilds.iter().map(|guild| {
        fanout.subscribe(
            &logs,
            guild.id,
            registration,
            guild.access.rooms(),
            selector,
        )
    });
    let subscriptions = subscriptions.collect();
    let not_member_of = guilds
        .iter()
        .filter(|guild| guild.access == Access::Stranger);
    let not_member_of = not_member_of.map(|guild| guild.id).collect();
    let (position, views, verdict) = match verdict {
        Ok((position, views, replay)) => (position, views, ReplayVerdict::Records(replay)),
        Err((reason, before)) => {
            let seen = guilds.iter().filter_map(|guild| {
                let rooms = guild.access.rooms()?;
                let snapshot = guild_snapshot(guild.id, logs.guild(guild.id)?, rooms, selector)?;
                Some((guild.id, snapshot))
            });
            let (ids, guilds): (Vec<_>, Vec<_>) = seen.unzip();
            let views = ids
                .into_iter()
                .map(|id| (id, GuildView::Everything))
                .collect();
            let verdict = ReplayVerdict::Snapshot {
                reason,
                at: now,
                before,
                guilds,
            };
            (now, views, verdict)
        }
    };
    Ok(Joined {
        position,
        rights_generation,
        views,
        not_member_of,
        subscriptions,
        verdict,
    })
}

/// A guild of the query that is in the log, and what the viewer is to it now.
struct GuildNow {
    id: GuildId,
    access: Access,
    /// The answer about it is missing on this instance, whatever the log says.
    unresolved: bool,
}

fn guilds_now(
    logs: &GuildLogs,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    from: JoinFrom<'_>,
) -> Result<Vec<GuildNow>, NotJoinable> {
    let here = wanted.iter().copied().filter(|id| logs.contains(*id));
    let here: Vec<GuildId> = here.collect();
    let viewer = registration.viewer();
    let now = logs.position().ok_or(NotJoinable::NoWorld)?;
    let unresolved = match (viewer.unresolved(now.epoch, &here), from) {
        (Some(unresolved), _) => unresolved,
        // It was shown something in this epoch of the log: what it was not asked about is unknown.
        (None, JoinFrom::Stream { position, .. }) if position.comparable(now) => here,
        (None, _) => return Err(NotJoinable::NotLookedUp),
    };
    let known = wanted
        .iter()
        .copied()
        .filter(|id| logs.guild(*id).is_some());
    let guilds = known.map(|id| {
        let unresolved = unresolved.contains(&id);
        let access = if unresolved {
            Access::Unknown
        } else {
            access(logs, id, viewer.id())
        };
        GuildNow {
            id,
            access,
            unresolved,
        }
    });
    Ok(guilds.collect())
}

/// What a user is to a guild as it is now.
pub(crate) fn access(logs: &GuildLogs, id: GuildId, user: UserId) -> Access {
    Access::of(logs.guild(id).and_then(GuildLog::guild), id, user)
}

/// Records with the position after them and what the browser has then, or why there must be a
/// snapshot, with what an open stream is shown before it.
type Resumption =
    Result<(Position, BTreeMap<GuildId, GuildView>, Replay), (SnapshotReason, Replay)>;

/// A browser comes back with its cursor: all that it may see of what came after it, unless what it
/// may see changed.
fn resume_browser(
    logs: &GuildLogs,
    guilds: &[GuildNow],
    registration: &StreamRegistration,
    selector: &Selector,
    after: Position,
) -> Resumption {
    let (mut records, mut views) = (VisibleRecords::new(), BTreeMap::new());
    for GuildNow { id, access, .. } in guilds {
        let Some(log) = logs.guild(*id) else { continue };
        let seen = replay_guild(*id, log, registration.viewer().id(), selector, after.seq);
        if seen.view_change.is_some() {
            return Err((SnapshotReason::AuthzChanged, Replay::default()));
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
    let position = logs.position().map_or(after, |now| after.max(now));
    let replay = Replay {
        records,
        ..Replay::default()
    };
    Ok((position, views, replay))
}

/// What an open stream's browser has, where, and the time.
#[derive(Clone, Copy)]
struct OpenStream<'a> {
    views: &'a BTreeMap<GuildId, GuildView>,
    position: Position,
    ts: UnixMs,
}

/// An open stream goes on: what changed about a guild as a whole is sent as that, for what
/// changed inside of one there is a new snapshot of everything.
fn continue_stream(
    logs: &GuildLogs,
    wanted: &[GuildId],
    guilds: &[GuildNow],
    registration: &StreamRegistration,
    selector: &Selector,
    before: OpenStream<'_>,
) -> Resumption {
    let OpenStream { position, .. } = before;
    let now = logs.position().map_or(position, |now| position.max(now));
    let mut replay = Replay::default();
    let mut views = BTreeMap::new();
    let mut rooms_changed_at: Option<u64> = None;
    for id in wanted {
        let was = before.views.get(id).copied().unwrap_or(GuildView::Nothing);
        let there = guilds.binary_search_by_key(id, |guild| guild.id);
        let there = there.ok().map(|index| &guilds[index]);
        if there.is_none() && was == GuildView::Nothing {
            continue;
        }
        let (access, unresolved) = there.map_or((&Access::Absent, false), |there| {
            (&there.access, there.unresolved)
        });
        let mut is = was;
        let mut snapshot_from = position.seq;
        if was == GuildView::Everything && !unresolved {
            let seen = logs.guild(*id).map_or_else(GuildReplay::default, |log| {
                replay_guild_of_member(*id, log, registration.viewer().id(), selector, position.seq)
            });
            replay.records.extend(seen.shown);
            if let Some(view_change) = seen.view_change {
                if view_change.rooms_changed {
                    rooms_changed_at = Some(
                        rooms_changed_at
                            .map_or(view_change.at.seq, |at| at.min(view_change.at.seq)),
                    );
                }
                snapshot_from = view_change.at.seq.saturating_sub(1);
                is = add_view_change(&mut replay, *id, &view_change, access, selector);
            }
        }
        let (then, what) = availability_change(is, access, *id, logs.guild(*id), selector);
        if let Some(what) = what {
            if then == GuildView::Everything {
                replay.resumable_to = Some(
                    replay
                        .resumable_to
                        .map_or(snapshot_from, |at| at.min(snapshot_from)),
                );
            }
            replay.availability.push(AvailabilityChange {
                at: now,
                ts: before.ts,
                guild_id: *id,
                what,
            });
        }
        if then != GuildView::Nothing {
            views.insert(*id, then);
        }
    }
    replay.records.sort_by_key(|visible| visible.get().at.seq);
    if let Some(changed_at) = rooms_changed_at {
        // It is still shown what came up to the change: nobody's leaving is swallowed. Who breaks
        // off before the snapshot begins again before the change.
        replay
            .records
            .retain(|visible| visible.get().at.seq <= changed_at);
        let before = Replay {
            records: replay.records,
            availability: Vec::new(),
            resumable_to: Some(changed_at.saturating_sub(1)),
        };
        return Err((SnapshotReason::AuthzChanged, before));
    }
    let ahead = logs.position().is_some_and(|now| now.seq < position.seq);
    if ahead && !replay.availability.is_empty() {
        // It came from an instance that is ahead, and the snapshots of this one are older.
        return Err((SnapshotReason::AuthzChanged, Replay::default()));
    }
    // Snapshots last: they are of now.
    replay.availability.sort_by_key(|change| {
        let is_snapshot = matches!(change.what.get(), GuildAvailability::Available(_));
        (change.at.seq, is_snapshot)
    });
    Ok((now, views, replay))
}

/// Adds that a guild is not visible any more, unless the record that did it tells so itself;
/// returns what the browser has then. `now`: what the viewer is to the guild by this time.
fn add_view_change(
    replay: &mut Replay,
    id: GuildId,
    view_change: &ViewChange,
    now: &Access,
    selector: &Selector,
) -> GuildView {
    if view_change.announced {
        return GuildView::Nothing;
    }
    if view_change.access.rooms().is_some() {
        // The whole guild is sent again; to a viewer who stopped seeing it since then it is not sent,
        // and must be said to be gone.
        return match now {
            Access::Member(_) => GuildView::Unavailable,
            Access::Unknown | Access::Stranger | Access::Absent => GuildView::Everything,
        };
    }
    let (then, what) = availability_change(
        GuildView::Everything,
        &view_change.access,
        id,
        None,
        selector,
    );
    replay
        .availability
        .extend(what.map(|what| AvailabilityChange {
            at: view_change.at,
            ts: view_change.ts,
            guild_id: id,
            what,
        }));
    then
}

/// What a viewer sees right now, for one response and no stream.
pub(crate) struct ViewerState {
    pub(crate) position: Position,
    pub(crate) guilds: Vec<Visible<GuildSnapshot>>,
    pub(crate) status: Visible<StatusPayload>,
}

/// Takes it. Guilds in which it is not known what the viewer is are left out.
pub(crate) fn viewer_state(
    fanout: &Fanout,
    registration: &StreamRegistration,
    wanted: &[GuildId],
    selector: &Selector,
) -> Result<ViewerState, NotJoinable> {
    let logs = fanout.replica().read();
    let now = logs.position().ok_or(NotJoinable::NoWorld)?;
    let browser = JoinFrom::Browser {
        cursor: None,
        heads: &[],
    };
    let guilds = guilds_now(&logs, registration, wanted, browser)?;
    let snapshots = guilds.iter().filter_map(|guild| {
        let rooms = guild.access.rooms()?;
        guild_snapshot(guild.id, logs.guild(guild.id)?, rooms, selector)
    });
    let snapshots: Vec<_> = snapshots.collect();
    let stranger = |id| {
        let mut guilds = guilds.iter();
        guilds.any(|guild| guild.id == id && guild.access == Access::Stranger)
    };
    let may_know = |id: GuildId| wanted.contains(&id) && !stranger(id);
    Ok(ViewerState {
        position: now,
        status: Visible::status(
            fanout
                .replica()
                .freshness()
                .payload(may_know, !snapshots.is_empty()),
        ),
        guilds: snapshots,
    })
}
