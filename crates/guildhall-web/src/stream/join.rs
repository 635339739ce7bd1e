//! 5: replay meets live. A browser with a cursor, and a stream whose viewer's sight may have
//! changed, ask the same: *may I go on from here?* The answer is the records in between, all of
//! them, or a snapshot and why.

use std::{collections::BTreeSet, sync::Arc};

use guildhall_model::{Cursor, GuildId, Position, UserId, ViewerClass};

use super::{
    control::SnapshotReason,
    filter::{GuildPicture, Narrow, Sight, Visible, common, picture, picture_broke, show},
};
use crate::replica::{Attendance, GuildLog, Record, Replica, Seat, StatusPayload, Store};

/// Where a stream wants to go on from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From<'a> {
    /// A browser that has just come. `heads`: noted by its session at login; nothing below them
    /// is used.
    Browser {
        cursor: Option<&'a Cursor>,
        heads: &'a [Position],
    },
    /// A stream that is open. `unproven`: the guilds that were invisible when it was seated.
    Stream {
        position: Position,
        unproven: &'a [GuildId],
    },
}

/// A stream seated in the replica.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Where the replica stands, or the stream if it is ahead: all before it is in `opening`.
    pub(crate) position: Position,
    /// The viewer's turn at the time.
    pub(crate) turn: u64,
    /// Guilds that exist and are invisible because a look-up failed.
    pub(crate) unproven: Vec<GuildId>,
    /// A place at each guild of the query.
    pub(crate) seats: Vec<Seat>,
    /// What is to be sent first.
    pub(crate) opening: Opening,
}

/// What a stream begins or goes on with.
#[derive(Debug)]
pub(crate) enum Opening {
    /// What came since, and then what comes.
    Records { records: Run },
    /// What an open stream may still be shown of before the change, then a new picture.
    Snapshot {
        reason: SnapshotReason,
        at: Position,
        before: Run,
        guilds: Vec<Visible<GuildPicture>>,
    },
}

/// Records that the viewer at hand may see, in order.
pub(crate) type Run = Vec<Visible<Arc<Record>>>;

/// Why a stream cannot be seated now. Both pass: the viewer's bell rings when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotYet {
    /// No complete world yet.
    NoWorld,
    /// The viewer's rights were not asked for in this life of the log.
    Unproven,
}

/// Seats a stream.
pub(crate) fn join(
    replica: &Replica,
    attendance: &Attendance,
    guilds: &[GuildId],
    narrow: &Narrow,
    from: From<'_>,
) -> Result<Joined, NotYet> {
    let viewer = attendance.viewer();
    // INVARIANT(no-gap): seated and read back while the replica stands still, so between what is
    // read back and what the seat will hear there is nothing.
    let held = replica.hold();
    let now = held.position().ok_or(NotYet::NoWorld)?;
    let turn = viewer.turn();
    let mut unproven = viewer.unproven(now.epoch, guilds).ok_or(NotYet::Unproven)?;
    let guilds: Vec<GuildId> = guilds
        .iter()
        .copied()
        .filter(|guild| !unproven.contains(guild))
        .collect();
    // A guild that does not exist is invisible to everybody, whatever is known of them.
    unproven.retain(|id| held.guild(*id).is_some_and(|log| log.guild().is_some()));

    let floor = guilds
        .iter()
        .map(|guild| held.floor(*guild))
        .max()
        .unwrap_or(0);
    let begin = match from {
        From::Browser { cursor, heads } => {
            match begin(cursor, heads, now, floor, held.window() as u64) {
                Begin::After(seq) if !unproven.is_empty() || viewer.healed_after(now.at(seq)) => {
                    Begin::Anew(SnapshotReason::AuthzChanged)
                }
                begin => begin,
            }
        }
        From::Stream {
            position,
            unproven: was,
        } => match go_on(position, now, floor, held.window() as u64) {
            Begin::After(_) if was != unproven => Begin::Anew(SnapshotReason::AuthzChanged),
            begin => begin,
        },
    };
    let open = matches!(from, From::Stream { .. });
    let (sights, opening) = match begin {
        Begin::After(after) => look_back(&held, viewer.id(), &guilds, narrow, now.at(after), open),
        Begin::Anew(reason) => {
            let sights: Vec<_> = guilds
                .iter()
                .map(|id| sight(&held, *id, viewer.id()))
                .collect();
            (sights, Err((reason, Vec::new())))
        }
    };
    let (position, opening) = match opening {
        Ok((after, records)) => (after.max(now), Opening::Records { records }),
        Err((reason, before)) => {
            let seen = guilds.iter().zip(&sights);
            let guilds = seen
                .filter_map(|(id, sight)| picture(*id, held.guild(*id)?, sight.as_ref()?, narrow));
            let opening = Opening::Snapshot {
                reason,
                at: now,
                before,
                guilds: guilds.collect(),
            };
            (now, opening)
        }
    };
    let seats = guilds.iter().zip(&sights);
    let seats = seats
        .map(|(id, sight)| replica.seat(&held, *id, attendance, sight.as_ref(), narrow))
        .collect();
    Ok(Joined {
        position,
        turn,
        unproven,
        seats,
        opening,
    })
}

