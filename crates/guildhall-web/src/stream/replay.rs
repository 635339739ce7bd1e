//! 5: replay meets live. A browser with a cursor, and a stream whose viewer's sight may have
//! changed, ask the same: *may I go on from here?* The answer is the records in between, all of
//! them, or a snapshot and why. A guild that came, went or is looked up anew is told to an open
//! stream as that guild alone.

/// What a viewer was shown after a place.
mod retrace;

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{Cursor, GuildId, Position, UnixMs};

use tokio::time::Instant;

use crate::{
    fanout::{Attendance, Fanout, Seat},
    replica::{GuildLog, GuildLogs, Record, StatusPayload},
    visible::{
        Access, GuildNews, GuildPicture, Narrow, SnapshotReason, Told, Visible, guild_news, picture,
    },
};

use retrace::{Broke, Retraced, retrace};

/// Where a stream wants to go on from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From<'a> {
    /// A browser that has just come. `heads`: noted by its session at login; nothing below them
    /// is used.
    Browser {
        cursor: Option<&'a Cursor>,
        heads: &'a [Position],
    },
    /// A stream that is open. `told`: what its browser has of the guilds it was told of; `now`:
    /// the time, for what is told that no record tells.
    Stream {
        position: Position,
        told: &'a BTreeMap<GuildId, Told>,
        now: UnixMs,
    },
}

/// A stream seated in the replica.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Where the replica stands, or the stream if it is ahead: all before it is in `opening`.
    pub(crate) position: Position,
    /// The viewer's turn at the time.
    pub(crate) turn: u64,
    /// What the browser has when it has read the opening, guild by guild; nothing of the others.
    pub(crate) told: BTreeMap<GuildId, Told>,
    /// Guilds of the query in which the viewer is known to be no member.
    pub(crate) strangers: Vec<GuildId>,
    /// A place at each guild of the query that is in the log.
    pub(crate) seats: Vec<Seat>,
    /// What is to be sent first.
    pub(crate) opening: Opening,
}

/// What a stream begins or goes on with.
#[derive(Debug)]
pub(crate) enum Opening {
    /// What came since, and then what comes.
    Records(Replay),
    /// What an open stream may still be shown of before the change, then a new picture.
    Snapshot {
        reason: SnapshotReason,
        at: Position,
        before: Replay,
        guilds: Vec<Visible<GuildPicture>>,
    },
}

/// Records that the viewer at hand may see, in order.
pub(crate) type Run = Vec<Visible<Arc<Record>>>;

/// What happened between two places, as the viewer at hand may know it.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) records: Run,
    /// In order of their places.
    pub(crate) news: Vec<News>,
    /// A browser that has read as far as this can go on from there. Beyond it, where a picture is
    /// still to come, only from the end of it all. `None`: from everywhere.
    pub(crate) sure: Option<u64>,
}

/// A guild came, went or is looked up anew.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) at: Position,
    pub(crate) ts: UnixMs,
    pub(crate) guild_id: GuildId,
    pub(crate) what: Visible<GuildNews>,
}

/// Why a stream cannot be seated now. Both pass: the viewer's bell rings when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotYet {
    /// No complete world yet.
    NoWorld,
    /// The viewer's rights were not asked for in this life of the log.
    Unproven,
}

