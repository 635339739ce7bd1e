//! Whether a browser or a stream can go on from where it stands at all, before anybody's rights are
//! looked at: in each log behind its query, or not at all.

use guildhall_model::{Cursor, Position, event::SnapshotReason};

use crate::{auth::LoginHeads, replica::LogPositions};

/// One log behind a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueriedLog {
    /// Where the replica stands in it.
    pub(super) now: Position,
    /// The highest floor of the query's guilds in it.
    pub(super) floor: u64,
}

/// Where everything that comes after is kept, in one log or several; or a snapshot, and why.
pub(super) type CursorVerdict<T> = Result<T, SnapshotReason>;

/// The logs behind a query.
#[derive(Debug)]
pub(super) struct QueriedLogs {
    /// Those that its guilds are in, ascending; never empty.
    pub(super) logs: Vec<QueriedLog>,
    /// Whether there are guilds of the query that are in none.
    pub(super) awaits_some: bool,
}

/// Decides about a browser's cursor: where it goes on in each of these logs. `replica`: where that
/// stands in all logs; `window`: how far ahead another instance may be believed.
pub(super) fn judge_cursor(
    cursor: Option<&Cursor>,
    heads: &LoginHeads,
    queried: &QueriedLogs,
    replica: &LogPositions,
    window: u64,
) -> CursorVerdict<LogPositions> {
    let logs = &queried.logs;
    let cursor = cursor.ok_or(SnapshotReason::NoCursor)?;
    let is_over = |position: &Position| {
        let now = replica.in_log(position.log);
        now.is_none_or(|now| !now.comparable(*position))
    };
    let named = || logs.iter().filter_map(|log| cursor.in_log(log.now.log));
    let lacks_some = named().count() < logs.len();
    if named().any(|position| is_over(&position)) {
        return Err(SnapshotReason::EpochChanged);
    }
    if (lacks_some || queried.awaits_some) && cursor.positions().iter().any(is_over) {
        // A guild that was in that log when it was given is in another now, or in none.
        return Err(SnapshotReason::EpochChanged);
    }
    if named().any(|position| heads.precede(position)) || named().next().is_none() {
        return Err(SnapshotReason::NoCursor);
    }
    if lacks_some {
        // A guild of another log joined the query.
        return Err(SnapshotReason::AuthzChanged);
    }
    let kept = |log: &QueriedLog, position: Position| {
        position.seq >= log.floor && position.seq <= log.now.seq.saturating_add(window)
    };
    let in_each = logs
        .iter()
        .filter_map(|log| Some((log, cursor.in_log(log.now.log)?)));
    let in_each: Vec<_> = in_each.collect();
    if !in_each.iter().all(|(log, position)| kept(log, *position)) {
        return Err(SnapshotReason::CursorExpired);
    }
    let positions = LogPositions::of(in_each.into_iter().map(|(_, position)| position));
    positions.ok_or(SnapshotReason::NoCursor)
}

/// Decides about a stream that is open at these positions. A log that it does not stand in is new
/// to it.
pub(super) fn judge_position(
    position: &LogPositions,
    queried: &QueriedLogs,
    window: u64,
) -> CursorVerdict<()> {
    let stands_in = || {
        let logs = queried.logs.iter();
        logs.filter_map(|log| Some((log, position.in_log(log.now.log)?)))
    };
    if stands_in().any(|(log, at)| !at.comparable(log.now)) {
        return Err(SnapshotReason::EpochChanged);
    }
    let kept = |(log, at): (&QueriedLog, Position)| {
        at.seq >= log.floor && at.seq <= log.now.seq.saturating_add(window)
    };
    if stands_in().all(kept) {
        Ok(())
    } else {
        Err(SnapshotReason::SlowConsumer)
    }
}

#[cfg(test)]
mod tests;