/// What a viewer sees right now, for one answer and no stream.
pub(crate) struct State {
    pub(crate) position: Position,
    pub(crate) guilds: Vec<Visible<GuildPicture>>,
    pub(crate) status: Visible<StatusPayload>,
}

/// Draws it. Guilds that are not known of the viewer are left out.
pub(crate) fn state(
    replica: &Replica,
    attendance: &Attendance,
    guilds: &[GuildId],
    narrow: &Narrow,
) -> Result<State, NotYet> {
    let viewer = attendance.viewer();
    let held = replica.hold();
    let now = held.position().ok_or(NotYet::NoWorld)?;
    let unproven = viewer.unproven(now.epoch, guilds).ok_or(NotYet::Unproven)?;
    let proven = guilds.iter().filter(|id| !unproven.contains(id));
    let (mut mine, mut pictures) = (BTreeSet::new(), Vec::new());
    for id in proven {
        if let (Some(log), Some(sight)) = (held.guild(*id), sight(&held, *id, viewer.id())) {
            mine.insert(*id);
            pictures.extend(picture(*id, log, &sight, narrow));
        }
    }
    Ok(State {
        position: now,
        guilds: pictures,
        status: common(replica.standing().payload(&mine)),
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

/// What a user sees of a guild as it is now.
pub(crate) fn sight(held: &Store, id: GuildId, user: UserId) -> Option<Sight> {
    sight_of(held.guild(id)?.guild(), id, user)
}

fn sight_of(guild: Option<&guildhall_model::Guild>, id: GuildId, user: UserId) -> Option<Sight> {
    let guild = guild?;
    ViewerClass::of(id, guild, user).map(|class| Sight::of(class, guild))
}

/// Records after `after`, or why there must be a snapshot, with what an open stream is shown
/// before it.
type LookedBack = Result<(Position, Run), (SnapshotReason, Run)>;

fn look_back(
    held: &Store,
    user: UserId,
    guilds: &[GuildId],
    narrow: &Narrow,
    after: Position,
    open: bool,
) -> (Vec<Option<Sight>>, LookedBack) {
    let (mut sights, mut run) = (Vec::with_capacity(guilds.len()), Run::new());
    let mut broke: Option<u64> = None;
    for id in guilds {
        let Some(log) = held.guild(*id) else {
            sights.push(None);
            continue;
        };
        let seen = retrace(*id, log, user, narrow, after.seq);
        run.extend(seen.shown);
        broke = [broke, seen.broke].into_iter().flatten().min();
        sights.push(seen.sight);
    }
    run.sort_by_key(|visible| visible.get().at.seq);
    let Some(broke) = broke else {
        return (sights, Ok((after, run)));
    };
    // A stream that is open is still shown what came up to the change: nobody's leaving is
    // swallowed. A browser that comes back has no use for it.
    run.retain(|visible| open && visible.get().at.seq <= broke);
    (sights, Err((SnapshotReason::AuthzChanged, run)))
}

/// What a viewer was shown of one guild after a place.
#[derive(Debug)]
struct Retraced {
    shown: Run,
    /// What they see now.
    sight: Option<Sight>,
    /// Where what they see changed in a way that no record tells; nothing is shown after it.
    broke: Option<u64>,
}

/// Goes through the records after a place with the rights of *that* time: what a viewer may see
/// at a position is a pure function of the log up to it.
fn retrace(id: GuildId, log: &GuildLog, user: UserId, narrow: &Narrow, after: u64) -> Retraced {
    let now = sight_of(log.guild(), id, user);
    let mut shown = Run::new();
    if !log.after(after).any(|record| record.touches_viewer(user)) {
        let (sight, records) = (now.as_ref(), log.after(after));
        shown.extend(records.filter_map(|record| show(record, sight, sight, narrow)));
        return Retraced {
            shown,
            sight: now,
            broke: None,
        };
    }
    let mut world = log.base_for(user);
    let kept = log.after(log.floor());
    for record in kept.take_while(|record| record.at.seq <= after) {
        if record.touches_viewer(user) {
            world.apply(&record.event);
        }
    }
    let mut sight = sight_of(world.guilds.get(&id), id, user);
    for record in log.after(after) {
        if !record.touches_viewer(user) {
            shown.extend(show(record, sight.as_ref(), sight.as_ref(), narrow));
            continue;
        }
        world.apply(&record.event);
        let next = sight_of(world.guilds.get(&id), id, user);
        let broke = picture_broke(record, sight.as_ref(), next.as_ref());
        // The breaking record itself fits the old picture only as far as it tells of an end.
        let after = next.as_ref().filter(|_| !broke);
        shown.extend(show(record, sight.as_ref(), after, narrow));
        if broke {
            return Retraced {
                shown,
                sight: now,
                broke: Some(record.at.seq),
            };
        }
        sight = next;
    }
    Retraced {
        shown,
        sight: now,
        broke: None,
    }
}

#[cfg(test)]
mod tests;