/// Seats a stream at those of these guilds that are in the log. `clock`: tokio's time.
pub(crate) fn join(
    fanout: &Fanout,
    attendance: &Attendance,
    wanted: &[GuildId],
    narrow: &Narrow,
    from: From<'_>,
    clock: Instant,
) -> Result<Joined, NotYet> {
    let viewer = attendance.viewer();
    // INVARIANT(no-gap): seated and read back while the replica stands still, so between what is
    // read back and what the seat will hear there is nothing.
    let held = fanout.replica().read();
    let now = held.position().ok_or(NotYet::NoWorld)?;
    let turn = viewer.turn();
    let guilds = guilds_now(&held, attendance, wanted, from)?;
    let floor = guilds.iter().map(|guild| held.floor(guild.id)).max();
    let (floor, window) = (floor.unwrap_or(0), held.window() as u64);
    let doubtful = guilds.iter().filter(|guild| guild.doubtful);
    let doubtful: Vec<GuildId> = doubtful.map(|guild| guild.id).collect();
    viewer.lacked(now.epoch, &doubtful, clock);
    let opening = match from {
        From::Browser { cursor, heads } => match begin(cursor, heads, now, floor, window) {
            Begin::After(seq) if !doubtful.is_empty() || viewer.healed_after(now.at(seq)) => {
                Err((SnapshotReason::AuthzChanged, Replay::default()))
            }
            Begin::After(seq) => resume(&held, &guilds, attendance, narrow, now.at(seq)),
            Begin::Anew(reason) => Err((reason, Replay::default())),
        },
        From::Stream {
            position,
            told,
            now: ts,
        } => match go_on(position, now, floor, window) {
            Begin::After(_) => {
                let told = Before { told, position, ts };
                go_back(&held, wanted, &guilds, attendance, narrow, told)
            }
            Begin::Anew(reason) => Err((reason, Replay::default())),
        },
    };
    let seats = guilds
        .iter()
        .map(|guild| fanout.seat(&held, guild.id, attendance, guild.access.sight(), narrow));
    let seats = seats.collect();
    let strangers = guilds
        .iter()
        .filter(|guild| guild.access == Access::Stranger);
    let strangers = strangers.map(|guild| guild.id).collect();
    let (position, told, opening) = match opening {
        Ok((position, told, replay)) => (position, told, Opening::Records(replay)),
        Err((reason, before)) => {
            let seen = guilds.iter().filter_map(|guild| {
                let sight = guild.access.sight()?;
                let picture = picture(guild.id, held.guild(guild.id)?, sight, narrow)?;
                Some((guild.id, picture))
            });
            let (ids, guilds): (Vec<_>, Vec<_>) = seen.unzip();
            let told = ids.into_iter().map(|id| (id, Told::Everything)).collect();
            let opening = Opening::Snapshot {
                reason,
                at: now,
                before,
                guilds,
            };
            (now, told, opening)
        }
    };
    Ok(Joined {
        position,
        turn,
        told,
        strangers,
        seats,
        opening,
    })
}

/// A guild of the query that is in the log, and what the viewer is to it now.
struct GuildNow {
    id: GuildId,
    access: Access,
    /// The answer about it is missing on this instance, whatever the log says.
    doubtful: bool,
}

fn guilds_now(
    held: &GuildLogs,
    attendance: &Attendance,
    wanted: &[GuildId],
    from: From<'_>,
) -> Result<Vec<GuildNow>, NotYet> {
    let here = wanted.iter().copied().filter(|id| held.has(*id));
    let here: Vec<GuildId> = here.collect();
    let viewer = attendance.viewer();
    let now = held.position().ok_or(NotYet::NoWorld)?;
    let doubtful = match (viewer.doubtful(now.epoch, &here), from) {
        (Some(doubtful), _) => doubtful,
        // It was shown something in this life of the log: what it was not asked about is unknown.
        (None, From::Stream { position, .. }) if position.comparable(now) => here,
        (None, _) => return Err(NotYet::Unproven),
    };
    let known = wanted
        .iter()
        .copied()
        .filter(|id| held.guild(*id).is_some());
    let guilds = known.map(|id| {
        let doubtful = doubtful.contains(&id);
        let access = if doubtful {
            Access::Unknown
        } else {
            access(held, id, viewer.id())
        };
        GuildNow {
            id,
            access,
            doubtful,
        }
    });
    Ok(guilds.collect())
}

/// What a user is to a guild as it is now.
pub(crate) fn access(held: &GuildLogs, id: GuildId, user: guildhall_model::UserId) -> Access {
    Access::of(held.guild(id).and_then(GuildLog::guild), id, user)
}

/// Records with the place after them and what the browser has then, or why there must be a
/// snapshot, with what an open stream is shown before it.
type LookedBack = Result<(Position, BTreeMap<GuildId, Told>, Replay), (SnapshotReason, Replay)>;

