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

use guildhall_model::{Cursor, GuildId, LogId, Position, UnixMs, event::SnapshotReason};
use tokio::time::Instant;

use crate::{
    auth::LoginHeads,
    fanout::{Fanout, GuildSubscription, StreamPosition, StreamRegistration, Viewer, WantedGuilds},
    replica::{GuildLog, GuildLogs, LogPositions, StatusScope},
    visible::{
        Access, GuildAvailability, GuildSnapshot, GuildView, LogFrame, Selector, Visible,
        guild_snapshot,
    },
};

use cursor::QueriedLogs;
use guilds_now::{GuildNow, guilds_now, lacking, queried_logs};
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
        heads: &'a LoginHeads,
    },
    /// A stream that is open. `views`: what its browser has of each guild; `now`: the time, for
    /// what is sent that no record tells.
    Stream {
        position: &'a LogPositions,
        views: &'a BTreeMap<GuildId, GuildView>,
        now: UnixMs,
    },
}

/// A stream with its subscriptions, and what it has to send first.
#[derive(Debug)]
pub(crate) struct Joined {
    /// In each log behind the query that of the replica, or of the stream if it is ahead: all
    /// before it is in `verdict`.
    pub(crate) position: StreamPosition,
    /// The viewer's at the time.
    pub(crate) rights_generation: u64,
    /// The guilds that it is about, ascending.
    pub(crate) wanted: Arc<[GuildId]>,
    /// What the browser has once it has read `verdict`, guild by guild; nothing of the others.
    pub(crate) views: BTreeMap<GuildId, GuildView>,
    /// Guilds of the query in which the viewer is known to be no member.
    pub(crate) not_member_of: Vec<GuildId>,
    /// To each guild of the query that is in a log.
    pub(crate) subscriptions: Vec<GuildSubscription>,
    /// What is to be sent first.
    pub(crate) verdict: ReplayVerdict,
}

/// What a stream begins or goes on with.
#[derive(Debug)]
pub(crate) enum ReplayVerdict {
    /// What came since, and then what comes.
    Records(Replay),
    /// A new snapshot.
    Snapshot {
        reason: SnapshotReason,
        at: Cursor,
        guilds: Vec<Visible<GuildSnapshot>>,
    },
}

/// Records that the viewer at hand may see, and rooms that they see or do not see any more by them,
/// in order.
pub(crate) type VisibleFrames = Vec<Visible<LogFrame>>;

/// What happened between two positions in each of several logs, as the viewer at hand may know it.
#[derive(Debug)]
pub(crate) struct Replay {
    /// In order of log, and of their positions in it.
    pub(crate) frames: VisibleFrames,
    /// Guilds that go in that same order, each after the records up to its position; then those
    /// that come, which are of now.
    pub(crate) availability: Vec<AvailabilityChange>,
    /// When the gateway heard of the first record that ended what can be told record by record.
    pub(crate) rights_changed_at: Option<UnixMs>,
    /// A browser that has read as far as this in a log can go on from there. Beyond it, where a
    /// snapshot is still to come, only from the end of it all. Of other logs: from everywhere.
    pub(crate) resumable_to: Vec<Position>,
    /// Where a browser stands that has read nothing of it: in each log behind the query the last
    /// place before the first of it.
    pub(crate) from: LogPositions,
    /// Where one stands that has read all of it.
    pub(crate) upto: LogPositions,
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
    /// With records; with what the browser has then.
    Records {
        views: BTreeMap<GuildId, GuildView>,
        replay: Box<Replay>,
    },
    /// With a snapshot.
    Snapshot(SnapshotReason),
}

/// Why a stream cannot join now. Both pass: the viewer's streams are woken when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJoinable {
    /// No complete world yet.
    NoWorld,
    /// The viewer's rights were not asked for in the present epoch of a log.
    NotLookedUp,
}

