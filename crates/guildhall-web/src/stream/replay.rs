//! The replay verdict. A browser with a cursor, and an open stream whose viewer may see something
//! else now, ask the same: *may I go on from here?* The answer is the records in between, all of
//! them, or a snapshot and why; and the subscriptions, so that nothing is missed between the replay
//! and what comes live. A guild that came, went or is looked up again is sent to an open stream as
//! that guild alone.

/// What the viewer is to each guild now.
mod guilds_now;
/// Whether there can be a replay at all.
mod cursor;
/// What a viewer was shown of one guild after a position.
mod guild_replay;
/// A browser comes back with its cursor.
mod returning_browser;
/// A stream that is open goes on.
mod open_stream;
/// What a viewer sees right now, without a stream.
mod viewer_state;

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{Cursor, GuildId, Position, UnixMs, event::SnapshotReason};
use tokio::time::Instant;

use crate::{
    fanout::{Fanout, GuildSubscription, StreamRegistration, Viewer},
    replica::{GuildLogs, Record},
    visible::{
        Access, GuildAvailability, GuildSnapshot, GuildView, Selector, Visible, guild_snapshot,
    },
};

use guilds_now::{GuildNow, guilds_now};
use open_stream::OpenStream;

pub(crate) use guilds_now::access;
pub(crate) use viewer_state::viewer_state;

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
    /// In order of their positions, each after the records up to there.
    pub(crate) availability: Vec<AvailabilityChange>,
    /// A browser that has read as far as this can go on from there. Beyond it, where a snapshot is
    /// still to come, only from the end of it all. `None`: from everywhere.
    pub(crate) resumable_to: Option<u64>,
}

/// A guild came, went or is looked up again.
#[derive(Debug)]
pub(crate) struct AvailabilityChange {
    /// The end of the group that did it.
    pub(crate) at: Position,
    pub(crate) ts: UnixMs,
    pub(crate) guild_id: GuildId,
    pub(crate) what: Visible<GuildAvailability>,
}

/// How a stream goes on, before it is put together with its subscriptions.
enum Resumption {
    /// With records; with the position after them and what the browser has then.
    Records {
        position: Position,
        views: BTreeMap<GuildId, GuildView>,
        replay: Replay,
    },
    /// With a snapshot; with what an open stream is shown before it.
    Snapshot {
        reason: SnapshotReason,
        before: Replay,
    },
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
    let unresolved = guilds.iter().filter(|guild| guild.unresolved);
    let unresolved: Vec<GuildId> = unresolved.map(|guild| guild.id).collect();
    viewer.note_lacking(now.epoch, &unresolved, time);
    let joining = Joining {
        logs: &logs,
        now,
        guilds: &guilds,
        viewer,
        selector,
    };
    let resumption = match from {
        JoinFrom::Browser { cursor, heads } => joining.resume_browser(cursor, heads),
        JoinFrom::Stream {
            position,
            views,
            now: ts,
        } => {
            let stream = OpenStream {
                views,
                position,
                ts,
            };
            joining.resume_stream(wanted, stream)
        }
    };
    let (position, views, verdict) = joining.verdict(resumption);
    let subscriptions = guilds.iter().map(|guild| {
        let rooms = guild.access.rooms();
        fanout.subscribe(&logs, guild.id, registration, rooms, selector)
    });
    let subscriptions = subscriptions.collect();
    let strangers = guilds
        .iter()
        .filter(|guild| guild.access == Access::Stranger);
    let not_member_of = strangers.map(|guild| guild.id).collect();
    Ok(Joined {
        position,
        rights_generation,
        views,
        not_member_of,
        subscriptions,
        verdict,
    })
}

/// One stream's join, while the replica is locked.
#[derive(Clone, Copy)]
struct Joining<'a> {
    logs: &'a GuildLogs,
    /// Where the replica stands.
    now: Position,
    /// Those of the query that are in the log, ascending.
    guilds: &'a [GuildNow],
    viewer: &'a Viewer,
    selector: &'a Selector,
}

impl Joining<'_> {
    /// The highest floor of the query's guilds: what comes after a position below it is not kept.
    fn floor(&self) -> u64 {
        let floors = self.guilds.iter().map(|guild| self.logs.floor(guild.id));
        floors.max().unwrap_or(0)
    }

    /// What is sent first, with the position after it and what the browser has then.
    fn verdict(
        &self,
        resumption: Resumption,
    ) -> (Position, BTreeMap<GuildId, GuildView>, ReplayVerdict) {
        match resumption {
            Resumption::Records {
                position,
                views,
                replay,
            } => (position, views, ReplayVerdict::Records(replay)),
            Resumption::Snapshot { reason, before } => {
                let snapshots = self.guilds.iter().filter_map(|guild| {
                    let rooms = guild.access.rooms()?;
                    let log = self.logs.guild(guild.id)?;
                    let snapshot = guild_snapshot(guild.id, log, rooms, self.selector)?;
                    Some((guild.id, snapshot))
                });
                let (ids, guilds): (Vec<_>, Vec<_>) = snapshots.unzip();
                let everything = ids.into_iter().map(|id| (id, GuildView::Everything));
                let verdict = ReplayVerdict::Snapshot {
                    reason,
                    at: self.now,
                    before,
                    guilds,
                };
                (self.now, everything.collect(), verdict)
            }
        }
    }
}

impl Resumption {
    /// A snapshot that nothing is shown before.
    fn snapshot(reason: SnapshotReason) -> Self {
        Self::Snapshot {
            reason,
            before: Replay::default(),
        }
    }
}