/// A browser comes back with its cursor: all that it may see of what came after it, unless what it
/// may see changed.
fn resume(
    held: &GuildLogs,
    guilds: &[GuildNow],
    attendance: &Attendance,
    narrow: &Narrow,
    after: Position,
) -> LookedBack {
    let (mut records, mut told) = (Run::new(), BTreeMap::new());
    for GuildNow { id, access, .. } in guilds {
        let Some(log) = held.guild(*id) else { continue };
        let seen = retrace(*id, log, attendance.viewer().id(), narrow, after.seq);
        if seen.broke.is_some() {
            return Err((SnapshotReason::AuthzChanged, Replay::default()));
        }
        records.extend(seen.shown);
        match access {
            Access::Member(_) => told.insert(*id, Told::Everything),
            // It may have had it before.
            Access::Unknown => told.insert(*id, Told::Unavailable),
            Access::Stranger | Access::Absent => None,
        };
    }
    records.sort_by_key(|visible| visible.get().at.seq);
    let position = held.position().map_or(after, |now| after.max(now));
    let replay = Replay {
        records,
        ..Replay::default()
    };
    Ok((position, told, replay))
}

/// What an open stream's browser has, where, and the time.
#[derive(Clone, Copy)]
struct Before<'a> {
    told: &'a BTreeMap<GuildId, Told>,
    position: Position,
    ts: UnixMs,
}

/// An open stream goes on: what changed about a guild as a whole is told as that, what changed
/// inside of one is a new picture of everything.
fn go_back(
    held: &GuildLogs,
    wanted: &[GuildId],
    guilds: &[GuildNow],
    attendance: &Attendance,
    narrow: &Narrow,
    before: Before<'_>,
) -> LookedBack {
    let Before { position, .. } = before;
    let now = held.position().map_or(position, |now| position.max(now));
    let mut replay = Replay::default();
    let mut told = BTreeMap::new();
    let mut inside: Option<u64> = None;
    for id in wanted {
        let was = before.told.get(id).copied().unwrap_or(Told::Nothing);
        let there = guilds.binary_search_by_key(id, |guild| guild.id);
        let there = there.ok().map(|index| &guilds[index]);
        if there.is_none() && was == Told::Nothing {
            continue;
        }
        let (access, doubtful) = there.map_or((&Access::Absent, false), |there| {
            (&there.access, there.doubtful)
        });
        let mut is = was;
        let mut picture_from = position.seq;
        if was == Told::Everything && !doubtful {
            let seen = held.guild(*id).map_or_else(Retraced::default, |log| {
                retrace::of_member(*id, log, attendance.viewer().id(), narrow, position.seq)
            });
            replay.records.extend(seen.shown);
            if let Some(broke) = seen.broke {
                if broke.inside {
                    inside = Some(inside.map_or(broke.at.seq, |at| at.min(broke.at.seq)));
                }
                picture_from = broke.at.seq.saturating_sub(1);
                is = told_of_break(&mut replay, *id, &broke, narrow);
            }
        }
        let (then, what) = guild_news(is, access, *id, held.guild(*id), narrow);
        if let Some(what) = what {
            if then == Told::Everything {
                replay.sure = Some(replay.sure.map_or(picture_from, |at| at.min(picture_from)));
            }
            replay.news.push(News {
                at: now,
                ts: before.ts,
                guild_id: *id,
                what,
            });
        }
        if then != Told::Nothing {
            told.insert(*id, then);
        }
    }
    replay.records.sort_by_key(|visible| visible.get().at.seq);
    if let Some(inside) = inside {
        // It is still shown what came up to the change: nobody's leaving is swallowed. Who breaks
        // off before the snapshot begins again before the change.
        replay
            .records
            .retain(|visible| visible.get().at.seq <= inside);
        let before = Replay {
            records: replay.records,
            news: Vec::new(),
            sure: Some(inside.saturating_sub(1)),
        };
        return Err((SnapshotReason::AuthzChanged, before));
    }
    let ahead = held.position().is_some_and(|now| now.seq < position.seq);
    if ahead && !replay.news.is_empty() {
        // It came from a faster instance, and the pictures of here are of before.
        return Err((SnapshotReason::AuthzChanged, Replay::default()));
    }
    // Pictures last: they are of now.
    replay.news.sort_by_key(|news| {
        let is_picture = matches!(news.what.get(), GuildNews::Available(_));
        (news.at.seq, is_picture)
    });
    Ok((now, told, replay))
}