/// Subscribes a stream to those of its guilds that are in a log, and decides what it sends
/// first. `time`: tokio's.
pub(crate) fn join(
    fanout: &Fanout,
    registration: &StreamRegistration,
    wanted: &WantedGuilds,
    selector: &Selector,
    from: JoinFrom<'_>,
    time: Instant,
) -> Result<Joined, NotJoinable> {
    let viewer = registration.viewer();
    // INVARIANT(no-gap): read back and subscribed under one lock of the replica, so between what is
    // read back and what the buffers will have there is nothing.
    let logs = fanout.replica().read();
    let replica = logs.positions().ok_or(NotJoinable::NoWorld)?;
    let rights_generation = viewer.rights_generation();
    let wanted = wanted.now(&logs);
    let guilds = guilds_now(&logs, registration, &wanted, from, |id| {
        fanout.access_history(id, viewer.id())
    })?;
    viewer.note_lacking(&lacking(&logs, &guilds), time);
    let queried = queried_logs(&logs, &wanted, &guilds).ok_or(NotJoinable::NoWorld)?;
    let joining = Joining {
        logs: &logs,
        replica: &replica,
        queried: &queried,
        now: queried.now().ok_or(NotJoinable::NoWorld)?,
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
            joining.resume_stream(&wanted, stream)
        }
    };
    let (position, views, verdict) = joining.verdict(resumption);
    let subscriptions = guilds.iter().filter_map(|guild| {
        fanout.subscribe(&logs, guild.id, registration, &guild.access, selector)
    });
    let subscriptions = subscriptions.collect();
    let strangers = guilds
        .iter()
        .filter(|guild| guild.access == Access::Stranger);
    let not_member_of = strangers.map(|guild| guild.id).collect();
    Ok(Joined {
        position: fanout.stream_position(position),
        rights_generation,
        wanted,
        views,
        not_member_of,
        subscriptions,
        verdict,
    })
}

/// One stream's join, while the replica is locked.
struct Joining<'a> {
    logs: &'a GuildLogs,
    /// Where the replica stands in all logs.
    replica: &'a LogPositions,
    /// The logs behind the query.
    queried: &'a QueriedLogs,
    /// Where the replica stands in these.
    now: LogPositions,
    /// Those of the query that are in a log, ascending.
    guilds: &'a [GuildNow<'a>],
    viewer: &'a Viewer,
    selector: &'a Selector,
}

impl Joining<'_> {
    /// Where somebody stands in the logs behind the query who stood here and was sent all that
    /// came: where the replica does, or further, since another instance may have been faster.
    fn moved_on(&self, from: &LogPositions) -> LogPositions {
        let mut moved_on = self.now.clone();
        for now in self.now.iter() {
            if let Some(ahead) = from.in_log(now.log).filter(|from| from.seq > now.seq) {
                moved_on.set(ahead);
            }
        }
        moved_on
    }

    /// Where the replica stands in a log.
    fn now_in(&self, log: LogId) -> Position {
        self.now.in_log(log).unwrap_or(self.now.first())
    }

    /// What is sent first, with the position after it and what the browser has then.
    fn verdict(
        &self,
        resumption: Resumption,
    ) -> (LogPositions, BTreeMap<GuildId, GuildView>, ReplayVerdict) {
        match resumption {
            Resumption::Records { views, replay } => {
                (replay.upto.clone(), views, ReplayVerdict::Records(*replay))
            }
            Resumption::Snapshot(reason) => {
                let snapshots = self.guilds.iter().filter_map(|guild| {
                    let rooms = guild.access.rooms()?;
                    let snapshot = guild_snapshot(guild.id, guild.log, rooms, self.selector)?;
                    Some((guild.id, snapshot))
                });
                let (ids, guilds): (Vec<_>, Vec<_>) = snapshots.unzip();
                let everything = ids.into_iter().map(|id| (id, GuildView::Everything));
                let verdict = ReplayVerdict::Snapshot {
                    reason,
                    at: self.now.cursor(),
                    guilds,
                };
                (self.now.clone(), everything.collect(), verdict)
            }
        }
    }
}

/// Whose status it is who asks about these guilds, all of which they may know of.
pub(crate) fn status_scope(
    logs: &GuildLogs,
    guilds: impl Iterator<Item = GuildId>,
    sees_any: bool,
) -> StatusScope {
    let mut scope = StatusScope {
        sees_any,
        ..StatusScope::default()
    };
    for id in guilds {
        match logs.guild(id).map(GuildLog::log_id) {
            Some(log) => scope.located.push((id, log)),
            None => scope.awaited.push(id),
        }
    }
    scope
}