/// Tells that a guild went out of sight, unless the record that did it tells so itself; answers
/// what the browser has then.
fn told_of_break(replay: &mut Replay, id: GuildId, broke: &Broke, narrow: &Narrow) -> Told {
    if broke.told {
        return Told::Nothing;
    }
    if broke.access.sight().is_some() {
        // As a whole anew: what it has is of no use.
        return Told::Unavailable;
    }
    let (then, what) = guild_news(Told::Everything, &broke.access, id, None, narrow);
    replay.news.extend(what.map(|what| News {
        at: broke.at,
        ts: broke.ts,
        guild_id: id,
        what,
    }));
    then
}

/// What a viewer sees right now, for one answer and no stream.
pub(crate) struct State {
    pub(crate) position: Position,
    pub(crate) guilds: Vec<Visible<GuildPicture>>,
    pub(crate) status: Visible<StatusPayload>,
}

/// Draws it. Guilds that are not known of the viewer are left out.
pub(crate) fn state(
    fanout: &Fanout,
    attendance: &Attendance,
    wanted: &[GuildId],
    narrow: &Narrow,
) -> Result<State, NotYet> {
    let held = fanout.replica().read();
    let now = held.position().ok_or(NotYet::NoWorld)?;
    let browser = From::Browser {
        cursor: None,
        heads: &[],
    };
    let guilds = guilds_now(&held, attendance, wanted, browser)?;
    let pictures = guilds.iter().filter_map(|guild| {
        let sight = guild.access.sight()?;
        picture(guild.id, held.guild(guild.id)?, sight, narrow)
    });
    let pictures: Vec<_> = pictures.collect();
    let stranger = |id| {
        let mut guilds = guilds.iter();
        guilds.any(|guild| guild.id == id && guild.access == Access::Stranger)
    };
    let may_know = |id: GuildId| wanted.contains(&id) && !stranger(id);
    Ok(State {
        position: now,
        status: Visible::status(
            fanout
                .replica()
                .standing()
                .payload(may_know, !pictures.is_empty()),
        ),
        guilds: pictures,
    })
}

/// Whether replay can be tried at all, before anybody's rights are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Everything after this number is kept.
    After(u64),
    /// A snapshot, and why.
    Anew(SnapshotReason),
}

/// Decides about a browser's cursor. `floor`: the highest of the query's guilds; `window`: how
/// far ahead another instance may be believed.
pub(crate) fn begin(
    cursor: Option<&Cursor>,
    heads: &[Position],
    now: Position,
    floor: u64,
    window: u64,
) -> Begin {
    let Some(cursor) = cursor.and_then(|cursor| cursor.in_log(now.log)) else {
        return Begin::Anew(SnapshotReason::NoCursor);
    };
    if cursor.epoch != now.epoch {
        return Begin::Anew(SnapshotReason::EpochChanged);
    }
    let before_login = |head: &Position| head.comparable(cursor) && cursor.seq < head.seq;
    if heads.iter().any(before_login) {
        return Begin::Anew(SnapshotReason::NoCursor);
    }
    if cursor.seq < floor || cursor.seq > now.seq.saturating_add(window) {
        return Begin::Anew(SnapshotReason::CursorExpired);
    }
    Begin::After(cursor.seq)
}

/// Decides about a stream that is open at `position`.
fn go_on(position: Position, now: Position, floor: u64, window: u64) -> Begin {
    match begin(Some(&Cursor::from(position)), &[], now, floor, window) {
        Begin::Anew(SnapshotReason::CursorExpired) => Begin::Anew(SnapshotReason::SlowConsumer),
        begin => begin,
    }
}

#[cfg(test)]
mod tests;
